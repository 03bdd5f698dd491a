// SPDX-License-Identifier: GPL-2.0
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "unified_io_bpf.h"
#include "remote.h"

char LICENSE[] SEC("license") = "GPL";

/* written by the test */
int verdict;			/* returned at the last of calls_until_verdict + 1 calls */
int early_verdict;		/* returned before that */
__u64 calls_until_verdict;
struct step steps[NR_STEPS];
struct keep keeps[NR_KEEPS];

/* by both */
__u8 bytes[NR_BYTES];

/* read by the test */
__u64 nr_calls;
__u64 seen_user_data, seen_lba;
__u32 seen_off, seen_len, seen_cap, seen_carried, seen_arg, seen_flags, seen_slot, seen_depth,
	seen_lba_size, seen_region_id;

static void look(struct unified_io_bpf_ctx *ctx)
{
	seen_user_data = ctx->user_data;
	seen_lba = ctx->lba;
	seen_off = ctx->off;
	seen_len = ctx->len;
	seen_cap = ctx->cap;
	seen_carried = ctx->carried;
	seen_arg = ctx->arg;
	seen_flags = ctx->flags;
	seen_slot = ctx->slot;
	seen_depth = ctx->depth;
	seen_lba_size = ctx->lba_size;
	seen_region_id = ctx->region_id;
}

static __s64 load(struct unified_io_bpf_ctx *ctx, __u32 off)
{
	__u8 *p = bpf_uior_data(ctx, off, 1);

	return p ? *p : -1;
}

static __s64 load_4k(struct unified_io_bpf_ctx *ctx, __u32 off)
{
	__u8 *p = bpf_uior_data(ctx, off, 4096);

	return p ? p[4095] : -1;
}

static __s64 store(struct unified_io_bpf_ctx *ctx, __u32 off, __u8 byte)
{
	__u8 *p = bpf_uior_data(ctx, off, 1);

	if (!p)
		return -1;
	*p = byte;
	return 0;
}

static __s64 carry_tail(struct unified_io_bpf_ctx *ctx, __u32 unit)
{
	__u32 off = ctx->off, len = ctx->len, tail = unit ? len % unit : 0;

	if (!tail || (ctx->flags & UNIFIED_IO_BPF_CTX_F_EOF))
		return 0;
	return bpf_uior_carry(ctx, off + len - tail, tail) ?: bpf_uior_set_data(ctx, off, len - tail);
}

static __s64 xor_all(struct unified_io_bpf_ctx *ctx, __u8 byte)
{
	__u8 *p = bpf_uior_data(ctx, ctx->off, 64);

	if (!p)
		return -1;
	for (int i = 0; i < 64; i++)
		p[i] ^= byte;
	return 0;
}

static __s64 keep_list(struct unified_io_bpf_ctx *ctx, __u32 nr)
{
	__s64 ret = 0;
	int i;

	bpf_for(i, 0, nr) {
		struct keep *keep = &keeps[i % NR_KEEPS];

		ret = ret ?: bpf_uior_keep(ctx, keep->off, keep->len);
	}
	return ret;
}

static __s64 load_bytes(struct unified_io_bpf_ctx *ctx, __u32 off, __u64 len)
{
	return len <= NR_BYTES ? bpf_uior_load_bytes(ctx, off, bytes, len) : -1;
}

static __s64 store_bytes(struct unified_io_bpf_ctx *ctx, __u32 off, __u64 len)
{
	return len <= NR_BYTES ? bpf_uior_store_bytes(ctx, off, bytes, len) : -1;
}

static __s64 do_step(struct unified_io_bpf_ctx *ctx, const struct step *s)
{
	switch (s->op) {
	case STEP_SET_DATA:
		return bpf_uior_set_data(ctx, s->a, s->b);
	case STEP_SET_LEN:
		return bpf_uior_set_len(ctx, s->a);
	case STEP_SET_LBA:
		return bpf_uior_set_lba(ctx, s->a);
	case STEP_SET_TARGET:
		return bpf_uior_set_target(ctx, s->a);
	case STEP_SET_SEND:
		return bpf_uior_set_send(ctx, s->a, s->b);
	case STEP_CARRY:
		return bpf_uior_carry(ctx, s->a, s->b);
	case STEP_MOVE:
		return bpf_uior_move(ctx, s->a, s->b, s->c);
	case STEP_MEMCHR:
		return bpf_uior_memchr(ctx, s->a, s->b, s->c);
	case STEP_CRC32C:
		return bpf_uior_crc32c(ctx, s->a, s->b, s->c);
	case STEP_LOAD:
		return load(ctx, s->a);
	case STEP_LOAD_4K:
		return load_4k(ctx, s->a);
	case STEP_STORE:
		return store(ctx, s->a, s->b);
	case STEP_CARRY_TAIL:
		return carry_tail(ctx, s->a);
	case STEP_XOR_ALL:
		return xor_all(ctx, s->a);
	case STEP_KEEP:
		return bpf_uior_keep(ctx, s->a, s->b);
	case STEP_KEEP_LIST:
		return keep_list(ctx, s->a);
	case STEP_CONTIG:
		return bpf_uior_contig(ctx, s->a);
	case STEP_LOAD_BYTES:
		return load_bytes(ctx, s->a, s->b);
	case STEP_STORE_BYTES:
		return store_bytes(ctx, s->a, s->b);
	}
	return 0;
}

SEC("struct_ops")
int BPF_PROG(process, struct unified_io_bpf_ctx *op)
{
	__u64 call = __sync_fetch_and_add(&nr_calls, 1);

	look(op);
	for (int i = 0; i < NR_STEPS; i++)
		steps[i].ret = do_step(op, &steps[i]);
	return call < calls_until_verdict ? early_verdict : verdict;
}

SEC(".struct_ops.link")
struct unified_io_bpf_ops remote_ops = {
	.process = (void *)process,
};
