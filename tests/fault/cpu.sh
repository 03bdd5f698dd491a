#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# cpu.sh COMMAND [ARG]...: runs COMMAND with one more argument, a shell command that takes a processor away and
# gives it back, several times. Nothing may fail.

set -eu
online=/sys/devices/system/cpu/cpu1/online
[ -w $online ] || { echo "one processor, or it cannot go"; exit 77; }
trap 'echo 1 >$online' EXIT
"$@" "for i in 1 2 3 4; do sleep 0.2; echo 0 >$online || exit; sleep 0.2; echo 1 >$online || exit; done"
