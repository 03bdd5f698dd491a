/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Packets in the data area become a capture without moving: the blocks of a pcapng file
 * (IETF draft draft-ietf-opsawg-pcapng), one behind the other. A section header and an
 * interface description come first, then packets, each with the bytes of its block around
 * it in memory, where AF_XDP leaves room. In the byte order of the machine, which the
 * section header tells.
 */
#ifndef UNIFIED_IO_PCAPNG_H
#define UNIFIED_IO_PCAPNG_H

#include <linux/types.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

#define UNIFIED_IO_PCAPNG_SECTION	0x0a0d0d0aU
#define UNIFIED_IO_PCAPNG_INTERFACE	1
#define UNIFIED_IO_PCAPNG_PACKET	6

#define UNIFIED_IO_PCAPNG_BYTE_ORDER	0x1a2b3c4dU
#define UNIFIED_IO_PCAPNG_ETHERNET	1

/* Each block begins with type and length and ends with the length, a multiple of 4 bytes. */
struct unified_io_pcapng_block {
	__u32 type;
	__u32 len;
};

struct unified_io_pcapng_head {
	struct unified_io_pcapng_block section;
	__u32 byte_order;
	__u16 major, minor;
	__u32 section_len[2];	/* all ones: not known */
	__u32 len;
	struct unified_io_pcapng_block interface;
	__u16 link_type, resv;
	__u32 snap_len;
	__u32 interface_len;
};

/* The packet follows, padded to a multiple of 4 bytes, and the length again. */
struct unified_io_pcapng_packet {
	struct unified_io_pcapng_block block;
	__u32 interface;
	__u32 us_high, us_low;	/* when, microseconds since 1970 */
	__u32 captured_len, len;
};

/* Bytes behind a packet that its block may take */
#define UNIFIED_IO_PCAPNG_TAIL	(3 + sizeof(__u32))

/** unified_io_pcapng_head - the first two blocks, for Ethernet */
static inline void unified_io_pcapng_head(struct unified_io_pcapng_head *head)
{
	const __u32 section_len = (__u32)offsetof(struct unified_io_pcapng_head, interface);

	memset(head, 0, sizeof(*head));
	head->section.type = UNIFIED_IO_PCAPNG_SECTION;
	head->section.len = section_len;
	head->byte_order = UNIFIED_IO_PCAPNG_BYTE_ORDER;
	head->major = 1;
	head->section_len[0] = ~0U;
	head->section_len[1] = ~0U;
	head->len = section_len;
	head->interface.type = UNIFIED_IO_PCAPNG_INTERFACE;
	head->interface.len = (__u32)sizeof(*head) - section_len;
	head->link_type = UNIFIED_IO_PCAPNG_ETHERNET;
	head->interface_len = head->interface.len;
}

/**
 * unified_io_pcapng_wrap - make a packet a block, by the bytes before and behind it
 * @packet: its first byte; sizeof(struct unified_io_pcapng_packet) bytes in front of it and
 *	%UNIFIED_IO_PCAPNG_TAIL behind it are the caller's
 * @len: of the packet
 *
 * Its time is now.
 * Return: the block's length; it begins in front of the packet.
 */
static inline __u32 unified_io_pcapng_wrap(unsigned char *packet, __u32 len)
{
	__u32 padded = (len + 3) & ~3U;
	struct unified_io_pcapng_packet head;
	__u32 block_len = (__u32)(sizeof(head) + padded + sizeof(block_len));
	struct timespec now;
	__u64 us;

	clock_gettime(CLOCK_REALTIME, &now);
	us = (__u64)now.tv_sec * 1000000 + (__u64)now.tv_nsec / 1000;
	memset(&head, 0, sizeof(head));
	head.block.type = UNIFIED_IO_PCAPNG_PACKET;
	head.block.len = block_len;
	head.us_high = (__u32)(us >> 32);
	head.us_low = (__u32)us;
	head.captured_len = len;
	head.len = len;
	memcpy(packet - sizeof(head), &head, sizeof(head));
	memset(packet + len, 0, padded - len);
	memcpy(packet + padded, &block_len, sizeof(block_len));
	return block_len;
}

#ifdef __cplusplus
}
#endif

#endif /* UNIFIED_IO_PCAPNG_H */
