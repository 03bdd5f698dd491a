// SPDX-License-Identifier: GPL-2.0
/*
 * A full CQ stops intake, says so, and loses nothing: descriptors stay in the
 * SQ until completions have been consumed. It counts operations in flight too.
 */
#include "common.h"

static struct unified_descriptor numbered(uint64_t nr)
{
	struct unified_descriptor d = desc_bpf(0, 4096);

	d.user_data = nr;
	return d;
}

static bool says_full(struct region *r)
{
	return __atomic_load_n(&r->ctl->flags, __ATOMIC_ACQUIRE) & UNIFIED_IO_CTRL_F_CQ_FULL;
}

static void by_ring(void)
{
	struct unified_io_setup setup = SETUP_DEFAULT;
	struct unified_io_enter e;
	struct region r;

	setup.cq_entries = 16;
	region_setup(&r, NULL, setup);
	for (unsigned int i = 0; i < 64; i++)
		queue(&r, numbered(i));
	CHECK(!says_full(&r));
	CHECK_RES(enter(&r, 64, 0, 0, &e), 0);
	CHECK_EQ(e.submitted, 16);
	CHECK(says_full(&r));
	wait_idle(&r);
	CHECK_EQ(nr_ready(&r), 16);
	CHECK_RES(enter(&r, 64, 0, 0, &e), -EBUSY);
	CHECK_EQ(r.ctl->sq_head, 16);
	CHECK_RES(submit(&r, numbered(999)), -EBUSY);

	/* one consumed: exactly one more is taken */
	CHECK_EQ(reap(&r).user_data, 0);
	CHECK_RES(enter(&r, 64, 0, 0, &e), 0);
	CHECK_EQ(e.submitted, 1);
	for (unsigned int i = 1; i < 64; i++) {
		CHECK_EQ(reap(&r).user_data, i);
		if (i < 48)
			CHECK_RES(enter(&r, 64, 0, 0, &e), 0);
	}
	CHECK_EQ(nr_ready(&r), 0);
	CHECK_EQ(r.ctl->sq_head, 64);
	CHECK_RES(enter(&r, 1, 0, 0, &e), 0);
	CHECK(!says_full(&r));
	CHECK_EQ(region_info(&r).submitted, 64);
	CHECK_EQ(region_info(&r).completed, 64);
	region_close(&r);
}

/* Operations that wait hold their slots: receives from a silent peer fill the CQ as well. */
static void by_operations_in_flight(void)
{
	struct unified_io_setup setup = SETUP_DEFAULT;
	struct region r;
	int fd[2], slot;

	setup.cq_entries = 4;
	region_setup(&r, NULL, setup);
	udp_pair(fd);
	slot = attach(&r, fd[0]);
	for (int i = 0; i < 4; i++)
		CHECK_RES(submit(&r, desc_recv(slot, i * 4096, 4096)), 0);
	CHECK_RES(submit(&r, numbered(9)), -EBUSY);
	CHECK_EQ(send(fd[1], "x", 1, 0), 1);
	CHECK_EQ(reap(&r).res, 1);
	CHECK_RES(submit(&r, numbered(9)), 0);
	CHECK_EQ(reap(&r).user_data, 9);
	detach(&r, slot);
	for (int i = 0; i < 3; i++)
		CHECK_RES(reap(&r).res, -ECANCELED);
	region_close(&r);
}

int main(void)
{
	by_ring();
	by_operations_in_flight();
	return 0;
}
