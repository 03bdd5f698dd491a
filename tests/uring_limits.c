// SPDX-License-Identifier: GPL-2.0
/*
 * What io_uring does not do for commands, and what a program does instead: a
 * timeout that is linked to a chain does not end it, one that a CANCEL is linked
 * to does. A ring that polls does not wait for chains.
 */
#include "uring_cmd.h"

#define CHAIN	1
#define TIMER	2
#define CANCEL	3
#define REMOVE	4

static struct region r;
static struct io_uring ring;
static struct unified_descriptor desc;
static int fd[2], slot;
static struct __kernel_timespec soon = { .tv_nsec = 50000000 };
static struct __kernel_timespec never = { .tv_sec = WAIT_NS / NSEC_PER_SEC };

static struct io_uring_sqe *command(unsigned int op, uint64_t arg, uint64_t user_data)
{
	return prep_uring_cmd(&ring, r.fd, op, arg, 0, user_data);
}

/* A receive that nothing comes for yet. */
static struct io_uring_sqe *waiting_chain(void)
{
	desc = desc_recv(slot, 0, 4096);
	desc.user_data = CHAIN;
	return command(UNIFIED_IO_URING_OP, (uintptr_t)&desc, CHAIN);
}

/* Collects @nr CQEs; their results, by user_data. */
static void collect(unsigned int nr, int res[REMOVE + 1])
{
	CHECK(io_uring_submit(&ring) >= 0);
	while (nr--) {
		struct __kernel_timespec limit = never;
		struct io_uring_cqe *cqe;

		CHECK_RES(io_uring_wait_cqe_timeout(&ring, &cqe, &limit), 0);
		CHECK(cqe->user_data <= REMOVE);
		res[cqe->user_data] = cqe->res;
		io_uring_cqe_seen(&ring, cqe);
	}
}

static void linked_timeout(void)
{
	struct io_uring_sqe *sqe;
	int res[REMOVE + 1];

	waiting_chain()->flags |= IOSQE_IO_LINK;
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_link_timeout(sqe, &soon, 0);
	sqe->user_data = TIMER;
	collect(1, res);
	CHECK_RES(res[TIMER], -ENOENT);	/* it found nothing that it can cancel */
	send_pattern(fd[1], 100, 0, 1);
	collect(1, res);
	CHECK_RES(res[CHAIN], 100);
}

static void arm(struct __kernel_timespec *when)
{
	struct io_uring_sqe *sqe;

	waiting_chain();
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_timeout(sqe, when, 0, IORING_TIMEOUT_ETIME_SUCCESS);
	sqe->flags |= IOSQE_IO_LINK;
	sqe->user_data = TIMER;
	command(UNIFIED_IO_URING_CANCEL, CHAIN, CANCEL);
}

static void cancel_by_timeout(void)
{
	int res[REMOVE + 1];

	arm(&soon);
	collect(3, res);
	CHECK_RES(res[TIMER], -ETIME);
	CHECK_RES(res[CANCEL], 1);
	CHECK_RES(res[CHAIN], -ECANCELED);
}

/* The chain was in time: the timer goes, and the CANCEL with it. */
static void in_time(void)
{
	struct io_uring_sqe *sqe;
	int res[REMOVE + 1];

	arm(&never);
	CHECK(io_uring_submit(&ring) >= 0);
	send_pattern(fd[1], 100, 0, 2);
	collect(1, res);
	CHECK_RES(res[CHAIN], 100);
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_timeout_remove(sqe, TIMER, 0);
	sqe->user_data = REMOVE;
	collect(3, res);
	CHECK_RES(res[REMOVE], 0);
	CHECK_RES(res[TIMER], -ECANCELED);
	CHECK_RES(res[CANCEL], -ECANCELED);
	pattern_check(r.data, 100, 0, 2);
}

/* The kernel refuses it, or the chain ends by interrupts as in any ring; but no call waits for that. */
static void polled(void)
{
	uint64_t until = now_ns() + WAIT_NS;
	struct io_uring_cqe *cqe;

	CHECK_RES(io_uring_queue_init(8, &ring, IORING_SETUP_IOPOLL), 0);
	waiting_chain();
	send_pattern(fd[1], 100, 0, 3);
	CHECK(io_uring_submit(&ring) >= 0);
	while (io_uring_peek_cqe(&ring, &cqe)) {
		CHECK(now_ns() < until);
		CHECK(io_uring_get_events(&ring) >= 0);
	}
	if (cqe->res == -EOPNOTSUPP) {
		CHECK_RES(run(&r, desc_recv(slot, 0, 100)).res, 100);
	} else {
		CHECK_RES(cqe->res, 100);
		pattern_check(r.data, 100, 0, 3);
	}
	io_uring_queue_exit(&ring);
}

int main(void)
{
	need(UNIFIED_IO_FEAT_URING_CMD);
	region_open(&r, NULL);
	tcp_pair(fd);
	slot = attach(&r, fd[0]);
	CHECK_RES(io_uring_queue_init(8, &ring, 0), 0);
	linked_timeout();
	cancel_by_timeout();
	in_time();
	io_uring_queue_exit(&ring);
	polled();
	CHECK_EQ(region_info(&r).inflight, 0);
	region_close(&r);
	return 0;
}
