// SPDX-License-Identifier: GPL-2.0
/*
 * READ, WRITE and FLUSH on the region's drive: the same checks for NVMe
 * passthrough (nvme.c) and every other block device (blk.c).
 *
 * An operation longer than one command of the device goes out command after
 * command; the bio is part of the operation and points into the region's table
 * of pages, so nothing is allocated here but the block layer's request.
 */
#include <linux/blk-integrity.h>
#include <linux/blkdev.h>
#include <linux/file.h>
#include <linux/nvme.h>

#include "uior.h"

/* A read or write command counts its blocks in 16 bits (NVM Command Set Specification, 3.2.4). */
#define UIOR_NVME_MAX_BLOCKS	65536ULL

/**
 * uior_dev_limit - how long may one command be?
 * @dev: open
 * @mem: the region's pages
 *
 * The block layer splits bios by itself; a passthrough command has to fit.
 */
void uior_dev_limit(struct uior_dev *dev, const struct uior_mem *mem)
{
	u64 segment = mem->nr_huge == mem->nr_bvecs ? PMD_SIZE : PAGE_SIZE, max;
	struct request_queue *q;

	if (dev->bdev)
		uior_gather_limit(dev);
	dev->max_bytes = UNIFIED_IO_MAX_LEN;
	if (dev->kind != UNIFIED_IO_DEV_NVME)
		return;
	q = bdev_get_queue(dev->bdev);
	max = min((u64)queue_max_hw_sectors(q) << SECTOR_SHIFT,
		  UIOR_NVME_MAX_BLOCKS << dev->lba_shift);
	/* A run of bytes that begins and ends inside a page takes one segment more. */
	max = min3(max, (max_t(u64, queue_max_segments(q), 2) - 1) * segment,
		   (u64)UNIFIED_IO_MAX_LEN);
	dev->max_bytes = round_down(max, 1U << dev->lba_shift);
}

/**
 * uior_dev_open - take the drive that @fd stands for
 * @dev: zeroed
 * @fd: block device, or -1 for none
 * @block_layer: bio even for NVMe
 *
 * Context: process, may sleep. Return: 0, -EBADF or -ENOTBLK.
 */
int uior_dev_open(struct uior_dev *dev, int fd, bool block_layer)
{
	struct file *file;

	if (fd == -1)
		return 0;
	file = fget(fd);
	if (!file)
		return -EBADF;
	dev->file = file;
	if (!S_ISBLK(file_inode(file)->i_mode))
		return -ENOTBLK;
	dev->bdev = I_BDEV(file->f_mapping->host);
	dev->lba_shift = ilog2(bdev_logical_block_size(dev->bdev));
	dev->nsid = uior_nvme_nsid(dev->bdev);
	dev->kind = dev->nsid && !block_layer && uior_nvme_usable(dev->bdev) ?
		    UNIFIED_IO_DEV_NVME : UNIFIED_IO_DEV_BLOCK;
	if (!dev->nsid)
		dev->nsid = 1;
	return 0;
}

void uior_dev_close(struct uior_dev *dev)
{
	if (dev->file)
		fput(dev->file);
	dev->file = NULL;
	dev->bdev = NULL;
}

/* A drive that is being pulled out loses its size first, then fails everything. */
static bool uior_dev_alive(const struct uior_dev *dev)
{
	return bdev_nr_sectors(dev->bdev) && !test_bit(GD_DEAD, &dev->bdev->bd_disk->state);
}

/* Rights follow the file. */
int uior_dev_may(const struct uior_dev *dev, bool write)
{
	if (!(dev->file->f_mode & (write ? FMODE_WRITE : FMODE_READ)))
		return -EBADF;
	if (write && bdev_read_only(dev->bdev))
		return -EROFS;
	return 0;
}

/* Can these bytes of the operation's buffer go to or come from these blocks? */
int uior_dev_check(const struct uior_op *op, u32 off, u32 len, u64 lba)
{
	const struct uior_dev *dev = &op->region->dev;
	u64 blocks = bdev_nr_sectors(dev->bdev) >> (dev->lba_shift - SECTOR_SHIFT);

	if (!IS_ALIGNED(len, 1U << dev->lba_shift) ||
	    uior_op_pos(op, off) & bdev_dma_alignment(dev->bdev))
		return -EREMOTEIO;
	if (!blocks)
		return -ENODEV;
	if (lba > blocks || len >> dev->lba_shift > blocks - lba)
		return -ERANGE;
	return 0;
}

