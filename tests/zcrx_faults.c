// SPDX-License-Identifier: GPL-2.0
/*
 * What goes wrong while the library receives without a copy: no free buffer, a full CQ,
 * a peer that resets or vanishes, an interface that goes down, a queue that somebody
 * else wants, a NIC that is taken out. Each is recovered from, or ends the connection
 * with an event; and the next transfer works.
 *
 * zc0 is there, with tests/zcrx.sh's settings.
 */
#include <linux/capability.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <zcrx.h>

#include "common.h"

#define QUEUE		3
#define PAGE		4096
#define NR_HELD		(64 * 1024)
#define LARGE		(32 * KiB)	/* receive buffers of which a NIC takes fewer */
#define LONG_NS		(3 * WAIT_NS)	/* for what takes several waits */
#define FAULTS		"/sys/kernel/debug/zcnic/"

struct stream {
	int fd[2];		/* here, there */
	uint64_t len;
	pthread_t sender;
	bool reset;		/* after @len bytes, instead of a proper end */
	bool keep;		/* the buffers, in @held */
	bool ended;
	int res;
	uint64_t total;
	unsigned int nr_held;
	uint64_t held[NR_HELD];
};

static struct unified_io io;
static struct unified_io_zcrx *zc;
static struct stream stream;

static void begin(uint64_t area, uint32_t buf_len)
{
	struct unified_io_zcrx_params params = {
		.mode = UNIFIED_IO_ZCRX_DEVICE, .ifname = "zc0", .rxq = QUEUE, .len = area,
		.buf_len = buf_len, .entries = 16,
	};

	CHECK_RES(unified_io_open(&io, NULL), 0);
	/* at a multiple of any buf_len in the region */
	params.addr = -(io.region_size - io.data_size) & (LARGE - 1);
	CHECK_RES(unified_io_zcrx_open(&zc, &io, &params), 0);
}

static void end(void)
{
	unified_io_zcrx_close(zc);
	unified_io_close(&io);
}

