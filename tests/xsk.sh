#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# xsk.sh COMMAND: with wires to the namespace 'xsk'. Two are of virtio NICs that can do AF_XDP zero copy (where
# the kernel can), zc0 and zc1; one is a veth with one queue, veth0, and one with four, four0; one is of zcnic, many0,
# which does zero copy on four queues (where zcnic is built). Here they have the addresses 10.80.0.1, 10.80.1.1,
# 10.80.2.1, 10.80.3.1 and 10.80.4.1, there 10.80.0.2 and so on.

set -eu

nic() {
	basename "$(dirname "$(grep -l "$1" /sys/class/net/*/address)")"
}

# named MAC NAME: gives the interface the name, by which it comes back from the namespace.
named() {
	local old
	old=$(nic "$1")
	[ "$old" = "$2" ] || { ip link set "$old" down; ip link set "$old" name "$2"; }
}

# wire N HERE THERE
wire() {
	ip link set "$3" netns xsk
	ip address add "10.80.$1.1/24" dev "$2"
	ip -n xsk address add "10.80.$1.2/24" dev "$3"
	ip link set "$2" up
	ip -n xsk link set "$3" up
	# known from the start: a packet that waited for an answer to ARP can be overtaken by the next
	ip -n xsk neigh replace "10.80.$1.1" lladdr "$(cat "/sys/class/net/$2/address")" dev "$3" nud permanent
}

# zcnic goes when both of its ends are here again.
unplug() {
	for _ in {1..100}; do
		! /sbin/rmmod zcnic 2>/dev/null || return 0
		sleep 0.1
	done
	/sbin/rmmod zcnic
}

# The NICs come back when the namespace goes, which takes its time.
end() {
	ip link delete veth0 2>/dev/null || true
	ip link delete four0 2>/dev/null || true
	for name in zc0 zc1; do
		[ ! -e /sys/class/net/$name ] || ip link set $name down
		ip address flush dev $name 2>/dev/null || true
	done
	ip netns delete xsk
	[ ! -e /sys/module/zcnic ] || unplug
	for _ in {1..100}; do
		! nic 52:54:00:00:02:01 >/dev/null 2>&1 || break
		sleep 0.1
	done
}

trap end EXIT
ip netns add xsk
for n in 0 1; do
	named 52:54:00:00:0$((n + 1)):00 zc$n
	named 52:54:00:00:0$((n + 1)):01 far$n
	wire $n zc$n far$n
done
ip link add veth0 numrxqueues 1 numtxqueues 1 type veth peer name veth1 numrxqueues 1 numtxqueues 1
wire 2 veth0 veth1
ip link add four0 numrxqueues 4 numtxqueues 4 type veth peer name four1 numrxqueues 4 numtxqueues 4
ethtool -L four0 rx 4 tx 4
ethtool -L four1 rx 4 tx 4
wire 3 four0 four1
if [ -e "$BUILD/$KVER/zcnic.ko" ]; then
	insmod "$BUILD/$KVER/zcnic.ko"
	named 02:7a:63:6e:69:00 many0
	named 02:7a:63:6e:69:01 many1
	wire 4 many0 many1
fi
"$@"
