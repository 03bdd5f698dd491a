// SPDX-License-Identifier: GPL-2.0
/* For the tests of unified-io pipe: mask.bpf.c for data in pieces, where they lie. */
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

/* As many bytes as one pointer reaches, up to STEP; or a negative errno. */
static int mask_some(struct unified_io_bpf_ctx *ctx, __u32 at, __u32 len)
{
	__s64 reach = bpf_uior_contig(ctx, at);
	__u8 *p;
	int i;

	if (len >= STEP && reach >= STEP) {
		p = bpf_uior_data(ctx, at, STEP);
		if (!p)
			return -ERANGE;
		for (i = 0; i < STEP; i++)
			mask(p + i);
		return STEP;
	}
	p = bpf_uior_data(ctx, at, 1);
	if (!p)
		return -ERANGE;
	mask(p);
	return 1;
}

SEC("struct_ops/process")
int BPF_PROG(process, struct unified_io_bpf_ctx *op)
{
	__u32 at = op->off, end = at + op->len;
	int i, done;

	bpf_for(i, 0, op->len) {
		if (at >= end)
			break;
		done = mask_some(op, at, end - at);
		if (done < 0)
			return done;
		at += done;
	}
	return UNIFIED_IO_BPF_PASS;
}

SEC(".struct_ops.link")
struct unified_io_bpf_ops pieces_ops = { .process = (void *)process };
