#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# remove.sh SERIAL passthrough|bio: the drive's PCI device is removed under load, and comes back with a scan of
# the bus. The region that held it stays dead, a new one works.

set -eu
drive=$(disk "$1")
pci=$(readlink -f "/sys/block/${drive##*/}/device/device")
fault_load "$drive" "$2" EIO,ENODEV ENODEV "sleep 0.5; echo 1 >$pci/remove"
echo 1 >/sys/bus/pci/rescan
# Its name may be another: the region lets go of the old drive only in its own time. The node in /dev is made before
# it can be opened.
for _ in $(seq $((100 * SLOW))); do
	drive=$(disk "$1" 2>/dev/null)
	[ -z "$drive" ] || ! (: <"$drive") 2>/dev/null || break
	sleep 0.1
done
fault_load "$drive" "$2" - good 'sleep 0.2'
