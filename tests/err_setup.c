// SPDX-License-Identifier: GPL-2.0
/*
 * UNIFIED_IO_SETUP: each bad argument gets its errno and leaves the file as it
 * was, so that a good SETUP succeeds after all of them. A second one is EBUSY.
 */
#include <sys/eventfd.h>
#include "common.h"

static int nvme_rw, nvme_ng, null_dev, pipe_fd, plain_file;

struct row {
	const char *what;
	int want;
	void (*spoil)(struct unified_io_setup *s);
};

#define SPOIL(name, code) static void name(struct unified_io_setup *s) { code; }
SPOIL(sq_zero, s->sq_entries = 0)
SPOIL(sq_three, s->sq_entries = 3)
SPOIL(sq_large, s->sq_entries = UNIFIED_IO_MAX_ENTRIES * 2)
SPOIL(sq_huge, s->sq_entries = 0x80000000U)
SPOIL(cq_zero, s->cq_entries = 0)
SPOIL(cq_odd, s->cq_entries = 65)
SPOIL(cq_large, s->cq_entries = UNIFIED_IO_MAX_ENTRIES * 2)
SPOIL(cq_all, s->cq_entries = ~0U)
SPOIL(niov_odd, s->niov_entries = 48)
SPOIL(niov_large, s->niov_entries = UNIFIED_IO_MAX_ENTRIES * 2)
SPOIL(size_zero, s->region_size = 0)
SPOIL(size_small, s->region_size = UNIFIED_IO_MIN_REGION - 4096)
SPOIL(size_odd, s->region_size = 4 * MiB + 1)
SPOIL(size_512, s->region_size = 4 * MiB + 512)
SPOIL(size_large, s->region_size = UNIFIED_IO_MAX_REGION + 4096)
SPOIL(size_all, s->region_size = ~0ULL)
SPOIL(size_wrap, s->region_size = ~4095ULL)
SPOIL(no_data, (s->region_size = UNIFIED_IO_MIN_REGION, s->sq_entries = s->cq_entries = UNIFIED_IO_MAX_ENTRIES))
SPOIL(flag_unknown, s->flags = 1U << 31)
SPOIL(flag_next, s->flags = UNIFIED_IO_SETUP_BLOCK_LAYER << 1)
SPOIL(resv, s->resv = 1)
SPOIL(nvme_closed, s->nvme_fd = 999)
SPOIL(nvme_minus, s->nvme_fd = -2)
SPOIL(nvme_char, s->nvme_fd = nvme_ng)
SPOIL(nvme_null, s->nvme_fd = null_dev)
SPOIL(nvme_pipe, s->nvme_fd = pipe_fd)
SPOIL(nvme_file, s->nvme_fd = plain_file)
SPOIL(uring_zero, s->uring_fd = 0)
SPOIL(uring_any, s->uring_fd = nvme_rw)
SPOIL(uring_minus, s->uring_fd = -2)
SPOIL(if_unknown, s->net_ifindex = 9999)
SPOIL(if_all, s->net_ifindex = ~0U)
SPOIL(rxq_large, (s->net_ifindex = 1, s->net_rxq = 100000))
SPOIL(rxq_alone, s->net_rxq = 100000)
SPOIL(event_closed, (s->flags = UNIFIED_IO_SETUP_EVENTFD, s->event_fd = 999))
SPOIL(event_minus, (s->flags = UNIFIED_IO_SETUP_EVENTFD, s->event_fd = -1))
SPOIL(event_wrong, (s->flags = UNIFIED_IO_SETUP_EVENTFD, s->event_fd = nvme_rw))
SPOIL(node_large, (s->flags = UNIFIED_IO_SETUP_NUMA_NODE, s->numa_node = 100000))
SPOIL(node_minus, (s->flags = UNIFIED_IO_SETUP_NUMA_NODE, s->numa_node = -5))
SPOIL(node_absent, (s->flags = UNIFIED_IO_SETUP_NUMA_NODE, s->numa_node = 7))

