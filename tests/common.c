// SPDX-License-Identifier: GPL-2.0
/* Checks, regions, operations, patterned data. */
#include "common.h"

#include <stdarg.h>

/* checks */

void fail(const char *file, int line, const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "%s:%d: ", file, line);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	fflush(NULL);
	_exit(1);
}

void check_eq(const char *file, int line, const char *what, long long got, long long want)
{
	if (got != want)
		fail(file, line, "%s is %lld, want %lld", what, got, want);
}

static const char *result_name(int res)
{
	static char text[2][24];
	static int turn;

	if (res < 0 && strerrorname_np(-res))
		return strerrorname_np(-res);
	turn = !turn;
	snprintf(text[turn], sizeof(text[turn]), "%d", res);
	return text[turn];
}

void check_res(const char *file, int line, const char *what, int got, int want)
{
	if (got != want)
		fail(file, line, "%s is %s, want %s", what, result_name(got), result_name(want));
}

void check_ok(const char *file, int line, const char *what, int got)
{
	if (got < 0)
		fail(file, line, "%s is %s", what, result_name(got));
}

void need(uint64_t features)
{
	struct unified_io_query query;
	int fd = device_open();

	CHECK_RES(uior(fd, UNIFIED_IO_QUERY, &query), 0);
	close(fd);
	if ((query.features & features) == features)
		return;
	printf("kernel lacks features %#llx\n", (unsigned long long)(features & ~query.features));
	exit(77);
}

void need_module(const char *name)
{
	if (shell("modinfo %s >/dev/null", name)) {
		printf("this kernel was built without the module %s\n", name);
		exit(77);
	}
	CHECK_EQ(shell("modprobe %s", name), 0);
}

const char *env(const char *name)
{
	const char *value = getenv(name);

	if (!value)
		FAIL("%s is not in the environment", name);
	return value;
}

uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

/* a region */

int uior(int fd, unsigned long cmd, void *arg)
{
	return ioctl(fd, cmd, arg) < 0 ? -errno : 0;
}

int device_open(void)
{
	int fd = open(DEVICE, O_RDWR | O_CLOEXEC);

	CHECK(fd >= 0);
	return fd;
}

void region_map(struct region *r)
{
	r->map = mmap(NULL, r->setup.region_size, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd,
		      UNIFIED_IO_OFF_REGION);
	CHECK(r->map != MAP_FAILED);
	r->ctl = r->map;
	CHECK_EQ(r->ctl->magic, UNIFIED_IO_MAGIC);
	r->sq = r->map + r->ctl->sq_offset;
	r->cq = r->map + r->ctl->cq_offset;
	r->niov = r->map + r->ctl->niov_offset;
	r->data = r->map + r->ctl->data_offset;
}

void region_setup(struct region *r, const char *drive, struct unified_io_setup setup)
{
	r->drive_fd = -1;
	if (drive) {
		r->drive_fd = open(drive, O_RDWR | O_CLOEXEC);
		CHECK(r->drive_fd >= 0);
		setup.nvme_fd = r->drive_fd;
	}
	r->setup = setup;
	r->fd = device_open();
	CHECK_RES(uior(r->fd, UNIFIED_IO_SETUP, &r->setup), 0);
	region_map(r);
}

void region_open(struct region *r, const char *drive)
{
	region_setup(r, drive, (struct unified_io_setup)SETUP_DEFAULT);
}

void region_close(struct region *r)
{
	munmap(r->map, r->setup.region_size);
	close(r->fd);
	if (r->drive_fd >= 0)
		close(r->drive_fd);
}

struct unified_io_info region_info(struct region *r)
{
	struct unified_io_info info;

	memset(&info, 0xff, sizeof(info));
	CHECK_RES(uior(r->fd, UNIFIED_IO_GET_INFO, &info), 0);
	return info;
}

/* descriptors */

struct unified_descriptor desc_nvme(uint8_t opcode, uint64_t addr, uint32_t len, uint64_t slba)
{
	return (struct unified_descriptor){
		.type = UNIFIED_REGION_F_NVME, .addr = addr, .len = len,
		.nvme = { .opcode = opcode, .slba = slba },
	};
}

struct unified_descriptor desc_recv(unsigned int slot, uint64_t addr, uint32_t len)
{
	return (struct unified_descriptor){
		.type = UNIFIED_REGION_F_NETWORK, .addr = addr, .len = len,
		.net = { .flags = UNIFIED_IO_NET_F_RECV, .slot = slot },
	};
}

struct unified_descriptor desc_send(unsigned int slot, uint64_t addr, uint32_t len)
{
	return (struct unified_descriptor){
		.type = UNIFIED_REGION_F_NETWORK, .addr = addr, .len = len,
		.net = { .flags = UNIFIED_IO_NET_F_SEND, .tx_slot = slot },
	};
}

