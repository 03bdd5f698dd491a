/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For BPF programs of type io_uring_bpf_ops (Linux 7.1 and later): a loop that takes
 * what a NIC received, and submits chains, while the process stays in one system
 * call. Include it after vmlinux.h and <bpf/bpf_helpers.h>.
 *
 * Such a program runs in the process's io_uring_enter(), with the ring locked. It
 * has three pieces of memory, and nothing of ours is called: it writes the SQEs that
 * the process could have written, with the process's rights and no others.
 *
 *	struct loop_rings rings;
 *
 *	if (!loop_begin(&rings, ctx))
 *		return IOU_LOOP_STOP;
 *	while ((cqe = loop_cqe(&rings)))	... loop_recv(), loop_chain(), loop_release()
 *	loop_end(&rings, ctx, params);
 *	return IOU_LOOP_CONTINUE;
 *
 * Bytes are reached with loop_mem(), each time anew.
 */
#ifndef UNIFIED_IO_LOOP_BPF_H
#define UNIFIED_IO_LOOP_BPF_H

#define _LINUX_TYPES_H		/* vmlinux.h has them */
#include <linux/unified_io_region.h>
#include "unified_io_loop.h"

#define LOOP_RECV_MULTISHOT	(1U << 1)	/* IORING_RECV_MULTISHOT */
#define LOOP_CQE_F_MORE		(1U << 1)	/* IORING_CQE_F_MORE */
#define LOOP_CQE_SIZE		32
#define LOOP_SQE_SIZE		sizeof(struct io_uring_sqe)

/* The process fills it in before the program is loaded. */
const volatile struct unified_io_loop loop;

/* One step's view; the program reads @mem through loop_mem() alone. */
struct loop_rings {
	__u8 *mem;
	__u8 *cq;
	__u8 *sq;
	__u32 cq_head;	/* next to take */
	__u32 cq_tail;
	__u32 sq_tail;
	__u32 to_submit;
	__u32 rq_tail;
	__u64 arrived;	/* bytes since loop_begin(), for the region's counters */
};

/* @len bytes at @off of @size bytes at @base, or NULL. */
static __always_inline void *loop_at(__u8 *base, __u64 size, __u64 off, const __u64 len)
{
	if (size < len || off > size - len)
		return NULL;
	return base + off;
}

/* @len bytes, a constant, at @off of the region, or NULL. */
static __always_inline void *loop_mem(struct loop_rings *rings, __u64 off, const __u64 len)
{
	return loop_at(rings->mem, loop.mem_size, off, len);
}

/* False: the process has not set it up. */
static __always_inline bool loop_begin(struct loop_rings *rings, struct iou_ctx *ctx)
{
	__u32 *head, *tail, *sq_tail, *rq_tail;

	rings->mem = bpf_io_uring_get_region(ctx, IOU_REGION_MEM, loop.mem_size);
	rings->cq = bpf_io_uring_get_region(ctx, IOU_REGION_CQ, loop.cq_size);
	rings->sq = bpf_io_uring_get_region(ctx, IOU_REGION_SQ, loop.sq_size);
	if (!rings->mem || !rings->cq || !rings->sq)
		return false;
	head = loop_at(rings->cq, loop.cq_size, loop.cq_head, sizeof(*head));
	tail = loop_at(rings->cq, loop.cq_size, loop.cq_tail, sizeof(*tail));
	sq_tail = loop_at(rings->cq, loop.cq_size, loop.sq_tail, sizeof(*sq_tail));
	rq_tail = loop_mem(rings, loop.rq_tail, sizeof(*rq_tail));
	if (!head || !tail || !sq_tail || !rq_tail)
		return false;
	rings->cq_head = *head;
	rings->cq_tail = *tail;
	rings->sq_tail = *sq_tail;
	rings->rq_tail = *rq_tail;
	rings->to_submit = 0;
	rings->arrived = 0;
	return true;
}

/* The next CQE, 32 bytes, or NULL. It is taken, and valid until loop_end(). */
static __always_inline struct io_uring_cqe *loop_cqe(struct loop_rings *rings)
{
	if (rings->cq_head == rings->cq_tail)
		return NULL;
	return loop_at(rings->cq, loop.cq_size,
		       loop.cqes + (rings->cq_head++ & (loop.cq_entries - 1)) * LOOP_CQE_SIZE,
		       LOOP_CQE_SIZE);
}

