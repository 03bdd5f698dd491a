#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# unified-io pipe says what is wrong and what to do, and overwrites nothing that it was not told to.

set -eu
. "$(dirname -- "$0")/tool_common.sh"

says 2 'want a source and a sink' pipe
says 2 "no address 'tpc:1'. There are:" pipe tpc:1 "nvme:$NVME0"
says 2 'tcp-listen:.*wait for one' pipe xdp-thing:eth0 -
says 2 'want tcp:HOST:PORT' pipe tcp:9000 -
says 2 "no option 'offest'" pipe - "nvme:$NVME0,offest=1"
says 2 'only BPF objects' pipe - file:/tmp/x "nvme:$NVME0"
says 2 'one drive' pipe "nvme:$NVME0" "nvme:$VIRTIO"
says 2 'not a block device: want /dev/nvme0n1' pipe - nvme:/tmp
says 2 "--framing 'words'" pipe --framing words - -
says 2 "want a number such as 4096" pipe --batch large - -
says 2 'has no room for' pipe --region 2M - -
says 1 'No such file' pipe - nvme:/dev/nvme99n1
says 1 'nobody listens there' pipe - tcp:127.0.0.1:1
says 1 'No such file' pipe - bpf:/tmp/none.o -
says 2 'several programs: name one' pipe tcp-listen:7301 "$objects/xdp.bpf.o" -
says 2 'of that name' pipe tcp-listen:7301 "$objects/xdp.bpf.o,sec=nonesuch" -
says 2 'source from the network' pipe - "$objects/xdp.bpf.o,sec=parse" -
says 5 'no log there' pipe "nvme:$VIRTIO,offset=200M" -
nc -l 7300 >/dev/null &
listening 7300
says 1 'see ss -ltnup' pipe tcp-listen:7300 -
kill $!

echo "# what is on a drive stays there"
says 3 'holds gpt' pipe - "nvme:$NVME1"
mkfs.ext4 -q -F "$PARTITION"
sum=$(sha256sum <"$PARTITION")
says 3 'holds ext4.*--force overwrites it' pipe - "nvme:$PARTITION"
says 3 'holds ext4' pipe - "nvme:$PARTITION,append"
mkdir -p /tmp/mnt
mount "$PARTITION" /tmp/mnt
says 3 'in use.*fuser' pipe - "nvme:$PARTITION" --force
umount /tmp/mnt
blkid -p "$PARTITION" | grep -q ext4
[ -n "$sum" ]
says 0 'in 0:00' pipe - "nvme:$PARTITION" --force
says 3 'holds a log' pipe - "nvme:$PARTITION"
says 0 'complete' log verify "$PARTITION"
wipefs -qa "$PARTITION"
dd if=/dev/zero of="$PARTITION" bs=1M count=1 oflag=direct status=none

echo "# a full log"
head -c 1M /dev/zero >/tmp/in
says 1 'the log is full' pipe file:/tmp/in "nvme:$PARTITION,len=512K"
says 5 'NOT complete' log verify "$PARTITION"

echo "# no room for another record, or for any"
block=$(blockdev --getss "$PARTITION")
behind() { dd if="$PARTITION" bs="$block" skip=$(((8 << 20) / block + 2)) count=1 iflag=direct status=none | sha; }
before=$(behind)
small=nvme:$PARTITION,offset=8M,len=$((2 * block))
says 0 'in 0:00' pipe - "$small,append"
says 0 'in 0:00' pipe - "$small,append"
says 3 'the log is full' pipe - "$small,append"
same "behind the log" "$(behind)" "$before"
says 2 'len at least' pipe file:/tmp/in "nvme:$PARTITION,len=100" --force
says 2 'len at least' pipe - "nvme:$PARTITION,offset=1T"

echo "# no module, no rights"
unshare -m sh -c 'mount -t tmpfs none /dev && exec "$@"' sh "$tool" pipe - - </dev/null >/tmp/said 2>&1 && exit 1
same "status without the module" "$(unshare -m sh -c 'mount -t tmpfs none /dev; "$0" info 2>/tmp/said; echo $?' "$tool")" 4
grep -q 'modprobe unified_io_region' /tmp/said
cp "$tool" /tmp/unified-io
status=0
setpriv --reuid 65534 --clear-groups /tmp/unified-io pipe - - </dev/null >/tmp/said 2>&1 || status=$?
same "status without rights" $status 4
grep -q 'run as root' /tmp/said