/* The other end: sends what it can, and does not mind if nobody wants it any more. */
static void *send_it(void *arg)
{
	struct linger now = { .l_onoff = 1 };
	struct stream *s = arg;
	static char buf[MiB];

	for (uint64_t done = 0; done < s->len; done += sizeof(buf)) {
		pattern_fill(buf, sizeof(buf), done, 1);
		for (size_t at = 0; at < sizeof(buf);) {
			ssize_t n = send(s->fd[1], buf + at, sizeof(buf) - at, MSG_NOSIGNAL);

			if (n <= 0)
				return NULL;
			at += n;
		}
	}
	if (!s->reset) {
		shutdown(s->fd[1], SHUT_WR);
		return NULL;
	}
	setsockopt(s->fd[1], SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(s->fd[1]);
	return NULL;
}

static void stream_begin(uint64_t len, bool reset)
{
	struct stream *s = &stream;

	memset(s, 0, sizeof(*s));
	s->len = len;
	s->reset = reset;
	wire_tcp_pair(env("ZC_HERE"), s->fd);
	CHECK(pthread_create(&s->sender, NULL, send_it, s) == 0);
	CHECK_RES(unified_io_zcrx_recv(zc, s->fd[0], 7), 0);
}

static void release_all(void)
{
	while (stream.nr_held)
		unified_io_zcrx_release(zc, stream.held[--stream.nr_held]);
}

static void take(const struct unified_io_zcrx_event *event)
{
	struct stream *s = &stream;

	CHECK_EQ(event->user_data, 7);
	if (event->type == UNIFIED_IO_ZCRX_END) {
		s->ended = true;
		s->res = event->res;
		return;
	}
	CHECK_EQ(event->type, UNIFIED_IO_ZCRX_DATA);
	pattern_check(io.data + event->addr, event->res, s->total, 1);
	s->total += event->res;
	CHECK(s->nr_held < NR_HELD);
	s->held[s->nr_held++] = event->addr;
	if (!s->keep)
		release_all();
}

static void pump(uint64_t ns)
{
	struct unified_io_zcrx_event event;
	int ret = unified_io_zcrx_wait(zc, ns);

	if (ret != -ETIME && ret != -EINTR)
		CHECK_RES(ret, 0);
	while (unified_io_zcrx_next(zc, &event))
		take(&event);
}

/* To its end, which is @res; with 0 all has come. */
static void stream_end(int res)
{
	uint64_t limit = now_ns() + LONG_NS;

	while (!stream.ended) {
		CHECK(now_ns() < limit);
		pump(NSEC_PER_SEC / 10);
	}
	CHECK_RES(stream.res, res);
	if (!res)
		CHECK_EQ(stream.total, stream.len);
	release_all();
	if (!stream.reset)
		shutdown(stream.fd[1], SHUT_RDWR);
	pthread_join(stream.sender, NULL);
	close(stream.fd[0]);
	if (!stream.reset)
		close(stream.fd[1]);
}

static void until(uint64_t total)
{
	uint64_t limit = now_ns() + LONG_NS;

	while (stream.total < total) {
		CHECK(now_ns() < limit && !stream.ended);
		pump(NSEC_PER_SEC / 10);
	}
}

static void transfer(void)
{
	stream_begin(2 * MiB, false);
	stream_end(0);
}

static void fault(const char *name, unsigned int value)
{
	CHECK_EQ(shell("echo %u >" FAULTS "%s", value, name), 0);
}

static uint64_t missed(void)
{
	FILE *pipe = popen("ethtool -S zc0 | sed -n 's/.*rx3_missed: //p'", "r");
	unsigned long long value = 0;

	CHECK(pipe);
	CHECK_EQ(fscanf(pipe, "%llu", &value), 1);
	pclose(pipe);
	return value;
}

static uint64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

/* the cases */

/* All buffers are the program's: it sleeps. It gives them back: all goes on. */
static void no_buffer(void)
{
	uint64_t before = missed(), limit = now_ns() + LONG_NS, start, cpu;

	begin(MiB, 0);
	stream_begin(4 * MiB, false);
	stream.keep = true;
	while (missed() == before) {
		CHECK(now_ns() < limit);
		pump(NSEC_PER_SEC / 10);
	}
	start = now_ns();
	cpu = cpu_ns();
	while (now_ns() - start < NSEC_PER_SEC)
		pump(NSEC_PER_SEC / 4);
	CHECK((cpu_ns() - cpu) * 4 < now_ns() - start);
	CHECK(!stream.ended && stream.total < stream.len);
	stream.keep = false;
	release_all();
	stream_end(0);
	transfer();
	end();
}

static int receive_buffer(int fd)
{
	socklen_t len = sizeof(int);
	int size;

	CHECK_OK(getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, &len));
	return size;
}

/* Also for a process that has given its capabilities up, and against the program's own limit never. */
static void bounds(uint64_t area)
{
	struct __user_cap_header_struct self = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };
	int fd[2], size = 5000, status;
	pid_t pid;

	wire_tcp_pair(env("ZC_HERE"), fd);
	CHECK(receive_buffer(fd[0]) != (int)area / 2);
	pid = fork();
	if (!pid)
		_exit(syscall(SYS_capset, &self, none) || unified_io_zcrx_bound(zc, fd[0]));
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	CHECK_EQ(receive_buffer(fd[0]), area / 2);
	CHECK_OK(setsockopt(fd[0], SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)));
	CHECK_RES(unified_io_zcrx_bound(zc, fd[0]), 0);
	CHECK_EQ(receive_buffer(fd[0]), 2 * size);
	close(fd[0]);
	close(fd[1]);
}

/* Packets get lost, and what comes behind them fits into the area no more than half. */
static void small_area(void)
{
	begin(192 * KiB, 0);
	fault("zc0/drop", 20);
	for (int i = 0; i < 8; i++)
		transfer();
	fault("zc0/drop", 0);
	bounds(192 * KiB);
	end();
}

