// SPDX-License-Identifier: GPL-2.0
/*
 * One multishot receive takes a whole stream, into Net IOVs: each arrival has a
 * completion with its buffer, the last one says how it ended. Out of buffers, or
 * of CQ slots, it waits and says so, and goes on when there are some.
 */
#include "common.h"

#define BUF	4096U

static struct region r;
static int fd[2], slot;

/* Each case has a region of its own: buffers that were given stay given. */
static void start_with(unsigned int cq_entries, unsigned int nr_buffers)
{
	struct unified_io_setup setup = SETUP_DEFAULT;

	setup.cq_entries = cq_entries;
	setup.niov_entries = 64;
	region_setup(&r, NULL, setup);
	tcp_pair(fd);
	slot = attach(&r, fd[0]);
	for (unsigned int i = 0; i < nr_buffers; i++)
		give_niov(&r, i * 2 * BUF, BUF);
	CHECK_RES(submit(&r, desc_multishot(slot)), 0);
}

static void start(unsigned int nr_buffers)
{
	start_with(64, nr_buffers);
}

static void finish(void)
{
	wait_idle(&r);
	CHECK_EQ(nr_ready(&r), 0);
	close(fd[0]);
	close(fd[1]);
	region_close(&r);
}

static uint32_t flags(void)
{
	return __atomic_load_n(&r.ctl->flags, __ATOMIC_ACQUIRE);
}

static struct unified_completion arrival(uint64_t offset, uint64_t seed)
{
	struct unified_completion c = reap(&r);

	CHECK(c.res > 0 && c.res <= (int)BUF);
	CHECK(c.flags & UNIFIED_IO_CQE_F_MORE);
	CHECK(c.flags & UNIFIED_IO_CQE_F_BUFFER);
	CHECK_EQ(c.addr % (2 * BUF), 0);
	CHECK_EQ(c.len, c.res);
	pattern_check(r.data + c.addr, c.res, offset, seed);
	return c;
}

/* A stream many times as long as its buffers, which go back as they come. */
static void whole_stream(void)
{
	const uint32_t total = 40 * BUF + 123;
	struct unified_completion c;
	uint32_t got = 0;
	pid_t pid;

	start(4);
	pid = fork();
	if (!pid) {
		send_pattern(fd[1], total, 0, 1);
		CHECK(shutdown(fd[1], SHUT_WR) == 0);
		_exit(0);
	}
	while (got < total) {
		c = arrival(got, 1);
		got += c.res;
		give_niov(&r, c.addr, BUF);
	}
	c = reap(&r);
	CHECK_RES(c.res, 0);
	CHECK_EQ(c.flags & (UNIFIED_IO_CQE_F_EOF | UNIFIED_IO_CQE_F_MORE | UNIFIED_IO_CQE_F_BUFFER),
		 UNIFIED_IO_CQE_F_EOF);
	CHECK_EQ(child_status(pid), 0);
	finish();
}

static void out_of_buffers(void)
{
	struct unified_completion c;
	uint64_t offset = 0;

	start(2);
	send_pattern(fd[1], 5 * BUF, 0, 2);
	c = arrival(offset, 2);
	offset += c.res;
	c = arrival(offset, 2);
	offset += c.res;
	CHECK_RES(enter(&r, 0, 1, 100000000, NULL), -ETIME);
	CHECK(flags() & UNIFIED_IO_CTRL_F_NEED_NIOV);

	while (offset < 5 * BUF) {
		give_niov(&r, c.addr, BUF);
		CHECK_RES(enter(&r, 0, 1, WAIT_NS, NULL), 0);
		c = arrival(offset, 2);
		offset += c.res;
	}
	CHECK_EQ(region_info(&r).inflight, 1);
	detach(&r, slot);
	CHECK_RES(reap(&r).res, -ECANCELED);
	finish();
}

static void out_of_completions(void)
{
	uint64_t offset = 0;

	start_with(4, 60);
	/* arrivals of their own as long as there are completions for them, then whatever it is */
	for (unsigned int i = 0; i < 20; i++) {
		send_pattern(fd[1], 100, i * 100, 3);
		if (i < 3)
			CHECK_RES(enter(&r, 0, i + 1, WAIT_NS, NULL), 0);
	}
	CHECK(nr_ready(&r) <= 4);
	for (uint64_t end = now_ns() + WAIT_NS; !(flags() & UNIFIED_IO_CTRL_F_CQ_FULL); usleep(1000))
		CHECK(now_ns() < end);
	while (offset < 2000)
		offset += arrival(offset, 3).res;
	CHECK_EQ(offset, 2000);
	CHECK(shutdown(fd[1], SHUT_WR) == 0);
	CHECK_RES(reap(&r).res, 0);
	finish();
}

static void reset(void)
{
	struct linger hard = { 1, 0 };

	start(2);
	CHECK(setsockopt(fd[1], SOL_SOCKET, SO_LINGER, &hard, sizeof(hard)) == 0);
	close(fd[1]);
	CHECK_RES(reap(&r).res, -ECONNRESET);
	finish();
}

/* Datagrams: one each, also empty ones; the stream does not end by itself. */
static void datagrams(void)
{
	region_open(&r, NULL);
	udp_pair(fd);
	slot = attach(&r, fd[0]);
	for (int i = 0; i < 8; i++)
		give_niov(&r, i * 2 * BUF, BUF);
	CHECK_RES(submit(&r, desc_multishot(slot)), 0);
	for (int i = 0; i < 6; i++) {
		send_pattern(fd[1], i * 100, 0, i);
		CHECK(i || send(fd[1], "", 0, 0) == 0);
	}
	for (int i = 0; i < 6; i++) {
		struct unified_completion c = reap(&r);

		CHECK_RES(c.res, i * 100);
		CHECK_EQ(c.flags & UNIFIED_IO_CQE_F_MORE, UNIFIED_IO_CQE_F_MORE);
		pattern_check(r.data + c.addr, c.res, 0, i);
	}
	CHECK(region_info(&r).inflight > 0);
	detach(&r, slot);
	CHECK_RES(reap(&r).res, -ECANCELED);
	finish();
}

int main(void)
{
	whole_stream();
	out_of_buffers();
	out_of_completions();
	reset();
	datagrams();
	return 0;
}
