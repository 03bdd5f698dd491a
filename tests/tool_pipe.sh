#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# unified-io pipe with unmodified clients: tcp -> drive -> tcp, with BPF objects in the middle, files, stdin,
# datagrams; every byte compared.

set -eu
. "$(dirname -- "$0")/tool_common.sh"

awk 'BEGIN { for (i = 0; i < 60000; i++) print "line " i, substr("abcdefghijklmnopqrstuvwxyz", i % 26) }' >/tmp/in
whole=$(sha </tmp/in)

# to_drive PORT DRIVE OPTION...: /tmp/in by socat; the summary to /tmp/summary
to_drive() {
	local port=$1 drive=$2
	shift 2
	"$tool" pipe --json "tcp-listen:$port" "$@" "$drive" >/tmp/summary &
	listening "$port"
	socat -u FILE:/tmp/in "TCP:127.0.0.1:$port"
	wait $!
}

echo "# tcp -> drive -> tcp"
to_drive 7100 "nvme:$NVME0" --force
same "bytes in" "$(field bytes_in </tmp/summary)" "$(stat -c %s /tmp/in)"
same "stored" "$("$tool" log cat "$NVME0" | sha)" "$whole"
"$tool" pipe -q "nvme:$NVME0" tcp-listen:7101 &
listening 7101
same "sent back" "$(nc -d 127.0.0.1 7101 | sha)" "$whole"
wait $!

echo "# tcp -> BPF -> drive -> BPF -> file"
masked=$(tr 0-9 x </tmp/in | sha)
to_drive 7102 "nvme:$NVME0" --force "bpf:$objects/mask.bpf.o"
same "masked" "$("$tool" log cat "$NVME0" | sha)" "$masked"
to_drive 7103 "nvme:$NVME0" --force --fill "bpf:$objects/xdp.bpf.o,sec=parse" "bpf:$objects/mask.bpf.o"
same "behind XDP" "$("$tool" log cat "$NVME0" | sha)" "$masked"
"$tool" pipe -q file:/tmp/in "nvme:$NVME0" --force
"$tool" pipe -q "$NVME0" "bpf:$objects/mask.bpf.o" /tmp/out
same "file -> drive -> BPF -> file" "$(sha </tmp/out)" "$masked"

echo "# tcp -> BPF -> tcp, tcp -> file, on a drive that is not NVMe"
socat -u TCP-LISTEN:7105,reuseaddr CREATE:/tmp/out &
sink=$!
listening 7105
"$tool" pipe -q tcp-listen:7104 "bpf:$objects/mask.bpf.o" tcp:127.0.0.1:7105 &
pipe=$!
listening 7104
nc -N 127.0.0.1 7104 </tmp/in
wait $pipe $sink
same "tcp -> BPF -> tcp" "$(sha </tmp/out)" "$masked"
"$tool" pipe -q tcp-listen:7106 "bpf:$objects/mask.bpf.o" file:/tmp/out &
listening 7106
nc -N 127.0.0.1 7106 </tmp/in
wait $!
same "tcp -> BPF -> file" "$(sha </tmp/out)" "$masked"

echo "# records of whole lines, appended from stdin; part of a drive that is not NVMe"
part=nvme:$VIRTIO,offset=16M,len=64M
head -n 1000 /tmp/in | "$tool" pipe -q --framing line - "$part" --force
to_drive 7107 "$part,append" --framing line --batch 16K --sync flush
"$tool" log export "$part" /tmp/out --index /tmp/index 2>/dev/null
{ head -n 1000 /tmp/in; cat /tmp/in; } | cmp - /tmp/out
python3 - <<'END'
import json
data = open("/tmp/out", "rb").read()
index = json.load(open("/tmp/index"))
assert index["complete"], index
records = [r for r in index["list"] if r["len"]]
assert len(records) > 90, len(records)
for r in records:
    assert data[r["offset"] + r["len"] - 1] == ord("\n"), r
    assert r["size"] <= 131072 and r["position"] >= 16 << 20, r
END
tail -n 1 /tmp/in >/tmp/last
"$tool" log tail -n 1 "$part" | tail -n 1 | cmp - /tmp/last

echo "# messages behind their length, larger than a record among them"
python3 -c '
import struct, sys
for n in [0, 1, 5000, 40000, 3, 17000, 100000] * 5:
    sys.stdout.buffer.write(struct.pack(">I", n) + bytes(i & 255 for i in range(n)))' >/tmp/in
whole=$(sha </tmp/in)
to_drive 7108 "nvme:$NVME0" --force --framing length --batch 32K
same "messages" "$("$tool" log cat "$NVME0" | sha)" "$whole"
"$tool" pipe -q --framing length --batch 32K - "nvme:$NVME0" --force </tmp/in
same "messages from stdin" "$("$tool" log cat "$NVME0" | sha)" "$whole"

echo "# datagrams"
"$tool" pipe -q udp-listen:7109 "nvme:$NVME0" --force &
listening 7109
printf 'one' | socat -u - UDP:127.0.0.1:7109
printf 'two' | socat -u - UDP:127.0.0.1:7109
until [ "$("$tool" log cat "$NVME0" 2>/dev/null)" = onetwo ]; do sleep 0.1; done
kill -INT $!
wait $!
same "datagrams" "$("$tool" log ls --json "$NVME0" | python3 -c '
import json, sys
print([r["len"] for r in json.load(sys.stdin)["list"]])')" "[3, 3, 0]"

echo "# a peer that is gone without a word"
sysctl -q net.ipv4.tcp_keepalive_time=1 net.ipv4.tcp_keepalive_intvl=1 net.ipv4.tcp_keepalive_probes=2
"$tool" pipe "tcp-listen:$WIRE_HERE:7110" "nvme:$NVME0" --force >/tmp/said 2>&1 &
pipe=$!
listening 7110
{ printf 'the last words'; sleep $((60 * SLOW)); } | ip netns exec peer socat -u - "TCP:$WIRE_HERE:7110" &
peer=$!
until [ -n "$(ss -Htn state established "sport = :7110")" ]; do sleep 0.1; done
sleep 1
ip -n peer link set eth1 down
status=0
wait $pipe || status=$?
same "status" "$status" 1
grep -q 'Connection timed out' /tmp/said || { echo "nothing of the peer:"; cat /tmp/said; bad=1; }
same "stored" "$("$tool" log cat "$NVME0")" "the last words"
ip -n peer link set eth1 up
kill $peer
