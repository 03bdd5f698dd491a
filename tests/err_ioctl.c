// SPDX-License-Identifier: GPL-2.0
/*
 * What is wrong whatever the arguments say: unknown ioctls (ENOTTY), calls
 * before SETUP (ENXIO), pointers that cannot be read or written (EFAULT), and
 * mmap, read and write where there is nothing to map, read or write.
 */
#include "common.h"

struct call {
	const char *name;
	unsigned long cmd;
	bool before_setup;	/* allowed */
};

static const struct call calls[] = {
	{ "SETUP", UNIFIED_IO_SETUP, true },
	{ "SUBMIT", UNIFIED_IO_SUBMIT },
	{ "COMPLETE", UNIFIED_IO_COMPLETE },
	{ "ATTACH_BPF", UNIFIED_IO_ATTACH_BPF },
	{ "GET_INFO", UNIFIED_IO_GET_INFO },
	{ "ENTER", UNIFIED_IO_ENTER },
	{ "ATTACH_SOCKET", UNIFIED_IO_ATTACH_SOCKET },
	{ "CANCEL", UNIFIED_IO_CANCEL },
	{ "EXPORT", UNIFIED_IO_EXPORT },
	{ "QUERY", UNIFIED_IO_QUERY, true },
};

static void unknown_ioctls(int fd)
{
	char buf[4096] = {};

	CHECK_RES(uior(fd, _IO(UNIFIED_IO_IOC_MAGIC, 0x40), buf), -ENOTTY);
	CHECK_RES(uior(fd, _IO(UNIFIED_IO_IOC_MAGIC, 0x48), buf), -ENOTTY);
	CHECK_RES(uior(fd, _IO(UNIFIED_IO_IOC_MAGIC, 0x3f), buf), -ENOTTY);
	CHECK_RES(uior(fd, _IO(UNIFIED_IO_IOC_MAGIC, 0xff), buf), -ENOTTY);
	CHECK_RES(uior(fd, _IOWR(UNIFIED_IO_IOC_MAGIC, 0x40, char), buf), -ENOTTY);
	CHECK_RES(uior(fd, _IOWR(UNIFIED_IO_IOC_MAGIC, 0x7f, buf), buf), -ENOTTY);
	CHECK_RES(uior(fd, 0, buf), -ENOTTY);
	CHECK_RES(uior(fd, 0x5401 /* TCGETS */, buf), -ENOTTY);
}

static void bad_pointers(int fd, bool set_up)
{
	char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(pages != MAP_FAILED);
	CHECK(munmap(pages + 4096, 4096) == 0);
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		unsigned int size = _IOC_SIZE(calls[i].cmd);
		void *bad[] = { NULL, (void *)8, pages + 4096 - size + 1, (void *)-4096L,
				(void *)0xffff888000000000UL };

		if (calls[i].before_setup == set_up)
			continue;
		if (calls[i].cmd == UNIFIED_IO_COMPLETE)
			continue;	/* see output_pointers() */
		memset(pages, 0, 4096);
		for (size_t b = 0; b < ARRAY_SIZE(bad); b++) {
			int got = uior(fd, calls[i].cmd, bad[b]);

			if (got != -EFAULT)
				FAIL("%s at %p: %s", calls[i].name, bad[b],
				     got < 0 ? strerrorname_np(-got) : "success");
		}
	}
	munmap(pages, 4096);
}

/* COMPLETE takes completions out, and must not lose those that it cannot hand over. */
static void output_pointers(struct region *r)
{
	struct unified_descriptor d = desc_bpf(0, 4096);
	struct unified_io_complete out;
	char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(page != MAP_FAILED);
	CHECK_RES(uior(r->fd, UNIFIED_IO_GET_INFO, page), -EFAULT);
	d.user_data = 77;
	CHECK_RES(submit(r, d), 0);
	CHECK_RES(uior(r->fd, UNIFIED_IO_COMPLETE, page), -EFAULT);
	CHECK_RES(uior(r->fd, UNIFIED_IO_COMPLETE, NULL), -EFAULT);
	memset(&out, 0xee, sizeof(out));
	CHECK_RES(uior(r->fd, UNIFIED_IO_COMPLETE, &out), 0);
	CHECK_EQ(out.count, 1);
	CHECK_EQ(out.cqe[0].user_data, 77);
	munmap(page, 4096);
}

static void bad_mmap(struct region *r)
{
	uint64_t size = r->setup.region_size, data = r->setup.data_size;
	const struct { uint64_t off, len; } bad[] = {
		{ 0, size + 4096 }, { size, 4096 }, { size - 4096, 8192 },
		{ UNIFIED_IO_OFF_DATA, (data + 4095) / 4096 * 4096 + 4096 },
		{ UNIFIED_IO_OFF_DATA + size, 4096 }, { UNIFIED_IO_OFF_DATA - 4096, 4096 },
		{ UNIFIED_IO_OFF_DATA << 1, 4096 }, { 0x7ffffffffffff000, 4096 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		void *p = mmap(NULL, bad[i].len, PROT_READ, MAP_SHARED, r->fd, bad[i].off);

		if (p != MAP_FAILED || errno != EINVAL)
			FAIL("mmap of %#llx bytes at %#llx: %s", (unsigned long long)bad[i].len,
			     (unsigned long long)bad[i].off,
			     p == MAP_FAILED ? strerrorname_np(errno) : "success");
	}
	CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, r->fd, 0) == MAP_FAILED);
	CHECK_EQ(errno, EINVAL);
}

/* Where the answer cannot be written the call has not happened. */
static void answer_unwritable(void)
{
	struct unified_io_setup *setup = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct unified_io_attach_socket *attach = (void *)setup;
	int fd = device_open(), tcp[2];
	struct region r;

	CHECK(setup != MAP_FAILED);
	*setup = (struct unified_io_setup)SETUP_DEFAULT;
	CHECK(mprotect(setup, 4096, PROT_READ) == 0);
	CHECK_RES(uior(fd, UNIFIED_IO_SETUP, setup), -EFAULT);
	CHECK(mprotect(setup, 4096, PROT_READ | PROT_WRITE) == 0);
	CHECK_RES(uior(fd, UNIFIED_IO_SETUP, setup), 0);
	close(fd);

	region_open(&r, NULL);
	tcp_pair(tcp);
	*attach = (struct unified_io_attach_socket){ .fd = tcp[0], .slot = UNIFIED_IO_SLOT_ANY };
	CHECK(mprotect(attach, 4096, PROT_READ) == 0);
	CHECK_RES(uior(r.fd, UNIFIED_IO_ATTACH_SOCKET, attach), -EFAULT);
	CHECK_EQ(region_info(&r).nr_sockets, 0);
	region_close(&r);
	munmap(setup, 4096);
}

int main(void)
{
	struct region r;
	int fd = device_open();
	char buf[4096] = {};

	unknown_ioctls(fd);
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (!calls[i].before_setup)
			CHECK_RES(uior(fd, calls[i].cmd, buf), -ENXIO);
	CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED);
	CHECK_EQ(errno, ENXIO);
	CHECK_EQ(read(fd, buf, 1), -1);
	CHECK_EQ(errno, EINVAL);
	CHECK_EQ(write(fd, buf, 1), -1);
	CHECK_EQ(errno, EINVAL);
	bad_pointers(fd, false);
	close(fd);

	region_open(&r, NULL);
	unknown_ioctls(r.fd);
	bad_pointers(r.fd, true);
	output_pointers(&r);
	bad_mmap(&r);
	region_close(&r);
	answer_unwritable();
	return 0;
}
