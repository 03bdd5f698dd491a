// SPDX-License-Identifier: GPL-2.0
/*
 * The ways to learn of a completion: poll, epoll, eventfd, ENTER with
 * min_complete, timeout and signals, COMPLETE blocking and not.
 */
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include "common.h"

#define MSEC	1000000ULL

static struct region r;
static int peer, slot;

static void *send_later(void *arg)
{
	usleep(200000);
	CHECK_EQ(send(peer, "data", 4, 0), 4);
	return NULL;
}

static void in_background(void *(*func)(void *), pthread_t *thread)
{
	CHECK(pthread_create(thread, NULL, func, NULL) == 0);
}

static void receive(void)
{
	CHECK_RES(submit(&r, desc_recv(slot, 0, 4096)), 0);
}

static int readable(int timeout)
{
	struct pollfd p = { .fd = r.fd, .events = POLLIN };

	return poll(&p, 1, timeout) == 1 && p.revents & POLLIN;
}

static void by_poll(void)
{
	pthread_t thread;

	receive();
	CHECK(!readable(0));
	in_background(send_later, &thread);
	CHECK(readable(10000));
	CHECK(readable(0));		/* level: stays so until consumed */
	CHECK_EQ(reap(&r).res, 4);
	CHECK(!readable(0));
	pthread_join(thread, NULL);
}

static void by_epoll(void)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u32 = 42 }, got;
	int ep = epoll_create1(0);
	pthread_t thread;

	CHECK(epoll_ctl(ep, EPOLL_CTL_ADD, r.fd, &ev) == 0);
	CHECK_EQ(epoll_wait(ep, &got, 1, 0), 0);
	receive();
	in_background(send_later, &thread);
	CHECK_EQ(epoll_wait(ep, &got, 1, 10000), 1);
	CHECK_EQ(got.data.u32, 42);
	CHECK(got.events & EPOLLIN);
	CHECK_EQ(reap(&r).res, 4);
	CHECK_EQ(epoll_wait(ep, &got, 1, 0), 0);
	pthread_join(thread, NULL);
	close(ep);
}

static void by_eventfd(void)
{
	struct unified_io_setup setup = SETUP_DEFAULT;
	struct unified_io_enter e;
	struct region with_event;
	uint64_t count;
	int sk[2], to;

	setup.flags = UNIFIED_IO_SETUP_EVENTFD;
	setup.event_fd = eventfd(0, EFD_NONBLOCK);
	region_setup(&with_event, NULL, setup);
	CHECK_EQ(read(setup.event_fd, &count, 8), -1);
	for (int i = 0; i < 5; i++)
		CHECK_EQ(run(&with_event, desc_bpf(0, 512)).res, 512);
	CHECK_EQ(read(setup.event_fd, &count, 8), 8);
	CHECK_EQ(count, 5);

	/* sends that leave together */
	udp_pair(sk);
	to = attach(&with_event, sk[0]);
	for (int i = 0; i < 20; i++)
		queue(&with_event, desc_send(to, 0, 100));
	CHECK_RES(enter(&with_event, 20, 20, 0, &e), 0);
	for (int i = 0; i < 20; i++)
		CHECK_EQ(reap(&with_event).res, 100);
	CHECK_EQ(read(setup.event_fd, &count, 8), 8);
	CHECK_EQ(count, 20);
	close(sk[0]);
	close(sk[1]);
	region_close(&with_event);
	close(setup.event_fd);
}

static void by_enter(void)
{
	struct unified_io_enter e;
	uint64_t start = now_ns();
	pthread_t thread;

	receive();
	CHECK_RES(enter(&r, 0, 1, 50 * MSEC, &e), -ETIME);
	CHECK(now_ns() - start >= 50 * MSEC);
	CHECK_EQ(e.completed, 0);

	/* with something taken the timeout is no error */
	queue(&r, desc_bpf(0, 512));
	CHECK_RES(enter(&r, 1, 2, 50 * MSEC, &e), 0);
	CHECK_EQ(e.submitted, 1);
	CHECK_EQ(e.completed, 1);

	/* unconsumed ones count */
	CHECK_RES(enter(&r, 0, 1, 0, &e), 0);
	in_background(send_later, &thread);
	CHECK_RES(enter(&r, 0, 2, 0, &e), 0);
	CHECK_EQ(e.completed, 2);
	pthread_join(thread, NULL);
	reap(&r);
	reap(&r);

	/* nothing in flight: no waiting for what cannot come */
	CHECK_RES(enter(&r, 0, 1, 0, &e), 0);
	CHECK_EQ(e.completed, 0);
	CHECK_RES(enter(&r, 0, r.setup.cq_entries, 0, &e), 0);
	CHECK_RES(enter(&r, 0, r.setup.cq_entries + 1, 0, &e), -EINVAL);
	CHECK_RES(uior(r.fd, UNIFIED_IO_ENTER, &(struct unified_io_enter){ .flags = 1 }), -EINVAL);
	CHECK_RES(uior(r.fd, UNIFIED_IO_ENTER, &(struct unified_io_enter){ .flags = 1U << 31 }), -EINVAL);
	CHECK_RES(uior(r.fd, UNIFIED_IO_ENTER, &(struct unified_io_enter){ .resv = 1 }), -EINVAL);
}

