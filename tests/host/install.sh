#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# 'make install', and then programs in C and C++ that know the library by pkg-config alone, shared and static.

set -euo pipefail
make -s -C lib install O=/src/build/user DESTDIR=/tmp/root PREFIX=/usr
export PKG_CONFIG_SYSROOT_DIR=/tmp/root PKG_CONFIG_PATH=/tmp/root/usr/lib/pkgconfig
[ "$(pkg-config --modversion libunified_io)" = "$(sed -n 's/^VERSION := //p' lib/Makefile)" ]

# A program that refers to every function, and calls one that needs no device.
cd /tmp
{
	printf '#include <%s>\n' stdio.h unified_io.h unified_io_log.h
	for header in /src/lib/unified_io_*.h; do
		case $header in *_bpf.h | *_log.h) ;; *) echo "#include <${header##*/}>" ;; esac
	done
	echo 'typedef void (*function)(void);'
	echo 'function all[] = {'
	nm -D --defined-only /tmp/root/usr/lib/libunified_io.so |
		awk '$2 != "A" { sub(/@.*/, "", $3); print "\t(function)" $3 "," }'
	echo '};'
	echo 'int main(void) { return !all[0] || puts(unified_io_hint(UNIFIED_IO_CALL_OPEN, ENOENT)) < 0; }'
} >use.c
cp use.c use.cpp
read -ra flags < <(pkg-config --cflags libunified_io)
read -ra libs < <(pkg-config --libs libunified_io)
# Those stay shared: Debian's libelf.a lacks symbols.
read -ra others < <(pkg-config --static --libs libunified_io | sed 's/.*-lunified_io//')
for compiler in gcc:c g++:cpp; do
	source=use.${compiler#*:}
	"${compiler%:*}" "${flags[@]}" -o shared "$source" "${libs[@]}"
	LD_LIBRARY_PATH=/tmp/root/usr/lib ./shared | grep -q modprobe
	"${compiler%:*}" "${flags[@]}" -o static "$source" \
		-Wl,-Bstatic "${libs[@]}" -Wl,-Bdynamic "${others[@]}"
	./static | grep -q modprobe
done
