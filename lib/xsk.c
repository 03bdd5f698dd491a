// SPDX-License-Identifier: GPL-2.0
/* AF_XDP sockets on a UMEM in the data area: which mode, and all that is set up once. */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bypass.h"
#include "xsk.h"

#define TRIES		250	/* for a queue that is being given up */
#define TRY_US		20000

static int open_queue(struct unified_io_xsk *xsk, __u32 i, enum unified_io_xsk_mode mode)
{
	const struct unified_io_xsk_queue *at = &xsk->params.queues[i];
	struct xsk_queue *q = &xsk->queues[i];
	struct xsk_socket_config config = {
		.rx_size = xsk->params.ring,
		.tx_size = xsk->params.ring,
		.libxdp_flags = at->map_fd < 0 ? 0 : XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
		.bind_flags = XDP_USE_NEED_WAKEUP,
	};
	int err;

	config.bind_flags |= mode == UNIFIED_IO_XSK_ZEROCOPY ? XDP_ZEROCOPY : XDP_COPY;
	if (xsk->params.flags & UNIFIED_IO_XSK_F_SG)
		config.bind_flags |= XDP_USE_SG;
	err = xsk_socket__create_shared(&q->socket, at->ifname, at->rxq, xsk->umem, &q->rx, &q->tx,
					&q->fill, &q->comp, &config);
	if (!err && at->map_fd >= 0)
		err = xsk_socket__update_xskmap(q->socket, at->map_fd);
	return err;
}

static int open_umem(struct unified_io_xsk *xsk)
{
	const struct unified_io_xsk_params *p = &xsk->params;
	struct xsk_umem_config config = {
		.fill_size = p->ring,
		.comp_size = p->ring,
		.frame_size = p->frame_size,
		.frame_headroom = p->headroom,
	};

	return xsk_umem__create(&xsk->umem, xsk->io->data + p->addr, p->len, &xsk->queues[0].fill,
				&xsk->queues[0].comp, &config);
}

static void close_sockets(struct unified_io_xsk *xsk)
{
	__u32 i;

	for (i = 0; i < xsk->params.nr_queues; i++) {
		xsk_socket__delete(xsk->queues[i].socket);
		xsk->queues[i].socket = NULL;
	}
	xsk_umem__delete(xsk->umem);
	xsk->umem = NULL;
}

static int try_open(struct unified_io_xsk *xsk, enum unified_io_xsk_mode mode)
{
	int err = open_umem(xsk);
	__u32 i;

	for (i = 0; !err && i < xsk->params.nr_queues; i++)
		err = open_queue(xsk, i, mode);
	if (err)
		close_sockets(xsk);
	return err;
}

/* The kernel lets go of a queue some time after the socket was closed. */
static int open_as(struct unified_io_xsk *xsk, enum unified_io_xsk_mode mode)
{
	int err, tries = TRIES;

	while ((err = try_open(xsk, mode)) == -EBUSY && --tries)
		usleep(TRY_US);
	return err;
}

static int open_sockets(struct unified_io_xsk *xsk)
{
	if (xsk->params.mode != UNIFIED_IO_XSK_AUTO)
		return open_as(xsk, xsk->params.mode);
	xsk->why = open_as(xsk, UNIFIED_IO_XSK_ZEROCOPY);
	return xsk->why ? open_as(xsk, UNIFIED_IO_XSK_COPY) : 0;
}

/* As the kernel says. */
static void find_mode(struct unified_io_xsk *xsk)
{
	struct xdp_options options = { 0 };
	socklen_t len = sizeof(options);
	bool zero_copy;

	getsockopt(unified_io_xsk_fd(xsk, 0), SOL_XDP, XDP_OPTIONS, &options, &len);
	zero_copy = options.flags & XDP_OPTIONS_ZEROCOPY;
	xsk->mode = zero_copy ? UNIFIED_IO_XSK_ZEROCOPY : UNIFIED_IO_XSK_COPY;
	unified_io_bypass_mode(xsk->io, zero_copy ? UNIFIED_IO_BYPASS_XSK : UNIFIED_IO_BYPASS_XSK_COPY);
}

