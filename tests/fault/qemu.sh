# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# qemu.sh: sourced. Puts a block node of QEMU that does harm between a drive and its disk.

# What QEMU says is told only if it is an error.
execute() {
	local reply
	reply=$(qmp "{\"execute\":\"$1\",\"arguments\":$2}") || { echo "$1: $reply" >&2; return 1; }
}

# put NODE SERIAL: the drive as it was, but on another block node.
put() {
	unplug "$2"
	drive=$(replug "$2" "$1")
}

put_back() {
	unplug "$1"
	replug "$1" >/dev/null
}
