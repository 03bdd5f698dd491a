// SPDX-License-Identifier: GPL-2.0
/*
 * io_uring as a front door: single chains and batches by IORING_OP_URING_CMD, in
 * every kind of ring, cancelled, abandoned and killed; the data area as a fixed
 * buffer of a ring. And UNIFIED_IO_CANCEL, which is the same for all operations.
 */
#include <linux/io_uring.h>	/* before liburing's own copy, which may be older */

#include "uring_cmd.h"

#define LEN	(64 * KiB)

static struct region r;
static struct io_uring ring;
static struct unified_completion done[8];	/* where each OP leaves its completion */
static struct unified_descriptor descs[8];
static unsigned int sqe_flags;		/* of each command */

static void ring_open(unsigned int flags)
{
	struct io_uring_params params = { .flags = flags };

	CHECK_RES(io_uring_queue_init_params(16, &ring, &params), 0);
}

static struct io_uring_sqe *prep(int fd, unsigned int op, uint64_t arg, uint64_t completion,
				 uint64_t user_data)
{
	struct io_uring_sqe *sqe = prep_uring_cmd(&ring, fd, op, arg, completion, user_data);

	sqe->flags |= sqe_flags;
	return sqe;
}

/* The chain of @d as OP number @nr. */
static struct io_uring_sqe *prep_op(unsigned int nr, struct unified_descriptor d)
{
	d.user_data = nr;
	descs[nr] = d;
	memset(&done[nr], 0xee, sizeof(done[nr]));
	return prep(r.fd, UNIFIED_IO_URING_OP, (uintptr_t)&descs[nr], (uintptr_t)&done[nr], nr);
}

/* The next CQE; which it is */
static uint64_t reap_cqe(int *res)
{
	struct __kernel_timespec limit = { .tv_sec = WAIT_NS / NSEC_PER_SEC };
	struct io_uring_cqe *cqe;
	uint64_t user_data;

	/* A ring that was closed before may still have something for this task to do, which ends the wait. */
	do
		CHECK_OK(io_uring_submit_and_wait_timeout(&ring, &cqe, 1, &limit, NULL));
	while (io_uring_peek_cqe(&ring, &cqe));
	*res = cqe->res;
	user_data = cqe->user_data;
	io_uring_cqe_seen(&ring, cqe);
	return user_data;
}

static int finish(uint64_t want)
{
	int res;

	CHECK_EQ(reap_cqe(&res), want);
	return res;
}

static int command(unsigned int op, uint64_t arg)
{
	prep(r.fd, op, arg, 0, 77);
	return finish(77);
}

static void write_and_read(void)
{
	unsigned int block = drive_block(env("NVME0"));

	pattern_fill(r.data, LEN, 0, 1);
	prep_op(1, desc_nvme(NVME_CMD_WRITE, 0, LEN, MiB / block));
	CHECK_RES(finish(1), LEN);
	drive_check(env("NVME0"), MiB, LEN, 0, 1);
	CHECK_RES(done[1].res, LEN);
	CHECK_EQ(done[1].user_data, 1);
	CHECK_EQ(done[1].stage, UNIFIED_IO_STAGE_WRITE);

	prep_op(2, desc_nvme(NVME_CMD_READ, LEN, LEN, MiB / block));
	CHECK_RES(finish(2), LEN);
	pattern_check(r.data + LEN, LEN, 0, 1);
	CHECK_EQ(nr_ready(&r), 0);	/* nothing in the region's own CQ */
}

