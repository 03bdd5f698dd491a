#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# abi.sh LIBRARY: prints what programs that are linked with this shared library rely on: its symbols, and where the
# members of the headers' structs and enums lie. libunified_io.abi is what was agreed to.

set -euo pipefail
library=$1
cd "$(dirname -- "$0")"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

echo "# made by 'make -C lib abi'"
objdump -p "$library" | awk '$1 == "SONAME" { print $1, $2 }'
nm -D --defined-only --with-symbol-versions "$library" | awk '$2 != "A" { print $3 }' | LC_ALL=C sort
echo

# *_bpf.h are not for programs, but for what they load.
headers=(../include/uapi/linux/unified_io_region.h)
for header in unified_io*.h; do
	[[ $header = *_bpf.h ]] || headers+=("$header")
done
printf '#include "%s"\n' "${headers[@]}" >"$tmp/types.c"
gcc -gbtf -fno-eliminate-unused-debug-types -I. -I../include/uapi -c -o "$tmp/types.o" "$tmp/types.c"
pahole -C "$(sed -n 's/^\(struct\|enum\) \(unified_[a-z_]*\) {$/\2/p' "${headers[@]}" | paste -sd,)" "$tmp/types.o" |
	sed -e '/^$/d' -e 's/^};$/&\n/' -e '/\/\* \(XXX\|---\|cachelines\|sum\|last\|paddings\|forced\) /d'