struct unified_descriptor desc_multishot(unsigned int slot)
{
	struct unified_descriptor d = desc_recv(slot, 0, 0);

	d.flags = UNIFIED_IO_DESC_F_MULTISHOT;
	return d;
}

struct unified_descriptor desc_bpf(uint64_t addr, uint32_t len)
{
	return (struct unified_descriptor){ .type = UNIFIED_REGION_F_BPF, .addr = addr, .len = len };
}

/* operations */

int submit(struct region *r, struct unified_descriptor d)
{
	struct unified_io_submit arg = { .desc = d };

	return uior(r->fd, UNIFIED_IO_SUBMIT, &arg);
}

void queue(struct region *r, struct unified_descriptor d)
{
	uint32_t tail = r->ctl->sq_tail;

	CHECK(tail - __atomic_load_n(&r->ctl->sq_head, __ATOMIC_ACQUIRE) < r->setup.sq_entries);
	r->sq[tail & (r->setup.sq_entries - 1)] = d;
	__atomic_store_n(&r->ctl->sq_tail, tail + 1, __ATOMIC_RELEASE);
}

int enter(struct region *r, unsigned int to_submit, unsigned int min_complete, uint64_t timeout_ns,
	  struct unified_io_enter *out)
{
	struct unified_io_enter arg = {
		.to_submit = to_submit, .min_complete = min_complete, .timeout_ns = timeout_ns,
	};
	int ret = uior(r->fd, UNIFIED_IO_ENTER, &arg);

	if (out)
		*out = arg;
	return ret;
}

unsigned int nr_ready(struct region *r)
{
	return __atomic_load_n(&r->ctl->cq_tail, __ATOMIC_ACQUIRE) - r->ctl->cq_head;
}

struct unified_completion reap(struct region *r)
{
	struct unified_completion c;
	int ret;

	if (!nr_ready(r)) {
		/* io_uring's work for this task ends a wait that has a timeout. */
		do
			ret = enter(r, 0, 1, WAIT_NS, NULL);
		while (ret == -EINTR && !nr_ready(r));
		if (!nr_ready(r))
			FAIL("no completion: ENTER says %s, %u in flight", result_name(ret),
			     region_info(r).inflight);
	}
	c = r->cq[r->ctl->cq_head & (r->setup.cq_entries - 1)];
	__atomic_store_n(&r->ctl->cq_head, r->ctl->cq_head + 1, __ATOMIC_RELEASE);
	return c;
}

struct unified_completion run(struct region *r, struct unified_descriptor d)
{
	CHECK_RES(submit(r, d), 0);
	return reap(r);
}

int result(struct region *r, struct unified_descriptor d)
{
	int ret = submit(r, d);

	return ret < 0 ? ret : reap(r).res;
}

void give_niov(struct region *r, uint64_t addr, uint32_t len)
{
	uint32_t tail = r->ctl->niov_tail;

	r->niov[tail & (r->ctl->niov_entries - 1)] = (struct unified_net_iov){ .addr = addr, .len = len };
	__atomic_store_n(&r->ctl->niov_tail, tail + 1, __ATOMIC_RELEASE);
}

void wait_idle(struct region *r)
{
	uint64_t end = now_ns() + WAIT_NS;

	while (region_info(r).inflight) {
		if (now_ns() > end)
			FAIL("%u operations still in flight", region_info(r).inflight);
		usleep(1000);
	}
}

/* data */

static unsigned char pattern_byte(uint64_t offset, uint64_t seed)
{
	return ((offset & ~7ULL) ^ seed) >> (offset & 7) * 8;
}

void pattern_fill(void *buf, size_t len, uint64_t offset, uint64_t seed)
{
	unsigned char *p = buf;
	size_t i = 0;

	for (; i < len && (offset + i) % 8; i++)
		p[i] = pattern_byte(offset + i, seed);
	for (; i + 8 <= len; i += 8) {
		uint64_t word = (offset + i) ^ seed;

		memcpy(p + i, &word, 8);
	}
	for (; i < len; i++)
		p[i] = pattern_byte(offset + i, seed);
}

void pattern_check(const void *buf, size_t len, uint64_t offset, uint64_t seed)
{
	unsigned char *want = malloc(len);
	const unsigned char *got = buf;
	size_t i = 0;

	CHECK(want);
	pattern_fill(want, len, offset, seed);
	if (memcmp(got, want, len)) {
		while (got[i] == want[i])
			i++;
		FAIL("byte %zu of %zu (stream offset %#llx, seed %#llx) is %#x, want %#x", i, len,
		     (unsigned long long)offset + i, (unsigned long long)seed, got[i], want[i]);
	}
	free(want);
}

void check_filled(const void *buf, size_t len, unsigned char byte)
{
	const unsigned char *p = buf;

	for (size_t i = 0; i < len; i++)
		if (p[i] != byte)
			FAIL("byte %zu of %zu is %#x, want %#x", i, len, p[i], byte);
}