/* A write, and what it wrote read back, without a look in between. */
static void linked(void)
{
	unsigned int block = drive_block(env("NVME0"));

	pattern_fill(r.data, LEN, 0, 2);
	prep_op(1, desc_nvme(NVME_CMD_WRITE, 0, LEN, 2 * MiB / block))->flags |= IOSQE_IO_LINK;
	prep_op(2, desc_nvme(NVME_CMD_READ, LEN, LEN, 2 * MiB / block));
	CHECK_RES(finish(1), LEN);
	CHECK_RES(finish(2), LEN);
	pattern_check(r.data + LEN, LEN, 0, 2);

	/* a link breaks where the chain fails */
	prep_op(1, desc_nvme(NVME_CMD_WRITE, 0, LEN, ~0ULL))->flags |= IOSQE_IO_LINK;
	prep_op(2, desc_nvme(NVME_CMD_READ, LEN, LEN, 0));
	CHECK_RES(finish(1), -ERANGE);
	CHECK_RES(finish(2), -ECANCELED);
}

static void batch(void)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);
	int res;

	io_uring_prep_poll_add(sqe, r.fd, POLLIN);
	sqe->user_data = 9;
	for (int i = 0; i < 4; i++)
		queue(&r, desc_nvme(NVME_CMD_READ, i * LEN, LEN, 0));
	prep(r.fd, UNIFIED_IO_URING_ENTER, 16, 0, 8);
	for (int i = 0; i < 2; i++)
		if (reap_cqe(&res) == 8)
			CHECK_RES(res, 4);
		else
			CHECK_EQ(res & POLLIN, POLLIN);
	for (int i = 0; i < 4; i++)
		CHECK_RES(reap(&r).res, LEN);
	CHECK_RES(command(UNIFIED_IO_URING_ENTER, 16), 0);
}

static void receive_chain(void)
{
	unsigned int block = drive_block(env("NVME0"));
	struct unified_descriptor d;
	int fd[2], slot;

	tcp_pair(fd);
	slot = attach(&r, fd[0]);
	d = desc_recv(slot, 0, LEN);
	d.type |= UNIFIED_REGION_F_NVME;
	d.flags = UNIFIED_IO_DESC_F_WAITALL;
	d.nvme.opcode = NVME_CMD_WRITE;
	d.nvme.slba = 3 * MiB / block;
	prep_op(1, d);
	CHECK(io_uring_submit(&ring) >= 0);
	send_pattern(fd[1], LEN, 0, 3);
	CHECK_RES(finish(1), LEN);
	CHECK_EQ(done[1].copied, LEN);
	drive_check(env("NVME0"), 3 * MiB, LEN, 0, 3);
	detach(&r, slot);
	close(fd[0]);
	close(fd[1]);
}

static void errors(void)
{
	int empty = device_open();

	CHECK_RES(command(_IO(UNIFIED_IO_IOC_MAGIC, 0x50), 0), -ENOTTY);
	prep(empty, UNIFIED_IO_URING_ENTER, 1, 0, 1);
	CHECK_RES(finish(1), -ENXIO);
	close(empty);
	prep(r.fd, UNIFIED_IO_URING_OP, 8, 0, 1);
	CHECK_RES(finish(1), -EFAULT);
	descs[0] = desc_nvme(NVME_CMD_READ, 0, LEN, 0);
	prep(r.fd, UNIFIED_IO_URING_OP, (uintptr_t)&descs[0], 8, 1);
	CHECK_RES(finish(1), -EFAULT);
	prep(r.fd, UNIFIED_IO_URING_OP, (uintptr_t)&descs[0], 0, 1);
	CHECK_RES(finish(1), LEN);
	prep_op(1, desc_multishot(0));
	CHECK_RES(finish(1), -EINVAL);
	prep_op(1, desc_nvme(NVME_CMD_READ, 1ULL << 40, LEN, 0));
	CHECK_RES(finish(1), -ERANGE);
	prep(r.fd, UNIFIED_IO_URING_ENTER, 1, 1, 1);
	CHECK_RES(finish(1), -EINVAL);
	CHECK_RES(command(UNIFIED_IO_URING_CANCEL, 4711), -ENOENT);
	CHECK_EQ(region_info(&r).inflight, 0);
}

