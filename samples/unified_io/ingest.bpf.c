// SPDX-License-Identifier: GPL-2.0
/*
 * ingest's program: what was received becomes a record of the log, in place.
 *
 * Lines that begin with '#' go; the others move together. The last line of the
 * buffer waits for the next receive, complete or not, so that the end of the
 * stream finds something to put into the record that says so. A line longer
 * than can be carried (16 KiB) ends the stream with EMSGSIZE.
 */
#include "vmlinux.h"
#include <asm-generic/errno.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include <unified_io_bpf.h>
#include <unified_io_log.h>
#include "unified_io_log_bpf.h"

char LICENSE[] SEC("license") = "GPL";

const volatile __u64 log_id;
__u64 dropped_lines;

/* Arrivals of one socket are processed one after the other: no lock. */
static __u64 next_seq, next_offset;

static bool is_comment(struct unified_io_bpf_ctx *ctx, __u32 pos)
{
	const __u8 *first = bpf_uior_data(ctx, pos, 1);

	return first && *first == '#';
}

/* Length of the line at @pos, or of what there is of it. */
static __u32 line_len(struct unified_io_bpf_ctx *ctx, __u32 pos, __u32 end)
{
	__s64 newline = bpf_uior_memchr(ctx, pos, end - pos, '\n');

	return newline < 0 ? end - pos : newline + 1 - pos;
}

SEC("struct_ops/process")
int BPF_PROG(process, struct unified_io_bpf_ctx *op)
{
	bool eof = op->flags & UNIFIED_IO_BPF_CTX_F_EOF;
	__u32 pos = op->off, out = pos, end = pos + op->len, len;
	struct log_tail tail = { next_seq, next_offset };
	int err = 0, i;

	bpf_for(i, 0, op->len) {
		len = line_len(op, pos, end);
		if (!len || (pos + len == end && !eof))
			break;
		if (is_comment(op, pos)) {
			dropped_lines++;
		} else {
			if (out != pos)
				bpf_uior_move(op, out, pos, len);
			out += len;
		}
		pos += len;
	}
	if (pos != end)
		err = bpf_uior_carry(op, pos, end - pos);
	if (err)
		return err;
	len = out - op->off;
	if (!len && !eof)
		return UNIFIED_IO_BPF_DROP;
	err = record_frame(op, op->off - HEADER_LEN, len, log_id, &tail,
			   tail.offset + len, eof ? UNIFIED_IO_LOG_END : 0);
	next_seq++;
	next_offset += len;
	return err;
}

SEC(".struct_ops.link")
struct unified_io_bpf_ops ingest = {
	.process = (void *)process,
};
