/* SPDX-License-Identifier: GPL-2.0 */
/* What xsk.c (sockets) and xsk_queue.c (frames on their way) share. */
#ifndef UNIFIED_IO_XSK_INTERNAL_H
#define UNIFIED_IO_XSK_INTERNAL_H

#include <poll.h>
#include <xdp/xsk.h>

#include "unified_io_xsk.h"

/* Whose a frame is. */
enum xsk_owner {
	XSK_FREE,	/* on its queue's stack */
	XSK_KERNEL,	/* waits for a packet, or is being sent */
	XSK_PROGRAM,
};

struct xsk_queue {
	struct xsk_socket *socket;
	struct xsk_ring_prod fill, tx;
	struct xsk_ring_cons comp, rx;
	__u32 *free;		/* stack of its free frames' numbers */
	__u32 nr_free;
	__u32 nr_filled;	/* frames that wait for packets */
	__u64 bytes;		/* received and sent */
	__u64 bytes_told;	/* of them, to the region's counters */
};

struct unified_io_xsk {
	struct unified_io *io;
	struct unified_io_xsk_params params;	/* mode is what was asked for */
	enum unified_io_xsk_mode mode;		/* what it became */
	int why;
	struct xsk_umem *umem;
	struct xsk_queue *queues;		/* params.nr_queues of each */
	struct pollfd *fds;			/* and the region's */
	__u32 per_queue;			/* frames n * per_queue and on are queue n's */
	__u8 *owner;				/* of each frame */
};

/* xsk_queue.c: tells the region's counters what the queue received and sent since the last time */
void unified_io_xsk_tell(struct unified_io_xsk *xsk, struct xsk_queue *q);

/* Where in the UMEM, from where in the data area. */
static inline __u64 xsk_umem_addr(const struct unified_io_xsk *xsk, __u64 addr)
{
	return addr - xsk->params.addr;
}

static inline __u64 xsk_frame_nr(const struct unified_io_xsk *xsk, __u64 umem_addr)
{
	return umem_addr / xsk->params.frame_size;
}

static inline __u64 xsk_nr_frames(const struct unified_io_xsk *xsk)
{
	return (__u64)xsk->per_queue * xsk->params.nr_queues;
}

/* Frame @nr is nobody's: home to its queue. */
static inline void xsk_free_frame(struct unified_io_xsk *xsk, __u64 nr)
{
	struct xsk_queue *home = &xsk->queues[nr / xsk->per_queue];

	xsk->owner[nr] = XSK_FREE;
	home->free[home->nr_free++] = (__u32)nr;
}

#endif /* UNIFIED_IO_XSK_INTERNAL_H */
