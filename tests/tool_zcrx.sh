#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# tool_zcrx.sh [any]: unified-io pipe zcrx:IF with programs, framing and every sink; it says which way the payload
# comes in, and counts what is copied. In the network of zcrx.sh --bare: --configure makes the NIC fit and what it was
# before, however the pipe ends. 'any': on an interface that can do nothing, and on any kernel.

set -eu
. "$(dirname -- "$0")/tool_common.sh"

nic=zc0 here=${ZC_HERE-} peer='ip netns exec peer'
if [ "${1-}" = any ]; then
	nic=lo here=127.0.0.1 peer=
fi
awk 'BEGIN { for (i = 0; i < 30000; i++) print "line " i, substr("abcdefghijklmnopqrstuvwxyz", i % 26) }' >/tmp/in
size=$(stat -c %s /tmp/in)
whole=$(sha </tmp/in) masked=$(tr 0-9 x </tmp/in | sha)

# receive OPTION... [BPF]... SINK: /tmp/in from the peer; the summary is in /tmp/summary, what it says in /tmp/said
receive() {
	local pipe
	"$tool" pipe --json "zcrx:$nic,queue=3,port=7400,mode=$mode" "$@" >/tmp/summary 2>/tmp/said &
	pipe=$!
	listening 7400
	# Segments are whole words (1448 bytes): behind one that ends inside a word, gathers have to copy. That of
	# loopback has 65483 bytes, where the sender is fast enough.
	$peer socat -u FILE:/tmp/in "TCP:$here:7400,mss=1460"
	wait $pipe || { echo "status $? of $*"; cat /tmp/said; bad=1; }
	same "bytes in, $mode, $*" "$(field bytes_in </tmp/summary)" "$size"
	same "mode of $*" "$(field mode </tmp/summary)" "$mode"
	copied=$(field bytes_copied </tmp/summary)
}

# copies WHAT AT-LEAST AT-MOST: by the processor, on the way in and all in all, in percent
copies() {
	[ $((copied * 100)) -ge $((size * $2)) ] && [ $((copied * 100)) -le $((size * $3)) ] && return
	echo "$mode, $1: $copied of $size bytes were copied"
	bad=1
}

