// SPDX-License-Identifier: GPL-2.0
/*
 * logcat <DRIVE >PAYLOAD: decodes the log that stdin begins with, wherever it
 * comes from (dd, nvme read, the drive itself), without the module. Says on
 * stderr where the log ends and why.
 *
 * Exit status: 0 if the log has its last record, 1 if it ends before, 2 if
 * input or output fail.
 */
#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record.h"

/* A window on stdin: the bytes not yet stepped over are @len from @at. */
static struct {
	uint8_t bytes[2 * UNIFIED_IO_LOG_MAX];
	size_t at, len;
} in;

/* Returns @len bytes of input, or NULL if it ends before. */
static const void *peek(size_t len)
{
	ssize_t n;

	if (in.at + len > sizeof(in.bytes)) {
		memmove(in.bytes, in.bytes + in.at, in.len);
		in.at = 0;
	}
	while (in.len < len) {
		n = read(STDIN_FILENO, in.bytes + in.at + in.len, sizeof(in.bytes) - in.at - in.len);
		if (n < 0)
			err(2, "stdin");
		if (!n)
			return NULL;
		in.len += n;
	}
	return in.bytes + in.at;
}

static void put(const uint8_t *data, size_t len)
{
	ssize_t n;

	for (; len; data += n, len -= n) {
		n = write(STDOUT_FILENO, data, len);
		if (n < 0)
			err(2, "stdout");
	}
}

/* Is there, behind the record that is not valid, one that would have followed it? */
static bool valid_behind(const struct log_cursor *cursor,
			 const struct unified_io_log_header *header)
{
	struct log_cursor next = *cursor;
	uint32_t size = le32toh(header->size);

	if (size < sizeof(*header) || size > UNIFIED_IO_LOG_MAX)
		return false;
	record_advance(&next, header);
	header = peek(size + sizeof(*header));
	if (!header)
		return false;
	return !record_check_header(&next, (const void *)((const char *)header + size));
}

/* Returns why the log ends here, or NULL having put the record out. */
static const char *put_record(struct log_cursor *cursor, bool *end)
{
	const struct unified_io_log_header *header = peek(sizeof(*header));
	const char *why;
	uint32_t size;

	if (!header)
		return "the input ends";
	why = record_check_header(cursor, header);
	if (why)
		return why;
	size = le32toh(header->size);
	header = peek(size);
	if (!header)
		return "torn (the input ends inside of it)";
	why = record_check_data(header);
	if (why)
		return valid_behind(cursor, header) ?
		       "damaged (checksum), and a good one follows it" : why;
	put((const void *)(header + 1), le32toh(header->len));
	record_advance(cursor, header);
	*end = le32toh(header->flags) & UNIFIED_IO_LOG_END;
	in.at += size;
	in.len -= size;
	return NULL;
}

int main(int argc, char **argv)
{
	struct log_cursor cursor = { .any = true };
	const char *why = NULL;
	bool end = false;

	if (argc != 1)
		errx(2, "usage: %s <DRIVE >PAYLOAD", argv[0]);
	while (!end && !why)
		why = put_record(&cursor, &end);
	fprintf(stderr, "log %016" PRIx64 ": %" PRIu64 " records, %" PRIu64
		" bytes of payload for %" PRIu64 " bytes of source, %" PRIu64 " bytes on the drive; ",
		cursor.log_id, cursor.seq, cursor.offset, cursor.source, cursor.at);
	if (end)
		fprintf(stderr, "complete: the last record says so\n");
	else
		fprintf(stderr, "NOT complete: record %" PRIu64 ": %s\n", cursor.seq, why);
	return !end;
}
