#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# unified-io pipe xdp:IF: what it stores is a capture that tcpdump and tshark read, every packet to the port in it and
# none to another, as it was sent; on a drive as a log, and in a file; by one queue and by four; with an XDP program as
# filter; in zero copy where the kernel can, which it says. In the end the interface has its packets back.

set -eu
. "$(dirname -- "$0")/tool_common.sh"

# capture ADDRESS SOURCE ARG...: to /tmp/summary, /tmp/said
capture() {
	local address=$1 pipe
	"$tool" pipe --json "${@:2}" >/tmp/summary 2>/tmp/said &
	pipe=$!
	until grep -q ': mode ' /tmp/said; do
		[ -d /proc/$pipe ] || { cat /tmp/said; exit 1; }
		sleep 0.1
	done
	ip netns exec xsk messages.py send "$address"
	sleep "$SLOW"
	kill -INT $pipe
	wait $pipe || { echo "status $? of $*"; cat /tmp/said; bad=1; }
	same "packets of $*" "$(field packets </tmp/summary)" "$packets"
	same "lost of $*" "$(field packets_lost </tmp/summary)" 0
	ip netns exec xsk ping -c 1 -W 20 "$address" >/dev/null || { echo "no way to $address"; bad=1; }
}

# all_there FILE: the 200 packets
all_there() {
	same "tcpdump" "$(tcpdump -n -r "$1" 2>/dev/null | wc -l)" 200
	tshark -n -r "$1" -T fields -e udp.dstport -e udp.payload 2>/dev/null | messages.py check || bad=1
}

packets=200
capture 10.80.3.1 xdp:four0,queue=0-3,port=7000 "nvme:$NVME0" --force
same "mode on veth" "$(field mode </tmp/summary)" copy
[ "$(field bytes_copied_receiving </tmp/summary)" = "$(field bytes_in </tmp/summary)" ] || bad=1
"$tool" log verify "$NVME0" >/dev/null
"$tool" log cat "$NVME0" >/tmp/capture
all_there /tmp/capture

capture 10.80.0.1 xdp:zc0,port=7000 file:/tmp/capture
all_there /tmp/capture
capture 10.80.0.1 xdp:zc0,port=7000 "nvme:$VIRTIO" --force
"$tool" log cat "$VIRTIO" >/tmp/capture
all_there /tmp/capture

capture 10.80.0.1 xdp:zc0,port=7000 "nvme:$NVME0" --force
"$tool" log cat "$NVME0" >/tmp/capture
all_there /tmp/capture
case $KVER in
6.*) grep -q 'not mode zerocopy: ' /tmp/said ;;
*)
	same "mode on virtio" "$(field mode </tmp/summary)" zerocopy
	same "copied" "$(field bytes_copied </tmp/summary)" 0
	;;
esac

echo "# an XDP program looks at each packet"
capture 10.80.3.1 xdp:four0,queue=0-3 "bpf:$objects/port_7000.bpf.o" "nvme:$NVME0" --force
"$tool" log cat "$NVME0" >/tmp/capture
all_there /tmp/capture
[ "$(field dropped </tmp/summary)" -ge 20 ]
packets=0
capture 10.80.3.1 xdp:four0,queue=0-3 "bpf:$objects/xdp.bpf.o,sec=drop" file:/tmp/capture
same "with none let pass" "$(tcpdump -n -r /tmp/capture 2>/dev/null | wc -l)" 0

says 1 'zerocopy\|ZEROCOPY\|zero copy' pipe xdp:four0,mode=zerocopy -
says 1 'no interface' pipe xdp:nonesuch -
says 2 'an XDP program' pipe xdp:four0 "bpf:$objects/mask.bpf.o" -
says 2 'queue=N or N-M' pipe xdp:four0,queue=3-1 -
says 2 'packets stay whole' pipe xdp:four0 - --framing line
