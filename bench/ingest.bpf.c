// SPDX-License-Identifier: GPL-2.0
/*
 * Ours: the filter of record.h on a buffer of records. The kept ones move together, a run of them at
 * a time.
 */
#include "vmlinux.h"
#include <asm-generic/errno.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include <unified_io_bpf.h>
#include "record.h"

char LICENSE[] SEC("license") = "GPL";

/* Variables rather than constants: the verifier would follow the sums of a constant round by round. */
__u32 record_size;
__u32 stamp;

static __u32 move_run(struct unified_io_bpf_ctx *op, __u32 out, __u32 from, __u32 len)
{
	if (len && out != from)
		bpf_uior_move(op, out, from, len);
	return out + len;
}

SEC("struct_ops/process")
int BPF_PROG(process, struct unified_io_bpf_ctx *op)
{
	__u32 pos = op->off, out = pos, run = 0, end = pos + op->len;
	int i;

	bpf_for(i, 0, op->len) {
		struct record *record;

		if (pos >= end)
			break;
		record = (void *)bpf_uior_data(op, pos, sizeof(*record));
		if (!record)
			return -EIO;
		if (record_filter(record, stamp)) {
			run += record_size;
		} else {
			out = move_run(op, out, pos - run, run);
			run = 0;
		}
		pos += record_size;
	}
	out = move_run(op, out, pos - run, run);
	if (out == op->off)
		return UNIFIED_IO_BPF_DROP;
	return bpf_uior_set_len(op, out - op->off) ?: UNIFIED_IO_BPF_PASS;
}

SEC(".struct_ops.link")
struct unified_io_bpf_ops ingest = {
	.process = (void *)process,
};
