// SPDX-License-Identifier: GPL-2.0
/*
 * Who is told of a completion finds it in the CQ: also while another processor
 * is in the middle of posting it, which a program at a breakpoint draws out to
 * milliseconds.
 */
#include <sys/syscall.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include "bpf.h"
#include "publish.skel.h"

#define ROUNDS		50
#define LOOK_NS		100000		/* how often the waiter looks: many times while one is posted */

static struct region r;

static void hold_writers_of(uint64_t address, struct publish *publish)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_BREAKPOINT,
		.size = sizeof(attr),
		.sample_period = 1,
		.bp_type = HW_BREAKPOINT_W,
		.bp_addr = address,
		.bp_len = HW_BREAKPOINT_LEN_4,
	};
	int fd = syscall(SYS_perf_event_open, &attr, -1, 1, -1, PERF_FLAG_FD_CLOEXEC);

	CHECK(fd >= 0);
	publish->links.tail_written = bpf_program__attach_perf_event(publish->progs.tail_written, fd);
	CHECK(publish->links.tail_written);
}

/* On the processor with the breakpoint; each is posted before SUBMIT returns. */
static void *post(void *arg)
{
	on_processor(1);
	for (int i = 0; i < ROUNDS; i++) {
		CHECK_RES(submit(&r, desc_bpf(0, 512)), 0);
		usleep(1000);
	}
	return NULL;
}

static void by_enter(void)
{
	struct unified_io_enter e;
	int ret = enter(&r, 0, 1, LOOK_NS, &e);

	if (ret == -ETIME)
		return;
	CHECK_RES(ret, 0);
	CHECK(e.completed);
	CHECK(nr_ready(&r));
}

static void by_poll(void)
{
	struct pollfd p = { .fd = r.fd, .events = POLLIN };

	if (poll(&p, 1, 0) == 1)
		CHECK(nr_ready(&r));
}

static void by_count(void)
{
	struct unified_io_enter e;

	CHECK_RES(enter(&r, 0, 0, 0, &e), 0);
	CHECK(nr_ready(&r) >= e.completed);
}

int main(void)
{
	struct publish *publish = publish__open_and_load();
	int fd[2], seen = 0;
	pthread_t thread;

	CHECK(publish);
	CHECK_RES(publish__attach(publish), 0);
	on_processor(0);
	region_open(&r, NULL);
	udp_pair(fd);
	CHECK_EQ(run(&r, desc_bpf(0, 512)).res, 512);
	CHECK(publish->bss->cq_tail_at);
	hold_writers_of(publish->bss->cq_tail_at, publish);
	/* In flight all the time: without it ENTER would not wait. */
	CHECK_RES(submit(&r, desc_recv(attach(&r, fd[0]), 0, 4096)), 0);

	CHECK(pthread_create(&thread, NULL, post, NULL) == 0);
	while (seen < ROUNDS) {
		void (*const look[])(void) = { by_enter, by_poll, by_count };

		look[seen % ARRAY_SIZE(look)]();
		for (; nr_ready(&r); seen++)
			CHECK_EQ(reap(&r).res, 512);
	}
	pthread_join(thread, NULL);
	CHECK(publish->bss->held >= ROUNDS);
	region_close(&r);
	publish__destroy(publish);
	return 0;
}