/* No completion will come into the region's CQ: nobody waits for one, be it the task that ends the chains. */
static void elsewhere(void)
{
	struct unified_io_enter out;

	CHECK_RES(enter(&r, 0, 1, WAIT_NS, &out), 0);
	CHECK_EQ(out.completed, 0);
}

/* Of three that wait the middle one goes; what arrives is for the others. */
static void cancel(void)
{
	int fd[2], slot, res;

	tcp_pair(fd);
	slot = attach(&r, fd[0]);
	for (int i = 1; i <= 3; i++)
		prep_op(i, desc_recv(slot, i * 4 * KiB, 4 * KiB));
	CHECK(io_uring_submit(&ring) >= 0);
	elsewhere();
	prep(r.fd, UNIFIED_IO_URING_CANCEL, 2, 0, 7);
	for (int i = 0; i < 2; i++)
		if (reap_cqe(&res) == 7)
			CHECK_RES(res, 1);
		else
			CHECK_RES(res, -ECANCELED);
	CHECK_RES(done[2].res, -ECANCELED);
	send_pattern(fd[1], 1000, 0, 4);
	CHECK_RES(finish(1), 1000);
	send_pattern(fd[1], 500, 0, 5);
	CHECK_RES(finish(3), 500);
	pattern_check(r.data + 3 * 4 * KiB, 500, 0, 5);
	detach(&r, slot);
	close(fd[0]);
	close(fd[1]);
}

static int cancel_ioctl(uint64_t user_data)
{
	int ret = ioctl(r.fd, UNIFIED_IO_CANCEL, &user_data);

	return ret < 0 ? -errno : ret;
}

/* A receive that has a part of what it wants: that is in its buffer. */
static void cancel_partial(void)
{
	struct unified_descriptor d;
	struct unified_completion c;
	int fd[2], slot, left = 1;

	tcp_pair(fd);
	slot = attach(&r, fd[0]);
	d = desc_recv(slot, LEN, LEN);
	d.flags = UNIFIED_IO_DESC_F_WAITALL;
	d.net.headroom = 64;
	d.user_data = 5;
	send_pattern(fd[1], 1000, 0, 6);
	while (left < 1000)
		CHECK_OK(ioctl(fd[0], FIONREAD, &left));
	CHECK_RES(submit(&r, d), 0);
	while (left)
		CHECK_OK(ioctl(fd[0], FIONREAD, &left));
	CHECK_RES(cancel_ioctl(5), 1);
	c = reap(&r);
	CHECK_RES(c.res, -ECANCELED);
	CHECK_EQ(c.copied, 1000);
	pattern_check(r.data + LEN + 64, 1000, 0, 6);
	detach(&r, slot);
	close(fd[0]);
	close(fd[1]);
}

/* What came by SUBMIT: receives of both kinds, and a send that the peer does not take. */
static void cancel_others(void)
{
	struct unified_completion c;
	int fd[2], slot, nr = 0;

	tcp_pair(fd);
	slot = attach(&r, fd[0]);
	for (int multishot = 0; multishot < 2; multishot++) {
		struct unified_descriptor d = multishot ? desc_multishot(slot) : desc_recv(slot, 0, LEN);

		d.user_data = 5;
		CHECK_RES(submit(&r, d), 0);
		if (multishot)
			give_niov(&r, 0, LEN);
		CHECK_RES(cancel_ioctl(6), -ENOENT);
		CHECK_RES(cancel_ioctl(5), 1);
		c = reap(&r);
		CHECK_RES(c.res, -ECANCELED);
		CHECK_EQ(c.user_data, 5);
	}
	for (int i = 0; i < 32; i++, nr++) {
		struct unified_descriptor d = desc_send(slot, 0, 1 * MiB);

		d.net.flags |= UNIFIED_IO_NET_F_ZEROCOPY;
		d.user_data = 100 + i;
		CHECK_RES(submit(&r, d), 0);
	}
	/* the first are on their way, and complete when nobody needs their pages any more */
	while (nr-- > 16) {
		CHECK_RES(cancel_ioctl(100 + nr), 1);
		c = reap(&r);
		CHECK_RES(c.res, -ECANCELED);
		CHECK_EQ(c.user_data, 100 + nr);
	}
	detach(&r, slot);
	close(fd[0]);
	close(fd[1]);
	for (; nr >= 0; nr--)
		reap(&r);
	wait_idle(&r);
	CHECK_EQ(ioctl(r.fd, UNIFIED_IO_CANCEL, NULL), -1);
	CHECK_EQ(errno, EFAULT);
}