/* The block layer's errors by the names of the uapi header. */
static int uior_dev_errno(const struct uior_dev *dev, int err)
{
	if (!uior_dev_alive(dev))
		return -ENODEV;
	return err == -ENODEV || err == -ENOMEM || err == -EOPNOTSUPP ? err : -EIO;
}

static int uior_dev_submit(struct uior_op *op, u8 opcode, u64 lba, u32 len, bool wait)
{
	const struct uior_dev *dev = &op->region->dev;
	int ret;

	if (!uior_dev_alive(dev))
		return -ENODEV;
	if (dev->kind == UNIFIED_IO_DEV_NVME)
		ret = uior_nvme_submit(op, opcode, lba, len, wait);
	else
		ret = uior_blk_submit(op, opcode, lba, len, wait);
	return ret && ret != -EAGAIN ? uior_dev_errno(dev, ret) : ret;
}

/* Our vectors, as of a cloned bio: they belong to somebody else, who keeps them. */
static void uior_bio_vecs(struct bio *bio, struct bio_vec *vecs, u32 nr, u32 skip, u32 len)
{
	bio->bi_io_vec = vecs;
	bio->bi_vcnt = nr;
	bio->bi_iter.bi_size = skip + len;
	bvec_iter_advance(vecs, &bio->bi_iter, skip);
	bio_set_flag(bio, BIO_CLONED);
}

/* Point the operation's bio at its data from @from on: up to @len bytes of them, whole blocks. */
static u32 uior_dev_bio(struct uior_op *op, u8 opcode, u32 from, u32 len)
{
	static const blk_opf_t opf[] = {
		[nvme_cmd_flush] = REQ_OP_WRITE | REQ_PREFLUSH,
		[nvme_cmd_write] = REQ_OP_WRITE | REQ_SYNC | REQ_IDLE,
		[nvme_cmd_read] = REQ_OP_READ,
	};
	const struct uior_dev *dev = &op->region->dev;
	struct uior_mem *mem = &op->region->mem;
	struct bio *bio = &op->bio;
	unsigned int first;
	size_t skip;

	bio_init(bio, dev->bdev, NULL, 0, opf[opcode]);
	if (!len)
		return 0;
	if (uior_gathered(op)) {
		op->nr_vecs = 0;
		len = uior_gather(op, op, from, len, dev->max_vecs);
		len = round_down(len, 1U << dev->lba_shift);
		uior_bio_vecs(bio, op->vecs, op->nr_vecs, 0, len);
	} else {
		first = uior_mem_bvec(mem, uior_op_pos(op, op->ctx.off + from), &skip);
		uior_bio_vecs(bio, mem->bvecs + first, mem->nr_bvecs - first, skip, len);
	}
	return len;
}

/*
 * There is no tag, or the queue is frozen. A worker sleeps until that is otherwise: a runner
 * would hold up all that has nothing to do with the drive. Any context.
 */
static void uior_dev_defer(struct uior_op *op)
{
	struct uior_region *region = op->region;

	guard(rcu)();	/* keeps the region, of which this may be the last operation */
	atomic_inc(&region->nr_deferred);
	if (llist_add(&op->task.node, &region->deferred))
		queue_work(uior_wq, &region->deferred_work);
}

/* One command: the next part of the operation. @wait: may sleep for a tag. */
static int uior_dev_next(struct uior_op *op, u8 opcode, bool wait)
{
	u32 len = min(op->io_len - op->io_done, op->region->dev.max_bytes);
	u64 lba = op->ctx.lba + (op->io_done >> op->region->dev.lba_shift);
	int ret;

	/* Whoever waits already is before it. */
	if (!wait && atomic_read(&op->region->nr_deferred)) {
		uior_dev_defer(op);
		return -EIOCBQUEUED;
	}
	op->io_now = uior_dev_bio(op, opcode, op->io_done, len);
	/* A block that takes too many vectors cannot be, see uior_gather_limit(); nor be lost. */
	ret = len && !op->io_now ? -EREMOTEIO : uior_dev_submit(op, opcode, lba, op->io_now, wait);
	if (!ret)
		return -EIOCBQUEUED;
	bio_uninit(&op->bio);
	if (ret != -EAGAIN)
		return ret;
	uior_dev_defer(op);
	return -EIOCBQUEUED;
}

