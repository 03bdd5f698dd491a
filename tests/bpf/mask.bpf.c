// SPDX-License-Identifier: GPL-2.0
/* For the tests of unified-io pipe: every digit of the data becomes an 'x'. */
#include <vmlinux.h>
#include <asm-generic/errno.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "unified_io_bpf.h"

#define STEP 64

char LICENSE[] SEC("license") = "GPL";

static void mask(__u8 *c)
{
	if (*c >= '0' && *c <= '9')
		*c = 'x';
}

static int mask_step(struct unified_io_bpf_ctx *ctx, __u32 at)
{
	__u8 *p = bpf_uior_data(ctx, at, STEP);
	int i;

	if (!p)
		return -ERANGE;
	for (i = 0; i < STEP; i++)
		mask(p + i);
	return 0;
}

SEC("struct_ops/process")
int BPF_PROG(process, struct unified_io_bpf_ctx *op)
{
	__u32 whole = op->len / STEP;
	__u8 *p;
	int i;

	bpf_for(i, 0, whole)
		if (mask_step(op, op->off + i * STEP))
			return -ERANGE;
	bpf_for(i, 0, op->len % STEP) {
		p = bpf_uior_data(op, op->off + whole * STEP + i, 1);
		if (!p)
			return -ERANGE;
		mask(p);
	}
	return UNIFIED_IO_BPF_PASS;
}

SEC(".struct_ops.link")
struct unified_io_bpf_ops mask_ops = { .process = (void *)process };
