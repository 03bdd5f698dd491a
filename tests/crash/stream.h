/* SPDX-License-Identifier: GPL-2.0 */
/* The bytes of a stream: they follow from its log_id. */
#ifndef STREAM_H
#define STREAM_H

#include <stddef.h>
#include <stdint.h>

/* splitmix64's finalizer: no two words of a stream, and no two streams, look alike. */
static inline uint64_t stream_word(uint64_t log_id, uint64_t index)
{
	uint64_t x = (log_id + index) * 0x9e3779b97f4a7c15 ^ log_id << 32;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

static inline void stream_fill(uint8_t *buf, size_t len, uint64_t log_id, uint64_t offset)
{
	const uint8_t *end = buf + len;

	while (buf < end) {
		uint64_t word = stream_word(log_id, offset / 8) >> offset % 8 * 8;

		do {
			*buf++ = word;
			word >>= 8;
		} while (++offset % 8 && buf < end);
	}
}

#endif /* STREAM_H */
