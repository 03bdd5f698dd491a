/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What capture leaves on the drive: the blocks of a pcapng file, one behind the other. Each
 * write ends with a block of our own, which fills it up to a whole logical block; readers
 * of pcapng skip what they do not know.
 */
#ifndef PCAPNG_H
#define PCAPNG_H

#include <unified_io_pcapng.h>

#define PCAPNG_WRITE_END	0x80756972U	/* local use: the highest bit is set */

/* Zeroes follow, and the length again. */
struct pcapng_write_end {
	struct unified_io_pcapng_block block;
	__u32 capture_id[2];	/* random, the same in all of one capture: low, high */
	__u32 offset[2];	/* of the write, from the first */
};

/* Length of the last block of a write of @len bytes, which makes it a multiple of @unit. */
__u32 pcapng_end_len(__u32 len, __u32 unit);
void pcapng_end(struct pcapng_write_end *end, __u32 len, __u64 capture_id, __u64 offset);

#endif /* PCAPNG_H */
