#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# NIC -> XDP filter -> NVMe: what capture leaves on the drive is a pcapng file that tcpdump and tshark read, with
# every packet to its port and none to another, as it was sent. In zero copy where the kernel can, else copied; from
# one queue and from four; to a drive that gathers them, and to one that cannot. Then answer, to a real client.

set -eu
samples=$BUILD/user/samples

# started WORD: until the program has said it.
started() {
	for _ in $(seq $((300 * SLOW))); do
		! grep -q "$1" /tmp/report || return 0
		sleep 0.1
	done
	echo "no '$1': $(cat /tmp/report)"
	return 1
}

# capture IFNAME QUEUES ADDRESS DRIVE: what it reports is in /tmp/report.
capture() {
	"$samples/capture" "$1" "$2" 7000 "$4" >/tmp/report 2>&1 &
	local pid=$!
	started capturing
	ip netns exec xsk messages.py send "$3"
	sleep "$SLOW"
	kill -INT $pid
	wait $pid
	tail -n 1 /tmp/report
	"$samples/capcat" <"$4" >/tmp/capture.pcapng
	cmp -n "$(stat -c %s /tmp/capture.pcapng)" /tmp/capture.pcapng "$4"
	[ "$(tcpdump -n -r /tmp/capture.pcapng | wc -l)" = 200 ]
	tshark -n -r /tmp/capture.pcapng -T fields -e udp.dstport -e udp.payload | messages.py check
	grep -q '^200 packets' /tmp/report
}

# answer IFNAME QUEUES ADDRESS
answer() {
	local text reply pid
	"$samples/answer" "$1" "$2" 7000 >/tmp/report 2>&1 &
	pid=$!
	started answering
	for text in hello "how are you" "$(head -c 1400 /dev/zero | tr '\0' x)"; do
		reply=$(timeout $((20 * SLOW)) ip netns exec xsk nc -u -W 1 "$3" 7000 <<<"$text")
		[ "$reply" = "${text^^}" ] || { echo "'$text' got '$reply'"; return 1; }
	done
	kill -INT $pid
	wait $pid
	tail -n 1 /tmp/report
	grep -q '^3 answers' /tmp/report
}

uncopied() {
	grep -q 'copied 0 bytes coming in, 0 going out' /tmp/report || { cat /tmp/report; return 1; }
}

capture four0 4 10.80.3.1 "$NVME0"
grep -q 'copied [1-9][0-9]* bytes coming in' /tmp/report
capture zc0 1 10.80.0.1 "$VIRTIO"
grep -q '[1-9][0-9]* going out' /tmp/report
answer four0 4 10.80.3.1
answer zc0 1 10.80.0.1
capture zc0 1 10.80.0.1 "$NVME0"
case $KVER in
6.*) exit ;; # its virtio_net has no AF_XDP zero copy, nor can the drive gather there, nor is there zcnic
esac
uncopied
capture many0 4 10.80.4.1 "$NVME0"
uncopied
answer many0 4 10.80.4.1
