/* SPDX-License-Identifier: GPL-2.0 */
/* What the samples share and what is not their idea: arguments, sockets, giving up. */
#ifndef SAMPLE_COMMON_H
#define SAMPLE_COMMON_H

#include <unified_io.h>

/* Ends the program if @ret is an error, saying what failed and what helps. Returns @ret. */
int check(enum unified_io_call call, const char *what, int ret);

/* A region of @size bytes on the drive at @path, which is opened with @mode. */
void open_region(struct unified_io *io, __u64 size, const char *path, int mode);

/* A listening TCP socket on all addresses. */
int listen_on(const char *port);

/* The next connection, without Nagle's delay. */
int accept_one(int listener);

#endif /* SAMPLE_COMMON_H */
