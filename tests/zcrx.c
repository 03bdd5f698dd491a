// SPDX-License-Identifier: GPL-2.0
/*
 * ZCRX into the region: io_uring's zero-copy receive, with a part of the data area
 * as its memory, by address and as a dma-buf, on a queue of zcnic. Every byte is
 * checked where the NIC put it; the kernel's copies are counted (none, and in the
 * control all); buffers go back through the refill ring.
 *
 * zcrx probe	status 77 where the kernel has no ZCRX
 * zcrx		the test: zc0 here, with tests/zcrx.sh's settings
 */
#include <linux/io_uring.h>
#include <liburing.h>
#include <net/if.h>

#include "common.h"

#define QUEUE		3	/* where the rules of zcrx.sh steer to */
#define AREA_OFF	(6 * MiB)
#define AREA_LEN	(8 * MiB)
#define RQ_ENTRIES	4096
#define FAULTS		"/sys/kernel/debug/zcnic/"

/* how the area is registered */
struct area {
	bool dmabuf;
	uint32_t buf_len;
};

/* what arrives */
struct stream {
	int fd;
	uint64_t seed;
	uint64_t total;
	bool keep;			/* the buffers, in @held */
	unsigned int nr_held;
	uint64_t held[RQ_ENTRIES];
};

static struct region r;
static struct io_uring ring;
static unsigned char *area;		/* in the data area */
static unsigned char *refill;		/* the refill ring's memory */
static struct io_uring_zcrx_ifq_reg ifq;
static struct zcrx_stats *stats;
static uint32_t refill_tail;
static uint64_t nr_frags, nr_unaligned, nr_rearmed;

static size_t refill_size(void)
{
	return 4096 + RQ_ENTRIES * sizeof(struct io_uring_zcrx_rqe);
}

static void ring_open(void)
{
	struct io_uring_params params = {
		.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQE32 |
			 IORING_SETUP_CQSIZE,
		.cq_entries = 1024,
	};

	CHECK_RES(io_uring_queue_init_params(16, &ring, &params), 0);
}

/* An old kernel does not know the call; one that does reads its argument. */
static void probe(void)
{
	int ret;

	ring_open();
	ret = io_uring_register(ring.ring_fd, IORING_REGISTER_ZCRX_IFQ, (void *)8, 1);
	io_uring_queue_exit(&ring);
	if (ret == -EFAULT)
		return;
	printf("this kernel has no ZCRX (%s)\n", strerrorname_np(-ret));
	exit(77);
}

static int export_area(void)
{
	struct unified_io_export arg = { .offset = area - r.data, .len = AREA_LEN };
	int fd = ioctl(r.fd, UNIFIED_IO_EXPORT, &arg);

	CHECK(fd >= 0);
	return fd;
}

static int try_register(unsigned int queue, const struct area *how, struct io_uring_zcrx_area_reg *reg)
{
	struct io_uring_region_desc memory = {
		.user_addr = (uintptr_t)refill, .size = refill_size(), .flags = IORING_MEM_REGION_TYPE_USER,
	};
	struct zcrx_event_desc events = {
		.flags = ZCRX_EVENT_DESC_FLAG_STATS, .stats_offset = refill_size() - sizeof(struct zcrx_stats),
	};

	ifq = (struct io_uring_zcrx_ifq_reg){
		.if_idx = if_nametoindex("zc0"), .if_rxq = queue, .rq_entries = RQ_ENTRIES / 2,
		.area_ptr = (uintptr_t)reg, .region_ptr = (uintptr_t)&memory, .rx_buf_len = how->buf_len,
		.event_desc = (uintptr_t)&events,
	};
	stats = (void *)refill + events.stats_offset;
	refill_tail = 0;
	return io_uring_register(ring.ring_fd, IORING_REGISTER_ZCRX_IFQ, &ifq, 1);
}

/* The region's memory becomes the queue's. */
static void zcrx_open(const struct area *how)
{
	struct io_uring_zcrx_area_reg reg = { .addr = (uintptr_t)area, .len = AREA_LEN };
	uint64_t limit = now_ns() + WAIT_NS;
	int ret;

	ring_open();
	if (how->dmabuf) {
		reg.flags = IORING_ZCRX_AREA_DMABUF;
		reg.dmabuf_fd = export_area();
		reg.addr = 0;
	}
	memset(area, 0xee, AREA_LEN);
	memset(refill, 0, refill_size());
	/* the ring of the case before may still be on its way out */
	while ((ret = try_register(QUEUE, how, &reg)) == -EEXIST && now_ns() < limit)
		usleep(10000);
	CHECK_RES(ret, 0);
	CHECK_EQ(reg.rq_area_token, 0);
	if (how->dmabuf)
		close(reg.dmabuf_fd);
	nr_frags = 0;
	nr_unaligned = 0;
	nr_rearmed = 0;
}

