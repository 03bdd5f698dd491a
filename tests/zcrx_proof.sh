#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# zcrx_proof.sh MIB: in the network of zcrx.sh, one stream of MIB MiB of noise from the host 'peer' through the NIC, the
# region, a BPF program and NVMe, in place. Ordinary tools send it, take the SHA-256 and count the lines of what
# they send, and take the SHA-256 of the drive; the kernel's functions that copy on this way are counted by
# kprobes. The same again, shorter, in the modes that copy: there the counts are not zero.

set -euo pipefail
mib=$1
: "${NVME0:?}" "${ZC_HERE:?}"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

nic() { ethtool -S zc0 | awk -v name="rx3_$1:" '$1 == name { print $2 }'; }
got() { awk -v name="$1" '$1 == name { print $2 }' "$tmp/got"; }
fail() {
	echo "zcrx_proof: $*"
	cat "$tmp/got"
	exit 1
}
equal() { [ "$2" = "$3" ] || fail "$1 is $2, want $3"; }
positive() { [ "$2" -gt 0 ] || fail "$1 is $2, want more"; }

# The host at the other end: sends, and keeps what two tools say of it.
send_noise() {
	head -c "$1" /dev/urandom | tee >(sha256sum >"$tmp/sha") >(wc -l >"$tmp/lines") |
		ip netns exec peer socat -u -b 65536 - "TCP:$ZC_HERE:7777,retry=$((300 * SLOW)),interval=0.1"
}

# stream MODE MIB: leaves in 'got' what the receiver counted, and in 'fragments' what the NIC did.
stream() {
	local bytes=$(($2 << 20)) receiver sha began
	rm -f "$tmp"/*
	fragments=$(nic niovs)
	zcrx_proof "$1" 7777 >"$tmp/got" &
	receiver=$!
	began=$EPOCHREALTIME
	send_noise "$bytes"
	wait $receiver || fail "the receiver's status is $?"
	seconds=$(awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }')
	fragments=$(($(nic niovs) - fragments))
	until [ -s "$tmp/sha" ] && [ -s "$tmp/lines" ]; do sleep 0.1; done

	equal "bytes received" "$(got bytes)" "$bytes"
	equal "bytes that the program saw" "$(got bpf_bytes)" "$bytes"
	equal "lines that the program saw" "$(got bpf_lines)" "$(cat "$tmp/lines")"
	equal "bytes written" "$(got drive_bytes)" "$bytes"
	sha=$(dd if="$NVME0" bs=1M count="$2" iflag=direct status=none | sha256sum)
	equal "the drive's SHA-256" "$sha" "$(cat "$tmp/sha")"

	echo "$1: $2 MiB in $seconds s (emulated), SHA-256 ${sha%% *} sent and on the drive"
	echo "  $(got arrivals) arrivals, $fragments fragments that the NIC put into the region, $(got chains) chains," \
		"$(got bpf_lines) lines in $(got bpf_pieces) pieces"
	echo "  calls: io_zcrx_copy_chunk $(got copy_chunks), skb_copy_datagram_iter $(got copy_datagrams); bytes copied:" \
		"receiving $(got copied_receiving), gathering $(got copied_gathering), region $(got copied_region)," \
		"moved $(got moved_region)"
}

stream device "$mib"
for count in copy_chunks copy_datagrams copied_receiving copied_gathering copied_region moved_region; do
	equal "$count" "$(got $count)" 0
done
# each arrival is a fragment, or several that lie side by side
[ "$fragments" -ge "$(got arrivals)" ] || fail "$(got arrivals) arrivals of $fragments fragments"
[ $((fragments * 4096)) -ge $((mib << 20)) ] || fail "$fragments fragments cannot be all of it"

stream nodev 16
positive "calls of io_zcrx_copy_chunk" "$(got copy_chunks)"
equal "fragments that the NIC put into the region" "$fragments" 0
equal "bytes copied while receiving" "$(got copied_receiving)" $((16 << 20))

stream socket 16
positive "calls of skb_copy_datagram_iter" "$(got copy_datagrams)"
equal "bytes copied by the region" "$(got copied_region)" $((16 << 20))
