// SPDX-License-Identifier: GPL-2.0
/*
 * drive PATH KIND: reads, writes and flushes on one drive. The data are compared
 * with what the drive's own block device says: aligned and misaligned in the
 * region, across 2 MiB folios, longer than one command, up to the last block.
 * Without a receive or a program nothing is copied.
 */
#include "common.h"

static struct region r;
static struct unified_io_info info;
static const char *path;
static unsigned int block;
static uint64_t seed = 0x5eed;

static void check_counted(struct unified_completion c, unsigned int stage, uint32_t len)
{
	CHECK_RES(c.res, (int)len);
	CHECK_EQ(c.stage, stage);
	CHECK_EQ(c.copied, 0);
	CHECK_EQ(c.flags, 0);
	CHECK_EQ(c.len, len);
}

static void read_at(uint64_t addr, uint32_t len, uint64_t offset)
{
	struct unified_completion c;

	drive_fill(path, offset, len, ++seed);
	memset(r.data + addr - 8 * (addr >= 8), 0xaa, len + 16);
	c = run(&r, desc_nvme(NVME_CMD_READ, addr, len, offset / block));
	check_counted(c, UNIFIED_IO_STAGE_READ, len);
	CHECK_EQ(c.recv, (int)len);
	CHECK_EQ(c.slba, offset / block);
	CHECK_EQ(c.addr, addr);
	pattern_check(r.data + addr, len, offset, seed);
	check_filled(r.data + addr + len, 8, 0xaa);	/* and not a byte more */
	if (addr >= 8)
		check_filled(r.data + addr - 8, 8, 0xaa);
}

static void write_at(uint64_t addr, uint32_t len, uint64_t offset, unsigned int flags)
{
	struct unified_descriptor d = desc_nvme(NVME_CMD_WRITE, addr, len, offset / block);
	struct unified_completion c;

	drive_fill(path, offset, len, 0xdead);
	if (offset + len < info.device_size)
		drive_fill(path, offset + len, block, 0xbeef);
	pattern_fill(r.data + addr, len, offset, ++seed);
	d.nvme.flags = flags;
	c = run(&r, d);
	check_counted(c, flags & UNIFIED_IO_NVME_F_FLUSH ? UNIFIED_IO_STAGE_FLUSH : UNIFIED_IO_STAGE_WRITE, len);
	CHECK_EQ(c.nvme, (int)len);
	drive_check(path, offset, len, offset, seed);
	if (offset + len < info.device_size)
		drive_check(path, offset + len, block, offset + len, 0xbeef);
}

static void both_at(uint64_t addr, uint32_t len, uint64_t offset)
{
	read_at(addr, len, offset);
	write_at(addr, len, offset, 0);
}

static void shapes(void)
{
	uint64_t align = info.dma_alignment, data = r.setup.data_offset;
	uint64_t border = 2 * MiB - data % (2 * MiB);	/* between two folios */

	both_at(0, block, 0);
	both_at(0, 4096, 1 * MiB);
	both_at(4096, 12288, 3 * MiB);
	both_at(align, block, 4 * MiB);
	both_at(512 + align, 16 * KiB, 5 * MiB);
	both_at(4096 - align, 4096, 6 * MiB);
	both_at(border - block, 2 * block, 7 * MiB);
	both_at(border - 4096 - align, 64 * KiB, 8 * MiB);
	both_at(8 * align, 128 * KiB - block, 9 * MiB);
}

/* Longer than a command, at the start and in the middle of a folio. */
static void splits(void)
{
	uint32_t max = info.max_transfer;

	CHECK(max >= 4096);
	if (max > 2 * MiB)
		max = 2 * MiB;
	both_at(0, max, 16 * MiB);
	both_at(0, max + block, 20 * MiB);
	both_at(4096, 2 * max + 3 * block, 24 * MiB);
	both_at(info.dma_alignment, 5 * MiB, 32 * MiB);
}

static void end_of_device(void)
{
	uint64_t size = info.device_size, blocks = size / block;
	const struct { uint64_t slba; uint32_t len; int want; } rows[] = {
		{ blocks - 1, block, (int)block }, { blocks - 1, 2 * block, -ERANGE },
		{ blocks, block, -ERANGE }, { blocks + 1, block, -ERANGE },
		{ ~0ULL, block, -ERANGE }, { ~0ULL / block + 1, block, -ERANGE },
		{ 0, block - 1, -EREMOTEIO }, { 0, block + 1, -EREMOTEIO }, { 0, 1, -EREMOTEIO },
	};

	both_at(0, 8 * block, size - 8 * block);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CHECK_RES(result(&r, desc_nvme(NVME_CMD_READ, 0, rows[i].len, rows[i].slba)), rows[i].want);
		CHECK_RES(result(&r, desc_nvme(NVME_CMD_WRITE, 0, rows[i].len, rows[i].slba)), rows[i].want);
	}
	if (info.dma_alignment > 1) {
		CHECK_RES(result(&r, desc_nvme(NVME_CMD_READ, 1, block, 0)), -EREMOTEIO);
		CHECK_RES(result(&r, desc_nvme(NVME_CMD_WRITE, 3, block, 0)), -EREMOTEIO);
	}
}

static void flushes(void)
{
	struct unified_completion c = run(&r, desc_nvme(NVME_CMD_FLUSH, 0, 0, 0));

	CHECK_RES(c.res, 0);
	CHECK_EQ(c.stage, UNIFIED_IO_STAGE_FLUSH);
	write_at(0, 16 * KiB, 48 * MiB, UNIFIED_IO_NVME_F_FUA);
	write_at(0, 16 * KiB, 49 * MiB, UNIFIED_IO_NVME_F_FLUSH);
	write_at(0, 16 * KiB, 50 * MiB, UNIFIED_IO_NVME_F_FUA | UNIFIED_IO_NVME_F_FLUSH);
}

static void check_info(const char *kind)
{
	CHECK_EQ(info.device_kind, strcmp(kind, "nvme") ? UNIFIED_IO_DEV_BLOCK : UNIFIED_IO_DEV_NVME);
	CHECK_EQ(info.lba_size, drive_block(path));
	CHECK_EQ(info.device_size, drive_size(path));
	CHECK(info.dma_alignment >= 1 && info.dma_alignment <= 4096);
	if (!strcmp(kind, "nvme"))
		CHECK_EQ(info.nsid, 1);
}

int main(int argc, char **argv)
{
	struct unified_io_setup setup = SETUP_DEFAULT;

	CHECK_EQ(argc, 3);
	path = argv[1];
	setup.region_size = 8 * MiB;
	if (!strcmp(argv[2], "bio"))
		setup.flags = UNIFIED_IO_SETUP_BLOCK_LAYER;
	region_setup(&r, path, setup);
	info = region_info(&r);
	block = info.lba_size;
	check_info(argv[2]);
	shapes();
	splits();
	end_of_device();
	flushes();
	CHECK_EQ(region_info(&r).stage[UNIFIED_IO_STAGE_READ].copied, 0);
	CHECK_EQ(region_info(&r).stage[UNIFIED_IO_STAGE_WRITE].copied, 0);
	region_close(&r);
	return 0;
}