/* The ring goes, the region stays: its receives go too, and take no bytes with them. */
static void abandoned(void)
{
	uint64_t before = region_info(&r).submitted, until = now_ns() + WAIT_NS;
	int fd[2], slot;

	tcp_pair(fd);
	slot = attach(&r, fd[0]);
	for (int i = 0; i < 4; i++)
		prep_op(i, desc_recv(slot, 0, 4 * KiB));
	for (int i = 4; i < 8; i++)
		prep_op(i, desc_nvme(NVME_CMD_READ, LEN, LEN, 0));
	CHECK(io_uring_submit(&ring) == 8);
	/* one that a worker has yet to issue would receive when nothing seems to be in flight */
	while (region_info(&r).submitted - before < 8)
		CHECK(now_ns() < until);
	io_uring_queue_exit(&ring);
	wait_idle(&r);
	send_pattern(fd[1], 1000, 0, 6);
	CHECK_RES(run(&r, desc_recv(slot, 0, 4 * KiB)).res, 1000);
	pattern_check(r.data, 1000, 0, 6);
	detach(&r, slot);
	close(fd[0]);
	close(fd[1]);
	ring_open(0);
}

static struct unified_descriptor desc_read_send(unsigned int slot)
{
	struct unified_descriptor d = desc_nvme(NVME_CMD_READ, 0, 4 * KiB, 0);

	d.type |= UNIFIED_REGION_F_NETWORK;
	d.net.flags = UNIFIED_IO_NET_F_SEND;
	d.net.tx_slot = slot;
	return d;
}

/* What is sent before a chain that still reads, and what behind it, leaves its place to it. */
static void read_in_between(void)
{
	unsigned char got[4 * KiB], zeros[4 * KiB] = {};
	int fd[2], slot;

	tcp_pair(fd);
	slot = attach(&r, fd[0]);
	pattern_fill(r.data, 3 * LEN, 0, 9);
	queue(&r, desc_send(slot, LEN, 1000));
	queue(&r, desc_read_send(slot));
	queue(&r, desc_send(slot, 2 * LEN, 1000));
	CHECK_RES(enter(&r, 3, 3, WAIT_NS, NULL), 0);
	for (int i = 0; i < 3; i++)
		CHECK_RES(reap(&r).res, i == 1 ? 4 * KiB : 1000);
	recv_pattern(fd[1], 1000, LEN, 9);
	/* Nothing was written to the drive. */
	recv_all(fd[1], got, sizeof(got));
	CHECK(!memcmp(got, zeros, sizeof(got)));
	recv_pattern(fd[1], 1000, 2 * LEN, 9);
	detach(&r, slot);
	close(fd[0]);
	close(fd[1]);
}

