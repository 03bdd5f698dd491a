// SPDX-License-Identifier: GPL-2.0
/*
 * compress's program: what was received becomes an LZ4 frame of one block, in the headroom.
 *
 * The drive takes whole logical blocks. So a frame of the kind that every LZ4 program
 * skips follows, up to the next border. Both are as in the LZ4 Frame Format, 1.6.
 */
#include "vmlinux.h"
#include <asm-generic/errno.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include <unified_io_bpf.h>
#include "compress.h"

#define MAGIC		0x184d2204	/* of a frame */
#define MAGIC_SKIPPED	0x184d2a50	/* of one that is skipped; its length follows */
#define AS_IT_IS	0x80000000	/* in a block's length: not compressed */
#define FRAME_HEAD	7
#define BLOCK_AT	(FRAME_HEAD + 4)

char LICENSE[] SEC("license") = "GPL";

/* Independent blocks of up to 64 KiB, no checksums; then the checksum of these two bytes. */
static const __u8 descriptor[] = { 0x60, 0x40, 0x82 };

static void put_u32(struct unified_io_bpf_ctx *op, __u32 at, __u32 number)
{
	__u32 *p = (__u32 *)bpf_uior_data(op, at, sizeof(number));

	if (p)
		*p = number;
}

/* The block that the data become, behind its length. Returns how long it is. */
static int put_block(struct unified_io_bpf_ctx *op)
{
	int len = bpf_uior_lz4_compress(op, BLOCK_AT, op->len - 1, op->off, op->len);

	if (len > 0) {
		put_u32(op, FRAME_HEAD, len);
		return len;
	}
	if (len != -ENOSPC && len != -EINVAL)	/* a single byte has no shorter form */
		return len;
	put_u32(op, FRAME_HEAD, op->len | AS_IT_IS);
	return bpf_uior_move(op, BLOCK_AT, op->off, op->len) ?: op->len;
}

SEC("struct_ops/process")
int BPF_PROG(process, struct unified_io_bpf_ctx *op)
{
	__u8 *head = bpf_uior_data(op, 4, sizeof(descriptor));
	__u32 end, pad;
	int len;

	if (!op->len)
		return UNIFIED_IO_BPF_DROP;
	if (!head || !op->lba_size || op->off != HEADROOM || op->len > BLOCK_LEN)
		return -EINVAL;
	put_u32(op, 0, MAGIC);
	__builtin_memcpy(head, descriptor, sizeof(descriptor));
	len = put_block(op);
	if (len < 0)
		return len;
	end = BLOCK_AT + len;
	put_u32(op, end, 0);
	end += 4;
	/* The skipped frame's own head has to fit as well. */
	pad = -(end + 8) & (op->lba_size - 1);
	put_u32(op, end, MAGIC_SKIPPED);
	put_u32(op, end + 4, pad);
	return bpf_uior_set_data(op, 0, end + 8 + pad) ?: UNIFIED_IO_BPF_PASS;
}

SEC(".struct_ops.link")
struct unified_io_bpf_ops compress = {
	.process = (void *)process,
};
