/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the contenders of the ingest benchmark have in common: options, the connection, the filter
 * in user space, the measuring.
 */
#ifndef BENCH_INGEST_H
#define BENCH_INGEST_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct ingest {
	/* options */
	const char	*device;
	int		port;
	size_t		lba;		/* bytes in a logical block */
	size_t		record;		/* bytes */
	size_t		batch;		/* bytes received, filtered and written at once */
	unsigned int	depth;		/* batches in flight */
	uint64_t	offset;		/* on the drive, bytes */
	uint32_t	stamp;
	int		compact;	/* move the kept records together rather than gather them */
	int		no_lowat;
	/* the connection */
	int		sk;
	/* results */
	uint64_t	in;
	uint64_t	out;
	uint64_t	copied;
	uint64_t	moved;
	uint64_t	writes;
};

/* Receives the stream from in->sk until its end, filters and writes it. Returns only if all went well. */
void ingest_stream(struct ingest *in);
/* Called before the connection is accepted: whatever has to be done but once. */
void ingest_prepare(struct ingest *in);

/*
 * Filters @len bytes of records at @buf. The kept ones are in @iov afterwards, adjacent ones
 * together, or with in->compact moved together into one. Returns how many entries.
 */
unsigned int ingest_filter(struct ingest *in, char *buf, size_t len, struct iovec *iov);

size_t iov_bytes(const struct iovec *iov, unsigned int n);
/* Aligned to 2 MiB, and of huge pages where there are. */
char *ingest_alloc(size_t bytes);

#endif
