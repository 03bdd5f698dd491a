// SPDX-License-Identifier: GPL-2.0
/*
 * UNIFIED_IO_EXPORT: the data area as a dma-buf. mmap() of it and an importer that
 * attaches and maps it (vgem) see the same bytes as the region and the drive; it
 * outlives the region; wrong arguments are refused.
 */
#include <drm/drm.h>
#include <linux/dma-buf.h>

#include "common.h"

static struct region r;

static int export(uint64_t offset, uint64_t len)
{
	struct unified_io_export arg = { .offset = offset, .len = len };
	int fd = ioctl(r.fd, UNIFIED_IO_EXPORT, &arg);

	return fd < 0 ? -errno : fd;
}

static void sync_cpu(int fd, uint64_t flags)
{
	struct dma_buf_sync sync = { .flags = flags | DMA_BUF_SYNC_RW };

	CHECK(ioctl(fd, DMA_BUF_IOCTL_SYNC, &sync) == 0);
}

static void errors(void)
{
	struct unified_io_export arg = { .flags = 1 };
	int empty = device_open();

	CHECK_RES(uior(r.fd, UNIFIED_IO_EXPORT, &arg), -EINVAL);
	CHECK_RES(uior(r.fd, UNIFIED_IO_EXPORT, (void *)8), -EFAULT);
	arg.flags = 0;
	CHECK_RES(uior(empty, UNIFIED_IO_EXPORT, &arg), -ENXIO);
	close(empty);
	CHECK_RES(export(1, 0), -EINVAL);
	CHECK_RES(export(0, 4095), -EINVAL);
	CHECK_RES(export(r.setup.data_size, 0), -ERANGE);
	CHECK_RES(export(4096, r.setup.data_size), -ERANGE);
	CHECK_RES(export(~0xfffULL, 4096), -ERANGE);
}

/* A window that begins and ends inside 2 MiB folios. */
static void mapped(void)
{
	const size_t off = 3 * MiB - 8 * KiB, len = 2 * MiB;
	int fd = export(off, len);
	unsigned char *map;

	CHECK(fd >= 0);
	CHECK_EQ(lseek(fd, 0, SEEK_END), len);
	CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	CHECK(mmap(NULL, len + 4096, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED);
	map = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(map != MAP_FAILED);
	sync_cpu(fd, DMA_BUF_SYNC_START);
	pattern_fill(r.data + off, len, 0, 1);
	pattern_check(map, len, 0, 1);
	pattern_fill(map, len, 0, 2);
	sync_cpu(fd, DMA_BUF_SYNC_END);
	CHECK_RES(run(&r, desc_nvme(NVME_CMD_WRITE, off, len, 0)).res, len);
	drive_check(env("NVME0"), 0, len, 0, 2);
	CHECK(munmap(map, len) == 0);
	close(fd);
}

/* At a border of 2 MiB of the process, which is none of the region: what the first byte maps. */
static void aligned(int fd, uint64_t offset)
{
	const size_t len = 4 * MiB;
	unsigned char *room = mmap(NULL, 2 * len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char *at = (void *)(((uintptr_t)room + 2 * MiB - 1) & -(uintptr_t)(2 * MiB));

	CHECK(room != MAP_FAILED);
	CHECK(mmap(at, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, offset) == at);
	pattern_fill(r.data, len, 0, 4);
	pattern_check(at, len, 0, 4);
	CHECK(munmap(room, 2 * len) == 0);
}

static void both_aligned(void)
{
	int fd = export(0, 0);

	CHECK(fd >= 0);
	aligned(fd, 0);
	close(fd);
	aligned(r.fd, UNIFIED_IO_OFF_DATA);
}

/* The first card: the machine has no other. */
static int vgem_open(void)
{
	int fd;

	CHECK_EQ(shell("modprobe vgem"), 0);
	fd = open("/dev/dri/card0", O_RDWR | O_CLOEXEC);
	CHECK(fd >= 0);
	return fd;
}

static void imported(void)
{
	size_t len = r.setup.data_size;
	int card = vgem_open(), fd = export(0, 0);
	struct drm_prime_handle prime = { .fd = fd };
	unsigned char *map;

	CHECK(fd >= 0);
	CHECK(ioctl(card, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime) == 0);
	sync_cpu(fd, DMA_BUF_SYNC_START);
	pattern_fill(r.data, len, 0, 3);
	sync_cpu(fd, DMA_BUF_SYNC_END);

	/* our file descriptors go, and the mapping; the importer has it still, and gives it back */
	close(fd);
	region_close(&r);
	CHECK(read_number("/sys/module/unified_io_region/refcnt") > 0);
	prime.flags = DRM_CLOEXEC | DRM_RDWR;
	CHECK(ioctl(card, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime) == 0);
	close(card);
	map = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, prime.fd, 0);
	CHECK(map != MAP_FAILED);
	close(prime.fd);
	pattern_check(map, len, 0, 3);
	memset(map, 0x5a, len);
	check_filled(map, len, 0x5a);
	CHECK(munmap(map, len) == 0);
}

int main(void)
{
	for (int small = 0; small < 2; small++) {
		struct unified_io_setup setup = SETUP_DEFAULT;

		setup.region_size = 8 * MiB;
		setup.flags = small ? UNIFIED_IO_SETUP_SMALL_PAGES : 0;
		region_setup(&r, env("NVME0"), setup);
		errors();
		mapped();
		both_aligned();
		imported();
	}
	return 0;
}
