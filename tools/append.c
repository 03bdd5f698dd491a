// SPDX-License-Identifier: GPL-2.0
/*
 * Where a log goes on, and what is left of it behind that place. A crash leaves records that were on
 * their way together with one that was lost; those must not come back behind a new record with the
 * number of the lost one. What cannot be left of a crash is a log with a damaged record in it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "address.h"
#include "drive.h"
#include "logread.h"
#include "tool.h"

#define STEP	(1U << 20)
/* What is left of a log has no gap longer than this: all that was in flight, and a record. */
#define REACH	(MAX_IN_FLIGHT + UNIFIED_IO_LOG_MAX)

enum remains { REMAINS_NOTHING, REMAINS_CRASH, REMAINS_LOG };

/**
 * struct scan - a search for records, block by block
 * @path: for messages
 * @fd: of the drive; O_DIRECT, so that nothing old from the page cache is read
 * @lba_size: bytes of a block
 * @tail: where the log ends
 * @from: bytes from the start of the drive; the block behind the one at @tail
 * @end: where the log's part of the drive ends
 * @at: the next block to look at
 * @buffer: what has been read last
 * @start: where on the drive that begins
 * @len: bytes in it
 */
struct scan {
	const char *path;
	int fd;
	uint32_t lba_size;
	struct log_cursor tail;
	uint64_t from;
	uint64_t end;
	uint64_t at;
	uint8_t *buffer;
	uint64_t start;
	size_t len;
};

static void scan_open(struct scan *scan, const struct drive *drive, const struct address *address)
{
	static uint8_t buffer[STEP] __attribute__((aligned(4096)));
	uint64_t end = address->len ? address->offset + address->len : drive->size;

	scan->path = address->path;
	scan->lba_size = drive->lba_size;
	scan->from = address->offset + scan->tail.at + drive->lba_size;
	scan->end = end - end % drive->lba_size;
	scan->at = scan->from;
	scan->buffer = buffer;
	scan->fd = open(scan->path, O_RDWR | O_DIRECT | O_CLOEXEC);
	if (scan->fd < 0)
		die(EXIT_FAILED, "%s: %s", scan->path, strerror(errno));
}

/* The block at @scan->at. */
static struct unified_io_log_header *block(struct scan *scan)
{
	uint64_t left = scan->end - scan->at;
	ssize_t n;

	if (scan->at < scan->start || scan->at + scan->lba_size > scan->start + scan->len) {
		n = pread(scan->fd, scan->buffer, left < STEP ? left : STEP, scan->at);
		if (n < (ssize_t)scan->lba_size)
			die(EXIT_FAILED, "%s: byte %llu: %s", scan->path, (unsigned long long)scan->at,
			    n < 0 ? strerror(errno) : "the drive ends");
		scan->start = scan->at;
		scan->len = n;
	}
	return (void *)(scan->buffer + (scan->at - scan->start));
}

/* The header of the log's next record that begins before @limit, or NULL. */
static struct unified_io_log_header *scan_next(struct scan *scan, uint64_t limit)
{
	struct unified_io_log_header *header;

	if (limit > scan->end)
		limit = scan->end;
	while (scan->at < limit) {
		header = block(scan);
		scan->at += scan->lba_size;
		if (le32toh(header->magic) == UNIFIED_IO_LOG_MAGIC &&
		    le64toh(header->log_id) == scan->tail.log_id &&
		    le64toh(header->seq) > scan->tail.seq)
			return header;
	}
	return NULL;
}

/* A writer's last record goes out alone, and others do not go farther ahead than what is in flight. */
static enum remains look_behind(struct scan *scan)
{
	const struct unified_io_log_header *header;
	enum remains remains = REMAINS_NOTHING;

	while ((header = scan_next(scan, scan->from + REACH))) {
		if (le32toh(header->flags) & UNIFIED_IO_LOG_END ||
		    scan->at > scan->from + MAX_IN_FLIGHT)
			return REMAINS_LOG;
		remains = REMAINS_CRASH;
	}
	return remains;
}

/* Overwrites headers of records that a new one with their predecessor's number would bring back. */
static void wipe_behind(struct scan *scan)
{
	struct unified_io_log_header *header;
	uint64_t limit = scan->from + REACH;

	scan->at = scan->from;
	while ((header = scan_next(scan, limit))) {
		limit = scan->at + REACH;
		memset(header, 0, scan->lba_size);
		if (pwrite(scan->fd, header, scan->lba_size, scan->at - scan->lba_size) < 0)
			die(EXIT_FAILED, "%s: %s", scan->path, strerror(errno));
	}
	if (fsync(scan->fd))
		die(EXIT_FAILED, "%s: %s", scan->path, strerror(errno));
}

/* The log ends at @tail because of @why, or with a writer's last record. */
static void settle_behind(const struct drive *drive, const struct address *address,
			  const struct log_cursor *tail, const char *why, bool force)
{
	unsigned long long seq = tail->seq;
	struct scan scan = { .tail = *tail };
	enum remains remains;

	scan_open(&scan, drive, address);
	remains = look_behind(&scan);
	if (remains == REMAINS_LOG && !force)
		die(EXIT_REFUSED, "%s: damaged at record %llu, byte %llu of the drive, and the log goes on behind it: "
		    "choose another offset or drive; --force gives up that record and all behind it",
		    address->path, seq, (unsigned long long)(scan.from - scan.lba_size));
	if (remains == REMAINS_LOG)
		warn("%s: giving up record %llu of the log, and all behind it", address->path, seq);
	else if (why || remains == REMAINS_CRASH)
		warn("%s: the log's writer was not done (record %llu: %s): going on behind its last record",
		     address->path, seq, why ?: "missing, and later ones are there");
	if (remains != REMAINS_NOTHING)
		wipe_behind(&scan);
	close(scan.fd);
}

struct log_cursor drive_append(const struct drive *drive, const struct address *address, bool force)
{
	struct log_reader *reader = log_open(address->path, address->offset, address->len);
	struct log_cursor tail;
	const char *why;

	while (log_next(reader))
		;
	tail = *log_cursor(reader);
	why = log_why(reader);
	log_close(reader);
	if (!tail.any)
		settle_behind(drive, address, &tail, why, force);
	return tail;
}
