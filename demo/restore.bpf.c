// SPDX-License-Identifier: GPL-2.0
/*
 * The way back: one record of the log, read from the drive, becomes its payload
 * as it came in, but for what the filter dropped or masked: without header and
 * padding, and with the levels where the filter had put tags.
 *
 * The descriptor's arg is the record's sequence number. A record that is not
 * valid ends the chain with EBADMSG, so that nothing of it is sent.
 */
#include "vmlinux.h"
#include <asm-generic/errno.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "unified_io_bpf.h"
#include "unified_io_log.h"
#include "unified_io_log_bpf.h"
#include "lines.h"

char LICENSE[] SEC("license") = "GPL";

const volatile __u64 log_id;
__u64 restored_lines;

static bool restore_level(__u8 *line)
{
	__u8 *last = line + LEVEL_AT + 4;
	__u32 level;

	if (line[LEVEL_AT - 1] != ' ' || *(__u32 *)(line + LEVEL_AT) != LEVEL_TAG ||
	    line[LEVEL_AT + 5] != ' ')
		return false;
	switch (*last) {
	case '3':
		level = LEVEL_ERROR;
		*last = 'R';
		break;
	case '4':
		level = LEVEL_WARN;
		*last = ' ';
		break;
	case '6':
		level = LEVEL_INFO;
		*last = ' ';
		break;
	default:
		return false;
	}
	*(__u32 *)(line + LEVEL_AT) = level;
	return true;
}

/* Returns where the line behind the one at @pos begins; @end if there is none. */
static __u32 next_line(struct unified_io_bpf_ctx *ctx, __u32 pos, __u32 end)
{
	__s64 newline = bpf_uior_memchr(ctx, pos, end - pos, '\n');

	return newline < 0 ? end : newline + 1;
}

static int restore_record(struct unified_io_bpf_ctx *ctx)
{
	const struct unified_io_log_header *header;
	__u32 pos, end, restored = 0;
	__u8 *line;
	int i;

	header = (void *)bpf_uior_data(ctx, ctx->off, HEADER_LEN);
	if (!header || !record_valid(ctx, header, log_id, ctx->arg))
		return -EBADMSG;
	pos = ctx->off + HEADER_LEN;
	end = pos + header->len;
	if (header->flags & UNIFIED_IO_LOG_CONT)
		pos = next_line(ctx, pos, end);
	bpf_for(i, 0, ctx->len) {
		if (pos >= end)
			break;
		line = end - pos >= HEAD_LEN ? bpf_uior_data(ctx, pos, HEAD_LEN) : NULL;
		if (line)
			restored += restore_level(line);
		pos = next_line(ctx, pos, end);
	}
	__sync_fetch_and_add(&restored_lines, restored);	/* records run side by side */
	return bpf_uior_set_data(ctx, ctx->off + HEADER_LEN, end - ctx->off - HEADER_LEN);
}

SEC("struct_ops/process")
int BPF_PROG(process, struct unified_io_bpf_ctx *op)
{
	return restore_record(op);
}

SEC(".struct_ops.link")
struct unified_io_bpf_ops restore = {
	.process = (void *)process,
};
