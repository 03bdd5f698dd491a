// SPDX-License-Identifier: GPL-2.0
/* The module receives from the socket: multishot receives, the region's own rings. */
#include "barrier.h"
#include "zcrx.h"

#define BUF_LEN		(64U << 10)

static int socket_open(struct unified_io_zcrx *zc)
{
	struct unified_io_zcrx_params *p = &zc->params;

	if (!p->buf_len)
		p->buf_len = p->len < BUF_LEN ? (__u32)p->len : BUF_LEN;
	return unified_io_add_buffers(zc->io, p->addr, p->buf_len, (unsigned int)(p->len / p->buf_len));
}

static void socket_close(struct unified_io_zcrx *zc)
{
	__u32 i;

	for (i = 0; i < zc->params.entries; i++)
		if (zc->conns[i].state != ZCRX_FREE)
			unified_io_detach_socket(zc->io, (unsigned int)zc->conns[i].slot);
}

static int put(struct unified_io_zcrx *zc, const struct unified_descriptor *desc)
{
	struct unified_descriptor *entry = unified_io_get_desc(zc->io);
	int err;

	if (!entry) {
		err = unified_io_submit(zc->io);
		if (err < 0)
			return err;
		entry = unified_io_get_desc(zc->io);
	}
	if (!entry)
		return -EBUSY;
	*entry = *desc;
	return 0;
}

static int socket_arm(struct unified_io_zcrx *zc, __u32 conn)
{
	struct unified_descriptor desc;
	int slot = unified_io_attach_socket(zc->io, zc->conns[conn].fd), err;

	if (slot < 0)
		return slot;
	zc->conns[conn].slot = slot;
	unified_io_prep_recv_multishot(&desc, (unsigned int)slot, 0, 0);
	desc.user_data = zcrx_tag(conn, 0);
	err = put(zc, &desc);
	if (err)
		unified_io_detach_socket(zc->io, (unsigned int)slot);
	return err;
}

static int socket_submit(struct unified_io_zcrx *zc, __u32 chain)
{
	return put(zc, &zc->chains[chain].desc);
}

/* The kernel has no buffer, nor do we give it one, and no chain ends that would. */
static bool starved(const struct unified_io_zcrx *zc)
{
	const struct unified_io *io = zc->io;

	/* the flag is set behind the completion that took the last buffer */
	return !zc->nr_chains &&
	       unified_io_load_acquire(&io->ctrl->flags) & UNIFIED_IO_CTRL_F_NEED_NIOV &&
	       unified_io_load_acquire(&io->ctrl->niov_head) == io->niov_tail &&	/* F */
	       !unified_io_peek(io);
}

static int socket_wait(struct unified_io_zcrx *zc, __u64 timeout_ns)
{
	int ret;

	if (starved(zc))
		return -ENOBUFS;
	ret = unified_io_submit_and_wait(zc->io, 1, timeout_ns);

	return ret < 0 && ret != -EBUSY ? ret : 0;
}

/* A completion of the region. False: it was nothing to tell. */
static bool take(struct unified_io_zcrx *zc, const struct unified_completion *c,
		 struct unified_io_zcrx_event *event)
{
	if (!(c->user_data & ZCRX_CHAIN) && c->flags & UNIFIED_IO_CQE_F_MORE) {
		if (c->res <= 0) {	/* what ended the stream comes with its last completion */
			unified_io_zcrx_release(zc, c->addr);
			return false;
		}
		zc->copied += c->copied;
		*event = (struct unified_io_zcrx_event){
			.type = UNIFIED_IO_ZCRX_DATA,
			.res = c->res,
			.user_data = zc->conns[c->user_data >> 1].user_data,
			.addr = c->addr,
		};
		return true;
	}
	if (!(c->user_data & ZCRX_CHAIN))
		unified_io_detach_socket(zc->io, (unsigned int)zc->conns[c->user_data >> 1].slot);
	zcrx_end(zc, c->user_data, c->res, c, event);
	return true;
}

static bool socket_next(struct unified_io_zcrx *zc, struct unified_io_zcrx_event *event)
{
	const struct unified_completion *ready;
	bool told = false;

	while (!told && (ready = unified_io_peek(zc->io))) {
		told = take(zc, ready, event);
		unified_io_consume(zc->io, 1);
	}
	return told;
}

/* The ring has room: it held all of them at the beginning. */
static void socket_release(struct unified_io_zcrx *zc, __u64 addr)
{
	unified_io_add_buffer(zc->io, addr, zc->params.buf_len);
	unified_io_publish_buffers(zc->io);
}

const struct zcrx_backend unified_io_zcrx_socket = {
	.open = socket_open,
	.close = socket_close,
	.arm = socket_arm,
	.submit = socket_submit,
	.wait = socket_wait,
	.next = socket_next,
	.release = socket_release,
};
