// SPDX-License-Identifier: GPL-2.0
/*
 * Holds up whoever has counted a completion, before the next instruction: a
 * breakpoint on the kernel's own tail of a CQ.
 */
#include <vmlinux.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "unified_io_bpf.h"

char LICENSE[] SEC("license") = "GPL";

#define HOLD_NS		2000000

struct uior_region___seen {
	__u32 cq_tail;
} __attribute__((preserve_access_index));

/* read by the test */
__u64 cq_tail_at, held;

SEC("fentry/uior_op_accept")
int BPF_PROG(accept, struct uior_region___seen *region)
{
	cq_tail_at = (__u64)&region->cq_tail;
	return 0;
}

SEC("perf_event")
int tail_written(void *ctx)
{
	__u64 until = bpf_ktime_get_ns() + HOLD_NS;

	bpf_repeat(1 << 20) {
		if (bpf_ktime_get_ns() > until)
			break;
	}
	__sync_fetch_and_add(&held, 1);
	return 0;
}
