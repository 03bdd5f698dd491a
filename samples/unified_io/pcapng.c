// SPDX-License-Identifier: GPL-2.0
#include <stddef.h>
#include <string.h>
#include <time.h>

#include "pcapng.h"

#define BYTE_ORDER_MAGIC	0x1a2b3c4dU
#define LINK_TYPE_ETHERNET	1

void pcapng_head(struct pcapng_head *head)
{
	const __u32 section_len = offsetof(struct pcapng_head, interface);
	const __u32 interface_len = sizeof(*head) - section_len;

	*head = (struct pcapng_head){
		.section = { PCAPNG_SECTION, section_len },
		.byte_order = BYTE_ORDER_MAGIC,
		.major = 1,
		.section_len = { ~0U, ~0U },
		.len = section_len,
		.interface = { PCAPNG_INTERFACE, interface_len },
		.link_type = LINK_TYPE_ETHERNET,
		.interface_len = interface_len,
	};
}

__u32 pcapng_wrap(unsigned char *packet, __u32 len)
{
	struct pcapng_packet *head = (struct pcapng_packet *)packet - 1;
	__u32 padded = (len + 3) & ~3U, block_len = sizeof(*head) + padded + sizeof(block_len);
	struct timespec now;
	__u64 us;

	clock_gettime(CLOCK_REALTIME, &now);
	us = now.tv_sec * 1000000ULL + now.tv_nsec / 1000;
	*head = (struct pcapng_packet){
		.block = { PCAPNG_PACKET, block_len },
		.us_high = us >> 32,
		.us_low = us,
		.captured_len = len,
		.len = len,
	};
	memset(packet + len, 0, padded - len);
	memcpy(packet + padded, &block_len, sizeof(block_len));
	return block_len;
}

__u32 pcapng_end_len(__u32 len, __u32 unit)
{
	__u32 least = sizeof(struct pcapng_write_end) + sizeof(__u32);

	return least + (-(len + least) & (unit - 1));
}

void pcapng_end(struct pcapng_write_end *end, __u32 len, __u64 capture_id, __u64 offset)
{
	memset(end, 0, len);
	*end = (struct pcapng_write_end){
		.block = { PCAPNG_WRITE_END, len },
		.capture_id = { capture_id, capture_id >> 32 },
		.offset = { offset, offset >> 32 },
	};
	memcpy((char *)end + len - sizeof(len), &len, sizeof(len));
}
