// SPDX-License-Identifier: GPL-2.0
/*
 * Counts lines where they lie, and lets all pass. Beside it, counts calls of the
 * kernel's functions that copy what a NIC received.
 */
#include <vmlinux.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "unified_io_bpf.h"

char LICENSE[] SEC("license") = "GPL";

#define ETH_P_IP	0x0800

/* read by the test; one chain's program runs at a time */
__u64 lines, bytes, chains, pieces;
/* ditto; on any processor, by anybody */
__u64 copy_chunks, copy_datagrams;

static __u64 count_lines(struct unified_io_bpf_ctx *ctx)
{
	__u32 off = ctx->off, end = off + ctx->len;
	__u64 nr = 0;

	bpf_repeat(1 << 20) {
		__s64 at = bpf_uior_memchr(ctx, off, end - off, '\n');

		if (at < 0)
			break;
		nr++;
		off = at + 1;
	}
	return nr;
}

static __u64 count_pieces(struct unified_io_bpf_ctx *ctx)
{
	__u32 off = ctx->off;
	__u64 nr = 0;

	bpf_repeat(1 << 10) {
		__s64 len = bpf_uior_contig(ctx, off);

		if (len <= 0)
			break;
		nr++;
		off += len;
	}
	return nr;
}

SEC("struct_ops")
int BPF_PROG(process, struct unified_io_bpf_ctx *op)
{
	lines += count_lines(op);
	pieces += count_pieces(op);
	bytes += op->len;
	chains++;
	return UNIFIED_IO_BPF_PASS;
}

/* io_uring, where the NIC could not put the payload into the area */
SEC("kprobe/io_zcrx_copy_chunk")
int copy_chunk(void *ctx)
{
	__sync_fetch_and_add(&copy_chunks, 1);
	return 0;
}

/* a receive from a socket; netlink's and others' are not meant */
SEC("fentry/skb_copy_datagram_iter")
int BPF_PROG(copy_datagram, const struct sk_buff *skb)
{
	if (skb->protocol == bpf_htons(ETH_P_IP))
		__sync_fetch_and_add(&copy_datagrams, 1);
	return 0;
}

SEC(".struct_ops.link")
struct unified_io_bpf_ops proof_ops = {
	.process = (void *)process,
};
