// SPDX-License-Identifier: GPL-2.0
/*
 * Frames on their way: from a queue's stack into its fill ring, out of its RX ring to
 * the program, from there into a TX ring and out of the completion ring, or straight
 * back to the stack of the queue that they belong to.
 */
#define _GNU_SOURCE	/* ppoll */
#include <sys/socket.h>
#include <time.h>

#include "bypass.h"
#include "xsk.h"

#define NSEC_PER_SEC	1000000000ULL
#define RETRY_NS	1000000ULL	/* until the kernel may take more to send */

/* Per batch, not per packet: queues may have a thread each, and all share the counters' cache line. */
void unified_io_xsk_tell(struct unified_io_xsk *xsk, struct xsk_queue *q)
{
	__u64 bytes = q->bytes - q->bytes_told;

	unified_io_bypass_add(xsk->io, bytes, xsk->mode == UNIFIED_IO_XSK_COPY ? bytes : 0);
	q->bytes_told = q->bytes;
}

bool unified_io_xsk_recv(struct unified_io_xsk *xsk, __u32 queue,
			 struct unified_io_xsk_frame *frame)
{
	struct xsk_queue *q = &xsk->queues[queue];
	const struct xdp_desc *desc;
	__u32 at;

	if (!xsk_ring_cons__peek(&q->rx, 1, &at))
		return false;
	desc = xsk_ring_cons__rx_desc(&q->rx, at);
	*frame = (struct unified_io_xsk_frame){
		.addr = xsk->params.addr + desc->addr,
		.len = desc->len,
		.more = desc->options & XDP_PKT_CONTD,
	};
	xsk->owner[xsk_frame_nr(xsk, desc->addr)] = XSK_PROGRAM;
	xsk_ring_cons__release(&q->rx, 1);
	q->nr_filled--;
	q->bytes += frame->len;
	return true;
}

int unified_io_xsk_alloc(struct unified_io_xsk *xsk, __u32 queue, __u64 *addr)
{
	struct xsk_queue *q = &xsk->queues[queue];
	__u32 nr;

	if (!q->nr_free)
		return -ENOBUFS;
	nr = q->free[--q->nr_free];
	xsk->owner[nr] = XSK_PROGRAM;
	*addr = xsk->params.addr + (__u64)nr * xsk->params.frame_size;
	return 0;
}

/* The program's frame in which the @len bytes from @addr lie: its number, or a negative errno. */
static __s64 frame_of(const struct unified_io_xsk *xsk, __u64 addr, __u32 len)
{
	__u64 size = xsk->params.frame_size, at = xsk_umem_addr(xsk, addr), nr = at / size;

	if (addr < xsk->params.addr || nr >= xsk_nr_frames(xsk) || len > size - at % size)
		return -ERANGE;
	return xsk->owner[nr] == XSK_PROGRAM ? (__s64)nr : -EINVAL;
}

int unified_io_xsk_release(struct unified_io_xsk *xsk, __u64 addr)
{
	__s64 nr = frame_of(xsk, addr, 0);

	if (nr < 0)
		return (int)nr;
	xsk_free_frame(xsk, (__u64)nr);
	return 0;
}

int unified_io_xsk_send(struct unified_io_xsk *xsk, __u32 queue,
			const struct unified_io_xsk_frame *frame)
{
	struct xsk_queue *q = &xsk->queues[queue];
	__s64 nr = frame_of(xsk, frame->addr, frame->len);
	__u32 at;

	if (nr < 0)
		return (int)nr;
	if (!frame->len)
		return -EMSGSIZE;
	if (frame->more && !(xsk->params.flags & UNIFIED_IO_XSK_F_SG))
		return -EINVAL;
	if (!xsk_ring_prod__reserve(&q->tx, 1, &at))
		return -EBUSY;
	*xsk_ring_prod__tx_desc(&q->tx, at) = (struct xdp_desc){
		.addr = xsk_umem_addr(xsk, frame->addr),
		.len = frame->len,
		.options = frame->more ? XDP_PKT_CONTD : 0,
	};
	xsk->owner[nr] = XSK_KERNEL;
	xsk_ring_prod__submit(&q->tx, 1);
	q->bytes += frame->len;
	return 0;
}

