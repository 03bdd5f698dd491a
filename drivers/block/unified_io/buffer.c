// SPDX-License-Identifier: GPL-2.0
/*
 * The buffer of an operation, and where its bytes are in the region.
 *
 * Concept: every stage and every program counts in offsets from the start of the
 * buffer. The buffer is one piece of the data area, or the ranges that a table
 * named (UNIFIED_IO_DESC_F_RANGES), one after the other: then the operation has
 * extents. The table is read once; extents are the kernel's own and constant.
 *
 * Ranges may overlap. Bytes that are in two of them are the same bytes: what is
 * written to one shows in the other.
 */
#include <linux/overflow.h>

#include "uior.h"

/* What is read of a table: the addresses of the extents, and what they span. */
struct uior_table {
	u64 addrs[UIOR_MAX_RANGES];
	u64 base;
	u64 end;
};

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

/* The buffer goes on with @range; neighbours are one extent. */
static int uior_table_add(struct uior_op *op, struct uior_table *table,
			  const struct unified_net_iov *range)
{
	u32 nr = op->nr_extents, start = op->ctx.len;

	if (range->len > UNIFIED_IO_MAX_LEN - start)
		return -EMSGSIZE;
	op->ctx.len += range->len;
	table->base = min(table->base, range->addr);
	table->end = max(table->end, range->addr + range->len);
	if (nr && table->addrs[nr - 1] + start - op->extents[nr - 1].start == range->addr)
		return 0;
	table->addrs[nr] = range->addr;
	op->extents[nr].start = start;
	op->nr_extents++;
	return 0;
}

/* Extents count from the lowest of them, so that they need no more than 32 bits. */
static int uior_table_place(struct uior_op *op, const struct uior_table *table)
{
	u32 i;

	if (table->end - table->base > U32_MAX)
		return -ERANGE;
	for (i = 0; i < op->nr_extents; i++)
		op->extents[i].off = table->addrs[i] - table->base;
	op->desc.addr = table->base;
	op->ctx.cap = op->ctx.len;
	if (op->nr_extents == 1)
		op->nr_extents = 0;
	return 0;
}

/**
 * uior_buf_table - the operation's buffer is what its buffer, a table, names
 * @op: its buffer is inside the data area
 *
 * Context: process. Return: 0, -EINVAL, -EMSGSIZE or -ERANGE.
 */
int uior_buf_table(struct uior_op *op)
{
	const struct unified_net_iov *shared = op->region->mem.vaddr + uior_op_pos(op, 0);
	u32 i, nr = op->desc.len / sizeof(*shared);
	struct uior_table table = { .base = U64_MAX };
	struct unified_net_iov range;
	int ret;

	if (op->desc.len % sizeof(*shared) || op->desc.addr % sizeof(u64))
		return -EINVAL;
	if (nr > UIOR_MAX_RANGES)
		return -EMSGSIZE;
	op->ctx.len = 0;
	for (i = 0; i < nr; i++) {
		ret = uior_table_read(op, &shared[i], &range) ?:
		      uior_table_add(op, &table, &range);
		if (ret)
			return ret;
	}
	return uior_table_place(op, &table);
}

/* Which extent a byte is in; the end of the buffer is that of the last. */
static u32 uior_buf_extent(const struct uior_op *op, u32 off)
{
	u32 low = 0, high = op->nr_extents;

	while (high - low > 1) {
		u32 mid = (low + high) / 2;

		if (op->extents[mid].start <= off)
			low = mid;
		else
			high = mid;
	}
	return low;
}

/* Offset in the buffer of the piece that has the byte at @off. */
u32 uior_buf_start(const struct uior_op *op, u32 off)
{
	return op->nr_extents ? op->extents[uior_buf_extent(op, off)].start : 0;
}

/* How far behind desc.addr a byte of a buffer in pieces is. */
u32 uior_buf_off(const struct uior_op *op, u32 off)
{
	const struct uior_extent *in = &op->extents[uior_buf_extent(op, off)];

	return in->off + (off - in->start);
}

/**
 * uior_buf_run - how far memory goes on
 * @op: the operation
 * @off: in its buffer, or at its end
 *
 * Return: bytes from @off to the end of the piece that it is in. Context: any.
 */
u32 uior_buf_run(const struct uior_op *op, u32 off)
{
	u32 next = op->nr_extents ? uior_buf_extent(op, off) + 1 : 0;

	return (next < op->nr_extents ? op->extents[next].start : op->ctx.cap) - off;
}

/**
 * uior_buf_part - bytes that can be had by one pointer
 * @op: the operation
 * @off: first byte, in the buffer
 * @len: bytes of the buffer
 * @part: out: how many of them
 *
 * Context: any.
 */
u8 *uior_buf_part(const struct uior_op *op, u32 off, u32 len, u32 *part)
{
	*part = min(len, uior_buf_run(op, off));
	return op->region->mem.vaddr + uior_op_pos(op, off);
}

/* Copy bytes out of the buffer. @to may be in it: a program has pointers to it. */
void uior_buf_load(const struct uior_op *op, u32 off, void *to, u32 len)
{
	u32 part;

	for (; len; off += part, to += part, len -= part) {
		const u8 *from = uior_buf_part(op, off, len, &part);

		memmove(to, from, part);
	}
}

/* Copy bytes into it; @from may be in it. */
void uior_buf_store(const struct uior_op *op, u32 off, const void *from, u32 len)
{
	u32 part;

	for (; len; off += part, from += part, len -= part) {
		u8 *to = uior_buf_part(op, off, len, &part);

		memmove(to, from, part);
	}
}

void uior_buf_zero(const struct uior_op *op, u32 off, u32 len)
{
	u32 part;

	for (; len; off += part, len -= part) {
		u8 *to = uior_buf_part(op, off, len, &part);

		memset(to, 0, part);
	}
}

static void uior_buf_move_down(const struct uior_op *op, u32 dst, u32 src, u32 len)
{
	u32 part;

	for (; len; dst += part, src += part, len -= part) {
		u8 *to = uior_buf_part(op, dst, len, &part);
		const u8 *from = uior_buf_part(op, src, part, &part);

		memmove(to, from, part);
	}
}

/* From the end of the bytes on, which are not yet to be overwritten. */
static void uior_buf_move_up(const struct uior_op *op, u32 dst, u32 src, u32 len)
{
	while (len) {
		u32 to = dst + len, from = src + len;
		u32 part = min3(len, to - uior_buf_start(op, to - 1),
				from - uior_buf_start(op, from - 1));

		len -= part;
		memmove(op->region->mem.vaddr + uior_op_pos(op, to - part),
			op->region->mem.vaddr + uior_op_pos(op, from - part), part);
	}
}

/**
 * uior_buf_move - memmove() inside the buffer
 * @op: the operation
 * @dst: offset to move to
 * @src: offset to move from
 * @len: bytes; both are inside the buffer
 *
 * Context: any.
 */
void uior_buf_move(const struct uior_op *op, u32 dst, u32 src, u32 len)
{
	if (dst <= src)
		uior_buf_move_down(op, dst, src, len);
	else
		uior_buf_move_up(op, dst, src, len);
}