/* The region's deferred_work. */
void uior_dev_deferred(struct work_struct *work)
{
	static const u8 opcodes[] = {
		[UNIFIED_IO_STAGE_READ] = NVME_CMD_READ,
		[UNIFIED_IO_STAGE_WRITE] = NVME_CMD_WRITE,
		[UNIFIED_IO_STAGE_FLUSH] = NVME_CMD_FLUSH,
	};
	struct uior_region *region = container_of(work, struct uior_region, deferred_work);
	struct llist_node *list = llist_reverse_order(llist_del_all(&region->deferred));
	struct uior_op *op, *next;

	llist_for_each_entry_safe(op, next, list, task.node) {
		int ret = uior_dev_next(op, opcodes[op->cqe.stage], true);

		if (ret != -EIOCBQUEUED) {
			op->result = ret;
			uior_op_resume(&op, 1);
		}
		atomic_dec(&region->nr_deferred);
	}
}

/**
 * uior_dev_done - a command of the operation has ended
 * @op: the operation
 * @status: of the block layer
 *
 * Context: any, hard interrupt included.
 */
void uior_dev_done(struct uior_op *op, blk_status_t status)
{
	struct uior_dev *dev = &op->region->dev;

	bio_uninit(&op->bio);
	/* No tag; or the bio has to be split, which takes more than one. */
	if (status == BLK_STS_AGAIN && op->bio.bi_opf & REQ_NOWAIT) {
		uior_dev_defer(op);
		return;
	}
	if (!status && op->cqe.stage != UNIFIED_IO_STAGE_FLUSH) {
		op->io_done += op->io_now;
		if (op->io_done < op->io_len) {
			uior_op_again(op);
			return;
		}
	}
	op->result = status ? uior_dev_errno(dev, blk_status_to_errno(status)) : op->io_done;
	uior_op_resume(&op, 1);
}

/**
 * uior_read - the READ stage: a source, or a dependent read that BPF asked for
 * @op: ctx.lba tells where
 */
int uior_read(struct uior_op *op)
{
	if (!op->io_done) {
		int ret;

		op->ctx.off = 0;
		op->ctx.len = op->ctx.cap;
		op->nr_ranges = 0;
		op->cqe.slba = op->ctx.lba;
		ret = uior_dev_check(op, 0, op->ctx.cap, op->ctx.lba);
		if (ret)
			return ret;
		op->io_len = op->ctx.cap;
	}
	return uior_dev_next(op, NVME_CMD_READ, false);
}

/* Zero the rest of the last block; it has to be inside the buffer. */
static int uior_write_pad(struct uior_op *op, u32 *len)
{
	u32 pad = -*len & ((1U << op->region->dev.lba_shift) - 1);
	struct uior_range *last = &op->ranges[op->nr_ranges - 1];
	u32 end = last->off + last->len;

	if (!pad || !(op->desc.flags & UNIFIED_IO_DESC_F_PAD))
		return 0;
	if (pad > op->ctx.cap - end)
		return -ERANGE;
	uior_buf_zero(op, end, pad);
	last->len += pad;
	*len += pad;
	return 0;
}

static int uior_write_begin(struct uior_op *op)
{
	u32 len = op->ctx.len;
	int ret;

	uior_gather_begin(op);
	ret = uior_write_pad(op, &len);
	if (!ret)
		ret = uior_dev_check(op, op->ctx.off, len, op->ctx.lba) ?: uior_gather_fits(op);
	if (ret)
		return ret;
	op->io_len = len;
	op->io_done = 0;
	op->cqe.slba = op->ctx.lba;
	/* Arrivals pass here one after the other, in the flow of their socket. */
	if (op->parent)
		op->parent->next_lba = op->ctx.lba + (len >> op->region->dev.lba_shift);
	return 0;
}

/**
 * uior_write - the WRITE stage: the data to ctx.lba
 * @op: a whole number of blocks, or padded to one
 */
int uior_write(struct uior_op *op)
{
	if (!op->io_done) {
		int ret = uior_write_begin(op);

		if (ret || !op->io_len)
			return ret;
	}
	return uior_dev_next(op, NVME_CMD_WRITE, false);
}

/** uior_flush - the FLUSH stage: what was written before is stable after it */
int uior_flush(struct uior_op *op)
{
	op->io_len = 0;
	op->io_done = 0;
	return uior_dev_next(op, NVME_CMD_FLUSH, false);
}
