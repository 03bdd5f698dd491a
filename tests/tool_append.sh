#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# unified-io pipe with append: what a crash has left behind the log's end does not come back, and what was no
# crash is not given up without --force.

set -eu
. "$(dirname -- "$0")/tool_common.sh"

payload=4032 # with its header 4 KiB
seq 100000 >/tmp/in

# store RECORDS OPTION...: so many of 4 KiB, and the writer's last
store() {
	head -c $(($1 * payload)) /tmp/in >/tmp/part
	"$tool" pipe -q --batch 4K /tmp/part "${@:2}"
}

# at RECORD: where it begins
at() {
	"$tool" log ls --json "$NVME0" | python3 -c "
import json, sys
print(json.load(sys.stdin)['list'][$1]['position'])"
}

# zero POSITION, copy FROM TO: a header; a whole record
zero() { dd if=/dev/zero of="$NVME0" bs=512 seek=$(($1 / 512)) count=1 conv=fsync status=none; }
copy() {
	dd if="$NVME0" of="$NVME0" bs=512 skip=$(($1 / 512)) seek=$(($2 / 512)) count=8 conv=fsync status=none
}

# holds RECORDS...: the log's payload is that of so many records, and again
holds() {
	local records
	for records; do
		head -c $((records * payload)) /tmp/in
	done >/tmp/want
	"$tool" log cat "$NVME0" 2>/dev/null | cmp - /tmp/want
}

echo "# a crash that lost the first record of a session, and not the second"
store 2 "nvme:$NVME0" --force
store 2 "nvme:$NVME0,append"
lost=$(at 3) end=$(at 5)
zero "$lost"
zero "$end"
rm -f /tmp/feed
mkfifo /tmp/feed
"$tool" pipe -q --batch 4K - "nvme:$NVME0,append" </tmp/feed &
pipe=$!
exec 5>/tmp/feed
head -c $payload /tmp/in >&5
stored() { [ "$("$tool" log cat "$NVME0" 2>/dev/null | wc -c)" -ge $((3 * payload)) ]; }
until_true stored
kill -9 $pipe
wait $pipe 2>/dev/null || true
exec 5>&-
holds 2 1 || bad=1

echo "# a crash in mid-stream"
store 10 "nvme:$NVME0" --force
end=$(at 10)
flip $(($(at 5) + 100))
zero "$end"
says 0 'writer was not done (record 5' pipe - "nvme:$NVME0,append"
says 0 'complete' log verify "$NVME0"
holds 5 || bad=1

# refused: until --force gives up what is behind record 5
refused() {
	local before
	before=$(head -c 1M "$NVME0" | sha)
	says 3 'damaged at record 5,.*--force' pipe - "nvme:$NVME0,append"
	same "the log" "$(head -c 1M "$NVME0" | sha)" "$before"
	says 0 'giving up' pipe - "nvme:$NVME0,append" --force
	says 0 'complete' log verify "$NVME0"
	holds 5 || bad=1
}

echo "# damage in a log whose writer was done"
store 10 "nvme:$NVME0" --force
flip $(($(at 5) + 100))
refused

echo "# damage farther from the log's end than a crash reaches"
store 10 "nvme:$NVME0" --force
end=$(at 10) far=$((257 << 20))
copy "$(at 9)" $far
copy "$(at 9)" $((2 * far))
flip $(($(at 5) + 100))
zero "$end"
refused
cmp -n 64 -i "$far:0" "$NVME0" /dev/zero || bad=1
cmp -n 64 -i "$((2 * far)):0" "$NVME0" /dev/zero || bad=1
