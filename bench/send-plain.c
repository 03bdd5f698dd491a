// SPDX-License-Identifier: GPL-2.0
/* Sends by send() and by sendfile(). Neither tells when a buffer is free: send() copies, the page cache is not changed. */
#include <err.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "send.h"

static const struct send_job *job;

static int send_sk;
static char *buffers;
static unsigned int next;

static void send_open(const struct send_job *j, int sk)
{
	size_t size = (size_t)j->size * j->depth;

	job = j;
	send_sk = sk;
	/* As the region's memory: huge pages where there are some. */
	buffers = aligned_alloc(2 << 20, (size + (2 << 20) - 1) & -(2UL << 20));
	if (!buffers)
		err(1, "memory");
	madvise(buffers, size, MADV_HUGEPAGE);
	for (size_t i = 0; i < size; i++)
		buffers[i] = i;
}

static void send_batch(void)
{
	for (unsigned int i = 0; i < job->batch; i++) {
		const char *buf = buffers + (size_t)(next++ & (job->depth - 1)) * job->size;
		size_t done = 0;

		while (done < job->size) {
			ssize_t n = send(send_sk, buf + done, job->size - done, MSG_NOSIGNAL);

			if (n < 0)
				err(1, "send");
			done += n;
		}
	}
}

const struct contender contender_send = {
	.name = "send()",
	.open = send_open,
	.batch = send_batch,
};

static int file_sk, file;
static unsigned int file_next;

static bool sendfile_fits(const struct send_job *j)
{
	return !j->udp;
}

static void sendfile_open(const struct send_job *j, int sk)
{
	char *page = calloc(1, j->size);

	job = j;
	file_sk = sk;
	file = memfd_create("send", MFD_CLOEXEC);
	if (!page || file < 0)
		err(1, "memfd");
	for (unsigned int i = 0; i < j->depth; i++)
		if (write(file, page, j->size) != (ssize_t)j->size)
			err(1, "memfd");
	free(page);
}

static void sendfile_batch(void)
{
	for (unsigned int i = 0; i < job->batch; i++) {
		off_t off = (off_t)(file_next++ & (job->depth - 1)) * job->size;
		off_t end = off + job->size;

		while (off < end)
			if (sendfile(file_sk, file, &off, end - off) <= 0)
				err(1, "sendfile");
	}
}

const struct contender contender_sendfile = {
	.name = "sendfile()",
	.fits = sendfile_fits,
	.open = sendfile_open,
	.batch = sendfile_batch,
};
