// SPDX-License-Identifier: GPL-2.0
/*
 * The mapping is ordinary memory to other subsystems: O_DIRECT reads and writes,
 * io_uring fixed buffers, an AF_XDP UMEM. The region may be closed while they
 * still hold pages.
 */
#include <linux/if_xdp.h>
#include <linux/unified_io_region.h>
#include <liburing.h>
#include "common.h"

static void by_o_direct(struct region *r, int fd)
{
	const size_t len = 3 * MiB;

	pattern_fill(r->data, len, 0, 1);
	CHECK_EQ(pwrite(fd, r->data, len, 0), (ssize_t)len);
	memset(r->data, 0, len);
	CHECK_EQ(pread(fd, r->data, len, 0), (ssize_t)len);
	pattern_check(r->data, len, 0, 1);
}

static int fixed(struct io_uring *ring, bool write, int fd, void *buf, unsigned int len, uint64_t off)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
	struct io_uring_cqe *cqe;
	int res;

	if (write)
		io_uring_prep_write_fixed(sqe, fd, buf, len, off, 0);
	else
		io_uring_prep_read_fixed(sqe, fd, buf, len, off, 0);
	CHECK(io_uring_submit_and_wait(ring, 1) == 1);
	CHECK(io_uring_wait_cqe(ring, &cqe) == 0);
	res = cqe->res;
	io_uring_cqe_seen(ring, cqe);
	return res;
}

static void by_fixed_buffers(struct region *r, int fd)
{
	struct iovec whole = { r->data, r->setup.data_size };
	struct io_uring ring;
	const unsigned int len = 2 * MiB;

	CHECK_RES(io_uring_queue_init(8, &ring, 0), 0);
	CHECK_RES(io_uring_register_buffers(&ring, &whole, 1), 0);
	pattern_fill(r->data + 4096, len, 0, 2);
	CHECK_RES(fixed(&ring, true, fd, r->data + 4096, len, 0), len);
	memset(r->data, 0, len + 4096);
	CHECK_RES(fixed(&ring, false, fd, r->data + 4096, len, 0), len);
	pattern_check(r->data + 4096, len, 0, 2);

	/* and the region works on what io_uring read */
	CHECK_EQ(run(r, desc_nvme(NVME_CMD_WRITE, 4096, len, 8 * MiB / drive_block(env("NVME0")))).res, len);
	drive_check(env("NVME0"), 8 * MiB, len, 0, 2);
	io_uring_queue_exit(&ring);
}

static void by_umem(struct region *r)
{
	struct xdp_umem_reg reg = {
		.addr = (uintptr_t)r->data, .len = r->setup.data_size / 4096 * 4096, .chunk_size = 4096,
	};
	int fd = socket(AF_XDP, SOCK_RAW, 0);

	CHECK(fd >= 0);
	CHECK(setsockopt(fd, SOL_XDP, XDP_UMEM_REG, &reg, sizeof(reg)) == 0);
	close(fd);
}

/* Pages outlive the region: a ring still has them when region and mapping are gone. */
static void outlives(int fd)
{
	struct io_uring ring;
	struct iovec part;
	struct region r;

	region_open(&r, NULL);
	part = (struct iovec){ r.data, 1 * MiB };
	CHECK_RES(io_uring_queue_init(8, &ring, 0), 0);
	CHECK_RES(io_uring_register_buffers(&ring, &part, 1), 0);
	pattern_fill(r.data, 1 * MiB, 0, 3);
	region_close(&r);
	CHECK_RES(fixed(&ring, true, fd, part.iov_base, 1 * MiB, 16 * MiB), 1 * MiB);
	drive_check(env("NVME0"), 16 * MiB, 1 * MiB, 0, 3);
	io_uring_queue_exit(&ring);
}

int main(void)
{
	int fd = open(env("NVME0"), O_RDWR | O_DIRECT);

	CHECK(fd >= 0);
	for (int small = 0; small < 2; small++) {
		struct unified_io_setup setup = SETUP_DEFAULT;
		struct region r;

		setup.region_size = 8 * MiB;
		setup.flags = small ? UNIFIED_IO_SETUP_SMALL_PAGES : 0;
		region_setup(&r, env("NVME0"), setup);
		by_o_direct(&r, fd);
		by_fixed_buffers(&r, fd);
		by_umem(&r);
		region_close(&r);
	}
	outlives(fd);
	return 0;
}
