// SPDX-License-Identifier: GPL-2.0
/*
 * Slots: detaching cancels what waits and nothing else, a slot can be filled
 * anew, one socket can be in two regions, and a closed region lets its sockets go.
 */
#include "common.h"

static struct region r;

static void cancels_waiting(void)
{
	int a[2], b[2], slot_a, slot_b;

	tcp_pair(a);
	udp_pair(b);
	slot_a = attach(&r, a[0]);
	slot_b = attach(&r, b[0]);
	CHECK(slot_a != slot_b);
	CHECK_EQ(region_info(&r).nr_sockets, 2);
	for (int i = 0; i < 5; i++) {
		struct unified_descriptor d = desc_recv(slot_a, i * 4096, 4096);

		d.user_data = 100 + i;
		CHECK_RES(submit(&r, d), 0);
	}
	CHECK_RES(submit(&r, desc_multishot(slot_a)), 0);
	CHECK_RES(submit(&r, desc_recv(slot_b, 65536, 4096)), 0);
	detach(&r, slot_a);
	for (int i = 0; i < 6; i++) {
		struct unified_completion c = reap(&r);

		CHECK_RES(c.res, -ECANCELED);
		if (i < 5)
			CHECK_EQ(c.user_data, 100 + i);
		CHECK_EQ(c.flags & UNIFIED_IO_CQE_F_MORE, 0);
	}
	CHECK_EQ(region_info(&r).inflight, 1);
	CHECK_RES(result(&r, desc_recv(slot_a, 0, 4096)), -ENOTCONN);
	send_all(b[1], "still", 5);
	CHECK_RES(reap(&r).res, 5);
	detach(&r, slot_b);
	CHECK_EQ(region_info(&r).nr_sockets, 0);
	close(a[0]);
	close(a[1]);
	close(b[0]);
	close(b[1]);
}

/* Into an occupied slot: the old socket is detached, the new one is used. */
static void filled_anew(void)
{
	int a[2], b[2];

	tcp_pair(a);
	tcp_pair(b);
	CHECK_RES(try_attach(&r, a[0], 17), 17);
	CHECK_RES(submit(&r, desc_recv(17, 0, 4096)), 0);
	CHECK_RES(try_attach(&r, b[0], 17), 17);
	CHECK_RES(reap(&r).res, -ECANCELED);
	send_all(b[1], "second", 6);
	CHECK_RES(run(&r, desc_recv(17, 0, 4096)).res, 6);
	CHECK_EQ(region_info(&r).nr_sockets, 1);
	close(a[0]);
	CHECK_EQ(recv(a[1], &(char){ 0 }, 1, 0), 0);	/* nobody keeps it open */
	detach(&r, 17);
	close(b[0]);
	CHECK_EQ(recv(b[1], &(char){ 0 }, 1, 0), 0);
	close(a[1]);
	close(b[1]);
}

static void closed_region(void)
{
	struct region gone;
	int fd[2];

	region_open(&gone, NULL);
	tcp_pair(fd);
	attach(&gone, fd[0]);
	close(fd[0]);
	CHECK_RES(submit(&gone, desc_recv(0, 0, 4096)), 0);
	CHECK_EQ(recv(fd[1], &(char){ 0 }, 1, MSG_DONTWAIT), -1);
	region_close(&gone);
	CHECK_EQ(recv(fd[1], &(char){ 0 }, 1, 0), 0);
	close(fd[1]);
}

static void in_two_regions(void)
{
	struct region other;
	int fd[2], slot, slot_other;

	region_open(&other, NULL);
	tcp_pair(fd);
	slot = attach(&r, fd[0]);
	slot_other = attach(&other, fd[0]);
	send_all(fd[1], "one", 3);
	CHECK_RES(run(&r, desc_recv(slot, 0, 4096)).res, 3);
	send_all(fd[1], "other", 5);
	CHECK_RES(run(&other, desc_recv(slot_other, 0, 4096)).res, 5);
	region_close(&other);
	send_all(fd[1], "more", 4);
	CHECK_RES(run(&r, desc_recv(slot, 0, 4096)).res, 4);
	detach(&r, slot);
	close(fd[0]);
	close(fd[1]);
}

int main(void)
{
	region_open(&r, NULL);
	cancels_waiting();
	filled_anew();
	closed_region();
	in_two_regions();
	region_close(&r);
	return 0;
}