/* The kernel may also tell of what it refused to send: any address that somebody wrote there. */
static void reap_sent(struct unified_io_xsk *xsk, struct xsk_queue *q)
{
	__u32 at, i, nr = xsk_ring_cons__peek(&q->comp, xsk->params.ring, &at);
	__u64 frame;

	for (i = 0; i < nr; i++) {
		frame = xsk_frame_nr(xsk, *xsk_ring_cons__comp_addr(&q->comp, at + i));
		if (frame < xsk_nr_frames(xsk) && xsk->owner[frame] == XSK_KERNEL)
			xsk_free_frame(xsk, frame);
	}
	xsk_ring_cons__release(&q->comp, nr);
}

static void refill(struct unified_io_xsk *xsk, struct xsk_queue *q)
{
	__u32 at, i, nr = xsk->params.ring - q->nr_filled, room;

	if (nr > q->nr_free)
		nr = q->nr_free;
	room = xsk_prod_nb_free(&q->fill, nr);
	if (nr > room)
		nr = room;
	if (!nr || !xsk_ring_prod__reserve(&q->fill, nr, &at))
		return;
	for (i = 0; i < nr; i++) {
		__u32 frame = q->free[--q->nr_free];

		xsk->owner[frame] = XSK_KERNEL;
		*xsk_ring_prod__fill_addr(&q->fill, at + i) = (__u64)frame * xsk->params.frame_size;
	}
	xsk_ring_prod__submit(&q->fill, nr);
	q->nr_filled += nr;
}

/* Has the kernel not taken all of the TX ring? */
static bool is_unsent(struct unified_io_xsk *xsk, struct xsk_queue *q)
{
	return xsk_prod_nb_free(&q->tx, xsk->params.ring) < xsk->params.ring;
}

/* What goes wrong for now, in a call that only wakes the kernel up. */
static bool is_temporary(int err)
{
	return err == EAGAIN || err == EBUSY || err == ENOBUFS || err == EINTR;
}

int unified_io_xsk_flush(struct unified_io_xsk *xsk, __u32 queue)
{
	struct xsk_queue *q = &xsk->queues[queue];
	int fd = unified_io_xsk_fd(xsk, queue);

	unified_io_xsk_tell(xsk, q);
	reap_sent(xsk, q);
	refill(xsk, q);
	if (xsk_ring_prod__needs_wakeup(&q->fill) &&
	    recvfrom(fd, NULL, 0, MSG_DONTWAIT, NULL, NULL) < 0 && !is_temporary(errno))
		return -errno;
	if (is_unsent(xsk, q) && xsk_ring_prod__needs_wakeup(&q->tx) &&
	    sendto(fd, NULL, 0, MSG_DONTWAIT, NULL, 0) < 0 && !is_temporary(errno))
		return -errno;
	return is_unsent(xsk, q);
}

static int flush_all(struct unified_io_xsk *xsk)
{
	int ret, more = 0;
	__u32 i;

	for (i = 0; i < xsk->params.nr_queues; i++) {
		ret = unified_io_xsk_flush(xsk, i);
		if (ret < 0)
			return ret;
		more |= ret;
	}
	return more;
}

static __u64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (__u64)ts.tv_sec * NSEC_PER_SEC + (__u64)ts.tv_nsec;
}

int unified_io_xsk_wait(struct unified_io_xsk *xsk, __u64 timeout_ns)
{
	__u64 end = timeout_ns ? now_ns() + timeout_ns : ~0ULL, now, limit;
	struct timespec ts;
	int ret, more;

	for (;;) {
		more = flush_all(xsk);
		if (more < 0)
			return more;
		now = timeout_ns ? now_ns() : 0;
		if (now >= end)
			return -ETIME;
		limit = more && end - now > RETRY_NS ? RETRY_NS : end - now;
		ts.tv_sec = (time_t)(limit / NSEC_PER_SEC);
		ts.tv_nsec = (long)(limit % NSEC_PER_SEC);
		ret = ppoll(xsk->fds, xsk->params.nr_queues + 1, more || timeout_ns ? &ts : NULL,
			    NULL);
		if (ret)
			return ret < 0 ? -errno : 0;
	}
}