static const struct row rows[] = {
	{ "sq_entries 0", -EINVAL, sq_zero },
	{ "sq_entries 3", -EINVAL, sq_three },
	{ "sq_entries above the limit", -EINVAL, sq_large },
	{ "sq_entries 2^31", -EINVAL, sq_huge },
	{ "cq_entries 0", -EINVAL, cq_zero },
	{ "cq_entries 65", -EINVAL, cq_odd },
	{ "cq_entries above the limit", -EINVAL, cq_large },
	{ "cq_entries 2^32-1", -EINVAL, cq_all },
	{ "niov_entries 48", -EINVAL, niov_odd },
	{ "niov_entries above the limit", -EINVAL, niov_large },
	{ "region_size 0", -EINVAL, size_zero },
	{ "region_size below the minimum", -EINVAL, size_small },
	{ "region_size odd", -EINVAL, size_odd },
	{ "region_size no multiple of a page", -EINVAL, size_512 },
	{ "region_size above the limit", -EINVAL, size_large },
	{ "region_size 2^64-1", -EINVAL, size_all },
	{ "region_size 2^64-4096", -EINVAL, size_wrap },
	{ "rings that leave no room for data", -EINVAL, no_data },
	{ "flag 31", -EINVAL, flag_unknown },
	{ "first unknown flag", -EINVAL, flag_next },
	{ "resv", -EINVAL, resv },
	{ "nvme_fd not open", -EBADF, nvme_closed },
	{ "nvme_fd -2", -EBADF, nvme_minus },
	{ "nvme_fd is /dev/ng", -ENOTBLK, nvme_char },
	{ "nvme_fd is /dev/null", -ENOTBLK, nvme_null },
	{ "nvme_fd is a pipe", -ENOTBLK, nvme_pipe },
	{ "nvme_fd is a regular file", -ENOTBLK, nvme_file },
	{ "uring_fd 0", -EINVAL, uring_zero },
	{ "uring_fd of a file", -EINVAL, uring_any },
	{ "uring_fd -2", -EBADF, uring_minus },
	{ "net_ifindex unknown", -ENODEV, if_unknown },
	{ "net_ifindex 2^32-1", -ENODEV, if_all },
	{ "net_rxq the interface does not have", -EINVAL, rxq_large },
	{ "net_rxq without an interface", -EINVAL, rxq_alone },
	{ "event_fd not open", -EBADF, event_closed },
	{ "event_fd -1", -EBADF, event_minus },
	{ "event_fd no eventfd", -EINVAL, event_wrong },
	{ "numa_node 100000", -EINVAL, node_large },
	{ "numa_node -5", -EINVAL, node_minus },
	{ "numa_node offline", -EINVAL, node_absent },
};

int main(int argc, char **argv)
{
	struct unified_io_setup good = SETUP_DEFAULT;
	char ng[32];
	int fd = device_open(), fds[2], bad = 0;

	snprintf(ng, sizeof(ng), "/dev/ng%s", env("NVME0") + strlen("/dev/nvme"));
	CHECK((nvme_rw = open(env("NVME0"), O_RDWR)) >= 0);
	CHECK((nvme_ng = open(ng, O_RDWR)) >= 0);
	CHECK((null_dev = open("/dev/null", O_RDWR)) >= 0);
	CHECK(pipe(fds) == 0);
	pipe_fd = fds[0];
	CHECK((plain_file = open("/tmp/plain", O_RDWR | O_CREAT, 0600)) >= 0);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct unified_io_setup s = good;
		int got;

		s.nvme_fd = nvme_rw;
		rows[i].spoil(&s);
		got = uior(fd, UNIFIED_IO_SETUP, &s);
		if (got == rows[i].want)
			continue;
		bad++;
		printf("%s: %s, want %s\n", rows[i].what, got < 0 ? strerrorname_np(-got) : "success",
		       strerrorname_np(-rows[i].want));
		if (!got)	/* the file is set up now: take a new one */
			fd = device_open();
	}
	CHECK_EQ(bad, 0);

	good.nvme_fd = nvme_rw;
	CHECK_RES(uior(fd, UNIFIED_IO_SETUP, &good), 0);
	CHECK_RES(uior(fd, UNIFIED_IO_SETUP, &good), -EBUSY);
	return 0;
}
