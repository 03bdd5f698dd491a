/* SPDX-License-Identifier: GPL-2.0 */
/* What pipeline and playback share: options, region, socket, progress. */
#ifndef COMMON_H
#define COMMON_H

#include <stdbool.h>
#include <stdint.h>

#include "unified_io.h"

struct options {
	const char *drive;
	const char *address;	/* to listen on */
	const char *port;
	uint64_t region;	/* bytes */
	uint32_t buffer;	/* bytes */
	uint64_t expect;	/* bytes that will come; 0: not known */
	bool bar;		/* draw in place, even though stdout is no terminal */
};

void parse_options(struct options *options, int argc, char **argv);

/* Ends the program if @ret is an error, with a hint at what helps. */
int must(enum unified_io_call call, int ret, const char *what);

/* Opens the region on the drive. */
void open_region(struct unified_io *io, const struct options *options);
void get_info(const struct unified_io *io, struct unified_io_info *info);

/* Waits for one client and gives its socket to the region. Returns the slot. */
int accept_client(struct unified_io *io, const struct options *options);

/* A bar on a terminal, a line in every tenth of the work elsewhere. */
void progress_begin(const struct options *options);
void progress_show(uint64_t bytes, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Seconds since the first byte was seen to the last. */
double progress_end(void);

#define MIB(bytes) ((bytes) / 1048576.0)

#endif /* COMMON_H */
