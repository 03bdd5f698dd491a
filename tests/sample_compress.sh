#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Network -> LZ4 -> NVMe: what is on the drive is an .lz4 file, which the LZ4 library reads as it stands: of text, of
# noise, of a stream that ends inside a block, and of one byte.

set -eu
if ! grep -q bpf_uior_lz4_compress /proc/kallsyms; then
	echo "a kernel without CONFIG_LZ4_COMPRESS"
	exit 77
fi
cat >/tmp/unlz4.py <<'END'
import ctypes, sys
lz4 = ctypes.CDLL("liblz4.so.1")
size, byref = ctypes.c_size_t, ctypes.byref
lz4.LZ4F_decompress.restype = size
context, out = ctypes.c_void_p(), ctypes.create_string_buffer(1 << 20)
assert not lz4.LZ4F_createDecompressionContext(byref(context), 100)
data, more = sys.stdin.buffer.read(), 0
while data:
    got, used = size(len(out)), size(len(data))
    more = lz4.LZ4F_decompress(context, out, byref(got), data, byref(used), None)
    assert not lz4.LZ4F_isError(size(more)), f"no LZ4 in front of the last {len(data)} bytes"
    sys.stdout.buffer.write(out.raw[:got.value])
    data = data[used.value:]
assert not more, "the last frame has no end"
END

# round DRIVE: the stream in /tmp/in; prints how long the file is.
round() {
	local drive=$1 sample
	"$BUILD/user/samples/compress" 7000 "$drive" >/tmp/report &
	sample=$!
	socat -u FILE:/tmp/in TCP:127.0.0.1:7000,retry=60
	wait $sample
	cat /tmp/report >&2
	read -r came _ _ length _ </tmp/report
	[ "$came" = "$(stat -c %s /tmp/in)" ]
	head -c "$length" "$drive" | python3 /tmp/unlz4.py | cmp - /tmp/in
	echo "$length"
}

seq 300000 >/tmp/in
length=$(round "$NVME0")
[ "$length" -lt $(($(stat -c %s /tmp/in) * 2 / 3)) ]
head -c 300001 /dev/urandom >/tmp/in
round "$VIRTIO"
printf x >/tmp/in
round "$NVME0"
