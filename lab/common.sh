# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
# What lab/rootfs, lab/chroot and lab/run share. Source it; it runs nothing.

LAB=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
SRC=$(dirname -- "$LAB")
CACHE=${UIOR_CACHE:-/var/cache/unified-io-region}
SUITE=trixie
QUIET=${QUIET:-}

say() { [ -n "$QUIET" ] || printf 'lab: %s\n' "$*" >&2; }

# die MESSAGE [STATUS]
die() {
	printf 'lab: %s\n' "$1" >&2
	exit "${2:-1}"
}

# The comment at the head of a script is its --help.
usage() { sed -n '3,/^$/s/^# \{0,1\}//p' "$0"; }

need_root() {
	[ "$(id -u)" = 0 ] || die "needs root (mounts, chroot): run 'sudo $0 ...'" 77
}

# need_tools TOOL:PACKAGE... installs the packages whose tool is absent.
need_tools() {
	local pair missing=()
	for pair; do
		command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
	done
	[ ${#missing[@]} = 0 ] && return
	[ "$(id -u)" = 0 ] || die "missing on this host: ${missing[*]}; run 'sudo apt-get install ${missing[*]}'" 77
	command -v apt-get >/dev/null || die "missing on this host: ${missing[*]}, and there is no apt-get to install them" 77
	say "installing on this host: ${missing[*]}"
	mkdir -p "$CACHE"
	{
		apt-get update &&
			DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"
	} >"$CACHE/host-packages.log" 2>&1 </dev/null ||
		die "apt-get install ${missing[*]} failed: see $CACHE/host-packages.log"
}

# The name of the root file system that belongs to this checkout's package list and build scripts.
root_key() { cat "$LAB/packages" "$LAB/rootfs" "$LAB/rootfs-lts" | sha256sum | cut -c1-12; }

# use_root sets ROOT, builds it first if it is not there, and holds it against pruning for as long as
# this process and what it execs live.
use_root() {
	ROOT=$CACHE/root-$(root_key)
	[ -d "$ROOT" ] || "$LAB/rootfs" >/dev/null || exit
	touch "$ROOT.lock"
	exec {ROOT_LOCK}>>"$ROOT.lock"
	flock -s "$ROOT_LOCK"
	[ -d "$ROOT" ] || die "$ROOT vanished: run lab/rootfs"
}

# use_kernel NAME sets KVER, its release; KERNEL, this host's directory with its boot/ and lib/modules/, empty for a
# kernel of ROOT's table; KROOT, what lab/chroot shows that as; KDIR, where modules are built for it; and what a VM
# with it needs: KERNEL_ARGS, KERNEL_MACHINE, KERNEL_MEM (MiB), KERNEL_SLOW (a factor). A kernel of lab/kernels
# is built first if it is not there.
use_kernel() {
	KERNEL='' KROOT='' KERNEL_ARGS='' KERNEL_MACHINE=pc KERNEL_MEM=2048 KERNEL_SLOW=1
	# shellcheck disable=SC1090
	[ ! -f "$LAB/kernels/$1.vm" ] || . "$LAB/kernels/$1.vm"
	if [ -f "$LAB/kernels/$1.config" ]; then
		KERNEL=$("$LAB/kernel" "$1") || exit
		KVER=$(ls "$KERNEL/lib/modules") KROOT=/run/kernel
	else
		KVER=$(awk -v k="$1" '$1 == k { print $2 }' "$ROOT/etc/lab-kernels")
	fi
	[ -n "$KVER" ] || die "no kernel '$1'; there are: $({
		awk '{ print $1 }' "$ROOT/etc/lab-kernels"
		ls "$LAB/kernels" | sed -n 's/\.config$//p'
	} | xargs)"
	KDIR=$KROOT/lib/modules/$KVER/build
}
