#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Network -> BPF -> NVMe: the log on the drive is what grep makes of the stream.

set -eu
awk 'BEGIN { for (i = 0; i < 60000; i++) print (i % 7 == 3 ? "#" : "") "line " i, substr("abcdefghijklmnopqrstuvwxyz", i % 26) }' >/tmp/in
"$BUILD/user/samples/ingest" 7000 "$VIRTIO" &
trap 'kill $! 2>/dev/null || true' EXIT
for _ in {1..50}; do
	nc -N 127.0.0.1 7000 </tmp/in && break
	sleep 0.1
done
wait $!
"$BUILD/user/tools/unified-io" log cat "$VIRTIO" >/tmp/out || true
grep -v '^#' /tmp/in | cmp - /tmp/out
