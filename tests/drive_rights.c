// SPDX-License-Identifier: GPL-2.0
/*
 * What nvme_fd allows: nothing without one (ENODEV), only reads with O_RDONLY,
 * only writes with O_WRONLY (EBADF), no write to a read-only drive (EROFS), nothing
 * on a drive without a size (ENODEV), as one is while it is pulled out. The file
 * descriptor itself may be closed after SETUP.
 */
#include <linux/fs.h>
#include <linux/loop.h>
#include "common.h"

#define READ	desc_nvme(NVME_CMD_READ, 0, 4096, 0)
#define WRITE	desc_nvme(NVME_CMD_WRITE, 0, 4096, 0)
#define FLUSH	desc_nvme(NVME_CMD_FLUSH, 0, 0, 0)

static void no_drive(void)
{
	struct region r;

	region_open(&r, NULL);
	CHECK_RES(result(&r, READ), -ENODEV);
	CHECK_RES(result(&r, WRITE), -ENODEV);
	CHECK_RES(result(&r, FLUSH), -ENODEV);
	region_close(&r);
}

static void opened(const char *path, int mode, int read, int write, int flush)
{
	struct unified_io_setup setup = SETUP_DEFAULT;
	struct region r;

	setup.nvme_fd = open(path, mode);
	CHECK(setup.nvme_fd >= 0);
	region_setup(&r, NULL, setup);
	close(setup.nvme_fd);
	CHECK_RES(result(&r, READ), read);
	CHECK_RES(result(&r, WRITE), write);
	CHECK_RES(result(&r, FLUSH), flush);
	region_close(&r);
}

static void set_read_only(const char *path, int value)
{
	int fd = open(path, O_RDONLY);

	CHECK(fd >= 0);
	CHECK(ioctl(fd, BLKROSET, &value) == 0);
	close(fd);
}

static void read_only_drive(const char *path)
{
	struct region r;

	region_open(&r, path);
	CHECK_RES(result(&r, WRITE), 4096);
	drive_fill(path, 0, 4096, 1);
	set_read_only(path, 1);
	CHECK_RES(result(&r, WRITE), -EROFS);
	CHECK_RES(result(&r, READ), 4096);
	set_read_only(path, 0);
	drive_check(path, 0, 4096, 0, 1);
	CHECK_RES(result(&r, WRITE), 4096);
	region_close(&r);
}

/* A loop device without a file. */
static void no_size(void)
{
	int control = open("/dev/loop-control", O_RDWR), nr;
	char path[32];

	CHECK(control >= 0);
	nr = ioctl(control, LOOP_CTL_GET_FREE);
	CHECK(nr >= 0);
	close(control);
	snprintf(path, sizeof(path), "/dev/loop%d", nr);
	opened(path, O_RDWR, -ENODEV, -ENODEV, -ENODEV);
}

int main(void)
{
	const char *paths[] = { env("NVME0"), env("NULLBLK") };

	no_drive();
	no_size();
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		opened(paths[i], O_RDWR, 4096, 4096, 0);
		opened(paths[i], O_RDONLY, 4096, -EBADF, -EBADF);
		opened(paths[i], O_WRONLY, -EBADF, 4096, 0);
		opened(paths[i], O_RDWR | O_EXCL, 4096, 4096, 0);
		read_only_drive(paths[i]);
	}
	return 0;
}
