#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# tool_doctor.sh [zcrx|xsk]: unified-io doctor finds what is so, by its exit status too: on a machine with nothing but
# the module, on drives, on interfaces that can do nothing; 'zcrx' and 'xsk': on one that can, in the networks of
# zcrx.sh and xsk.sh.

set -eu
. "$(dirname -- "$0")/tool_common.sh"

# finds NAME STATE [TEXT]: in the output of the last 'doctor --json'
finds() {
	python3 - "$@" <<'END' && return
import json, sys
name, state, *text = sys.argv[1:]
of_name = [f for f in json.load(open("/tmp/said"))["findings"] if f["name"] == name]
sys.exit(not any(f["state"] == state and (not text or text[0] in f["text"] + f.get("how", "")) for f in of_name))
END
	echo "no '$*' in:"
	cat /tmp/said
	bad=1
}

# doctor STATUS ARG...
doctor() { says "$1" '"findings"' doctor --json "${@:2}"; }

case ${1-} in
zcrx)
	doctor 6 zc0 --queue 3
	finds 'TCP receive' ok 'by queue 3'
	finds AF_XDP copies
	# the kernel lets go of a queue some time after its ring was closed
	until ethtool -G zc0 tcp-data-split off 2>/dev/null; do sleep 0.1; done
	doctor 6 zc0 --queue 3
	finds 'TCP receive' copies 'ethtool -G zc0 tcp-data-split on'
	exit
	;;
xsk)
	doctor 6 four0 --queue 3
	finds AF_XDP copies
	case $KVER in
	6.*) doctor 6 zc0 ;;
	*)
		doctor 6 zc0
		finds AF_XDP ok
		;;
	esac
	ping -c 1 -W 20 10.80.0.2 >/dev/null
	exit
	;;
esac

says 0 '^all is well' doctor
says 0 '^run: receive *ok' doctor
doctor 0
finds module ok
finds rights ok
finds 'run: BPF' ok
finds 'run: region' ok
alignment=$("$tool" info --json "$NVME0" | python3 -c 'import json, sys; print(json.load(sys.stdin)["drive"]["range_alignment"])')
if [ "$alignment" -le 4 ]; then
	doctor 0 "$NVME0"
	finds 'drive gathers' ok SGL
else
	doctor 6 "$NVME0"
	finds 'drive gathers' copies "multiples of $alignment"
fi
finds 'run: read' ok
finds drive ok nvme-passthrough
doctor 6 "$VIRTIO"
finds drive note block-layer
# as tests/guest has made it, should a test before have written over it
wipefs --quiet --all --force "$NVME1"
sgdisk -n 1::+300M -n 2::+300M "$NVME1" >/dev/null
doctor "$([ "$alignment" -le 4 ] && echo 0 || echo 6)" "$NVME1"
finds 'drive is empty' note gpt
"$tool" doctor --json "$PARTITION" >/tmp/said || true
finds drive note 'give the whole namespace'
doctor 6 lo
finds 'TCP receive' copies
finds AF_XDP copies
doctor 6 eth0
finds send copies 'ethtool -K eth0 sg on tx on'
says 1 'there is no nonesuch' doctor nonesuch
says 1 'No such file' doctor /dev/nonesuch
says 2 'one interface and one drive' doctor lo eth0

echo "# what is missing, and how to get it"
sysctl -q kernel.io_uring_disabled=2
doctor 6
finds io_uring copies 'sysctl kernel.io_uring_disabled=0'
sysctl -q kernel.io_uring_disabled=0
chmod 755 "$tool" && cp "$tool" /tmp/unified-io
mode=$(stat -c %a /dev/unified_io_region)
chmod 666 /dev/unified_io_region
status=0
(ulimit -l 64; setpriv --reuid 65534 --clear-groups --bounding-set -all --inh-caps -all /tmp/unified-io doctor --json >/tmp/said) || status=$?
chmod "$mode" /dev/unified_io_region
same "status without rights" $status 1
finds rights fails CAP_BPF
finds 'locked memory' fails 'ulimit -l'
finds 'run: region' fails 'ulimit -l'
