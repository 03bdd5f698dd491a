/* SPDX-License-Identifier: GPL-2.0 */
/* A drive to write a log to: is it ours to overwrite? */
#ifndef DRIVE_H
#define DRIVE_H

#include "record.h"

struct address;

struct drive {
	int fd;
	uint32_t lba_size;
	uint64_t size;
};

/* A pipe never has more of a log on its way to the drive. */
#define MAX_IN_FLIGHT (256ULL << 20)

/* Both end the program, saying why. Nobody else may use it while we write to it. */
void drive_open(struct drive *drive, const char *path, bool write);
/* @content: the name of what libblkid finds on it (to be freed), or NULL. False if a read failed. */
bool drive_content(int fd, char **content);
/* Unless it holds nothing from @offset on. */
void drive_refuse(const struct drive *drive, const struct address *address);
/* No more than that log is to be found from @from to @to, bytes, once it is begun. */
void drive_wipe(const struct drive *drive, uint64_t from, uint64_t to);
/*
 * append.c: behind the last valid record of the log there; .any is set if there is none. What a crash has left
 * behind it is gone; what was no crash ends the program, or with @force is gone too.
 */
struct log_cursor drive_append(const struct drive *drive, const struct address *address, bool force);

#endif /* DRIVE_H */
