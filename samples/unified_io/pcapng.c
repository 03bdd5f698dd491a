// SPDX-License-Identifier: GPL-2.0
#include "pcapng.h"

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
