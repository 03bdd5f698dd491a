// SPDX-License-Identifier: GPL-2.0
/*
 * The way in: a buffer of log text becomes a record of the log on the drive.
 *
 * Drops the lines of level DEBUG, replaces the level of the others by a tag
 * (ERROR becomes pri=3, as syslog numbers them), masks the digits of their
 * address, moves what is kept together, and puts a record header in front,
 * into the headroom.
 *
 * A line that is not complete yet is carried to the next receive. So is one
 * that is, if it ends where the buffer ends: thus there is always something
 * left for the run that sees the end of the stream and writes the record that
 * says so. A line too long to be carried is taken in pieces; what its head
 * decided holds for all of them.
 */
#include "vmlinux.h"
#include <asm-generic/errno.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "unified_io_bpf.h"
#include "unified_io_log.h"
#include "unified_io_log_bpf.h"
#include "lines.h"
#include "filter.h"

#define CARRY_MAX	16384	/* UNIFIED_IO_CARRY_MAX, a macro of the uapi header */

char LICENSE[] SEC("license") = "GPL";

const volatile __u64 log_id;
struct filter_stats stats;

/* Where in the stream we are. Receives of one socket are processed one by one. */
struct {
	__u64 seq, offset, source;
	__u32 in_line;
} stream;

/* stream.in_line: the buffer begins in the middle of a line that is ... */
enum { LINE_START, LINE_KEPT, LINE_DROPPED };

/*
 * A walk through the buffer. What is before @out is done; @run to @pos is kept
 * and still to be moved to @out; @pos to @end is still to be looked at.
 */
struct walk {
	__u32 out, run, pos, end;
};

static void move_run(struct unified_io_bpf_ctx *ctx, struct walk *walk)
{
	__u32 len = walk->pos - walk->run;

	if (len && walk->out != walk->run)
		bpf_uior_move(ctx, walk->out, walk->run, len);
	walk->out += len;
}

static void mask_address(__u8 *line)
{
	__u8 *c = line + ADDRESS_AT;
	int i;

	for (i = 0; i < HEAD_LEN - ADDRESS_AT; i++) {
		if (c[i] >= '0' && c[i] <= '9')
			c[i] = 'x';
		else if (c[i] != '.')
			break;
	}
}

/* Returns the number that syslog gives to the level: 7 is DEBUG; 0 if it is none of ours. */
static int priority(const __u8 *line)
{
	__u32 level = *(const __u32 *)(line + LEVEL_AT);
	__u8 last = line[LEVEL_AT + 4];

	if (line[LEVEL_AT - 1] != ' ' || line[LEVEL_AT + 5] != ' ')
		return 0;
	if (level == LEVEL_DEBUG && last == 'G')
		return 7;
	if (level == LEVEL_INFO && last == ' ')
		return 6;
	if (level == LEVEL_WARN && last == ' ')
		return 4;
	if (level == LEVEL_ERROR && last == 'R')
		return 3;
	return 0;
}

/* Decides about a line from its head, and changes it if it stays. */
static __u32 begin_line(struct unified_io_bpf_ctx *ctx, __u32 pos, __u32 len)
{
	__u8 *line = NULL;
	int pri = 0;

	if (len >= HEAD_LEN)
		line = bpf_uior_data(ctx, pos, HEAD_LEN);
	if (line)
		pri = priority(line);
	if (pri == 7) {
		stats.dropped_lines++;
		return LINE_DROPPED;
	}
	stats.kept_lines++;
	if (pri) {
		*(__u32 *)(line + LEVEL_AT) = LEVEL_TAG;
		line[LEVEL_AT + 4] = '0' + pri;
		mask_address(line);
	}
	return LINE_KEPT;
}

/*
 * Takes the next line, or what there is of it. Returns false where the rest
 * must wait for more.
 */
static bool next_line(struct unified_io_bpf_ctx *ctx, struct walk *walk)
{
	bool eof = ctx->flags & UNIFIED_IO_BPF_CTX_F_EOF;
	__u32 rest = walk->end - walk->pos, len = rest, ends = 0;
	__s64 newline;

	newline = bpf_uior_memchr(ctx, walk->pos, rest, '\n');
	if (newline >= 0) {
		len = newline - walk->pos + 1;
		ends = 1;
	}
	if (len == rest && !eof) {
		if (stream.in_line == LINE_START && rest <= CARRY_MAX)
			return false;
		len--;
		ends = 0;
	}
	if (!len)
		return false;
	if (stream.in_line == LINE_START)
		stream.in_line = begin_line(ctx, walk->pos, len - ends);
	if (stream.in_line == LINE_DROPPED) {
		move_run(ctx, walk);
		walk->run = walk->pos + len;
		stats.dropped_bytes += len;
	}
	walk->pos += len;
	if (ends)
		stream.in_line = LINE_START;
	return true;
}

/* Puts the header in front of the payload, which ends at @out, and makes both the data. */
static int frame(struct unified_io_bpf_ctx *ctx, __u32 out, __u32 flags)
{
	struct log_tail tail = { stream.seq++, stream.offset };
	__u32 len = out - ctx->off;

	stream.offset += len;
	return record_frame(ctx, ctx->off - HEADER_LEN, len, log_id, &tail,
			    stream.source, flags);
}

static int filter_buffer(struct unified_io_bpf_ctx *ctx)
{
	struct walk walk = { ctx->off, ctx->off, ctx->off, ctx->off + ctx->len };
	bool eof = ctx->flags & UNIFIED_IO_BPF_CTX_F_EOF;
	__u32 flags = 0;
	int err = 0, i;

	if (!ctx->lba_size || ctx->off < HEADER_LEN)
		return -EINVAL;
	if (stream.in_line == LINE_KEPT)
		flags |= UNIFIED_IO_LOG_CONT;
	bpf_for(i, 0, ctx->len)
		if (!next_line(ctx, &walk))
			break;
	move_run(ctx, &walk);
	stream.source += walk.pos - ctx->off;
	if (walk.pos != walk.end)
		err = bpf_uior_carry(ctx, walk.pos, walk.end - walk.pos);
	if (err)
		return err;
	if (eof)
		flags |= UNIFIED_IO_LOG_END;
	else if (walk.out == ctx->off)
		return UNIFIED_IO_BPF_DROP;
	return frame(ctx, walk.out, flags);
}

SEC("struct_ops/process")
int BPF_PROG(process, struct unified_io_bpf_ctx *op)
{
	return filter_buffer(op);
}

SEC(".struct_ops.link")
struct unified_io_bpf_ops filter = {
	.process = (void *)process,
};
