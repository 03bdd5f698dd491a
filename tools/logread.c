// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "logread.h"
#include "tool.h"

#define PAGE		4096ULL
#define BUFFER_SIZE	(UNIFIED_IO_LOG_MAX + (2U << 20))
#define AHEAD		(1U << 20)

/**
 * struct log_reader - where in the log we are
 * @path: for messages
 * @fd: of it; O_DIRECT for a drive, so that nothing old from the page cache is read
 * @seeks: it can be read at any position
 * @base: where the log begins in it, bytes; so all that follow
 * @end: where it must end
 * @buffer: a part of it
 * @start: where that begins
 * @len: bytes in it
 * @cursor: what the next record must be
 * @record: where the record at hand begins
 * @complete: the record at hand was its writer's last
 * @damaged: a record is there, but not valid
 * @why: there is no next record
 */
struct log_reader {
	const char *path;
	int fd;
	bool seeks;
	uint64_t base;
	uint64_t end;
	uint8_t *buffer;
	uint64_t start;
	size_t len;
	struct log_cursor cursor;
	uint64_t record;
	bool complete;
	bool damaged;
	const char *why;
};

static void open_input(struct log_reader *reader)
{
	struct stat stat;

	if (!strcmp(reader->path, "-")) {
		reader->fd = STDIN_FILENO;
		reader->path = "stdin";
	} else {
		reader->fd = open(reader->path, O_RDONLY | O_CLOEXEC);
	}
	if (reader->fd < 0 || fstat(reader->fd, &stat))
		die(EXIT_FAILED, "%s: %s", reader->path, strerror(errno));
	reader->seeks = S_ISBLK(stat.st_mode) || S_ISREG(stat.st_mode);
	if (S_ISBLK(stat.st_mode))
		fcntl(reader->fd, F_SETFL, O_DIRECT);
}

struct log_reader *log_open(const char *path, uint64_t offset, uint64_t len)
{
	struct log_reader *reader = calloc(1, sizeof(*reader));

	if (!reader)
		die(EXIT_FAILED, "no memory");
	reader->path = path;
	reader->base = offset;
	reader->end = len ? offset + len : UINT64_MAX;
	reader->cursor.any = true;
	reader->buffer = mmap(NULL, BUFFER_SIZE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (reader->buffer == MAP_FAILED)
		die(EXIT_FAILED, "no memory");
	open_input(reader);
	return reader;
}

void log_close(struct log_reader *reader)
{
	munmap(reader->buffer, BUFFER_SIZE);
	close(reader->fd);
	free(reader);
}

/* One read into the buffer behind what is there. Returns the bytes. */
static size_t read_more(struct log_reader *reader, size_t want)
{
	uint8_t *to = reader->buffer + reader->len;
	ssize_t n;

	if (reader->seeks)
		n = pread(reader->fd, to, want, reader->start + reader->len);
	else
		n = read(reader->fd, to, want);
	if (n < 0 && errno == EINTR)
		return read_more(reader, want);
	if (n < 0)
		die(EXIT_FAILED, "%s: %s", reader->path, strerror(errno));
	reader->len += n;
	return n;
}

/* Let the buffer begin at @pos, or a little before it. */
static void move_to(struct log_reader *reader, uint64_t pos)
{
	if (reader->seeks) {
		reader->start = pos & ~(PAGE - 1);
		reader->len = 0;
		return;
	}
	while (pos > reader->start + reader->len) {
		reader->start += reader->len;
		reader->len = 0;
		if (!read_more(reader, AHEAD))
			return;
	}
	reader->len -= pos - reader->start;
	memmove(reader->buffer, reader->buffer + (pos - reader->start), reader->len);
	reader->start = pos;
}

/* @len bytes from @pos, or NULL where the input ends before; reads @ahead bytes at once or more. */
static const void *peek(struct log_reader *reader, uint64_t pos, size_t len, size_t ahead)
{
	size_t want;

	if (pos + len > reader->end)
		return NULL;
	if (pos < reader->start || pos + len > reader->start + reader->len)
		move_to(reader, pos);
	want = pos - reader->start + len;
	if (want < ahead)
		want = ahead;
	want = (want + PAGE - 1) & ~(PAGE - 1);
	while (pos + len > reader->start + reader->len)
		if (!read_more(reader, want - reader->len))
			return NULL;
	return reader->buffer + (pos - reader->start);
}

static const struct unified_io_log_header *end(struct log_reader *reader, const char *why,
					       bool damaged)
{
	reader->why = why;
	reader->damaged = damaged;
	return NULL;
}

static const struct unified_io_log_header *next_header(struct log_reader *reader, size_t ahead)
{
	uint64_t pos = reader->base + reader->cursor.at;
	const struct unified_io_log_header *header = peek(reader, pos, sizeof(*header), ahead);
	const char *why;

	reader->why = NULL;
	if (!header)
		return end(reader, "the input ends", false);
	why = record_check_header(&reader->cursor, header);
	if (why)
		return end(reader, why, false);
	return header;
}

static void step(struct log_reader *reader, const struct unified_io_log_header *header)
{
	reader->record = reader->base + reader->cursor.at;
	reader->complete = le32toh(header->flags) & UNIFIED_IO_LOG_END;
	record_advance(&reader->cursor, header);
}

const struct unified_io_log_header *log_next_header(struct log_reader *reader)
{
	const struct unified_io_log_header *header = next_header(reader, PAGE);

	if (header)
		step(reader, header);
	return header;
}

/* Is there, behind the record that is not valid, one that would have followed it? */
static bool valid_behind(struct log_reader *reader, const struct unified_io_log_header *header)
{
	struct log_cursor next = reader->cursor;

	record_advance(&next, header);
	header = peek(reader, reader->base + next.at, sizeof(*header), AHEAD);
	return header && !record_check_header(&next, header);
}

const struct unified_io_log_header *log_next(struct log_reader *reader)
{
	const struct unified_io_log_header *header = next_header(reader, AHEAD);
	const char *why;

	if (!header)
		return NULL;
	header = peek(reader, reader->base + reader->cursor.at, le32toh(header->size), AHEAD);
	if (!header)
		return end(reader, "torn (the input ends inside of it)", true);
	why = record_check_data(header);
	if (why)
		return end(reader, valid_behind(reader, header) ?
			   "damaged (checksum), and a good one follows it" : why, true);
	step(reader, header);
	return header;
}

uint64_t log_position(const struct log_reader *reader)
{
	return reader->record;
}

const struct log_cursor *log_cursor(const struct log_reader *reader)
{
	return &reader->cursor;
}

const char *log_why(const struct log_reader *reader)
{
	return reader->complete && !reader->damaged ? NULL : reader->why;
}

void log_again(struct log_reader *reader)
{
	if (reader->seeks)
		reader->len = 0;
}