static void on_alarm(int sig)
{
}

static void alarm_in_100ms(void)
{
	struct itimerspec in = { .it_value.tv_nsec = 100 * MSEC };
	static timer_t timer;

	if (!timer) {
		struct sigaction action = { .sa_handler = on_alarm };

		CHECK(sigaction(SIGALRM, &action, NULL) == 0);
		CHECK(timer_create(CLOCK_MONOTONIC, NULL, &timer) == 0);
	}
	CHECK(timer_settime(timer, 0, &in, NULL) == 0);
}

static void by_signal(void)
{
	struct unified_io_complete out;

	receive();
	alarm_in_100ms();
	CHECK_RES(enter(&r, 0, 1, 0, NULL), -EINTR);
	alarm_in_100ms();
	CHECK_RES(enter(&r, 0, 1, WAIT_NS, NULL), -EINTR);
	alarm_in_100ms();
	CHECK_RES(uior(r.fd, UNIFIED_IO_COMPLETE, &out), -EINTR);
	send_later(NULL);
	CHECK_EQ(reap(&r).res, 4);
}

static void by_complete(void)
{
	struct unified_io_complete out;
	pthread_t thread;

	/* output only: whatever is in it beforehand */
	memset(&out, 0xff, sizeof(out));
	CHECK_RES(uior(r.fd, UNIFIED_IO_COMPLETE, &out), 0);
	CHECK_EQ(out.count, 0);
	CHECK_EQ(out.flags, UNIFIED_IO_COMPLETE_F_IDLE);

	receive();
	in_background(send_later, &thread);
	CHECK_RES(uior(r.fd, UNIFIED_IO_COMPLETE, &out), 0);
	CHECK_EQ(out.count, 1);
	CHECK_EQ(out.cqe[0].res, 4);
	CHECK_EQ(nr_ready(&r), 0);
	pthread_join(thread, NULL);

	for (int i = 0; i < UNIFIED_IO_COMPLETE_MAX + 2; i++) {
		struct unified_descriptor d = desc_bpf(0, 512);

		d.user_data = i;
		CHECK_RES(submit(&r, d), 0);
	}
	wait_idle(&r);
	CHECK_RES(uior(r.fd, UNIFIED_IO_COMPLETE, &out), 0);
	CHECK_EQ(out.count, UNIFIED_IO_COMPLETE_MAX);
	CHECK_EQ(out.flags, UNIFIED_IO_COMPLETE_F_MORE | UNIFIED_IO_COMPLETE_F_IDLE);
	for (int i = 0; i < UNIFIED_IO_COMPLETE_MAX; i++)
		CHECK_EQ(out.cqe[i].user_data, i);
	CHECK_RES(uior(r.fd, UNIFIED_IO_COMPLETE, &out), 0);
	CHECK_EQ(out.count, 2);
	CHECK_EQ(out.cqe[1].user_data, UNIFIED_IO_COMPLETE_MAX + 1);
}

static void by_nonblock(void)
{
	struct unified_io_complete out = { .count = 99 };
	int ret;

	CHECK(fcntl(r.fd, F_SETFL, O_NONBLOCK) == 0);
	receive();
	ret = uior(r.fd, UNIFIED_IO_COMPLETE, &out);
	CHECK_RES(ret, 0);
	CHECK_EQ(out.count, 0);
	CHECK_EQ(out.flags, 0);
	send_later(NULL);
	CHECK(readable(10000));
	CHECK_RES(uior(r.fd, UNIFIED_IO_COMPLETE, &out), 0);
	CHECK_EQ(out.count, 1);
	CHECK(fcntl(r.fd, F_SETFL, 0) == 0);
}

int main(void)
{
	int fd[2];

	region_open(&r, NULL);
	udp_pair(fd);
	slot = attach(&r, fd[0]);
	peer = fd[1];
	by_poll();
	by_epoll();
	by_eventfd();
	by_enter();
	by_signal();
	by_complete();
	by_nonblock();
	region_close(&r);
	return 0;
}
