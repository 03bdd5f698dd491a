#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Network -> AES -> NVMe: what is on the drive is AES-256-CBC of the stream and of zeroes up to a block, as the kernel's
# own interface for processes (AF_ALG) decrypts it.

set -eu
cat >/tmp/decrypt.py <<'END'
import socket, sys
key, data = open("/tmp/key", "rb").read(), sys.stdin.buffer.read()
key, iv = key[:32], key[32:]
with socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET) as cipher:
    cipher.bind(("skcipher", "cbc(aes)"))
    cipher.setsockopt(socket.SOL_ALG, socket.ALG_SET_KEY, key)
    op, _ = cipher.accept()
    for at in range(0, len(data), 4096):
        part = data[at:at + 4096]
        op.sendmsg_afalg([part], op=socket.ALG_OP_DECRYPT, iv=iv)
        sys.stdout.buffer.write(op.recv(len(part)))
        iv = part[-16:]
END

# round DRIVE: the stream in /tmp/in
round() {
	local drive=$1 sample came length size
	head -c 48 /dev/urandom >/tmp/key
	"$BUILD/user/samples/encrypt" 7000 "$drive" /tmp/key >/tmp/report 2>&1 &
	sample=$!
	# it may listen before it finds out that there are no ciphers
	socat -u FILE:/tmp/in TCP:127.0.0.1:7000,retry=60 || true
	if ! wait $sample; then
		cat /tmp/report
		! grep -q '^encrypt: this kernel' /tmp/report || exit 77
		return 1
	fi
	cat /tmp/report
	read -r _ came _ _ length _ </tmp/report
	size=$(stat -c %s /tmp/in)
	[ "$came" = "$size" ] && [ "$length" = $(((size + 15) / 16 * 16)) ]
	if head -c "$length" "$drive" | grep -q 'line 1'; then
		echo "not encrypted"
		return 1
	fi
	head -c "$length" "$drive" | python3 /tmp/decrypt.py >/tmp/out
	cmp -n "$size" /tmp/in /tmp/out
	head -c $((length - size)) /dev/zero | cmp - <(tail -c +$((size + 1)) /tmp/out)
}

seq --format 'line %.0f' 10001 >/tmp/in
round "$NVME0"
printf 'line 1' >/tmp/in
round "$VIRTIO"
