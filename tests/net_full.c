// SPDX-License-Identifier: GPL-2.0
/*
 * A peer that does not read: the send waits, without a thread and without
 * holding up other operations, and goes on when there is room. Detached, it says how
 * much the peer gets; its peer gone, it completes with an error.
 */
#include "common.h"

#define LEN	(12 * MiB)

static struct region r;
static int fd[2], slot;

static void start_stuck_send(void)
{
	tcp_pair(fd);
	slot = attach(&r, fd[0]);
	pattern_fill(r.data, LEN, 0, 1);
	CHECK_RES(submit(&r, desc_send(slot, 0, LEN)), 0);
	usleep(100000);
	CHECK_EQ(nr_ready(&r), 0);
	CHECK_EQ(region_info(&r).inflight, 1);
}

static void finish(void)
{
	detach(&r, slot);
	close(fd[0]);
	close(fd[1]);
}

static void proceeds(void)
{
	int other[2], other_slot;

	start_stuck_send();
	/* others are not held up, nor the other direction of the same socket */
	tcp_pair(other);
	other_slot = attach(&r, other[0]);
	CHECK_RES(run(&r, desc_send(other_slot, 0, 1000)).res, 1000);
	CHECK_RES(run(&r, desc_bpf(0, 1000)).res, 1000);
	send_all(fd[1], "upstream", 8);
	CHECK_RES(run(&r, desc_recv(slot, LEN, 1000)).res, 8);
	CHECK_EQ(nr_ready(&r), 0);

	recv_pattern(fd[1], LEN, 0, 1);
	CHECK_RES(reap(&r).res, LEN);
	detach(&r, other_slot);
	close(other[0]);
	close(other[1]);
	finish();
}

static void detached(void)
{
	int sent;

	start_stuck_send();
	CHECK_RES(submit(&r, desc_send(slot, 0, 100)), 0);
	detach(&r, slot);
	close(fd[1]);
	close(fd[0]);
	sent = reap(&r).res;
	CHECK(sent > 0 && (uint64_t)sent < LEN);
	CHECK_RES(reap(&r).res, -ECANCELED);
	CHECK_EQ(region_info(&r).inflight, 0);
}

static void peer_gone(void)
{
	int res;

	start_stuck_send();
	close(fd[1]);
	res = reap(&r).res;
	if (res != -ECONNRESET && res != -EPIPE)
		FAIL("result %d", res);
	detach(&r, slot);
	close(fd[0]);
}

int main(void)
{
	struct unified_io_setup setup = SETUP_DEFAULT;

	setup.region_size = 16 * MiB;
	region_setup(&r, NULL, setup);
	proceeds();
	detached();
	peer_gone();
	region_close(&r);
	return 0;
}
