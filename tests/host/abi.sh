#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The shared library exports what its map says, and what programs rely on is what was agreed to.

set -euo pipefail
library=$PWD/build/user/lib/libunified_io.so.1

# what stands between 'global:' and 'local:' in any version's node
sed -n '/global:/,/local:/s/^\t*\([a-z0-9_]*\);$/\1/p' lib/libunified_io.map | LC_ALL=C sort >/tmp/map
nm -D --defined-only "$library" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | LC_ALL=C sort >/tmp/exported
diff -u /tmp/map /tmp/exported || { echo "the library does not export what lib/libunified_io.map names"; exit 1; }

# The library's objects have no other symbol that a program could want.
nm -g --defined-only build/user/lib/libunified_io.a | awk '$2 == "T" { print $3 }' | LC_ALL=C sort >/tmp/global
sed -n 's/^[^#* \t].*\b\(unified_io_[a-z0-9_]*\)(.*/\1/p' lib/unified_io*.h | LC_ALL=C sort >/tmp/declared
missing=$(LC_ALL=C comm -12 /tmp/global /tmp/declared | LC_ALL=C comm -23 - /tmp/exported)
[ -z "$missing" ] || { echo "declared in a header, but not in lib/libunified_io.map: $missing"; exit 1; }

lib/abi.sh "$library" | diff -u lib/libunified_io.abi - || {
	echo "What programs rely on has changed. An addition is fine: run 'make -C lib abi' (lab/chroot)." \
		"Anything else takes another SONAME in lib/Makefile."
	exit 1
}
