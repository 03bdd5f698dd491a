// SPDX-License-Identifier: GPL-2.0
/*
 * The three rings, as the program sees them. The letters at the barriers are
 * those of barrier.h.
 */
#include <sys/ioctl.h>

#include "barrier.h"
#include "unified_io.h"

struct unified_descriptor *unified_io_get_desc(struct unified_io *io)
{
	__u32 used = io->sq_tail - unified_io_load_acquire(&io->ctrl->sq_head);	/* B */

	if (used > io->sq_mask)
		return NULL;
	return &io->sq[io->sq_tail++ & io->sq_mask];
}

unsigned int unified_io_publish(struct unified_io *io)
{
	unified_io_store_release(&io->ctrl->sq_tail, io->sq_tail);		/* A */
	return io->sq_tail - unified_io_load(&io->ctrl->sq_head);
}

int unified_io_enter(struct unified_io *io, unsigned int to_submit, unsigned int min_complete,
		     __u64 timeout_ns)
{
	struct unified_io_enter enter = {
		.to_submit = to_submit,
		.min_complete = min_complete,
		.timeout_ns = timeout_ns,
	};

	if (ioctl(io->fd, UNIFIED_IO_ENTER, &enter))
		return -errno;
	return (int)enter.submitted;
}

int unified_io_submit_and_wait(struct unified_io *io, unsigned int min_complete, __u64 timeout_ns)
{
	return unified_io_enter(io, unified_io_publish(io), min_complete, timeout_ns);
}

int unified_io_submit(struct unified_io *io)
{
	return unified_io_submit_and_wait(io, 0, 0);
}

int unified_io_submit_one(struct unified_io *io, const struct unified_descriptor *desc)
{
	struct unified_io_submit submit = { .desc = *desc };

	return ioctl(io->fd, UNIFIED_IO_SUBMIT, &submit) ? -errno : 0;
}

bool unified_io_needs_enter(const struct unified_io *io)
{
	unified_io_full_barrier();	/* G */
	return unified_io_load(&io->ctrl->flags) &
	       (UNIFIED_IO_CTRL_F_CQ_FULL | UNIFIED_IO_CTRL_F_NEED_NIOV);
}

const struct unified_completion *unified_io_peek(const struct unified_io *io)
{
	if (unified_io_load_acquire(&io->ctrl->cq_tail) == io->cq_head)		/* C */
		return NULL;
	return &io->cq[io->cq_head & io->cq_mask];
}

void unified_io_consume(struct unified_io *io, unsigned int nr)
{
	io->cq_head += nr;
	unified_io_store_release(&io->ctrl->cq_head, io->cq_head);		/* D */
}

/* Two calls: one that has submitted does not tell what ended its wait. */
static int unified_io_submit_then_wait(struct unified_io *io, __u64 timeout_ns)
{
	unsigned int to_submit = unified_io_publish(io);
	int ret = to_submit ? unified_io_enter(io, to_submit, 0, 0) : 0;

	/* With a full CQ what is in flight makes room. */
	if (ret < 0 && ret != -EBUSY)
		return ret;
	return unified_io_enter(io, 0, 1, timeout_ns);
}

int unified_io_wait(struct unified_io *io, struct unified_completion *cqe, __u64 timeout_ns)
{
	const struct unified_completion *ready = unified_io_peek(io);
	int ret;

	if (!ready) {
		ret = unified_io_submit_then_wait(io, timeout_ns);
		if (ret < 0)
			return ret;
		ready = unified_io_peek(io);
	}
	if (!ready)
		return -ENODATA;
	*cqe = *ready;
	unified_io_consume(io, 1);
	return 0;
}

int unified_io_add_buffer(struct unified_io *io, __u64 addr, __u32 len)
{
	__u32 used = io->niov_tail - unified_io_load_acquire(&io->ctrl->niov_head);	/* F */

	if (used > io->niov_mask)
		return -ENOBUFS;
	io->niov[io->niov_tail++ & io->niov_mask] = (struct unified_net_iov){
		.addr = addr,
		.len = len,
	};
	return 0;
}

void unified_io_publish_buffers(struct unified_io *io)
{
	unified_io_store_release(&io->ctrl->niov_tail, io->niov_tail);		/* E */
}

int unified_io_add_buffers(struct unified_io *io, __u64 addr, __u32 len, unsigned int nr)
{
	unsigned int i;
	int err = 0;

	if (addr > io->data_size || (__u64)len * nr > io->data_size - addr)
		return -ERANGE;
	for (i = 0; i < nr && !err; i++)
		err = unified_io_add_buffer(io, addr + (__u64)i * len, len);
	unified_io_publish_buffers(io);
	return err;
}
