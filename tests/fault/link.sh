#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# link.sh COMMAND [ARG]...: runs COMMAND with one more argument, a shell command that takes down first this end
# of the wire and then the other, each for a second. What TCP carries goes on.

set -eu
here=$(ip -o -4 address show to "$WIRE_HERE" | awk '{ print $2 }')
peer=$(ip -n peer -o -4 address show to "${WIRE_HERE%.*}.2" | awk '{ print $2 }')
"$@" "set -e
	sleep 0.5; ip link set $here down; sleep 1; ip link set $here up
	sleep 1; ip -n peer link set $peer down; sleep 1; ip -n peer link set $peer up; sleep 1"
