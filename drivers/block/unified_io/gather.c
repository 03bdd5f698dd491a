// SPDX-License-Identifier: GPL-2.0
/*
 * Data in several pieces: what a program keeps of the buffer, and a buffer that is
 * itself in several pieces (buffer.c). The sinks gather them.
 *
 * A range that a program keeps is taken over as it is where the drive can begin
 * a DMA segment there and a segment is worth it; otherwise its bytes move up to
 * the end of the one before, and are counted as moved. So a program need not
 * know the drive.
 *
 * Ranges that a program keeps ascend in the buffer and do not overlap. Where a
 * range goes from one piece of the buffer to the next the data are divided, too, and
 * nothing is done about a drive that cannot take them so: it is refused.
 *
 * What a sink asks for becomes a table of bio_vecs in the operation, for one
 * command or one message at a time.
 */
#include <linux/blkdev.h>

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

/* Offset in the region of where a range ends, which is not where the next byte of the buffer is. */
static u64 uior_range_end(const struct uior_op *op, const struct uior_range *range)
{
	return uior_op_pos(op, range->off + range->len - 1) + 1;
}

/* Can the data go on at @off though the range before ended elsewhere? */
static bool uior_may_gather(const struct uior_op *op, const struct uior_range *last,
			    u32 off, u32 len)
{
	const struct uior_dev *dev = &op->region->dev;
	u32 least = min(last->len, len);

	if (op->nr_ranges == UIOR_MAX_RANGES || op->state & UIOR_OP_WHOLE)
		return false;
	if (op->todo & BIT(UNIFIED_IO_STAGE_WRITE))
		return dev->gathers && least >= dev->range_min &&
		       !((uior_range_end(op, last) | uior_op_pos(op, off)) & dev->range_mask);
	/* Without a sink the process wants its data in one piece. */
	return op->todo & BIT(UNIFIED_IO_STAGE_SEND) && least >= UIOR_RANGE_MIN;
}

/* The data begin anew: at @off, or before it, where the drive can begin. */
static void uior_keep_first(struct uior_op *op, u32 off)
{
	u32 past = 0;

	if (op->todo & BIT(UNIFIED_IO_STAGE_WRITE))
		past = uior_op_pos(op, off) & bdev_dma_alignment(op->region->dev.bdev);
	if (past > off - uior_buf_start(op, off))
		past = 0;
	op->ranges[0] = (struct uior_range) { .off = off - past };
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
		uior_buf_move(op, end, off, len);
		uior_op_moved(op, len);
	}
	last->len += len;
	return 0;
}

/* The data are ranges, also where the program kept none. For sinks: a program may yet keep. */
void uior_gather_begin(struct uior_op *op)
{
	if (op->nr_ranges)
		return;
	op->ranges[0] = (struct uior_range) { op->ctx.off, op->ctx.len };
	op->nr_ranges = 1;
}

/* Where the pieces of @range begin and end, all bits in one; @end: of the piece before, if any. */
static u64 uior_range_borders(const struct uior_op *op, const struct uior_range *range, u64 *end)
{
	u32 off = range->off, left = range->len, part;
	u64 borders = 0;

	for (; left; off += part, left -= part) {
		u64 pos = uior_op_pos(op, off);

		part = min(left, uior_buf_run(op, off));
		if (*end)
			borders |= *end | pos;
		*end = pos + part;
	}
	return borders;
}

/* Can the drive take the pieces of the data one after the other? 0 or -EREMOTEIO. */
int uior_gather_fits(const struct uior_op *op)
{
	u64 borders = 0, end = 0;
	u32 i;

	/* What was kept of a buffer in one piece was chosen to fit. */
	if (!op->nr_extents)
		return 0;
	for (i = 0; i < op->nr_ranges; i++)
		borders |= uior_range_borders(op, &op->ranges[i], &end);
	return borders & op->region->dev.range_mask ? -EREMOTEIO : 0;
}

/**
 * uior_gather_span - append a span of the buffer to a table of vectors
 * @to: whose table; nothing points to it. Its nr_vecs tells how much is in it.
 * @op: whose buffer
 * @off: first byte, in the buffer
 * @len: bytes
 * @max_vecs: at most UIOR_MAX_VECS
 *
 * Context: any. Return: the bytes that there was room for, up to @len.
 */
u32 uior_gather_span(struct uior_op *to, const struct uior_op *op, u32 off, u32 len, u32 max_vecs)
{
	const struct uior_mem *mem = &op->region->mem;
	u32 done = 0;

	while (done < len && to->nr_vecs < max_vecs) {
		u32 part = min(len - done, uior_buf_run(op, off + done));
		const struct bio_vec *from;
		size_t skip;

		from = mem->bvecs + uior_mem_bvec(mem, uior_op_pos(op, off + done), &skip);
		part = min_t(size_t, part, from->bv_len - skip);
		bvec_set_page(&to->vecs[to->nr_vecs++], from->bv_page, part, skip);
		done += part;
	}
	return done;
}

/**
 * uior_gather - append data to a table of vectors
 * @to: whose table; nothing points to it. Its nr_vecs tells how much is in it.
 * @op: whose data; with ranges
 * @from: first byte, counted in the data
 * @len: bytes, not more than there are
 * @max_vecs: at most UIOR_MAX_VECS
 *
 * Context: any. Return: the bytes that there was room for, up to @len.
 */
u32 uior_gather(struct uior_op *to, const struct uior_op *op, u32 from, u32 len, u32 max_vecs)
{
	const struct uior_range *range = op->ranges;
	u32 done = 0;

	for (; from && from >= range->len; range++)
		from -= range->len;
	while (done < len && to->nr_vecs < max_vecs) {
		done += uior_gather_span(to, op, range->off + from,
					 min(len - done, range->len - from), max_vecs);
		from = 0;
		range++;
	}
	return done;
}
