// SPDX-License-Identifier: GPL-2.0
/*
 * Data in several ranges: what a program keeps, or a table names, the sinks gather.
 *
 * A range that a program keeps is taken over as it is where the drive can begin
 * a DMA segment there and a segment is worth it; otherwise its bytes move up to
 * the end of the one before, and are counted as moved. So a program need not
 * know the drive.
 *
 * What a sink asks for becomes a table of bio_vecs in the operation, for one
 * command or one message at a time. Ranges that a program keeps ascend and do not
 * overlap; those of a table need not.
 */
#include <linux/blkdev.h>
#include <linux/overflow.h>

#include "uior.h"

/* Below this, moving is cheaper than one more segment. */
#define UIOR_RANGE_MIN		512U

/**
 * uior_gather_limit - what the drive gathers
 * @dev: open
 *
 * A command is whole blocks. Every range but the last is at least a block, so a
 * block lies in three of them at most; each border of pages in it, too, takes
 * one vector more.
 */
void uior_gather_limit(struct uior_dev *dev)
{
	struct request_queue *q = bdev_get_queue(dev->bdev);
	u32 block = 1U << dev->lba_shift, worst = 4 + 2 * DIV_ROUND_UP(block, PAGE_SIZE);

	dev->max_vecs = min_t(u32, queue_max_segments(q), UIOR_MAX_VECS);
	dev->gathers = dev->max_vecs >= worst;
	dev->range_mask = queue_virt_boundary(q) | bdev_dma_alignment(dev->bdev);
	dev->range_min = max(block, UIOR_RANGE_MIN);
}

/* Can the data go on at @off though the range before ended elsewhere? */
static bool uior_may_gather(const struct uior_op *op, const struct uior_range *last,
			    u32 off, u32 len)
{
	const struct uior_dev *dev = &op->region->dev;
	u64 borders = uior_op_pos(op, last->off + last->len) | uior_op_pos(op, off);
	u32 least = min(last->len, len);

	if (op->nr_ranges == UIOR_MAX_RANGES || op->state & UIOR_OP_WHOLE)
		return false;
	if (op->todo & BIT(UNIFIED_IO_STAGE_WRITE))
		return dev->gathers && least >= dev->range_min && !(borders & dev->range_mask);
	/* Without a sink the process wants its data in one piece. */
	return op->todo & BIT(UNIFIED_IO_STAGE_SEND) && least >= UIOR_RANGE_MIN;
}

/* The data begin anew: at @off, or before it, where the drive can begin. */
static void uior_keep_first(struct uior_op *op, u32 off)
{
	u32 past = 0;

	if (op->todo & BIT(UNIFIED_IO_STAGE_WRITE))
		past = uior_op_pos(op, off) & bdev_dma_alignment(op->region->dev.bdev);
	op->ranges[0] = (struct uior_range) { .off = past <= off ? off - past : off };
	op->nr_ranges = 1;
	op->ctx.off = op->ranges[0].off;
	op->ctx.len = 0;
}

/**
 * uior_keep - the next bytes of the data
 * @op: in its BPF stage
 * @off: from the start of the buffer; not before the end of what was kept last
 * @len: bytes, inside the buffer
 *
 * Context: any. Return: 0 or -EINVAL for a range that does not ascend.
 */
int uior_keep(struct uior_op *op, u32 off, u32 len)
{
	void *buf = op->region->mem.vaddr + uior_op_pos(op, 0);
	struct uior_range *last;
	u32 end;

	if (!op->nr_ranges)
		uior_keep_first(op, off);
	last = &op->ranges[op->nr_ranges - 1];
	end = last->off + last->len;
	if (off < end)
		return -EINVAL;
	op->ctx.len += len;
	if (off != end && uior_may_gather(op, last, off, len)) {
		op->ranges[op->nr_ranges++] = (struct uior_range) { off, len };
		return 0;
	}
	if (off != end) {
		memmove(buf + end, buf + off, len);
		uior_op_moved(op, len);
	}
	last->len += len;
	return 0;
}

/* The process's memory: each field is read once. */
static int uior_table_read(const struct uior_op *op, const struct unified_net_iov *shared,
			   struct unified_net_iov *range)
{
	u64 end;

	range->addr = READ_ONCE(shared->addr);
	range->len = READ_ONCE(shared->len);
	if (READ_ONCE(shared->resv))
		return -EINVAL;
	if (!range->len)
		return -EMSGSIZE;
	if (check_add_overflow(range->addr, (u64)range->len, &end) || end > op->region->data_size)
		return -ERANGE;
	return 0;
}

