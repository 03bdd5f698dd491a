// SPDX-License-Identifier: GPL-2.0
/* serve's program: every digit on its way out becomes an 'x', in place. */
#include "vmlinux.h"
#include <asm-generic/errno.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include <unified_io_bpf.h>

#define STEP 64

char LICENSE[] SEC("license") = "GPL";

SEC("struct_ops/process")
int BPF_PROG(process, struct unified_io_bpf_ctx *op)
{
	int step, i;
	__u8 *p;

	/* Reads are whole blocks, so a multiple of STEP. */
	bpf_for(step, 0, op->len / STEP) {
		p = bpf_uior_data(op, op->off + step * STEP, STEP);
		if (!p)
			return -ERANGE;
		for (i = 0; i < STEP; i++)
			if (p[i] >= '0' && p[i] <= '9')
				p[i] = 'x';
	}
	return UNIFIED_IO_BPF_PASS;
}

SEC(".struct_ops.link")
struct unified_io_bpf_ops serve = {
	.process = (void *)process,
};
