// SPDX-License-Identifier: GPL-2.0
/*
 * How a drive is formatted. One whose blocks have protection information between the data,
 * which the block layer does not know of, is driven through the block layer. One that is
 * formatted anew under an open region is refused until it is what SETUP found.
 */
#include "common.h"

/* nvme-cli's number of the format: 0 has blocks of 512 bytes, 4 of 4096. */
static void format(const char *path, int number)
{
	CHECK_OK(shell("nvme format %s --lbaf=%d --force >/dev/null", path, number));
}

static void protected(void)
{
	struct region r;

	region_open(&r, env("PROTECTED"));
	CHECK_EQ(region_info(&r).device_kind, UNIFIED_IO_DEV_BLOCK);
	region_close(&r);
}

static void anew(const char *path)
{
	struct unified_descriptor read = desc_nvme(NVME_CMD_READ, 0, 8192, 0);
	struct region r;

	region_open(&r, path);
	CHECK_EQ(region_info(&r).device_kind, UNIFIED_IO_DEV_NVME);
	CHECK_RES(run(&r, read).res, 8192);
	format(path, 4);
	CHECK_EQ(drive_block(path), 4096);
	CHECK_RES(result(&r, read), -ENODEV);
	CHECK_RES(result(&r, desc_nvme(NVME_CMD_FLUSH, 0, 0, 0)), -ENODEV);
	format(path, 0);
	CHECK_EQ(drive_block(path), 512);
	CHECK_RES(run(&r, read).res, 8192);
	region_close(&r);
}

int main(void)
{
	protected();
	anew(env("NVME2"));
	return 0;
}
