/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For BPF programs of type io_uring_bpf_ops (Linux 7.1 and later): a loop that takes
 * what a NIC received, and submits chains, while the process stays in one system
 * call. Include it after vmlinux.h and <bpf/bpf_helpers.h>.
 *
 * Such a program runs in the process's io_uring_enter(), with the ring locked. It has
 * three pieces of memory: the ring's CQ, its SQEs, and the region. What arrives comes
 * by the ring; chains go by the region's own SQ and CQ, which the program fills and
 * empties as the process would.
 *
 *	struct loop_rings rings;
 *
 *	if (!loop_begin(&rings, ctx))
 *		return IOU_LOOP_STOP;
 *	in the first step	loop_recv(), and loop_watch() for completions
 *	while ((cqe = loop_cqe(&rings)))	... loop_arrival(), loop_desc()
 *	while ((done = loop_done(&rings)))	... loop_release(), or loop_timer() and later
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
#define LOOP_POLL_ADD_MULTI	(1U << 0)	/* IORING_POLL_ADD_MULTI */
#define LOOP_POLLIN		1U		/* POLLIN */
#define LOOP_TIMEOUT_IMMEDIATE	(1U << 7)	/* IORING_TIMEOUT_IMMEDIATE_ARG */
#define LOOP_EBUSY		16
#define LOOP_EFAULT		14
#define LOOP_CQE_SIZE		32
#define LOOP_SQE_SIZE		sizeof(struct io_uring_sqe)

/* Of the module: takes up to @nr descriptors of the region's SQ. Returns how many, or a negative errno. */
extern int bpf_uior_submit(struct iou_ctx *ctx, __u32 region_id, __u32 nr) __ksym;

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
	__u32 desc_tail;	/* of the region's SQ */
	__u32 done_head;	/* of the region's CQ */
	__u32 done_tail;
	__u64 arrived;	/* bytes since loop_begin(), for the region's counters */
};

/* The region begins with this. */
#define loop_ctrl(rings, field)							\
	((volatile typeof(((struct unified_io_control *)0)->field) *)		\
	 loop_mem(rings, offsetof(struct unified_io_control, field),		\
		  sizeof(((struct unified_io_control *)0)->field)))

/*
 * Adds, with a full barrier before and after: that is what BPF has where the old value is fetched. A compiler that
 * sees nobody use it (clang before 20) makes an addition without order of it.
 */
#define loop_add(p, v)								\
	({									\
		__u64 was = __sync_fetch_and_add(p, v);				\
										\
		asm volatile("" :: "r"(was));					\
	})

/* What the kernel or another processor has written before is seen after this. */
static __always_inline void loop_barrier(void)
{
	__u64 any = 0;

	loop_add(&any, 0);
}

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
	volatile __u32 *desc_tail, *done_head, *done_tail;
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
	desc_tail = loop_ctrl(rings, sq_tail);
	done_head = loop_ctrl(rings, cq_head);
	done_tail = loop_ctrl(rings, cq_tail);
	if (!head || !tail || !sq_tail || !rq_tail || !desc_tail || !done_head || !done_tail)
		return false;
	rings->cq_head = *head;
	rings->cq_tail = *tail;
	rings->sq_tail = *sq_tail;
	rings->rq_tail = *rq_tail;
	rings->desc_tail = *desc_tail;
	rings->done_head = *done_head;
	rings->done_tail = *done_tail;
	loop_barrier();		/* the completions come after their tail */
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

/*
 * From now on there are CQEs of @user_data when chains complete, so that the loop wakes up.
 * One without LOOP_CQE_F_MORE was the last.
 */
static __always_inline bool loop_watch(struct loop_rings *rings, __u64 user_data)
{
	struct io_uring_sqe *sqe = loop_sqe(rings);

	if (!sqe)
		return false;
	sqe->opcode = IORING_OP_POLL_ADD;
	sqe->fd = loop.device_fd;
	sqe->poll32_events = LOOP_POLLIN;
	sqe->len = LOOP_POLL_ADD_MULTI;
	sqe->user_data = user_data;
	return true;
}

/* A CQE of @user_data, with -ETIME, comes in @ns: a step at the latest then. One timer at a time is enough. */
static __always_inline bool loop_timer(struct loop_rings *rings, __u64 ns, __u64 user_data)
{
	struct io_uring_sqe *sqe = loop_sqe(rings);

	if (!sqe)
		return false;
	sqe->opcode = IORING_OP_TIMEOUT;
	sqe->addr = ns;
	sqe->len = 1;
	sqe->timeout_flags = LOOP_TIMEOUT_IMMEDIATE;
	sqe->user_data = user_data;
	return true;
}

