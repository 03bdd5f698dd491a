#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout.sh DRIVE passthrough|bio: three commands are never answered (the kernel's fail_io_timeout loses their
# completions). The driver's time-out aborts them and resets the controller; a passthrough command then fails,
# a bio is sent again. Nothing waits for ever, and later operations are well.

set -eu
queue=/sys/block/${1##*/}
lose=/sys/kernel/debug/fail_io_timeout
old=$(cat "$queue/queue/io_timeout")
trap 'echo 0 >$lose/probability; echo 0 >"$queue/io-timeout-fail"; echo "$old" >"$queue/queue/io_timeout"' EXIT
echo 0 >$lose/verbose
echo 3 >$lose/times
echo 1000 >"$queue/queue/io_timeout"
echo 1 >"$queue/io-timeout-fail"
[ "$2" = bio ] && errors=- || errors=EIO
fault_load "$1" "$2" $errors good "sleep 1; echo 100 >$lose/probability; sleep 8"
[ "$(cat $lose/times)" = 0 ] || { echo "$(cat $lose/times) of 3 commands were not lost"; exit 1; }