/* The ring goes while a chain that will send reads: it does not wait for a socket that takes nothing. */
static void abandoned_read(void)
{
	int fd[2], slot, size = LEN;
	uint64_t reads;

	ring_open(0);
	tcp_pair(fd);
	slot = attach(&r, fd[0]);
	/* Buffers that do not grow */
	CHECK_OK(setsockopt(fd[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)));
	CHECK_OK(setsockopt(fd[1], SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)));
	do {
		while (send(fd[0], r.data, LEN, MSG_DONTWAIT) > 0)
			;
		usleep(300000);
	} while (send(fd[0], r.data, 1, MSG_DONTWAIT) > 0);
	prep_op(1, desc_read_send(slot));
	reads = region_info(&r).stage[UNIFIED_IO_STAGE_READ].ops;
	CHECK(io_uring_submit(&ring) == 1);
	io_uring_queue_exit(&ring);
	CHECK_EQ(region_info(&r).stage[UNIFIED_IO_STAGE_READ].ops, reads);
	wait_idle(&r);
	CHECK_EQ(region_info(&r).stage[UNIFIED_IO_STAGE_READ].ops, reads + 1);
	CHECK_EQ(region_info(&r).stage[UNIFIED_IO_STAGE_READ].errors, 0);
	CHECK_EQ(region_info(&r).stage[UNIFIED_IO_STAGE_SEND].errors, 1);
	detach(&r, slot);
	close(fd[0]);
	close(fd[1]);
}

/* First what io_uring waits for, later what the region's own call does. */
static void *send_later(void *arg)
{
	int (*fd)[2] = arg;

	for (int i = 0; i < 2; i++) {
		usleep(150000);
		send_pattern(fd[i][1], 100, 0, 1);
	}
	return NULL;
}

/* Who waits in the region's own call is not woken by io_uring's completions. */
static void undisturbed(void)
{
	struct unified_io_enter out;
	int fd[2][2], slot[2];
	pthread_t thread;

	for (int i = 0; i < 2; i++) {
		tcp_pair(fd[i]);
		slot[i] = attach(&r, fd[i][0]);
	}
	prep_op(1, desc_recv(slot[0], 0, 4 * KiB));
	CHECK(io_uring_submit(&ring) == 1);
	CHECK_RES(submit(&r, desc_recv(slot[1], 4 * KiB, 4 * KiB)), 0);
	CHECK(pthread_create(&thread, NULL, send_later, fd) == 0);
	CHECK_RES(enter(&r, 0, 1, 0, &out), 0);
	CHECK_RES(reap(&r).res, 100);
	CHECK_RES(finish(1), 100);
	pthread_join(thread, NULL);
	for (int i = 0; i < 2; i++) {
		detach(&r, slot[i]);
		close(fd[i][0]);
		close(fd[i][1]);
	}
}

/*
 * Killed with a send whose pages the peer does not let go: the region is closed
 * all the same, though its pages stay until the peer is gone.
 */
static void unread(void)
{
	struct unified_descriptor d[2];
	char path[64];
	int fd[2], say[2];
	uint32_t id;
	pid_t pid;

	tcp_pair(fd);
	CHECK(pipe(say) == 0);
	pid = fork();
	if (!pid) {
		region_open(&r, NULL);
		ring_open(0);
		d[0] = desc_send(attach(&r, fd[0]), 0, 64 * KiB);
		d[1] = desc_send(0, 0, 2 * MiB);
		for (int i = 0; i < 2; i++) {
			d[i].net.flags |= UNIFIED_IO_NET_F_ZEROCOPY;
			prep_op(1 + i, d[i]);
		}
		CHECK(io_uring_submit(&ring) == 2);
		id = r.setup.region_id;
		CHECK(write(say[1], &id, sizeof(id)) == sizeof(id));
		pause();
	}
	CHECK(read(say[0], &id, sizeof(id)) == sizeof(id));
	close(fd[0]);
	snprintf(path, sizeof(path), "/sys/kernel/debug/unified_io_region/%u", id);
	CHECK(access(path, F_OK) == 0);
	kill(pid, SIGKILL);
	child_status(pid);
	for (uint64_t end = now_ns() + WAIT_NS; access(path, F_OK) == 0; usleep(10000))
		CHECK(now_ns() < end);
	close(fd[1]);
}