/* Nobody takes events until there is no room for one more. */
static void full_cq(void)
{
	uint64_t limit = now_ns() + LONG_NS;
	unsigned int entries;

	/* half of each buffer is used: many events */
	fault("zc0/skew", PAGE / 2);
	begin(20 * MiB, 0);
	entries = zc->ring.cq.ring_entries;
	CHECK((uint64_t)entries * PAGE < 20 * MiB);
	stream_begin(12 * MiB, false);
	CHECK_OK(io_uring_submit(&zc->ring));
	while (!io_uring_cq_has_overflow(&zc->ring)) {
		if (now_ns() > limit)
			FAIL("%u events of %u", io_uring_cq_ready(&zc->ring), entries);
		/* a wait would not even ask the kernel, with so many */
		CHECK_OK(io_uring_get_events(&zc->ring));
		usleep(1000);
	}
	CHECK_EQ(io_uring_cq_ready(&zc->ring), entries);
	stream_end(0);
	fault("zc0/skew", 0);
	transfer();
	end();
}

static void reset_by_peer(void)
{
	begin(4 * MiB, 0);
	stream_begin(4 * MiB, true);
	stream_end(-ECONNRESET);
	transfer();
	end();
}

/* Ends a connection of which nothing is heard for three seconds. */
static void keepalive(int fd)
{
	int one = 1, two = 2;

	CHECK(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one)) == 0);
	CHECK(setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &one, sizeof(one)) == 0);
	CHECK(setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &one, sizeof(one)) == 0);
	CHECK(setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &two, sizeof(two)) == 0);
}

static void peer_vanishes(void)
{
	begin(4 * MiB, 0);
	stream_begin(64 * MiB, false);
	until(MiB);
	keepalive(stream.fd[0]);
	fault("cable", 0);
	stream_end(-ETIMEDOUT);
	fault("cable", 1);
	transfer();
	end();
}

/* Down and up again under a stream, which goes on; the ring is the same. */
static void down_and_up_with(uint32_t buf_len)
{
	begin(4 * MiB, buf_len);
	stream_begin(16 * MiB, false);
	until(MiB);
	CHECK_EQ(shell("ip link set zc0 down"), 0);
	for (int i = 0; i < 5; i++)
		pump(NSEC_PER_SEC / 20);
	CHECK_EQ(shell("ip link set zc0 up"), 0);
	stream_end(0);
	CHECK_EQ(unified_io_zcrx_copied(zc), 0);
	transfer();
	end();
}

static void down_and_up(void)
{
	down_and_up_with(0);
	down_and_up_with(LARGE);
}

/* While the queue is in use, nobody can take from it what it needs. */
static void queue_wanted(void)
{
	struct unified_io_zcrx_params params;
	struct unified_io_zcrx *second;

	begin(4 * MiB, 0);
	/* Other memory: what is mapped for DMA twice, DMA_API_DEBUG does not find at all. */
	params = zc->params;
	params.addr += params.len;
	stream_begin(4 * MiB, false);
	until(MiB);
	CHECK(shell("ethtool -L zc0 combined 2 2>/dev/null") != 0);
	CHECK(shell("ethtool -G zc0 tcp-data-split off 2>/dev/null") != 0);
	CHECK_RES(unified_io_zcrx_open(&second, &io, &params), -EEXIST);
	stream_end(0);
	transfer();
	end();
}

/* The NIC is gone: the connection ends as one of which nothing is heard. */
static void nic_removed(void)
{
	begin(4 * MiB, 0);
	stream_begin(64 * MiB, false);
	until(MiB);
	keepalive(stream.fd[0]);
	CHECK_EQ(shell("/sbin/rmmod zcnic"), 0);
	while (!stream.ended)
		pump(NSEC_PER_SEC / 10);
	CHECK(stream.res == -ETIMEDOUT || stream.res == -EHOSTUNREACH ||
	      stream.res == -ENETUNREACH);
	stream_end(stream.res);
	end();

	CHECK_EQ(shell("zcrx.sh --up"), 0);
	begin(4 * MiB, 0);
	transfer();
	end();
}

int main(void)
{
	void (*cases[])(void) = {
		no_buffer, small_area, full_cq, reset_by_peer, peer_vanishes, down_and_up,
		queue_wanted, nic_removed,
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t start = now_ns();

		cases[i]();
		printf("case %zu: %llu ms\n", i, (unsigned long long)(now_ns() - start) / 1000000);
	}
	return 0;
}
