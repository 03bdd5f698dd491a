#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Packets -> XDP -> NVMe: the drive has the packets that the program passes, as they were sent, and no others. The
# same object file does the same on a NIC.

set -eu
samples=$BUILD/user/samples
cat >/tmp/packets.py <<'END'
import socket, sys, time
here, ports = "10.77.0.1", (7000, 7001)
messages = [b"message %d " % i + b"x" * (i * 37 % 1400) for i in range(100)]
if sys.argv[1] == "send":
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for message in messages:
        for port in ports:
            out.sendto(message, (here, port))
        time.sleep(0.005)
elif sys.argv[1] == "drive":
    drive, at, got = open(sys.argv[2], "rb").read(1 << 20), 0, []
    for i in range(int(sys.argv[3])):
        packet = drive[at:]
        if packet[12:14] == b"\x08\x00":
            length = int.from_bytes(packet[16:18], "big")
            assert packet[23] == 17 and int.from_bytes(packet[36:38], "big") == 7000
            got.append(packet[42:14 + length])
        else:
            length = 100 # of ARP or the like: passed, one block
        at += (14 + length + 511) // 512 * 512
    assert got == messages, f"{len(got)} messages"
else:
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for port in ports]
    for s, port in zip(sockets, ports):
        s.bind((here, port))
        s.settimeout(20)
    print("bound", flush=True)
    assert [sockets[0].recv(2048) for m in messages] == messages
    sockets[1].settimeout(0.5)
    try:
        sys.exit(f"passed: {sockets[1].recv(2048)}")
    except TimeoutError:
        pass
END
send() { ip netns exec peer python3 /tmp/packets.py send; }

# until FILE WORD
until_said() {
	for _ in $(seq $((100 * SLOW))); do
		! grep -q "$2" "$1" || return 0
		sleep 0.1
	done
	cat "$1"
	return 1
}

"$samples/filter" eth0 "$samples/filter.bpf.o" "$NVME0" >/tmp/report 2>&1 &
sample=$!
trap 'kill $sample 2>/dev/null || true' EXIT
until_said /tmp/report filtering
send
for _ in $(seq $((100 * SLOW))); do
	stats=$(cat /sys/kernel/debug/unified_io_region/*/stats)
	awk '{ n[$1] = $2 } END { exit n["dropped"] < 100 || n["write_ops"] < 100 }' <<<"$stats" && break
	sleep 0.1
done
kill -INT $sample
wait $sample || { cat /tmp/report; exit 1; }
cat /tmp/report
read -r written _ dropped _ < <(tail -n 1 /tmp/report)
[ "$dropped" -ge 100 ]
python3 /tmp/packets.py drive "$NVME0" "$written"

ip link set dev eth0 xdpgeneric object "$samples/filter.bpf.o" section xdp
trap 'ip link set dev eth0 xdpgeneric off' EXIT
python3 /tmp/packets.py receive >/tmp/report 2>&1 &
receiver=$!
until_said /tmp/report bound
send
wait $receiver || { cat /tmp/report; exit 1; }
