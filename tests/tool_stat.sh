#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# unified-io stat: a pipe's region, by what the module tells of it and by what is known to have gone through.

set -eu
. "$(dirname -- "$0")/tool_common.sh"

says 0 '^no region$' stat
same "no regions" "$("$tool" stat --json | field regions)" '[]'
says 1 'no region 77' stat 77
says 2 'one region, or none' stat 1 2
says 2 '--count and --latency take an --interval' stat --count 3
says 2 "--interval '0': want seconds" stat --interval 0
says 2 "--interval 'nan': want seconds" stat --interval nan

# a process may have any name
name=$'/tmp/a"\\\n\xff\x1b[2J'
cp "$tool" "$name"
head -c 300000 /dev/zero >/tmp/in
feed_pipe 7300 "$name"
cat /tmp/in >&5
until_true counted recv_bytes 300000
until_true idle

"$tool" stat --json | python3 -c '
import json, sys
all = json.load(sys.stdin)
[region] = all["regions"]
assert region["pid"] == int(sys.argv[1]), region
assert region["command"] == "a\"\\???[2J", region
assert region["device"] == sys.argv[2], region
assert 0 < region["created_ns"] / 1e9 < all["uptime"], all
assert region["inflight"] == 2 and region["nr_sockets"] == 1, region
stages = region["stages"]
assert stages["recv"]["copied"] == 300000, stages
assert stages["write"]["bytes"] >= 300000 and stages["send"]["ops"] == 0, stages
names = dict(region)
for stage, values in names.pop("stages").items():
    names.update({f"{stage}_{name}": value for name, value in values.items()})
id = names.pop("region")
del names["command"]
told = dict(line.split() for line in open(f"/sys/kernel/debug/unified_io_region/{id}/stats"))
assert {name: str(value) for name, value in names.items()} == told, (names, told)
' $pipe "${NVME0##*/}"

says 0 "^region [0-9]*: a\"\\\\???\[2J (pid $pipe), .*drive ${NVME0##*/} (nvme-passthrough)" stat
says 0 '^  recv .* 293.0 KiB *0 *293.0 KiB$' stat
id=$(ls /sys/kernel/debug/unified_io_region)
says 0 "^region $id:" stat "$id"

echo "# rates: nothing, then something"
"$tool" stat --interval $((4 + SLOW / 2)) --count 3 >/tmp/rates 5>&- &
stat=$!
until_true grep -q recv /tmp/rates
cat /tmp/in >&5
wait $stat
same "reports" "$(grep -c '^  stage ' /tmp/rates)" 3
same "idle" "$(awk '$1 == "recv" { print $2, $3, $6; exit }' /tmp/rates)" "0 0 0.00"
same "busy" "$(awk '$1 == "recv" && $2 > 0 && $3 > 0 { print $6; exit }' /tmp/rates)" 1.00
"$tool" stat --interval 0.1 --count 3 --json | python3 -c '
import json, sys
times = [json.loads(line)["uptime"] for line in sys.stdin]
assert len(times) == 3 and times == sorted(times), times'
until_true counted recv_bytes 600000
"$tool" stat --latency --interval 0.5 --count 8 --json >/tmp/lines 5>&- &
stat=$!
until_true test -s /tmp/lines
cat /tmp/in >&5
wait $stat
tail -n 1 /tmp/lines | python3 -c '
import json, sys
[region] = json.load(sys.stdin)["regions"]
assert {"recv", "write", "operation"} <= set(region["latency"]), region
assert all(latency["count"] > 0 for latency in region["latency"].values()), region'

echo "# the region goes away"
"$tool" stat --interval 0.1 "$id" >/dev/null 2>/tmp/said 5>&- &
stat=$!
end_pipe
status=0
wait $stat || status=$?
same "gone" "$status $(cat /tmp/said)" "1 unified-io stat: no region $id; 'unified-io stat' lists them"

cp "$tool" /tmp/unified-io
status=0
setpriv --reuid 65534 --clear-groups /tmp/unified-io stat >/tmp/said 2>&1 || status=$?
same "no rights" "$status $(cat /tmp/said)" "4 unified-io stat: /sys/kernel/debug is root's: run as root"