/* How many descriptors of the region's SQ the kernel has not taken. */
static __always_inline __u32 loop_untaken(struct loop_rings *rings)
{
	volatile __u32 *head = loop_ctrl(rings, sq_head);

	return head ? rings->desc_tail - *head : 0;
}

/* A descriptor to fill in, all zero, or NULL while the region's SQ is full. */
static __always_inline struct unified_descriptor *loop_desc(struct loop_rings *rings)
{
	struct unified_descriptor *desc;

	if (loop_untaken(rings) >= loop.nr_descs)
		return NULL;
	desc = loop_mem(rings, loop.descs + (rings->desc_tail & (loop.nr_descs - 1)) * sizeof(*desc),
			sizeof(*desc));
	if (!desc)
		return NULL;
	__builtin_memset(desc, 0, sizeof(*desc));
	rings->desc_tail++;
	return desc;
}

/* The next completion of a chain, or NULL. It is taken, and valid until loop_end(). */
static __always_inline struct unified_completion *loop_done(struct loop_rings *rings)
{
	if (rings->done_head == rings->done_tail)
		return NULL;
	return loop_mem(rings, loop.completions +
			(rings->done_head++ & (loop.nr_completions - 1)) *
			sizeof(struct unified_completion), sizeof(struct unified_completion));
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
 * then become free one after the other. Nothing tells when there is room again, and with
 * all buffers here and nothing on its way there would be no other step: loop_timer().
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

/* What arrived, for the region's counters. What was copied the library adds. */
static __always_inline void loop_count(struct loop_rings *rings)
{
	__u64 *bytes = (__u64 *)loop_ctrl(rings, bypass_bytes);

	if (bytes && rings->arrived)
		__sync_fetch_and_add(bytes, rings->arrived);
	rings->arrived = 0;
}

/* The kernel sees what was taken from the region's CQ and put into its SQ; each a full barrier before. */
static __always_inline bool loop_publish(struct loop_rings *rings)
{
	__u32 *tail = (__u32 *)loop_ctrl(rings, sq_tail), *head = (__u32 *)loop_ctrl(rings, cq_head);

	if (!tail || !head)
		return false;
	loop_add(head, rings->done_head - *head);
	loop_add(tail, rings->desc_tail - *tail);
	return true;
}

/* Descriptors that find no CQ slot stay in the SQ, for the next time. Intake that has stopped is begun again. */
static __always_inline int loop_submit(struct loop_rings *rings, struct iou_ctx *ctx)
{
	volatile __u32 *flags = loop_ctrl(rings, flags);
	__u32 nr = loop_untaken(rings);
	int ret;

	if (!nr && !(flags && *flags))
		return 0;
	ret = bpf_uior_submit(ctx, loop.region_id, nr);
	return ret == -LOOP_EBUSY ? 0 : ret;
}

/*
 * Publishes and submits; then there is something to do again with the next CQE.
 * Returns 0 or more, or the error of bpf_io_uring_submit_sqes() or bpf_uior_submit():
 * loop_untaken() tells how many descriptors will have no completion.
 */
static __always_inline int loop_end(struct loop_rings *rings, struct iou_ctx *ctx,
				    struct iou_loop_params *params)
{
	__u32 *head = loop_at(rings->cq, loop.cq_size, loop.cq_head, sizeof(*head));
	__u32 *sq_tail = loop_at(rings->cq, loop.cq_size, loop.sq_tail, sizeof(*sq_tail));
	__u32 *rq_tail = loop_mem(rings, loop.rq_tail, sizeof(*rq_tail));
	int ret = 0;

	if (!head || !sq_tail || !rq_tail || !loop_publish(rings))
		return -LOOP_EFAULT;	/* loop_begin() has seen that they are there */
	/* A full barrier: the entries come before the tail, which a NIC's queue reads. */
	loop_add(rq_tail, rings->rq_tail - *rq_tail);
	*head = rings->cq_head;
	*sq_tail = rings->sq_tail;
	loop_count(rings);
	params->cq_wait_idx = rings->cq_head + 1;
	if (rings->to_submit)
		ret = bpf_io_uring_submit_sqes(ctx, rings->to_submit);
	return ret < 0 ? ret : loop_submit(rings, ctx);
}

#endif /* UNIFIED_IO_LOOP_BPF_H */
