/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reads a log (unified_io_log.h) record by record, from a drive, a copy of one in a
 * file, or a pipe. Uses no module. Ends the program where the input cannot be read.
 */
#ifndef LOGREAD_H
#define LOGREAD_H

#include "record.h"

struct log_reader;

/* @path: "-" for stdin; @offset, @len: where in it the log is, bytes; @len 0: to its end */
struct log_reader *log_open(const char *path, uint64_t offset, uint64_t len);
void log_close(struct log_reader *reader);

/*
 * The next record, checked, its payload behind it; valid until the next call. With
 * log_next_header() the header alone is read and checked. NULL where the log ends.
 */
const struct unified_io_log_header *log_next(struct log_reader *reader);
const struct unified_io_log_header *log_next_header(struct log_reader *reader);

/* Where the record at hand begins, bytes from the start of the drive. */
uint64_t log_position(const struct log_reader *reader);
/* What comes behind the record at hand. */
const struct log_cursor *log_cursor(const struct log_reader *reader);
/* Behind the last record: NULL if its writer was done, or why there is no next. */
const char *log_why(const struct log_reader *reader);
/* Look again for what was not there. */
void log_again(struct log_reader *reader);

#endif /* LOGREAD_H */
