#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# NVMe read -> BPF -> network send: the client gets the drive's bytes, in order, digits masked.

set -eu
size=$((3 << 20))
awk 'BEGIN { for (i = 0; i < 220000; i++) printf "record %07d\n", i }' | head -c $size >/tmp/in
dd if=/tmp/in of="$NVME0" bs=1M conv=notrunc oflag=direct status=none
"$BUILD/user/samples/serve" 7001 "$NVME0" 0 $size &
trap 'kill $! 2>/dev/null || true' EXIT
for _ in {1..50}; do
	nc -d 127.0.0.1 7001 >/tmp/out && break
	sleep 0.1
done
wait $!
mask=$(head -c 64 /tmp/out | tr -d 'record \n' | cut -c1)
tr '0-9' "$mask$mask$mask$mask$mask$mask$mask$mask$mask$mask" </tmp/in | cmp - /tmp/out
! grep -q '[0-9]' /tmp/out
