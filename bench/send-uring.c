// SPDX-License-Identifier: GPL-2.0
/* Sends by io_uring's SEND_ZC from registered buffers: two CQEs each, the second when the buffer is free. */
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <linux/io_uring.h>
#include <liburing.h>

#include "send.h"

static const struct send_job *job;
static struct io_uring ring;
static struct iovec memory;
static bool busy[DEPTH_MAX];
static unsigned int next, inflight;

static void zc_open(const struct send_job *j, int sk)
{
	struct io_uring_params params = {
		.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE,
		.cq_entries = 4 * DEPTH_MAX,
	};
	int ret;

	job = j;
	memory.iov_len = ((size_t)j->size * j->depth + (2 << 20) - 1) & -(2UL << 20);
	memory.iov_base = aligned_alloc(2 << 20, memory.iov_len);
	if (!memory.iov_base)
		err(1, "memory");
	memset(memory.iov_base, 1, memory.iov_len);
	ret = io_uring_queue_init_params(DEPTH_MAX, &ring, &params);
	if (!ret)
		ret = io_uring_register_buffers(&ring, &memory, 1);
	if (!ret)
		ret = io_uring_register_files(&ring, &sk, 1);
	if (ret)
		errx(1, "io_uring: %s", strerror(-ret));
}

static void zc_reap(void)
{
	struct io_uring_cqe *cqe;

	while (!io_uring_peek_cqe(&ring, &cqe)) {
		if (!(cqe->flags & IORING_CQE_F_NOTIF) && cqe->res != (int)job->size)
			errx(1, "SEND_ZC: %d", cqe->res);
		if (!(cqe->flags & IORING_CQE_F_MORE)) {
			busy[cqe->user_data] = false;
			inflight--;
		}
		io_uring_cqe_seen(&ring, cqe);
	}
}

static void zc_enter(unsigned int min)
{
	int ret = min ? io_uring_submit_and_wait(&ring, min) : io_uring_submit_and_get_events(&ring);

	if (ret < 0)
		errx(1, "io_uring_enter: %s", strerror(-ret));
	zc_reap();
}

static void zc_batch(void)
{
	for (unsigned int i = 0; i < job->batch; i++) {
		unsigned int slot = next++ & (job->depth - 1);
		struct io_uring_sqe *sqe;

		while (busy[slot])
			zc_enter(1);
		sqe = io_uring_get_sqe(&ring);
		io_uring_prep_send_zc_fixed(sqe, 0, (char *)memory.iov_base + (size_t)slot * job->size,
					    job->size, MSG_WAITALL | MSG_NOSIGNAL, 0, 0);
		sqe->flags |= IOSQE_FIXED_FILE;
		sqe->user_data = slot;
		busy[slot] = true;
		inflight++;
	}
	zc_enter(0);
}

static void zc_settle(void)
{
	while (inflight)
		zc_enter(1);
}

const struct contender contender_send_zc = {
	.name = "SEND_ZC",
	.open = zc_open,
	.batch = zc_batch,
	.settle = zc_settle,
};