/* Killed with everything in flight; tests/guest looks for what is left. */
static void killed(void)
{
	for (int round = 0; round < 5; round++) {
		pid_t pid = fork();
		int fd[2], slot, ready[2];

		if (pid) {
			usleep(50000 + round * 37000);
			kill(pid, SIGKILL);
			CHECK(child_status(pid) != 0);
			continue;
		}
		CHECK(pipe(ready) == 0);
		region_open(&r, env("NVME0"));
		ring_open(round & 1 ? IORING_SETUP_SQPOLL : 0);
		tcp_pair(fd);
		slot = attach(&r, fd[0]);
		prep_op(0, desc_recv(slot, 0, 4 * KiB));
		for (int i = 1; i < 8; i++)
			prep_op(i, desc_nvme(NVME_CMD_READ, i * LEN, LEN, 0));
		for (;;) {
			int res, nr = reap_cqe(&res);

			prep_op(nr, desc_nvme(NVME_CMD_READ, nr * LEN, LEN, 0));
		}
	}
}

static void bound(void)
{
	struct unified_io_setup setup = SETUP_DEFAULT;
	struct io_uring other;

	ring_open(0);
	setup.uring_fd = ring.ring_fd;
	region_setup(&r, NULL, setup);
	CHECK_RES(command(UNIFIED_IO_URING_ENTER, 1), 0);
	other = ring;
	ring_open(0);
	CHECK_RES(command(UNIFIED_IO_URING_ENTER, 1), -EXDEV);
	io_uring_queue_exit(&ring);
	region_close(&r);
	io_uring_queue_exit(&other);
}

static int fixed(bool write, int fd, uint64_t at, unsigned int len, uint64_t off)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

	if (write)
		io_uring_prep_write_fixed(sqe, fd, (void *)at, len, off, 2);
	else
		io_uring_prep_read_fixed(sqe, fd, (void *)at, len, off, 2);
	sqe->user_data = 3;
	return finish(3);
}

static void fixed_buffers(unsigned int flags)
{
	struct unified_io_setup setup = SETUP_DEFAULT;
	int fd = open(env("NVME0"), O_RDWR | O_DIRECT);

	CHECK(fd >= 0);
	setup.region_size = 8 * MiB;
	setup.flags = flags;
	region_setup(&r, NULL, setup);
	ring_open(0);
	CHECK_RES(command(UNIFIED_IO_URING_REG_BUF, 2), -EINVAL);	/* no table yet */
	CHECK_RES(io_uring_register_buffers_sparse(&ring, 4), 0);
	CHECK_RES(command(UNIFIED_IO_URING_REG_BUF, 4), -EINVAL);
	CHECK_RES(command(UNIFIED_IO_URING_REG_BUF, 2), 0);
	CHECK_RES(command(UNIFIED_IO_URING_REG_BUF, 2), -EBUSY);
	pattern_fill(r.data + LEN, 3 * MiB, 0, 8);
	CHECK_RES(fixed(true, fd, LEN, 3 * MiB, 4 * MiB), 3 * MiB);
	drive_check(env("NVME0"), 4 * MiB, 3 * MiB, 0, 8);
	memset(r.data, 0, LEN + 3 * MiB);
	CHECK_RES(fixed(false, fd, LEN, 3 * MiB, 4 * MiB), 3 * MiB);
	pattern_check(r.data + LEN, 3 * MiB, 0, 8);
	CHECK_RES(fixed(false, fd, r.setup.data_size - 4096, 8192, 0), -EFAULT);
	CHECK_RES(command(UNIFIED_IO_URING_UNREG_BUF, 2), 0);
	CHECK_RES(command(UNIFIED_IO_URING_UNREG_BUF, 2), -EINVAL);
	CHECK_RES(fixed(true, fd, 0, 4096, 0), -EFAULT);

	/* the slot keeps the pages when the region is closed */
	CHECK_RES(command(UNIFIED_IO_URING_REG_BUF, 2), 0);
	pattern_fill(r.data, LEN, 0, 9);
	region_close(&r);
	CHECK_RES(fixed(true, fd, 0, LEN, 8 * MiB), LEN);
	drive_check(env("NVME0"), 8 * MiB, LEN, 0, 9);
	io_uring_queue_exit(&ring);
	close(fd);
}

