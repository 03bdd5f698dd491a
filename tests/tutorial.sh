#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The tutorial, and then the README's commands, with what the checkout has where the packages would have put it.

set -eu
[ "${1-}" = mounted ] || exec unshare --mount "$0" mounted
over=/run/tutorial
mkdir -p $over/upper $over/work
mount -t overlay -o "lowerdir=/lib/modules/$KVER,upperdir=$over/upper,workdir=$over/work" modules "/lib/modules/$KVER"
install -D -t "/lib/modules/$KVER/updates" "$BUILD/$KVER/unified_io_region.ko"
depmod
mount -t tmpfs local /usr/local
install -D -t /usr/local/bin "$BUILD/user/tools/unified-io"
install -D -m 644 -t /usr/local/include ../lib/*.h
PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
top=${PWD%/tests}
mkdir /tmp/tutorial
cd /tmp/tutorial
"$top/tests/follow" --but 'Build the packages' --but 'Install them' \
	"$top/Documentation/block/unified-io-region-tutorial.rst"
[ "$NVME0" = /dev/nvme0n1 ] || mount --bind "$NVME0" /dev/nvme0n1	# the README's
dd if=/dev/zero of="$NVME0" bs=1M count=1 conv=fsync status=none
"$top/tests/follow" --only 'The command' "$top/README.md"
