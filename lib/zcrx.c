// SPDX-License-Identifier: GPL-2.0
/* Receiving into the data area: which way, and what all ways share. */
#include <errno.h>
#include <limits.h>
#include <linux/socket.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "zcrx.h"

static int open_as(struct unified_io_zcrx *zc, enum unified_io_zcrx_mode mode)
{
	zc->params.mode = mode;
	zc->backend = mode == UNIFIED_IO_ZCRX_SOCKET ? &unified_io_zcrx_socket : &unified_io_zcrx_ring;
	return zc->backend->open(zc);
}

static int open_best(struct unified_io_zcrx *zc)
{
	zc->why = zc->params.ifname ? open_as(zc, UNIFIED_IO_ZCRX_DEVICE) : -ENODEV;
	if (!zc->why)
		return 0;
	return open_as(zc, UNIFIED_IO_ZCRX_NODEV) ? open_as(zc, UNIFIED_IO_ZCRX_SOCKET) : 0;
}

static int open_any(struct unified_io_zcrx *zc)
{
	const struct unified_io_zcrx_params *p = &zc->params;

	if (!p->entries || p->entries & (p->entries - 1) || !p->len)
		return -EINVAL;
	if (p->addr > zc->io->data_size || p->len > zc->io->data_size - p->addr)
		return -ERANGE;
	zc->conns = calloc(p->entries, sizeof(*zc->conns));
	zc->chains = calloc(p->entries, sizeof(*zc->chains));
	if (!zc->conns || !zc->chains)
		return -ENOMEM;
	return p->mode == UNIFIED_IO_ZCRX_AUTO ? open_best(zc) : open_as(zc, p->mode);
}

static void free_all(struct unified_io_zcrx *zc)
{
	free(zc->conns);
	free(zc->chains);
	free(zc);
}

int unified_io_zcrx_open(struct unified_io_zcrx **out, struct unified_io *io,
			 const struct unified_io_zcrx_params *params)
{
	struct unified_io_zcrx *zc = calloc(1, sizeof(*zc));
	int err;

	if (!zc)
		return -ENOMEM;
	zc->io = io;
	zc->params = *params;
	err = open_any(zc);
	if (err)
		free_all(zc);
	else
		*out = zc;
	return err;
}

void unified_io_zcrx_close(struct unified_io_zcrx *zc)
{
	zc->backend->close(zc);
	free_all(zc);
}

enum unified_io_zcrx_mode unified_io_zcrx_mode(const struct unified_io_zcrx *zc)
{
	return zc->params.mode;
}

int unified_io_zcrx_why(const struct unified_io_zcrx *zc)
{
	return zc->why;
}

__u64 unified_io_zcrx_copied(const struct unified_io_zcrx *zc)
{
	if (zc->params.mode == UNIFIED_IO_ZCRX_DEVICE)
		return __atomic_load_n(&zc->stats->copy_bytes, __ATOMIC_RELAXED);
	return zc->copied;
}

/* What TCP lets a connection's receive buffer grow to by itself; all that it can be if nobody says. */
static __u64 tcp_limit(void)
{
	FILE *file = fopen("/proc/sys/net/ipv4/tcp_rmem", "re");
	unsigned long long limit = INT_MAX;

	if (!file)
		return limit;
	if (fscanf(file, "%*u %*u %llu", &limit) != 1)
		limit = INT_MAX;
	fclose(file);
	return limit;
}

int unified_io_zcrx_bound(const struct unified_io_zcrx *zc, int fd)
{
	__u64 half = zc->params.len / 2;
	int size = (int)(half / 2), lock = 0;	/* the kernel doubles it */
	socklen_t len = sizeof(lock);

	if (zc->params.mode != UNIFIED_IO_ZCRX_DEVICE || half >= tcp_limit())
		return 0;
	if (getsockopt(fd, SOL_SOCKET, SO_BUF_LOCK, &lock, &len))
		return -errno;
	if (lock & SOCK_RCVBUF_LOCK)
		return 0;
	/* Who has given CAP_NET_ADMIN up since the start gets net.core.rmem_max at most. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) &&
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)))
		return -errno;
	return 0;
}

int unified_io_zcrx_recv(struct unified_io_zcrx *zc, int fd, __u64 user_data)
{
	__u32 i = 0;
	int err;

	while (i < zc->params.entries && zc->conns[i].state != ZCRX_FREE)
		i++;
	if (i == zc->params.entries)
		return -ENOSPC;
	err = unified_io_zcrx_bound(zc, fd);
	if (err)
		return err;
	zc->conns[i] = (struct zcrx_conn){ .state = ZCRX_BUSY, .fd = fd, .user_data = user_data };
	err = zc->backend->arm(zc, i);
	if (err)
		zc->conns[i].state = ZCRX_FREE;
	return err;
}

int unified_io_zcrx_submit(struct unified_io_zcrx *zc, const struct unified_descriptor *desc)
{
	__u32 i = 0;
	int err;

	while (i < zc->params.entries && zc->chains[i].state != ZCRX_FREE)
		i++;
	if (i == zc->params.entries)
		return -EBUSY;
	zc->chains[i] = (struct zcrx_chain){
		.state = ZCRX_BUSY,
		.user_data = desc->user_data,
		.desc = *desc,
	};
	zc->chains[i].desc.user_data = zcrx_tag(i, ZCRX_CHAIN);
	err = zc->backend->submit(zc, i);
	if (err)
		zc->chains[i].state = ZCRX_FREE;
	else
		zc->nr_chains++;
	return err;
}

int unified_io_zcrx_wait(struct unified_io_zcrx *zc, __u64 timeout_ns)
{
	return zc->backend->wait(zc, timeout_ns);
}

bool unified_io_zcrx_next(struct unified_io_zcrx *zc, struct unified_io_zcrx_event *event)
{
	return zc->backend->next(zc, event);
}

void unified_io_zcrx_release(struct unified_io_zcrx *zc, __u64 addr)
{
	zc->backend->release(zc, addr);
}