/* A CQE of 32 bytes has what else the completion says: in a ring that has all of them so, or both kinds. */
static void extra(unsigned int flags)
{
	struct io_uring_params params = { .flags = flags };
	struct io_uring_cqe *cqe;
	int fd[2], slot, ret;

	ret = io_uring_queue_init_params(16, &ring, &params);
	if (flags == IORING_SETUP_CQE_MIXED && ret == -EINVAL)
		return;		/* since 6.18 */
	CHECK_RES(ret, 0);
	tcp_pair(fd);
	slot = attach(&r, fd[0]);
	send_pattern(fd[1], 1000, 0, 1);
	prep_op(1, desc_recv(slot, 0, LEN));
	CHECK(io_uring_submit_and_wait(&ring, 1) == 1);
	CHECK_RES(io_uring_peek_cqe(&ring, &cqe), 0);
	CHECK_RES(cqe->res, 1000);
	CHECK_EQ(cqe->flags, flags == IORING_SETUP_CQE_MIXED ? IORING_CQE_F_32 : 0);
	CHECK_EQ(cqe->big_cqe[0], 1000ULL << 32 | UNIFIED_IO_CQE_F_COPIED);
	io_uring_queue_exit(&ring);
	detach(&r, slot);
	close(fd[0]);
	close(fd[1]);
}

/* The same in every kind of ring, and by io_uring's workers. */
static void all_rings(void)
{
	static const struct {
		unsigned int setup;
		unsigned int sqe;
	} kinds[] = {
		{ 0 },
		{ IORING_SETUP_SQPOLL },
		{ IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN },
		{ IORING_SETUP_SQE128 },
		{ 0, IOSQE_ASYNC },
		{ IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN, IOSQE_ASYNC },
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		region_open(&r, env("NVME0"));
		ring_open(kinds[i].setup);
		sqe_flags = kinds[i].sqe;
		write_and_read();
		linked();
		batch();
		receive_chain();
		errors();
		/* workers take them in any order */
		if (sqe_flags & IOSQE_ASYNC)
			abandoned();
		else
			cancel();
		io_uring_queue_exit(&ring);
		region_close(&r);
	}
	sqe_flags = 0;
}

static void slow_drive(void)
{
	slow_drive_make(64);
	region_open(&r, SLOW_DRIVE);
	read_in_between();
	abandoned_read();
	region_close(&r);
	slow_drive_remove();
}

static void no_fixed_buffers(void)
{
	region_open(&r, NULL);
	ring_open(0);
	CHECK_RES(command(UNIFIED_IO_URING_REG_BUF, 0), -EOPNOTSUPP);
	io_uring_queue_exit(&ring);
	region_close(&r);
}

int main(void)
{
	struct unified_io_query query;
	int fd = device_open();

	CHECK_RES(uior(fd, UNIFIED_IO_QUERY, &query), 0);
	close(fd);
	need(UNIFIED_IO_FEAT_URING_CMD);
	all_rings();
	region_open(&r, env("NVME0"));
	extra(IORING_SETUP_CQE32);
	extra(IORING_SETUP_CQE_MIXED);
	ring_open(0);
	cancel_others();
	cancel_partial();
	undisturbed();
	abandoned();
	io_uring_queue_exit(&ring);
	region_close(&r);
	slow_drive();
	killed();
	unread();
	bound();
	if (query.features & UNIFIED_IO_FEAT_URING_BUF) {
		fixed_buffers(0);
		fixed_buffers(UNIFIED_IO_SETUP_SMALL_PAGES);
	} else {
		no_fixed_buffers();
	}
	return 0;
}