# In percent, what a drive that takes no ranges as they come has put together by a copy.
together=0
[ "$("$tool" info --json "$NVME0" | python3 -c '
import json, sys
print(json.load(sys.stdin)["drive"]["range_alignment"])')" -lt 4096 ] || together=100

# whole_lines: each record
whole_lines() {
	"$tool" log export "$NVME0" /tmp/out --index /tmp/index 2>/dev/null
	python3 - <<'END'
import json
data = open("/tmp/out", "rb").read()
records = [r for r in json.load(open("/tmp/index"))["list"] if r["len"]]
assert len(records) > 1, records
for r in records:
    assert data[r["offset"] + r["len"] - 1] == ord("\n"), r
    assert r["size"] <= 65536, r
END
}

# ways IN: with the mode at hand, which copies IN percent on the way in
ways() {
	echo "# $mode"
	receive "nvme:$NVME0" --force
	same "stored" "$("$tool" log cat "$NVME0" | sha)" "$whole"
	same "copied receiving" "$(field bytes_copied_receiving </tmp/summary)" $((size * $1 / 100))
	copies "to a drive" "$1" $(($1 + together + 10))
	receive "bpf:$objects/pieces.bpf.o" "nvme:$NVME0" --force
	same "masked in pieces" "$("$tool" log cat "$NVME0" | sha)" "$masked"
	copies "program in place" "$1" $(($1 + together + 10))
	receive "bpf:$objects/mask.bpf.o" "nvme:$NVME0" --force
	same "masked in one piece" "$("$tool" log cat "$NVME0" | sha)" "$masked"
	copies "program on one piece" $(($1 + 100)) $(($1 + 110))
	grep -q 'in one piece: each byte is copied once more' /tmp/said
	receive "bpf:$objects/xdp.bpf.o,sec=parse" "bpf:$objects/mask.bpf.o" "nvme:$NVME0" --force
	same "behind XDP" "$("$tool" log cat "$NVME0" | sha)" "$masked"
	receive "bpf:$objects/xdp.bpf.o,sec=drop" "nvme:$NVME0" --force
	same "behind XDP that drops" "$("$tool" log cat "$NVME0" | wc -c)" 0
	receive --framing line --batch 64K --fill "nvme:$NVME0" --force
	whole_lines
	same "lines" "$("$tool" log cat "$NVME0" | sha)" "$whole"
	receive --batch 4K "nvme:$VIRTIO" --force
	same "on another drive" "$("$tool" log cat "$VIRTIO" | sha)" "$whole"
	receive "bpf:$objects/mask.bpf.o" file:/tmp/out
	same "in a file" "$(sha </tmp/out)" "$masked"
	receive file:/tmp/out
	same "in a file, as it came" "$(sha </tmp/out)" "$whole"
	socat -u TCP-LISTEN:7401,reuseaddr CREATE:/tmp/out &
	sink=$!
	listening 7401
	receive "bpf:$objects/pieces.bpf.o" tcp:127.0.0.1:7401
	wait $sink
	same "sent on" "$(sha </tmp/out)" "$masked"
}

if [ "$nic" = lo ]; then
	mode=socket
	ways 100

	echo "# automatic: says why it copies, and what is missing"
	"$tool" pipe --json "zcrx:$nic,port=7400" "nvme:$NVME0" --force >/tmp/summary 2>/tmp/said &
	listening 7400
	socat -u FILE:/tmp/in TCP:127.0.0.1:7400
	wait $!
	grep -q 'not mode device: ' /tmp/said
	grep -q 'mode \(nodev\|socket\): .* copies each byte once' /tmp/said
	same "stored" "$("$tool" log cat "$NVME0" | sha)" "$whole"

	echo "# a full log ends it, and what is there is whole"
	"$tool" pipe "zcrx:$nic,port=7400,mode=socket" "nvme:$NVME0,len=256K" --force 2>/tmp/said &
	listening 7400
	socat -u FILE:/tmp/in TCP:127.0.0.1:7400 2>/dev/null || true
	status=0
	wait $! || status=$?
	same "status of a full log" $status 1
	grep -q 'the log is full' /tmp/said
	"$tool" log cat "$NVME0" 2>/dev/null >/tmp/out || true
	[ -s /tmp/out ]
	cmp -n "$(stat -c %s /tmp/out)" /tmp/out /tmp/in

	echo "# a reset: what had come before is stored"
	"$tool" pipe -q --framing line --fill "zcrx:$nic,port=7400,mode=socket" "nvme:$NVME0" --force 2>/tmp/said &
	listening 7400
	held.py 127.0.0.1 7400 12345 reset
	ends $! 1
	grep -q 'Connection reset' /tmp/said
	"$tool" log cat "$NVME0" 2>/dev/null | cmp - /tmp/sent || bad=1

	echo "# arrivals that take all buffers long before they fill one"
	"$tool" pipe -q --depth 2 --fill "zcrx:$nic,port=7400,mode=socket" "nvme:$NVME0" --force 2>/tmp/said &
	listening 7400
	for i in $(seq 50); do echo "line $i"; sleep 0.1; done | socat -u - TCP:127.0.0.1:7400
	ends $! 0
	same "small arrivals" "$("$tool" log cat "$NVME0" 2>/dev/null | tail -n 1)" "line 50"

	echo "# more batches on their way than there are buffers"
	receive --depth 1 --batch 4K "nvme:$NVME0" --force
	same "stored" "$("$tool" log cat "$NVME0" | sha)" "$whole"

	says 2 'mode is auto, device' pipe zcrx:lo,port=7400,mode=fast -
	says 2 '--configure is for' pipe --configure tcp-listen:7400 -
	says 1 'not up\|tcp-data-split on\|no ZCRX' pipe zcrx:nonesuch,port=7400,mode=device - --quiet
	exit
fi

state() {
	local what
	for what in -g -x -n -l -k; do
		ethtool $what zc0 || true
	done
	ip -o link show zc0 | cut -d ' ' -f 1-5
}

# unchanged WHEN: the interface is what it was
unchanged() { same "the interface, $1" "$(state 2>&1 | diff /tmp/state - | head -n 5)" ''; }
state >/tmp/state 2>&1

echo "# as it is made: says what is missing, and copies"
says 1 'ethtool -G zc0 tcp-data-split on' pipe zcrx:zc0,queue=3,port=7400,mode=device - --quiet
mode=nodev
receive "nvme:$NVME0" --force
same "copied without a device" "$(field bytes_copied_receiving </tmp/summary)" "$size"
same "stored" "$("$tool" log cat "$NVME0" | sha)" "$whole"

echo "# made fit, and back"
mode=device
receive --configure "nvme:$NVME0" --force
same "stored" "$("$tool" log cat "$NVME0" | sha)" "$whole"
same "copied" "$(field bytes_copied_receiving </tmp/summary)" 0
unchanged "after a transfer"
says 3 'holds gpt' pipe zcrx:zc0,queue=3,port=7400,configure "nvme:$NVME1"
unchanged "after a refusal"
says 1 'ethtool -L zc0 combined 10' pipe zcrx:zc0,queue=9,port=7400,configure -
unchanged "after a queue that is not there"

echo "# a signal while nobody has come, and in mid-stream"
"$tool" pipe -q zcrx:zc0,queue=3,port=7400,configure - 2>/tmp/said >/tmp/out &
pipe=$!
until ethtool -n zc0 | grep -q Filter:; do sleep 0.1; done
kill -INT $pipe
wait $pipe
unchanged "after a signal"
rm -f /tmp/sent
"$tool" pipe --json zcrx:zc0,queue=3,port=7400,configure "nvme:$NVME0" --force >/tmp/summary 2>/tmp/said &
pipe=$!
listening 7400
$peer held.py "$here" 7400 3000001 &
client=$!
until [ -e /tmp/sent ]; do sleep 0.1; done
shown() { "$tool" stat | grep -qx '  bypass      zcrx: 2.9 MiB past the stages, 0 B of it copied'; }
until_true shown
says 0 '^  bypass  *0 B/s  *0.00$' top --no-latency --interval 0.1 --batch 1
kill -TERM $pipe
wait $pipe
kill $client
wait $client 2>/dev/null || true
"$tool" log cat "$NVME0" | cmp - /tmp/sent
same "why it ended" "$(field end </tmp/summary)" signal
same "copied" "$(field bytes_copied_receiving </tmp/summary)" 0
unchanged "after a signal in mid-stream"

echo "# a second signal, where the sink takes nothing"
python3 -c 'import socket, time
s = socket.create_server(("127.0.0.1", 7402))
time.sleep(600)' &
sink=$!
listening 7402
"$tool" pipe -q zcrx:zc0,queue=3,port=7400,configure tcp:127.0.0.1:7402 2>/tmp/said &
pipe=$!
listening 7400
head -c 32M /dev/zero | $peer socat -u - "TCP:$here:7400" 2>/dev/null &
until_true stuck bypass_bytes
kill -HUP $pipe
until_true unblocked $pipe 1
kill -HUP $pipe
ends $pipe 129
unchanged "after a second signal"
kill $sink
wait $sink 2>/dev/null || true

ethtool -G zc0 tcp-data-split on
ethtool -X zc0 equal 3

echo "# the connection comes in by another queue, and one that nobody reads has all buffers"
ethtool -N zc0 flow-type tcp4 dst-port 7403 action 3 >/tmp/rule
python3 -c 'import socket, sys, time
s = socket.create_server((sys.argv[1], 7403))
s.setsockopt(socket.SOL_SOCKET, 33, 16 << 20)  # SO_RCVBUFFORCE
c = s.accept()
time.sleep(600)' "$here" &
other=$!
listening 7403
"$tool" pipe -q --depth 8 zcrx:zc0,queue=3,port=7400,mode=device "nvme:$NVME0" --force 2>/tmp/said &
pipe=$!
listening 7400
missed=$(ethtool -S zc0 | awk '$1 == "rx3_missed:" { print $2 }')
head -c 8M /dev/zero | $peer socat -u - "TCP:$here:7403" 2>/dev/null &
none_left() { [ "$(ethtool -S zc0 | awk '$1 == "rx3_missed:" { print $2 }')" -gt "$missed" ]; }
until_true none_left
$peer socat -u FILE:/tmp/in "TCP:$here:7400" 2>/dev/null &
ends $pipe 1
grep -q 'no buffer is left' /tmp/said || { cat /tmp/said; bad=1; }
kill $other
wait $other 2>/dev/null || true
ethtool -N zc0 delete "$(sed -n 's/.*ID //p' /tmp/rule)"

ethtool -N zc0 flow-type tcp4 dst-port 7400 action 3 >/dev/null
ways 0
