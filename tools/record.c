// SPDX-License-Identifier: GPL-2.0
/* Is this the next record of the log? In order of what it tells if it is not. */
#include <string.h>

#include "record.h"

static uint32_t crc_table[8][256];

static void crc_init(void)
{
	uint32_t crc, i, k;

	for (i = 0; i < 256; i++) {
		for (crc = i, k = 0; k < 8; k++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
		crc_table[0][i] = crc;
	}
	for (i = 0; i < 256; i++)
		for (k = 1; k < 8; k++)
			crc_table[k][i] = crc_table[k - 1][i] >> 8 ^
					  crc_table[0][crc_table[k - 1][i] & 0xff];
}

/* Eight bytes at a time, each through a table of its own. */
uint32_t crc32c(uint32_t crc, const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t word;
	int k;

	if (!crc_table[0][1])
		crc_init();
	crc = ~crc;
	for (; len >= 8; len -= 8, p += 8) {
		memcpy(&word, p, 8);
		word = le64toh(word) ^ crc;
		for (crc = 0, k = 0; k < 8; k++)
			crc ^= crc_table[7 - k][word >> 8 * k & 0xff];
	}
	while (len--)
		crc = crc >> 8 ^ crc_table[0][(crc ^ *p++) & 0xff];
	return ~crc;
}

const char *record_check_header(const struct log_cursor *cursor,
				const struct unified_io_log_header *header)
{
	uint32_t size = le32toh(header->size), len = le32toh(header->len);

	if (le32toh(header->magic) != UNIFIED_IO_LOG_MAGIC)
		return "nothing was written here (no magic)";
	if (le16toh(header->version) != UNIFIED_IO_LOG_VERSION)
		return "a version that this program does not know";
	if (le16toh(header->header_size) != sizeof(*header) || size > UNIFIED_IO_LOG_MAX ||
	    size < sizeof(*header) || len > size - sizeof(*header))
		return "torn (sizes in the header do not agree)";
	if (!cursor->any && le64toh(header->log_id) != cursor->log_id)
		return "stale, of another log (log_id)";
	if (le64toh(header->seq) != cursor->seq || le64toh(header->offset) != cursor->offset)
		return "stale or out of order (seq, offset)";
	return NULL;
}

const char *record_check_data(const struct unified_io_log_header *header)
{
	uint32_t crc = crc32c(0, header, UNIFIED_IO_LOG_CRC_LEN);

	crc = crc32c(crc, header + 1, le32toh(header->len));
	return crc == le32toh(header->crc) ? NULL : "torn or damaged (checksum)";
}

void record_advance(struct log_cursor *cursor, const struct unified_io_log_header *header)
{
	cursor->any = false;
	cursor->log_id = le64toh(header->log_id);
	cursor->seq++;
	cursor->offset += le32toh(header->len);
	cursor->source = le64toh(header->source);
	cursor->at += le32toh(header->size);
}

void record_make(struct unified_io_log_header *header, const struct log_cursor *cursor,
		 uint32_t len, uint32_t size, uint32_t flags)
{
	*header = (struct unified_io_log_header) {
		.magic = htole32(UNIFIED_IO_LOG_MAGIC),
		.version = htole16(UNIFIED_IO_LOG_VERSION),
		.header_size = htole16(sizeof(*header)),
		.log_id = htole64(cursor->log_id),
		.seq = htole64(cursor->seq),
		.offset = htole64(cursor->offset),
		.source = htole64(cursor->source),
		.len = htole32(len),
		.size = htole32(size),
		.flags = htole32(flags),
	};
	header->crc = htole32(crc32c(0, header, UNIFIED_IO_LOG_CRC_LEN));
}
