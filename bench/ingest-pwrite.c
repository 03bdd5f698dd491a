// SPDX-License-Identifier: GPL-2.0
/*
 * Rival (a): recv() of a whole batch, filter, O_DIRECT write of what is kept. The kept records are
 * gathered by pwritev() from where they are, so that nothing is copied but by recv().
 */
#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "ingest.h"

static int drive;
static char *buf;
static struct iovec *iov;

void ingest_prepare(struct ingest *in)
{
	drive = open(in->device, O_WRONLY | O_DIRECT);
	if (drive < 0)
		err(1, "%s", in->device);
	buf = ingest_alloc(in->batch);
	iov = calloc(in->batch / in->record, sizeof(*iov));
}

static void store(struct ingest *in, unsigned int n)
{
	ssize_t bytes = iov_bytes(iov, n);

	if (pwritev(drive, iov, n, in->offset + in->out) != bytes)
		err(1, "pwritev");
	in->out += bytes;
	in->writes++;
}

void ingest_stream(struct ingest *in)
{
	unsigned int n;
	ssize_t len;

	while ((len = recv(in->sk, buf, in->batch, MSG_WAITALL)) > 0) {
		in->in += len;
		in->copied += len;
		n = ingest_filter(in, buf, len, iov);
		if (n)
			store(in, n);
	}
	if (len < 0)
		err(1, "recv");
}
