/* SPDX-License-Identifier: GPL-2.0 */
/* Reading the records of <unified_io_log.h>, and making them. */
#ifndef RECORD_H
#define RECORD_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "unified_io_log.h"

/* What the next record must be. Begin with { .any = true }. */
struct log_cursor {
	bool any;		/* no record seen so far: any log will do */
	uint64_t log_id;
	uint64_t seq;
	uint64_t offset;
	uint64_t source;
	uint64_t at;		/* on the drive, bytes from the log's start */
};

uint32_t crc32c(uint32_t crc, const void *data, size_t len);

/*
 * The two return NULL, or why it is not the next record. The first looks at
 * the header alone, the second at the checksum of the whole record.
 */
const char *record_check_header(const struct log_cursor *cursor,
				const struct unified_io_log_header *header);
const char *record_check_data(const struct unified_io_log_header *header);

/* Steps over a valid record. */
void record_advance(struct log_cursor *cursor, const struct unified_io_log_header *header);

/*
 * Makes the header of the cursor's next record. Its checksum is that of a record
 * without payload; for another one crc32c() goes on from there.
 */
void record_make(struct unified_io_log_header *header, const struct log_cursor *cursor,
		 uint32_t len, uint32_t size, uint32_t flags);

#endif /* RECORD_H */
