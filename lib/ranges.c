// SPDX-License-Identifier: GPL-2.0
/*
 * A table of ranges that a drive can gather: each range but the first begins, and
 * each but the last ends, at a multiple of the drive's alignment. Bytes at which
 * that is not so go to the spare memory, from which they are written instead.
 */
#include "unified_io_zcrx.h"

void unified_io_ranges_init(struct unified_io_ranges *ranges, struct unified_io *io, __u64 addr,
			    __u32 len, __u32 align)
{
	__u32 table = (__u32)(UNIFIED_IO_RANGES_TABLE + align - 1) & ~(align - 1);

	*ranges = (struct unified_io_ranges){
		.io = io,
		.addr = addr,
		.spare = addr + table,
		.spare_len = len > table ? len - table : 0,
		.align = align,
	};
}

static struct unified_net_iov *table_of(const struct unified_io_ranges *ranges)
{
	return (struct unified_net_iov *)(ranges->io->data + ranges->addr);
}

/* The last entry of the table is for the padding. */
#define MAX_DATA	(UNIFIED_IO_RANGES_MAX - 1)

/* A range, or more of the last one. */
static bool append(struct unified_io_ranges *ranges, __u64 addr, __u32 len, __u32 max)
{
	struct unified_net_iov *table = table_of(ranges), *last = &table[ranges->nr - 1];

	if (ranges->nr && last->addr + last->len == addr) {
		last->len += len;
	} else {
		if (ranges->nr >= max)
			return false;
		table[ranges->nr++] = (struct unified_net_iov){ .addr = addr, .len = len };
	}
	ranges->len += len;
	return true;
}

static __u32 past(const struct unified_io_ranges *ranges, __u64 n)
{
	return (__u32)n & (ranges->align - 1);
}

static void *room(struct unified_io_ranges *ranges, __u32 len, __u32 max)
{
	/* A piece that begins anew begins aligned; one that goes on does so where it ended. */
	__u32 at = past(ranges, ranges->len) ? ranges->used : ranges->used + past(ranges, -ranges->used);

	if (at > ranges->spare_len || len > ranges->spare_len - at ||
	    !append(ranges, ranges->spare + at, len, max))
		return NULL;
	ranges->used = at + len;
	return ranges->io->data + ranges->spare + at;
}

void *unified_io_ranges_room(struct unified_io_ranges *ranges, __u32 len)
{
	return room(ranges, len, MAX_DATA);
}

static bool copy(struct unified_io_ranges *ranges, __u64 addr, __u32 len)
{
	void *to = len ? unified_io_ranges_room(ranges, len) : NULL;

	if (!to)
		return !len;
	memcpy(to, ranges->io->data + addr, len);
	ranges->copied += len;
	return true;
}

/* How much of it has to be copied before the rest can stay. */
static __u32 to_copy(const struct unified_io_ranges *ranges, __u64 addr, __u32 len)
{
	__u32 head = past(ranges, -ranges->len);

	return head >= len || past(ranges, addr + head) ? len : head;
}

int unified_io_ranges_add(struct unified_io_ranges *ranges, __u64 addr, __u32 len)
{
	struct unified_io_ranges before = *ranges;
	__u32 last = ranges->nr ? table_of(ranges)[ranges->nr - 1].len : 0;
	__u32 head = to_copy(ranges, addr, len), tail = past(ranges, len - head);

	if (copy(ranges, addr, head) &&
	    (head + tail == len || append(ranges, addr + head, len - head - tail, MAX_DATA)) &&
	    (head == len || copy(ranges, addr + len - tail, tail)))
		return 0;
	*ranges = before;
	if (ranges->nr)
		table_of(ranges)[ranges->nr - 1].len = last;
	return -ENOSPC;
}

int unified_io_ranges_pad(struct unified_io_ranges *ranges, __u32 block)
{
	__u32 len = -ranges->len & (block - 1);
	void *to = len ? room(ranges, len, UNIFIED_IO_RANGES_MAX) : NULL;

	if (!to)
		return len ? -ENOSPC : 0;
	memset(to, 0, len);
	return 0;
}
