// SPDX-License-Identifier: GPL-2.0
/*
 * What a pipe does with the data in place, around the users' programs:
 *
 *	unframe	    a record that was read becomes its payload; a bad one ends it all
 *	split	    cuts off what belongs to the next record, for that to begin with
 *	...	    users' programs
 *	frame	    the data become a record of the log, to be written behind the last
 *	settle	    the data begin where the process looks for them
 *
 * Data come one after the other in every pipe that has 'split' or 'frame', so the
 * state needs no lock.
 */
#include "vmlinux.h"
#include <asm-generic/errno.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "unified_io_bpf.h"
#include "unified_io_log.h"
#include "unified_io_log_bpf.h"
#include "framing.h"

char LICENSE[] SEC("license") = "GPL";

const volatile __u64 log_id;
const volatile __u64 end_lba;		/* the log must end before it */
const volatile __u32 framing;		/* enum framing */
const volatile __u32 alignment = 1;	/* where data for the drive may begin: a power of two */

struct pipe_state state;

SEC("struct_ops/unframe")
int BPF_PROG(unframe, struct unified_io_bpf_ctx *op)
{
	const struct unified_io_log_header *header;

	header = (void *)bpf_uior_data(op, op->off, HEADER_LEN);
	if (!header || !record_valid(op, header, log_id, op->arg))
		return -EBADMSG;
	return bpf_uior_set_data(op, op->off + HEADER_LEN, header->len);
}

/* Offset behind the last newline in the last @window bytes of the data. 0: there is none. */
static __u32 last_line_end(struct unified_io_bpf_ctx *ctx, __u32 window)
{
	__u32 end = ctx->off + ctx->len, pos, found = 0;
	__s64 newline;
	int i;

	pos = ctx->len > window ? end - window : ctx->off;
	bpf_for(i, 0, SPLIT_MAX) {
		newline = bpf_uior_memchr(ctx, pos, end - pos, '\n');
		if (newline < 0)
			break;
		found = pos = newline + 1;
	}
	return found;
}

/* What waits must leave room in the next buffer. */
static __u32 carry_max(const struct unified_io_bpf_ctx *ctx)
{
	return ctx->cap / 2 < SPLIT_MAX ? ctx->cap / 2 : SPLIT_MAX;
}

static __u32 split_lines(struct unified_io_bpf_ctx *ctx)
{
	return last_line_end(ctx, 512) ?: last_line_end(ctx, carry_max(ctx));
}

/* Behind the last whole message; 0: there is none. Notes how much the next one lacks. */
static __u32 split_messages(struct unified_io_bpf_ctx *ctx, __u64 *missing)
{
	__u32 pos = ctx->off, end = pos + ctx->len;
	__u64 next;
	__u8 *prefix;
	int i;

	*missing = 0;
	if (state.skip >= ctx->len) {
		*missing = state.skip - ctx->len;
		return *missing ? 0 : end;
	}
	pos += state.skip;
	bpf_for(i, 0, ctx->len) {
		prefix = end - pos >= PREFIX_LEN ? bpf_uior_data(ctx, pos, PREFIX_LEN) : NULL;
		if (!prefix)
			break;
		next = (__u64)pos + PREFIX_LEN + bpf_ntohl(*(__be32 *)prefix);
		if (next > end) {
			*missing = next - end;
			break;
		}
		pos = next;
	}
	return pos == ctx->off ? 0 : pos;
}

/* Leaves whole messages, as far as what follows them can wait. */
static int split_data(struct unified_io_bpf_ctx *ctx)
{
	bool eof = ctx->flags & UNIFIED_IO_BPF_CTX_F_EOF;
	__u32 end = ctx->off + ctx->len, pos;
	__u64 missing = 0;
	int err;

	pos = framing == FRAMING_LINE ? split_lines(ctx) : split_messages(ctx, &missing);
	if (!eof && pos != end && state.skip < ctx->len && end - (pos ?: ctx->off) <= carry_max(ctx)) {
		pos = pos ?: ctx->off;
		err = bpf_uior_carry(ctx, pos, end - pos);
		if (err)
			return err;
		missing = 0;
		end = pos;
	}
	state.skip = missing;
	state.flags = state.inside ? UNIFIED_IO_LOG_CONT : 0;
	if (end != ctx->off)
		state.inside = end != pos;
	state.source += end - ctx->off;
	return bpf_uior_set_data(ctx, ctx->off, end - ctx->off);
}

SEC("struct_ops/split")
int BPF_PROG(split, struct unified_io_bpf_ctx *op)
{
	int err;

	/* from the process: so many bytes behind the headroom; see split.h */
	if (op->arg) {
		err = bpf_uior_set_data(op, HEADER_LEN, op->arg & ~ARG_CONT);
		if (err)
			return err;
	}
	if (framing == FRAMING_RAW) {
		state.flags = op->arg & ARG_CONT ? UNIFIED_IO_LOG_CONT : 0;
		state.source += op->len;
		return UNIFIED_IO_BPF_PASS;
	}
	err = split_data(op);
	if (err)
		return err;
	return op->len ? UNIFIED_IO_BPF_PASS : UNIFIED_IO_BPF_DROP;
}

/* Down to @to, at most 1 MiB, which is the longest buffer. */
static int shift(struct unified_io_bpf_ctx *ctx, __u32 to)
{
	return bpf_uior_move(ctx, to, ctx->off, ctx->len) ?: bpf_uior_set_data(ctx, to, ctx->len);
}

SEC("struct_ops/frame")
int BPF_PROG(frame, struct unified_io_bpf_ctx *op)
{
	struct log_tail tail = { state.seq, state.offset };
	__u32 len = op->len, blocks, head;
	int err = 0;

	if (!len)
		return UNIFIED_IO_BPF_DROP;
	blocks = record_size(op, len) / op->lba_size;
	if (state.full || state.lba + blocks > end_lba) {
		state.full = 1;
		return -ENOSPC;
	}
	head = op->off < HEADER_LEN ? 0 : (op->off - HEADER_LEN) & ~(alignment - 1);
	if (bpf_uior_contig(op, head) < (__s64)HEADER_LEN)
		head = 0;
	if (op->off != head + HEADER_LEN)
		err = shift(op, head + HEADER_LEN);
	if (!err)
		err = record_frame(op, head, len, log_id, &tail, state.source, state.flags);
	if (err)
		return err;
	bpf_uior_set_lba(op, state.lba);
	state.seq++;
	state.offset += len;
	state.lba += blocks;
	return UNIFIED_IO_BPF_PASS;
}

SEC("struct_ops/settle")
int BPF_PROG(settle, struct unified_io_bpf_ctx *op)
{
	return op->off == HEADER_LEN ? UNIFIED_IO_BPF_PASS : shift(op, HEADER_LEN);
}

SEC(".struct_ops.link")
struct unified_io_bpf_ops unframe_ops = { .process = (void *)unframe };

SEC(".struct_ops.link")
struct unified_io_bpf_ops split_ops = { .process = (void *)split };

SEC(".struct_ops.link")
struct unified_io_bpf_ops frame_ops = { .process = (void *)frame, .order = 7 };

SEC(".struct_ops.link")
struct unified_io_bpf_ops settle_ops = { .process = (void *)settle, .order = 7 };
