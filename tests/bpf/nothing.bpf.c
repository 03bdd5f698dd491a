// SPDX-License-Identifier: GPL-2.0
/* Asks for a pointer to no byte, behind the buffer, and reads one. */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "unified_io_bpf.h"

char LICENSE[] SEC("license") = "GPL";

int byte;	/* -1: there was no pointer */

SEC("struct_ops")
int BPF_PROG(process, struct unified_io_bpf_ctx *op)
{
	__u8 *p = bpf_uior_data(op, op->cap, 0);

	byte = p ? *p : -1;
	return UNIFIED_IO_BPF_PASS;
}

SEC(".struct_ops.link")
struct unified_io_bpf_ops nothing_ops = {
	.process = (void *)process,
};