static int check_params(struct unified_io_xsk *xsk)
{
	struct unified_io_xsk_params *p = &xsk->params;

	if (!p->frame_size)
		p->frame_size = XSK_UMEM__DEFAULT_FRAME_SIZE;
	if (p->mode > UNIFIED_IO_XSK_COPY || p->flags & ~UNIFIED_IO_XSK_F_SG || !p->nr_queues ||
	    !p->ring || p->ring & (p->ring - 1) || p->frame_size & (p->frame_size - 1))
		return -EINVAL;
	if (p->addr > xsk->io->data_size || p->len > xsk->io->data_size - p->addr)
		return -ERANGE;
	xsk->per_queue = (__u32)(p->len / p->frame_size / p->nr_queues);
	return xsk->per_queue < p->ring ? -ENOBUFS : 0;
}

static int alloc_frames(struct unified_io_xsk *xsk)
{
	__u64 nr = xsk_nr_frames(xsk);
	__u32 i;

	xsk->owner = calloc(nr, sizeof(*xsk->owner));
	if (!xsk->owner)
		return -ENOMEM;
	for (i = 0; i < xsk->params.nr_queues; i++) {
		xsk->queues[i].free = calloc(xsk->per_queue, sizeof(*xsk->queues[i].free));
		if (!xsk->queues[i].free)
			return -ENOMEM;
	}
	while (nr--)
		xsk_free_frame(xsk, nr);
	return 0;
}

static int open_any(struct unified_io_xsk *xsk)
{
	int err = check_params(xsk);
	__u32 i;

	if (err)
		return err;
	xsk->queues = calloc(xsk->params.nr_queues, sizeof(*xsk->queues));
	xsk->fds = calloc(xsk->params.nr_queues + 1, sizeof(*xsk->fds));
	if (!xsk->queues || !xsk->fds)
		return -ENOMEM;
	err = alloc_frames(xsk);
	if (!err)
		err = open_sockets(xsk);
	if (err)
		return err;
	find_mode(xsk);
	xsk->fds[xsk->params.nr_queues] = (struct pollfd){ .fd = xsk->io->fd, .events = POLLIN };
	for (i = 0; i < xsk->params.nr_queues; i++)
		xsk->fds[i] = (struct pollfd){ .fd = unified_io_xsk_fd(xsk, i), .events = POLLIN };
	for (i = 0; i < xsk->params.nr_queues; i++)
		unified_io_xsk_flush(xsk, i);
	return 0;
}

static void free_all(struct unified_io_xsk *xsk)
{
	__u32 i;

	for (i = 0; xsk->queues && i < xsk->params.nr_queues; i++)
		free(xsk->queues[i].free);
	free(xsk->queues);
	free(xsk->fds);
	free(xsk->owner);
	free(xsk);
}

int unified_io_xsk_open(struct unified_io_xsk **out, struct unified_io *io,
			const struct unified_io_xsk_params *params)
{
	struct unified_io_xsk *xsk = calloc(1, sizeof(*xsk));
	int err;

	if (!xsk)
		return -ENOMEM;
	xsk->io = io;
	xsk->params = *params;
	err = open_any(xsk);
	xsk->params.queues = NULL;
	if (err)
		free_all(xsk);
	else
		*out = xsk;
	return err;
}

void unified_io_xsk_close(struct unified_io_xsk *xsk)
{
	__u32 i;

	if (!xsk)
		return;
	for (i = 0; i < xsk->params.nr_queues; i++)
		unified_io_xsk_tell(xsk, &xsk->queues[i]);
	close_sockets(xsk);
	free_all(xsk);
}

enum unified_io_xsk_mode unified_io_xsk_mode(const struct unified_io_xsk *xsk)
{
	return xsk->mode;
}

int unified_io_xsk_why(const struct unified_io_xsk *xsk)
{
	return xsk->why;
}

__u64 unified_io_xsk_copied(const struct unified_io_xsk *xsk)
{
	__u64 bytes = 0;
	__u32 i;

	if (xsk->mode == UNIFIED_IO_XSK_ZEROCOPY)
		return 0;
	for (i = 0; i < xsk->params.nr_queues; i++)
		bytes += xsk->queues[i].bytes;
	return bytes;
}

int unified_io_xsk_fd(const struct unified_io_xsk *xsk, __u32 queue)
{
	return xsk_socket__fd(xsk->queues[queue].socket);
}