/* The data go on with @range, whose offset is as wide as our ranges' for now. */
static int uior_table_add(struct uior_op *op, const struct unified_net_iov *range, u64 *base,
			  u64 *addrs)
{
	u32 nr = op->nr_ranges;

	if (range->len > UNIFIED_IO_MAX_LEN - op->ctx.len)
		return -EMSGSIZE;
	op->ctx.len += range->len;
	*base = min(*base, range->addr);
	if (nr && addrs[nr - 1] + op->ranges[nr - 1].len == range->addr) {
		op->ranges[nr - 1].len += range->len;
		return 0;
	}
	addrs[nr] = range->addr;
	op->ranges[nr].len = range->len;
	op->nr_ranges++;
	return 0;
}

/* Our ranges count from the start of the buffer: it begins at the lowest of them. */
static int uior_table_place(struct uior_op *op, u64 base, const u64 *addrs)
{
	u64 end = 0;
	u32 i;

	for (i = 0; i < op->nr_ranges; i++) {
		end = max(end, addrs[i] + op->ranges[i].len - base);
		op->ranges[i].off = addrs[i] - base;
	}
	if (end > U32_MAX)
		return -ERANGE;
	op->desc.addr = base;
	op->ctx.cap = end;
	op->ctx.off = op->ranges[0].off;
	return 0;
}

/**
 * uior_gather_table - the data are what the operation's buffer, a table, names
 * @op: its buffer is inside the data area; becomes the span of the ranges
 *
 * Context: process. Return: 0, -EINVAL, -EMSGSIZE or -ERANGE.
 */
int uior_gather_table(struct uior_op *op)
{
	const struct unified_net_iov *table = op->region->mem.vaddr + uior_op_pos(op, 0);
	u32 i, nr = op->desc.len / sizeof(*table);
	u64 addrs[UIOR_MAX_RANGES], base = U64_MAX;
	struct unified_net_iov range;
	int ret;

	if (op->desc.len % sizeof(*table) || op->desc.addr % sizeof(u64))
		return -EINVAL;
	if (nr > UIOR_MAX_RANGES)
		return -EMSGSIZE;
	op->ctx.len = 0;
	for (i = 0; i < nr; i++) {
		ret = uior_table_read(op, &table[i], &range) ?:
		      uior_table_add(op, &range, &base, addrs);
		if (ret)
			return ret;
	}
	return uior_table_place(op, base, addrs);
}

/* Can the drive take the ranges of a table one after the other? 0 or -EREMOTEIO. */
int uior_gather_fits(const struct uior_op *op)
{
	u64 borders = 0;
	u32 i;

	for (i = 1; i < op->nr_ranges; i++) {
		const struct uior_range *last = &op->ranges[i - 1];

		borders |= uior_op_pos(op, last->off + last->len);
		borders |= uior_op_pos(op, op->ranges[i].off);
	}
	return borders & op->region->dev.range_mask ? -EREMOTEIO : 0;
}

/* Append @len bytes of the buffer at @off, or as many as there is room for. */
static u32 uior_gather_range(struct uior_op *op, u32 off, u32 len, u32 max_vecs)
{
	const struct uior_mem *mem = &op->region->mem;
	u32 done = 0;

	while (done < len && op->nr_vecs < max_vecs) {
		const struct bio_vec *from;
		size_t skip;
		u32 part;

		from = mem->bvecs + uior_mem_bvec(mem, uior_op_pos(op, off + done), &skip);
		part = min_t(size_t, len - done, from->bv_len - skip);
		bvec_set_page(&op->vecs[op->nr_vecs++], from->bv_page, part, skip);
		done += part;
	}
	return done;
}

/**
 * uior_gather - fill the operation's table of vectors
 * @op: with ranges; nothing points to its table
 * @from: first byte, counted in the data
 * @len: bytes, not more than there are
 * @max_vecs: at most UIOR_MAX_VECS
 *
 * Context: any. Return: the bytes that @op->vecs holds, up to @len.
 */
u32 uior_gather(struct uior_op *op, u32 from, u32 len, u32 max_vecs)
{
	const struct uior_range *range = op->ranges;
	u32 done = 0;

	op->nr_vecs = 0;
	for (; from >= range->len; range++)
		from -= range->len;
	while (done < len && op->nr_vecs < max_vecs) {
		done += uior_gather_range(op, range->off + from,
					  min(len - done, range->len - from), max_vecs);
		from = 0;
		range++;
	}
	return done;
}
