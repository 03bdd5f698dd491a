#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A signal in mid-stream: unified-io pipe ends with status 0, all that TCP has acknowledged or that was read from
# stdin is in the log, the beginning of a line included, and the log is whole. A second signal ends it at once.
# kill -9: what is there is how the stream begins, and 'append' goes on behind it.

set -eu
. "$(dirname -- "$0")/tool_common.sh"

# held SIZE OPTION...: so many bytes, and then a signal; with early=yes before the connection has been accepted
held() {
	local size=$1 client pipe
	shift
	rm -f /tmp/sent
	"$tool" pipe --json tcp-listen:7200 "$@" "nvme:$NVME0" --force >/tmp/summary &
	pipe=$!
	listening 7200
	[ -z "${early-}" ] || kill -STOP $pipe
	held.py 127.0.0.1 7200 "$size" &
	client=$!
	until [ -e /tmp/sent ]; do sleep 0.1; done
	[ -z "${second-}" ] || kill -STOP $pipe
	kill -"${signal-INT}" $pipe
	[ -z "${second-}" ] || kill -"$second" $pipe
	[ -z "${early-}${second-}" ] || kill -CONT $pipe
	ends $pipe 0
	kill $client
	wait $client 2>/dev/null || true
	"$tool" log cat "$NVME0" >/tmp/out
	cmp /tmp/sent /tmp/out
	same "why it ended" "$(field end </tmp/summary)" signal
}

held 3000001
held 3000001 --framing line --fill
held 12345 --framing line "bpf:$objects/xdp.bpf.o,sec=parse"
early=yes held 23456
signal=HUP held 3456
signal=QUIT held 4567
signal=TERM second=INT held 5678	# two at once: timeout(1) sends one to the process, and one to its group

echo "# what was read from stdin, but is no line yet, or no full buffer"
mkfifo /tmp/feed
# read_all: the pipe has read what is in the fifo
read_all() {
	python3 -c '
import array, fcntl, sys, termios
left = array.array("i", [0])
fcntl.ioctl(0, termios.FIONREAD, left)
sys.exit(left[0])' </tmp/feed
}
for option in --framing=line --fill; do
	"$tool" pipe -q $option - "nvme:$NVME0" --force </tmp/feed &
	exec 5>/tmp/feed
	printf abc >&5
	until_true read_all
	kill -TERM $!
	ends $! 0
	exec 5>&-
	same "stored with $option" "$("$tool" log cat "$NVME0")" abc
done

echo "# a client that does not read: one signal, and then another"
ticks() { awk '{ print $14 + $15 }' /proc/$pipe/stat; }
head -c 16M /dev/zero | "$tool" pipe -q - "nvme:$NVME0" --force
"$tool" pipe -q "nvme:$NVME0" tcp-listen:7203 &
pipe=$!
listening 7203
python3 -c 'import socket, time
s = socket.create_connection(("127.0.0.1", 7203))
time.sleep(600)' &
client=$!
until_true stuck send_bytes
kill -INT $pipe
until_true unblocked $pipe 15
before=$(ticks)
sleep 2
[ $(($(ticks) - before)) -lt 50 ] || { echo "it spins"; bad=1; }
kill -TERM $pipe
ends $pipe 143
kill $client
wait $client 2>/dev/null || true

echo "# SIGHUP, ignored as nohup has it"
(
	trap '' HUP
	exec "$tool" pipe --json - "nvme:$NVME0" --force </tmp/feed >/tmp/summary
) &
exec 5>/tmp/feed
printf abc >&5
until_true read_all
kill -HUP $!
sleep 0.5
printf def >&5
exec 5>&-
ends $! 0
same "why it ended" "$(field end </tmp/summary)" eof
same "stored" "$("$tool" log cat "$NVME0")" abcdef

echo "# a client that never stops"
"$tool" pipe -q tcp-listen:7201 "nvme:$NVME0" --force &
pipe=$!
listening 7201
python3 -c 'import itertools
for i in itertools.count(): print("line", i)' 2>/dev/null | socat -u - TCP:127.0.0.1:7201 2>/dev/null &
some() { [ "$(total recv_bytes)" -gt 100000 ]; }
until_true some
kill -TERM $pipe
wait $pipe
wait
"$tool" log verify "$NVME0"
"$tool" log cat "$NVME0" 2>/dev/null >/tmp/out
[ -s /tmp/out ]
python3 -c 'import itertools
for i in itertools.count(): print("line", i)' 2>/dev/null | cmp -n "$(stat -c %s /tmp/out)" - /tmp/out

echo "# kill -9, then append"
"$tool" pipe -q tcp-listen:7202 "nvme:$NVME0" --force &
pipe=$!
listening 7202
rm -f /tmp/sent
held.py 127.0.0.1 7202 2000000 2>/dev/null &
client=$!
until [ -e /tmp/sent ] && [ "$("$tool" log cat "$NVME0" 2>/dev/null | wc -c)" -ge 1500000 ]; do sleep 0.5; done
kill -9 $pipe
kill $client
wait $pipe $client 2>/dev/null || true
status=0
"$tool" log cat "$NVME0" >/tmp/killed 2>/dev/null || status=$?
same "a log without an end" $status 5
says 5 'without its last record' pipe -q "nvme:$NVME0" file:/tmp/out
cmp /tmp/killed /tmp/out || bad=1
head -c 2000000 /tmp/sent | cmp -n "$(stat -c %s /tmp/killed)" - /tmp/killed
echo more | "$tool" pipe -q - "nvme:$NVME0,append" 2>/tmp/said
grep -q "writer was not done" /tmp/said
{ cat /tmp/killed; echo more; } >/tmp/want
"$tool" log cat "$NVME0" | cmp - /tmp/want

echo "# one bit turned: it says which record"
position=$("$tool" log ls --json "$NVME0" | python3 -c '
import json, sys
print(json.load(sys.stdin)["list"][1]["position"] + 100)')
flip "$position"
says 5 'record 1: damaged (checksum), and a good one follows it' log verify "$NVME0"
"$tool" log verify --json "$NVME0" >/tmp/said || true
same "JSON" "$(field complete </tmp/said)" False