static void zcrx_close(void)
{
	io_uring_queue_exit(&ring);
}

/* The buffer that the bytes at @off are in is free again. */
static void give_back(uint64_t off, uint32_t len)
{
	struct io_uring_zcrx_rqe *rqes = (void *)refill + ifq.offsets.rqes;
	uint32_t head = __atomic_load_n((uint32_t *)(refill + ifq.offsets.head), __ATOMIC_ACQUIRE);

	CHECK(refill_tail - head < ifq.rq_entries);
	rqes[refill_tail & (ifq.rq_entries - 1)] = (struct io_uring_zcrx_rqe){ .off = off, .len = len };
	__atomic_store_n((uint32_t *)(refill + ifq.offsets.tail), ++refill_tail, __ATOMIC_RELEASE);
}

/* receiving */

static void arm(int fd)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

	CHECK(sqe);
	io_uring_prep_rw(IORING_OP_RECV_ZC, sqe, fd, NULL, 0, 0);
	sqe->ioprio = IORING_RECV_MULTISHOT;
	sqe->zcrx_ifq_idx = ifq.zcrx_id;
}

/* One CQE: -1 at the end of the stream, else the bytes in it. */
static int arrival(const struct io_uring_cqe *cqe, int fd, struct io_uring_zcrx_cqe *where)
{
	bool more = cqe->flags & IORING_CQE_F_MORE;

	if (!more && !cqe->res)
		return -1;
	if (!more) {
		/* the CQ was full, or there was no buffer: nothing is lost */
		if (cqe->res != -ENOMEM && cqe->res != -ENOSPC)
			FAIL("the receive ended with %s", strerrorname_np(-cqe->res));
		nr_rearmed++;
		arm(fd);
		return 0;
	}
	*where = *(const struct io_uring_zcrx_cqe *)(cqe + 1);
	CHECK(cqe->res > 0);
	CHECK(where->off + cqe->res <= AREA_LEN);
	nr_frags++;
	nr_unaligned += !!(where->off & 3);
	return cqe->res;
}

/*
 * A ring that was closed before may still have something for this task to do,
 * which ends the wait: EINTR, but not where something was submitted.
 */
static unsigned int wait_cqes(uint64_t ns)
{
	struct __kernel_timespec limit = { .tv_sec = ns / NSEC_PER_SEC, .tv_nsec = ns % NSEC_PER_SEC };
	struct io_uring_cqe *cqe;
	int ret;

	do
		ret = io_uring_submit_and_wait_timeout(&ring, &cqe, 1, &limit, NULL);
	while (ret == -EINTR || (ret >= 0 && !io_uring_cq_ready(&ring)));
	if (ret != -ETIME)
		CHECK_OK(ret);
	return io_uring_cq_ready(&ring);
}

/* What has arrived is checked in place. Returns false at the end of the stream. */
static bool take(struct stream *in)
{
	struct io_uring_zcrx_cqe where;
	struct io_uring_cqe *cqe;
	int len;

	while (io_uring_peek_cqe(&ring, &cqe) == 0) {
		len = arrival(cqe, in->fd, &where);
		io_uring_cqe_seen(&ring, cqe);
		if (len < 0)
			return false;
		if (!len)
			continue;
		pattern_check(area + where.off, len, in->total, in->seed);
		in->total += len;
		if (in->keep)
			in->held[in->nr_held++] = where.off;
		else
			give_back(where.off, len);
	}
	return true;
}

/* Receives all that comes. */
static void receive(struct stream *in)
{
	do {
		if (wait_cqes(WAIT_NS))
			continue;
		shell("ss -tinom; ip netns exec peer ss -tinom; ethtool -S zc0");
		FAIL("nothing came any more after %llu bytes, %u buffers given back, %u of them taken",
		     (unsigned long long)in->total, refill_tail,
		     __atomic_load_n((uint32_t *)(refill + ifq.offsets.head), __ATOMIC_ACQUIRE));
	} while (take(in));
}

/* the other end */

struct sender {
	int fd;
	uint64_t len;
	uint64_t seed;
	pthread_t thread;
};

