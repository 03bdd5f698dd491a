/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a BPF program of type unified_io_bpf_ops sees. Its names are in the
 * module's BTF, so they are interface.
 */
#ifndef _UIOR_BPF_H
#define _UIOR_BPF_H

#include <linux/types.h>

/* unified_io_bpf_ctx.flags */
#define UNIFIED_IO_BPF_CTX_F_EOF	(1U << 0)

/**
 * struct unified_io_bpf_ctx - the operation, read-only to the program
 * @user_data: of the descriptor
 * @lba: that was read, or that will be written
 * @off: where the data begin in the buffer, bytes
 * @len: bytes of data
 * @cap: bytes of buffer
 * @carried: bytes at the head of the data that were carried here
 * @arg: bpf.arg of the descriptor
 * @flags: UNIFIED_IO_BPF_CTX_F_EOF: the stream ends with this data
 * @slot: socket slot of the source
 * @depth: dependent reads so far
 * @lba_size: bytes in a logical block; 0 without a device
 * @region_id: see struct unified_io_setup
 */
struct unified_io_bpf_ctx {
	u64	user_data;
	u64	lba;
	u32	off;
	u32	len;
	u32	cap;
	u32	carried;
	u32	arg;
	u32	flags;
	u32	slot;
	u32	depth;
	u32	lba_size;
	u32	region_id;
};

/**
 * struct unified_io_bpf_ops - a region's BPF stage
 * @process: looks at and changes the data in place; returns UNIFIED_IO_BPF_*
 *	or a negative errno. Must not sleep. Runs on several CPUs at once where
 *	several chains do; arrivals of one socket come one after the other.
 * @region_id: region to attach to
 * @order: its place among the region's programs, 0 to UNIFIED_IO_MAX_OPS - 1;
 *	they run in ascending order for as long as each passes the data on
 */
struct unified_io_bpf_ops {
	int (*process)(struct unified_io_bpf_ctx *ctx);
	u32	region_id;
	u32	order;
};

#endif /* _UIOR_BPF_H */
