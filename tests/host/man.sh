#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Every function of the library, and every one that BPF programs can call, has a manual page, and groff has nothing
# to say about any page.

set -euo pipefail
make -s -C lib man O=/tmp
cd /tmp/man
{
	nm -D --defined-only /src/build/user/lib/libunified_io.so | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }'
	sed -n 's/^extern .*\b\(bpf_uior_[a-z0-9_]*\)(.*/\1/p' /src/lib/unified_io_bpf.h
} |
	while read -r function; do
		[ -e "man3/$function.3" ] || { echo "$function has no manual page"; exit 1; }
	done
for page in man3/*.3; do
	read -r request target <"$page"
	if [ "$request" = .so ]; then
		[ -e "$target" ]
	else
		said=$(groff -man -Kutf8 -Tutf8 -ww -z "$page" 2>&1)
		[ -z "$said" ] || { echo "$said"; exit 1; }
	fi
done