static void *send_all_of_it(void *arg)
{
	struct sender *s = arg;

	for (uint64_t done = 0; done < s->len; done += MiB)
		send_pattern(s->fd, MiB, done, s->seed);
	shutdown(s->fd, SHUT_WR);
	return NULL;
}

/* A connection over zcnic, and somebody who sends. */
static void stream_begin(struct stream *in, struct sender *s, uint64_t len, uint64_t seed)
{
	int fd[2];

	wire_tcp_pair(env("ZC_HERE"), fd);
	*s = (struct sender){ .fd = fd[1], .len = len, .seed = seed };
	CHECK(pthread_create(&s->thread, NULL, send_all_of_it, s) == 0);
	memset(in, 0, sizeof(*in));
	in->fd = fd[0];
	in->seed = seed;
	arm(in->fd);
}

static void stream_end(struct stream *in, struct sender *s)
{
	CHECK_EQ(in->total, s->len);
	pthread_join(s->thread, NULL);
	close(in->fd);
	close(s->fd);
}

static void transfer(uint64_t len, uint64_t seed)
{
	static struct stream in;
	struct sender s;

	stream_begin(&in, &s, len, seed);
	receive(&in);
	stream_end(&in, &s);
}

/* copies, as the kernel makes them */

static void probes(const char *line)
{
	CHECK_EQ(shell("echo '%s' >>/sys/kernel/tracing/kprobe_events", line), 0);
}

static void copies_count(bool on)
{
	if (on)
		probes("p:zcrx_copy io_zcrx_copy_chunk");
	CHECK_EQ(shell("echo %d >/sys/kernel/tracing/events/kprobes/zcrx_copy/enable", on), 0);
	if (!on)
		probes("-:zcrx_copy");
}

static uint64_t copies(void)
{
	unsigned long long hits = 0;
	FILE *file = fopen("/sys/kernel/tracing/kprobe_profile", "r");
	char name[64];

	CHECK(file);
	while (fscanf(file, "%63s %llu %*u", name, &hits) == 2)
		if (!strcmp(name, "zcrx_copy"))
			break;
	fclose(file);
	return hits;
}

static uint64_t nic_count(const char *name)
{
	FILE *pipe = popen("ethtool -S zc0", "r");
	unsigned long long value = 0;
	char line[128], key[64];

	CHECK(pipe);
	while (fgets(line, sizeof(line), pipe))
		if (sscanf(line, " %63[^:]: %llu", key, &value) == 2 && !strcmp(key, name))
			break;
	CHECK(pclose(pipe) == 0);
	CHECK(!strcmp(key, name));
	return value;
}

static void fault(const char *name, unsigned int value)
{
	CHECK_EQ(shell("echo %u >" FAULTS "%s", value, name), 0);
}

/* the cases */

static void without_copies(const struct area *how, uint64_t len)
{
	uint64_t split = nic_count("rx3_split"), before;

	zcrx_open(how);
	copies_count(true);
	before = copies();
	transfer(len, 1);
	CHECK_EQ(copies() - before, 0);
	copies_count(false);
	CHECK_EQ(stats->copy_count, 0);
	CHECK(nic_count("rx3_split") > split);
	printf("%s, buffers of %u: %llu fragments\n", how->dmabuf ? "dma-buf" : "address", ifq.rx_buf_len,
	       (unsigned long long)nr_frags);
	CHECK(nr_frags >= len / ifq.rx_buf_len);
	if (how->buf_len)	/* more than what fits into a page comes in one piece */
		CHECK(nr_frags < len / 4096);
	zcrx_close();
}

/* The connection comes in by another queue: the same bytes, all of them copied. */
static void with_copies(void)
{
	uint64_t before;

	CHECK_EQ(shell("ethtool -K zc0 ntuple off"), 0);
	zcrx_open(&(struct area){ 0 });
	copies_count(true);
	before = copies();
	transfer(4 * MiB, 2);
	CHECK(copies() > before);
	copies_count(false);
	zcrx_close();
	CHECK_EQ(shell("ethtool -K zc0 ntuple on"), 0);
}

static unsigned long long dropped(void)
{
	return read_number("/sys/class/net/zc0/statistics/rx_dropped");
}

static void *withhold(void *arg)
{
	usleep(50000);
	fault("zc0/nobuf", 1);
	usleep(100000);
	fault("zc0/nobuf", 0);
	return NULL;
}

