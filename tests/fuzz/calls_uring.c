// SPDX-License-Identifier: GPL-2.0
/*
 * Calls through io_uring: rings of all kinds, commands on the device in them, and
 * the data area as a fixed buffer. A call waits for completions only for a moment.
 */
#include "fuzz.h"

#include <liburing.h>

#define NR_RINGS	2
#define ENTRIES		16

static struct {
	struct io_uring ring;
	bool open;
	struct unified_descriptor desc[ENTRIES];
	struct unified_completion done[ENTRIES];
} rings[NR_RINGS];

static struct io_uring *ring_of(uint8_t byte)
{
	unsigned int i = byte < 224 ? 0 : 1;

	return rings[i].open ? &rings[i].ring : NULL;
}

void call_uring_new(const uint8_t *a)
{
	static const unsigned int kinds[] = {
		0, IORING_SETUP_CQE32, IORING_SETUP_SQE128, IORING_SETUP_SQPOLL, IORING_SETUP_COOP_TASKRUN,
		IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN, IORING_SETUP_IOPOLL,
		IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_CQE32,
	};
	unsigned int i = a[0] < 224 ? 0 : 1;
	struct io_uring_params params = { .flags = kinds[a[1] % ARRAY_SIZE(kinds)], .sq_thread_idle = 1 };
	int fd = region_of(a[2])->fd;

	if (rings[i].open || io_uring_queue_init_params(ENTRIES, &rings[i].ring, &params))
		return;
	io_uring_register_buffers_sparse(&rings[i].ring, 4);
	io_uring_register_files(&rings[i].ring, &fd, 1);
	rings[i].open = true;
}

/* For SETUP to bind the region to. */
int uring_fd_of(uint8_t byte)
{
	struct io_uring *ring = ring_of(byte);

	return ring ? ring->ring_fd : -1;
}

static uint64_t command_arg(unsigned int op, const uint8_t *a, unsigned int slot)
{
	if (a[4] >= 240)
		return wild(a[5]);
	if (op == UNIFIED_IO_URING_OP)
		return (uintptr_t)&rings[a[0] < 224 ? 0 : 1].desc[slot];
	return a[4] & 3;
}

static void submit_now(struct io_uring *ring, uint8_t how)
{
	struct __kernel_timespec limit = { .tv_nsec = 1000000 };
	struct io_uring_cqe *cqe;

	if (how & 1)
		return;		/* with the next */
	if (how & 2)
		io_uring_submit(ring);
	else
		io_uring_submit_and_wait_timeout(ring, &cqe, 1, &limit, NULL);
}

/* A descriptor was made before by call_uring_desc(). */
void call_uring_cmd(const uint8_t *a)
{
	static const unsigned int ops[] = {
		UNIFIED_IO_URING_OP, UNIFIED_IO_URING_ENTER, UNIFIED_IO_URING_CANCEL, UNIFIED_IO_URING_REG_BUF,
		UNIFIED_IO_URING_UNREG_BUF, UNIFIED_IO_SUBMIT, 0, ~0U,
	};
	unsigned int op = a[1] < 128 ? UNIFIED_IO_URING_OP : PICK(ops, 5, a[1]), slot = a[2] % ENTRIES;
	struct io_uring *ring = ring_of(a[0]);
	struct io_uring_sqe *sqe = ring ? io_uring_get_sqe(ring) : NULL;
	struct unified_io_uring_cmd cmd = { .arg = command_arg(op, a, slot) };

	if (!sqe)
		return;
	if (op == UNIFIED_IO_URING_OP && a[5] < 200)
		cmd.completion = (uintptr_t)&rings[a[0] < 224 ? 0 : 1].done[slot];
	else if (a[5] >= 240)
		cmd.completion = wild(a[5]);
	io_uring_prep_rw(IORING_OP_URING_CMD, sqe, region_of(a[3])->fd, NULL, 0, 0);
	sqe->cmd_op = op;
	sqe->flags = a[6] < 192 ? 0 : a[6] & (IOSQE_IO_LINK | IOSQE_ASYNC | IOSQE_IO_HARDLINK | IOSQE_IO_DRAIN);
	if (a[7] >= 224) {
		sqe->fd = 0;
		sqe->flags |= IOSQE_FIXED_FILE;
	}
	if (a[8] >= 250)
		sqe->uring_cmd_flags = a[8];
	memcpy(sqe->cmd, &cmd, sizeof(cmd));
	submit_now(ring, a[9]);
}

/* The same bytes as of a 'submit', for slot user_data of the first ring. */
void call_uring_desc(const uint8_t *a)
{
	fill_desc(&rings[0].desc[a[4] % ENTRIES], region_of(0), a);
}

void call_uring_wait(const uint8_t *a)
{
	struct io_uring *ring = ring_of(a[0]);
	struct io_uring_cqe *cqe;

	if (!ring)
		return;
	submit_now(ring, a[1] & 2);
	for (int i = 0; i < ENTRIES && !io_uring_peek_cqe(ring, &cqe); i++)
		io_uring_cqe_seen(ring, cqe);
}

/* Somebody else's request on the buffer that REG_BUF registered; or poll on the device. */
void call_uring_other(const uint8_t *a)
{
	struct io_uring *ring = ring_of(a[0]);
	struct io_uring_sqe *sqe = ring ? io_uring_get_sqe(ring) : NULL;
	void *at = (void *)(a[2] < 240 ? a[2] * 512UL : wild(a[2]));
	unsigned int len = a[3] < 240 ? (1U + a[3]) * 512 : (uint32_t)wild(a[3]);
	int fd = drive_of(a[4] < 192 ? a[4] : 0);

	if (!sqe)
		return;
	switch (a[1] % 4) {
	case 0:
		io_uring_prep_write_fixed(sqe, fd, at, len, a[5] * 4096UL, a[6] & 3);
		break;
	case 1:
		io_uring_prep_read_fixed(sqe, fd, at, len, a[5] * 4096UL, a[6] & 3);
		break;
	case 2:
		io_uring_prep_poll_add(sqe, region_of(a[7])->fd, POLLIN);
		break;
	default:
		io_uring_prep_cancel64(sqe, a[5], IORING_ASYNC_CANCEL_ANY);
	}
	submit_now(ring, a[8]);
}

void call_uring_close(const uint8_t *a)
{
	unsigned int i = a[0] < 224 ? 0 : 1;

	if (!rings[i].open)
		return;
	rings[i].open = false;
	if (a[1] & 1)
		close(rings[i].ring.ring_fd);
	else
		io_uring_queue_exit(&rings[i].ring);
}

void call_cancel(const uint8_t *a)
{
	uint64_t user_data = a[1] < 240 ? a[1] : wild(a[1]);

	call_ioctl(region_of(a[0])->fd, UNIFIED_IO_CANCEL, &user_data, sizeof(user_data), a[2]);
}
