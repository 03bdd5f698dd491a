// SPDX-License-Identifier: GPL-2.0
/*
 * Ours: the filter of record.h on a buffer of records. The write gathers the kept ones, a run of them
 * at a time.
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

SEC("struct_ops/process")
int BPF_PROG(process, struct unified_io_bpf_ctx *op)
{
	__u32 pos = op->off, len = op->len, end = pos + len, run = pos, kept = 0;
	int i;

	bpf_for(i, 0, len) {
		struct record *record;

		if (pos >= end)
			break;
		record = (void *)bpf_uior_data(op, pos, sizeof(*record));
		if (!record)
			return -EIO;
		if (!record_filter(record, stamp)) {
			if (bpf_uior_keep(op, run, pos - run))
				return -EIO;
			kept += pos - run;
			run = pos + record_size;
		}
		pos += record_size;
	}
	if (bpf_uior_keep(op, run, pos - run))
		return -EIO;
	kept += pos - run;
	return kept ? UNIFIED_IO_BPF_PASS : UNIFIED_IO_BPF_DROP;
}

SEC(".struct_ops.link")
struct unified_io_bpf_ops ingest = {
	.process = (void *)process,
};