/* For a while the NIC gets no buffer, whatever there is. */
static void without_buffers(void)
{
	uint64_t missed = nic_count("rx3_missed");
	pthread_t thread;

	CHECK(pthread_create(&thread, NULL, withhold, NULL) == 0);
	transfer(64 * MiB, 7);
	pthread_join(thread, NULL);
	CHECK(nic_count("rx3_missed") > missed);
}

static void faults(void)
{
	uint64_t before = dropped(), in_order = nic_count("rx3_reordered");

	zcrx_open(&(struct area){ 0 });
	fault("zc0/drop", 10);
	fault("zc0/reorder", 50);
	transfer(4 * MiB, 3);
	CHECK(dropped() > before);
	CHECK(nic_count("rx3_reordered") > in_order);
	fault("zc0/drop", 0);
	fault("zc0/reorder", 0);
	fault("zc0/pack", 1);
	fault("zc0/skew", 3);
	transfer(4 * MiB, 4);
	CHECK(nr_unaligned > 0);
	fault("zc0/pack", 0);
	fault("zc0/skew", 0);
	without_buffers();
	zcrx_close();
}

/* Takes all buffers and gives none back, until the NIC has none left. Then it goes on. */
static void starved(void)
{
	uint64_t missed = nic_count("rx3_missed"), end = now_ns() + WAIT_NS;
	static struct stream in;
	struct sender s;

	zcrx_open(&(struct area){ 0 });
	stream_begin(&in, &s, 16 * MiB, 5);
	in.keep = true;
	while (nic_count("rx3_missed") == missed) {
		CHECK(now_ns() < end);
		wait_cqes(NSEC_PER_SEC / 10);
		CHECK(take(&in));
	}
	in.keep = false;
	while (in.nr_held)
		give_back(in.held[--in.nr_held], 1);
	receive(&in);
	stream_end(&in, &s);
	zcrx_close();
}

static bool plugged;	/* for good */

static void *unplug_and_plug(void *arg)
{
	for (int i = 0; i < 3; i++) {
		usleep(100000);
		fault("cable", 0);
		usleep(100000);
		fault("cable", 1);
	}
	__atomic_store_n(&plugged, true, __ATOMIC_RELAXED);
	return NULL;
}

static void flapping(void)
{
	pthread_t thread;

	zcrx_open(&(struct area){ 0 });
	CHECK(pthread_create(&thread, NULL, unplug_and_plug, NULL) == 0);
	do
		transfer(16 * MiB, 6);
	while (!__atomic_load_n(&plugged, __ATOMIC_RELAXED));
	pthread_join(thread, NULL);
	zcrx_close();
}

static void errors(void)
{
	struct io_uring_zcrx_area_reg reg = { .addr = (uintptr_t)area, .len = AREA_LEN }, odd = reg;
	struct area pages = { 0 };

	ring_open();
	CHECK_RES(try_register(99, &pages, &reg), -ERANGE);
	odd.len--;
	CHECK_RES(try_register(QUEUE, &pages, &odd), -EINVAL);
	CHECK_EQ(shell("ethtool -G zc0 tcp-data-split off"), 0);
	CHECK_RES(try_register(QUEUE, &pages, &reg), -EINVAL);
	CHECK_EQ(shell("ethtool -G zc0 tcp-data-split on"), 0);
	CHECK_RES(try_register(QUEUE, &pages, &reg), 0);
	CHECK(shell("ethtool -G zc0 tcp-data-split off 2>/dev/null") != 0);
	reg.rq_area_token = 0;
	CHECK_RES(try_register(QUEUE, &pages, &reg), -EEXIST);
	io_uring_queue_exit(&ring);
}

int main(int argc, char **argv)
{
	struct unified_io_setup setup = SETUP_DEFAULT;

	if (argc > 1 && !strcmp(argv[1], "probe")) {
		probe();
		return 0;
	}
	setup.region_size = 32 * MiB;
	region_setup(&r, NULL, setup);
	/* large buffers want 2 MiB pages to begin where they do */
	area = r.data - r.setup.data_offset + AREA_OFF;
	CHECK(posix_memalign((void **)&refill, 4096, (refill_size() + 4095) & ~4095ULL) == 0);

	errors();
	without_copies(&(struct area){ 0 }, 64 * MiB);
	without_copies(&(struct area){ .dmabuf = true }, 16 * MiB);
	without_copies(&(struct area){ .buf_len = 32 * KiB }, 16 * MiB);
	with_copies();
	faults();
	starved();
	flapping();
	region_close(&r);
	return 0;
}
