// SPDX-License-Identifier: GPL-2.0
/*
 * Any block device: one bio, which the block layer splits as the device needs.
 */
#include <linux/blkdev.h>

#include "uior.h"

static void uior_blk_end(struct bio *bio)
{
	uior_dev_done(container_of(bio, struct uior_op, bio), bio->bi_status);
}

/**
 * uior_blk_submit - send the operation's bio
 * @op: its bio describes the memory
 * @opcode: NVME_CMD_READ, _WRITE or _FLUSH
 * @lba: first logical block
 * @len: bytes, whole blocks
 * @wait: sleep for a tag; a device that cannot do without, a virtual one perhaps,
 *	always does
 *
 * Context: process, may sleep. Return: 0: uior_dev_done() will be called, perhaps with
 * BLK_STS_AGAIN.
 */
int uior_blk_submit(struct uior_op *op, u8 opcode, u64 lba, u32 len, bool wait)
{
	struct bio *bio = &op->bio;

	bio->bi_iter.bi_sector = lba << (op->region->dev.lba_shift - SECTOR_SHIFT);
	if (opcode == NVME_CMD_WRITE && op->desc.nvme.flags & UNIFIED_IO_NVME_F_FUA)
		bio->bi_opf |= REQ_FUA;
	if (!wait && bdev_nowait(bio->bi_bdev))
		bio->bi_opf |= REQ_NOWAIT;
	bio->bi_end_io = uior_blk_end;
	submit_bio(bio);
	return 0;
}
