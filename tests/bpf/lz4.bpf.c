// SPDX-License-Identifier: GPL-2.0
/* One call of bpf_uior_lz4_compress(), with what the test wrote. */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "unified_io_bpf.h"

char LICENSE[] SEC("license") = "GPL";

__u32 dst, dst_len, src, len;
int ret;

SEC("struct_ops")
int BPF_PROG(process, struct unified_io_bpf_ctx *op)
{
	ret = bpf_uior_lz4_compress(op, dst, dst_len, src, len);
	return UNIFIED_IO_BPF_PASS;
}

SEC(".struct_ops.link")
struct unified_io_bpf_ops lz4_ops = { .process = (void *)process };
