/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a loop program knows of the rings that it works on; the process and the
 * program both include this. See unified_io_zcrx_loop_init() for the one, and
 * unified_io_loop_bpf.h for the other.
 */
#ifndef UNIFIED_IO_LOOP_H
#define UNIFIED_IO_LOOP_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

/* The most that a BPF program can address: the longest region with a loop */
#define UNIFIED_IO_LOOP_MAX	(512ULL << 20)

/**
 * struct unified_io_loop - rings and memory of a loop program
 * @mem_size: bytes of the region, which is the program's memory
 * @mem_addr: its address in the process, for SQEs that point to it
 * @data: offset of the data area in it; this and the next four, bytes
 * @area: of the part that is received into
 * @rq_head: of the refill ring: buffers that the kernel has taken back
 * @rq_tail: of the refill ring: buffers that the program has given back
 * @rqes: of the refill ring's entries
 * @rq_entries: of the refill ring; a power of two, as all numbers of entries
 * @cq_size: bytes of io_uring's memory with the indices and the CQ
 * @cq_head: offset in it; this and the next three, bytes
 * @cq_tail: ditto
 * @cqes: ditto
 * @sq_tail: ditto
 * @cq_entries: CQEs, 32 bytes each
 * @sq_size: bytes of io_uring's memory with the SQEs
 * @sq_entries: SQEs
 * @zcrx_id: for sqe.zcrx_ifq_idx
 * @device_fd: the region's, for sqe.fd of a poll
 * @ring_fd: for io_uring_bpf_ops.ring_fd
 * @descs: offset in the region of its SQ, bytes
 * @completions: of its CQ, bytes
 * @nr_descs: entries of the region's SQ
 * @nr_completions: of its CQ
 * @region_id: for bpf_uior_submit()
 */
struct unified_io_loop {
	__u64 mem_size;
	__u64 mem_addr;
	__u64 data;
	__u64 area;
	__u64 rq_head;
	__u64 rq_tail;
	__u64 rqes;
	__u64 cq_size;
	__u64 cq_head;
	__u64 cq_tail;
	__u64 cqes;
	__u64 sq_tail;
	__u64 sq_size;
	__u32 rq_entries;
	__u32 cq_entries;
	__u32 sq_entries;
	__u32 zcrx_id;
	__s32 device_fd;
	__s32 ring_fd;
	__u64 descs;
	__u64 completions;
	__u32 nr_descs;
	__u32 nr_completions;
	__u32 region_id;
};

#endif /* UNIFIED_IO_LOOP_H */
