#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The headers' kernel-doc is complete, and each header compiles alone, as C and as C++.

set -euo pipefail
uapi=include/uapi/linux/unified_io_region.h
kernel_doc=$(ls /usr/lib/linux-kbuild-*/scripts/kernel-doc | head -n 1)
"$kernel_doc" -none -Wall -Werror "$uapi" lib/unified_io*.h

flags=(-Wall -Wextra -Werror -pedantic -fsyntax-only -Iinclude/uapi -Ilib)
for header in "$uapi" lib/unified_io*.h; do
	case $header in *_bpf.h) continue ;; esac # for BPF programs, behind vmlinux.h
	gcc -std=gnu11 "${flags[@]}" -x c "$header"
	g++ -std=c++11 "${flags[@]}" -x c++ "$header"
done
