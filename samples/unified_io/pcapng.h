/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What capture leaves on the drive: the blocks of a pcapng file (IETF draft
 * draft-ietf-opsawg-pcapng), one behind the other. A section header and an interface
 * description come first, then packets. Each write ends with a block of our own, which
 * fills it up to a whole logical block; readers of pcapng skip what they do not know.
 */
#ifndef PCAPNG_H
#define PCAPNG_H

#include <linux/types.h>

#define PCAPNG_SECTION		0x0a0d0d0aU
#define PCAPNG_INTERFACE	1
#define PCAPNG_PACKET		6
#define PCAPNG_WRITE_END	0x80756972U	/* local use: the highest bit is set */

/* Each block begins with type and length and ends with the length, a multiple of 4 bytes. */
struct pcapng_block {
	__u32 type;
	__u32 len;
};

struct pcapng_head {
	struct pcapng_block section;
	__u32 byte_order;
	__u16 major, minor;
	__u32 section_len[2];	/* all ones: not known */
	__u32 len;
	struct pcapng_block interface;
	__u16 link_type, resv;
	__u32 snap_len;
	__u32 interface_len;
};

/* The packet follows, padded to a multiple of 4 bytes, and the length again. */
struct pcapng_packet {
	struct pcapng_block block;
	__u32 interface;
	__u32 us_high, us_low;	/* when, microseconds since 1970 */
	__u32 captured_len, len;
};

/* Zeroes follow, and the length again. */
struct pcapng_write_end {
	struct pcapng_block block;
	__u32 capture_id[2];	/* random, the same in all of one capture: low, high */
	__u32 offset[2];	/* of the write, from the first */
};

/* The first two blocks, for Ethernet. */
void pcapng_head(struct pcapng_head *head);

/* Makes the packet a block, by the bytes before and behind it. Returns the block's length. */
__u32 pcapng_wrap(unsigned char *packet, __u32 len);

/* Length of the last block of a write of @len bytes, which makes it a multiple of @unit. */
__u32 pcapng_end_len(__u32 len, __u32 unit);
void pcapng_end(struct pcapng_write_end *end, __u32 len, __u64 capture_id, __u64 offset);

#endif /* PCAPNG_H */
