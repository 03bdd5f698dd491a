#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# bad_drive.sh FIRST LAST COMMAND: runs COMMAND DRIVE FIRST LAST, on a null_blk of 64 MiB whose blocks of 512
# bytes from FIRST to LAST are bad.

set -eu
config=/sys/kernel/config
mountpoint -q $config || mount -t configfs config $config
mkdir $config/nullb/bad
trap 'echo 0 >$config/nullb/bad/power; rmdir $config/nullb/bad' EXIT
cd $config/nullb/bad
echo 1 >memory_backed
echo 64 >size
echo 512 >blocksize
echo "+$1-$2" >badblocks
echo 1 >power
for _ in {1..50}; do
	[ ! -b /dev/bad ] || break
	sleep 0.1
done
"$3" "$(ls /dev/bad 2>/dev/null || echo "/dev/nullb$(cat index)")" "$1" "$2"
