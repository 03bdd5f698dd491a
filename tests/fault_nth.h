/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A sweep of faults over one call: its first allocation or copy to or from user space
 * fails, then, in another try, its second, and so on, until none is left to fail.
 * Whatever failed, the call says so by a documented error or does its work all the same,
 * takes nothing with it, and the region goes on working.
 *
 * The kernel counts per thread (/proc/self/task/N/fail-nth): what softirqs and the
 * module's workqueue do is not counted. Chains run in the thread that waits for them.
 */
#ifndef TESTS_FAULT_NTH_H
#define TESTS_FAULT_NTH_H

#include "common.h"

/**
 * struct sweep - one call
 * @name: for the report
 * @errors: allowed besides ENOMEM and EFAULT; names, space separated
 * @before: gets all ready; NULL for nothing
 * @call: what is swept; 0 or a negative errno
 * @after: checks what the call has done, by its result, and undoes it. Returns the
 *	result to judge, @call's own or that of what it had begun; NULL for nothing
 * @may_have_none: there may be nothing in it that can fail
 */
struct sweep {
	const char *name;
	const char *errors;
	void (*before)(void);
	int (*call)(void);
	int (*after)(int ret);
	bool may_have_none;
};

#define MOST_FAULTS	20000

static struct region good;	/* for the write and read after each fault */
static int nth_fd;

static inline void setting(const char *attr, const char *name, const char *value)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s", attr, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		FAIL("%s: %s", path, strerror(errno));
	close(fd);
}

static inline void arm(unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	CHECK(pwrite(nth_fd, text, len, 0) == len);
}

/* Did the fault come? Reading and resetting the counter copy, too, and may get it instead. */
static inline bool disarm(void)
{
	char text[16] = "";
	bool came = pread(nth_fd, text, sizeof(text) - 1, 0) > 0 && text[0] == '0';

	while (pwrite(nth_fd, "0", 1, 0) != 1)
		;
	return came;
}

/* The first copy of a call that has nothing but copies. */
static inline void faults_come(void)
{
	struct unified_io_query query;
	int ret;

	arm(1);
	ret = uior(good.fd, UNIFIED_IO_QUERY, &query);
	CHECK(disarm());
	CHECK_RES(ret, -EFAULT);
}

/* Every allocation can fail, large or small, and every copy; nobody is told of it. */
static inline void sweep_init(void)
{
	char path[64];

	setting("failslab", "ignore-gfp-wait", "0");
	setting("failslab", "verbose", "0");
	setting("fail_page_alloc", "ignore-gfp-wait", "0");
	setting("fail_page_alloc", "ignore-gfp-highmem", "0");
	setting("fail_page_alloc", "min-order", "0");
	setting("fail_page_alloc", "verbose", "0");
	setting("fail_usercopy", "verbose", "0");
	setting("fail_make_request", "verbose", "0");
	snprintf(path, sizeof(path), "/proc/self/task/%d/fail-nth", gettid());
	nth_fd = open(path, O_RDWR | O_CLOEXEC);
	CHECK(nth_fd >= 0);
	region_open(&good, env("NVME0"));
	faults_come();
}

static inline void still_usable(void)
{
	static uint64_t seed;

	pattern_fill(good.data, 4096, 0, ++seed);
	CHECK_RES(run(&good, desc_nvme(NVME_CMD_WRITE, 0, 4096, 64)).res, 4096);
	CHECK_RES(run(&good, desc_nvme(NVME_CMD_READ, 4096, 4096, 64)).res, 4096);
	pattern_check(good.data + 4096, 4096, 0, seed);
}

static inline unsigned int use_count(void)
{
	return read_number("/sys/module/unified_io_region/refcnt");
}

/* Regions go in their own time. */
static inline void wait_use_count(const char *name, unsigned int want)
{
	uint64_t end = now_ns() + WAIT_NS;

	while (use_count() > want) {
		if (now_ns() > end)
			FAIL("%s: the module's use count is %u, was %u", name, use_count(), want);
		usleep(1000);
	}
}

static inline bool among(const char *names, int res)
{
	const char *name = strerrorname_np(-res);

	return name && (strstr(names, name) || !strcmp(name, "ENOMEM") || !strcmp(name, "EFAULT"));
}

/* One try with the @n-th fault; returns whether it came. */
static inline bool try_fault(const struct sweep *s, unsigned int n, unsigned int count[])
{
	bool came;
	int ret;

	if (s->before)
		s->before();
	if (n)
		arm(n);
	ret = s->call();
	came = disarm() && n;
	if (s->after)
		ret = s->after(ret);
	if (ret < 0 && (!came || !among(s->errors, ret)))
		FAIL("%s: fault %u%s, and the result is %s", s->name, n, came ? "" : " did not come",
		     strerrorname_np(-ret) ?: "unknown");
	if (came) {
		still_usable();
		count[ret < 0 ? -ret : 0]++;
	}
	return came;
}

static inline void sweep(const struct sweep *s)
{
	unsigned int before, n = 0, count[256] = {};

	try_fault(s, 0, count);		/* all that is done but once */
	before = use_count();
	while (try_fault(s, ++n, count))
		if (n > MOST_FAULTS)
			FAIL("%s: no end of faults", s->name);
	if (n == 1 && !s->may_have_none)
		FAIL("%s: nothing that can fail", s->name);
	wait_use_count(s->name, before);
	printf("%s: %u faults:", s->name, n - 1);
	for (int i = 1; i < 256; i++)
		if (count[i])
			printf(" %u %s,", count[i], strerrorname_np(i));
	printf(" %u had no effect\n", count[0]);
	fflush(stdout);
}

#endif /* TESTS_FAULT_NTH_H */
