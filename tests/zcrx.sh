#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# zcrx.sh [--bare] COMMAND: with a wire of zcnic. zc0 is here, with a queue that only TCP to its address comes
# in by (--bare: as it is made), and zc1 in the namespace 'peer'. --up instead of a command: for a test that has
# taken the module out.

set -eu
bare=
[ "$1" != --bare ] || { bare=1; shift; }
zcrx probe
export ZC_HERE=10.79.0.1

insmod "$BUILD/$KVER/zcnic.ko"
ip link set zc1 netns peer
ip address add "$ZC_HERE/24" dev zc0
ip -n peer address add 10.79.0.2/24 dev zc1
ip link set zc0 mtu 9000 up
ip -n peer link set zc1 mtu 9000 up
# Known from the start: who asks while the cable is out remembers that nobody answered.
ip neigh replace 10.79.0.2 lladdr "$(ip netns exec peer cat /sys/class/net/zc1/address)" dev zc0 nud permanent
ip -n peer neigh replace "$ZC_HERE" lladdr "$(cat /sys/class/net/zc0/address)" dev zc1 nud permanent
if [ -z "$bare" ]; then
	ethtool -G zc0 tcp-data-split on
	ethtool -X zc0 equal 3
	ethtool -N zc0 flow-type tcp4 dst-ip "$ZC_HERE" action 3 >/dev/null
fi
[ "$1" != --up ] || exit 0
trap '/sbin/rmmod zcnic' EXIT
"$@"