/* An SQE to fill in, all zero, or NULL with sq_entries of them since loop_begin(). */
static __always_inline struct io_uring_sqe *loop_sqe(struct loop_rings *rings)
{
	struct io_uring_sqe *sqe;

	if (rings->to_submit >= loop.sq_entries)
		return NULL;
	sqe = loop_at(rings->sq, loop.sq_size,
		      (rings->sq_tail & (loop.sq_entries - 1)) * LOOP_SQE_SIZE, LOOP_SQE_SIZE);
	if (!sqe)
		return NULL;
	__builtin_memset(sqe, 0, LOOP_SQE_SIZE);
	rings->sq_tail++;
	rings->to_submit++;
	return sqe;
}

/* Receives from the socket @fd of the process, until it ends, with CQEs of @user_data. */
static __always_inline bool loop_recv(struct loop_rings *rings, __s32 fd, __u64 user_data)
{
	struct io_uring_sqe *sqe = loop_sqe(rings);

	if (!sqe)
		return false;
	sqe->opcode = IORING_OP_RECV_ZC;
	sqe->fd = fd;
	sqe->ioprio = LOOP_RECV_MULTISHOT;
	sqe->zcrx_ifq_idx = loop.zcrx_id;
	sqe->user_data = user_data;
	return true;
}

/* Submits the chain whose descriptor is at @off of the region. */
static __always_inline bool loop_chain(struct loop_rings *rings, __u64 off, __u64 user_data)
{
	struct io_uring_sqe *sqe = loop_sqe(rings);

	if (!sqe)
		return false;
	sqe->opcode = IORING_OP_URING_CMD;
	sqe->fd = loop.device_fd;
	sqe->cmd_op = UNIFIED_IO_URING_OP;
	sqe->user_data = user_data;
	/* struct unified_io_uring_cmd */
	*(__u64 *)sqe->cmd = loop.mem_addr + off;
	return true;
}

/* Offset in the region of what a receive's CQE tells of; once for each, as it is counted. */
static __always_inline __u64 loop_arrival(struct loop_rings *rings, const struct io_uring_cqe *cqe)
{
	const struct io_uring_zcrx_cqe *where = (const void *)(cqe + 1);

	rings->arrived += (__u32)cqe->res;
	return loop.area + (where->off & ((1ULL << 48) - 1));
}

/*
 * The arrival at @off of the region is not needed any more; once for each. False: the
 * kernel has not read the refill ring, and it is full. The program keeps the arrival
 * and releases it in a later step, the oldest first: buffers with more than one arrival
 * then become free one after the other.
 */
static __always_inline bool loop_release(struct loop_rings *rings, __u64 off)
{
	const volatile __u32 *head = loop_mem(rings, loop.rq_head, sizeof(*head));
	struct io_uring_zcrx_rqe *rqe;

	if (!head || rings->rq_tail - *head >= loop.rq_entries)
		return false;
	rqe = loop_mem(rings, loop.rqes + (rings->rq_tail & (loop.rq_entries - 1)) * sizeof(*rqe),
		       sizeof(*rqe));
	if (!rqe)
		return false;
	rqe->off = off - loop.area;
	rqe->len = 0;
	rqe->__pad = 0;
	rings->rq_tail++;
	return true;
}

/* What arrived, for the region's counters, which begin the region. What was copied the library adds. */
static __always_inline void loop_count(struct loop_rings *rings)
{
	__u64 *bytes = loop_mem(rings, offsetof(struct unified_io_control, bypass_bytes), sizeof(*bytes));

	if (bytes && rings->arrived)
		__sync_fetch_and_add(bytes, rings->arrived);
	rings->arrived = 0;
}

/*
 * Publishes and submits; then there is something to do again with the next CQE.
 * Returns what bpf_io_uring_submit_sqes() does.
 */
static __always_inline int loop_end(struct loop_rings *rings, struct iou_ctx *ctx,
				    struct iou_loop_params *params)
{
	__u32 *head = loop_at(rings->cq, loop.cq_size, loop.cq_head, sizeof(*head));
	__u32 *sq_tail = loop_at(rings->cq, loop.cq_size, loop.sq_tail, sizeof(*sq_tail));
	__u32 *rq_tail = loop_mem(rings, loop.rq_tail, sizeof(*rq_tail));

	if (!head || !sq_tail || !rq_tail)
		return -14;	/* -EFAULT: loop_begin() has seen that they are there */
	/* A full barrier: the entries come before the tail, which a NIC's queue reads. */
	__sync_fetch_and_add(rq_tail, rings->rq_tail - *rq_tail);
	*head = rings->cq_head;
	*sq_tail = rings->sq_tail;
	loop_count(rings);
	params->cq_wait_idx = rings->cq_head + 1;
	return rings->to_submit ? bpf_io_uring_submit_sqes(ctx, rings->to_submit) : 0;
}

#endif /* UNIFIED_IO_LOOP_BPF_H */
