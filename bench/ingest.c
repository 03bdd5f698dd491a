// SPDX-License-Identifier: GPL-2.0
#include <err.h>
#include <getopt.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ingest.h"
#include "meter.h"
#include "record.h"

static const struct option options[] = {
	{ "device", required_argument, NULL, 'd' },
	{ "port", required_argument, NULL, 'p' },
	{ "lba", required_argument, NULL, 'l' },
	{ "record", required_argument, NULL, 'r' },
	{ "batch", required_argument, NULL, 'b' },
	{ "depth", required_argument, NULL, 'n' },
	{ "offset", required_argument, NULL, 'o' },
	{ "stamp", required_argument, NULL, 's' },
	{ "compact", no_argument, NULL, 'c' },
	{ "no-lowat", no_argument, NULL, 'L' },
	{ }
};

static void parse(struct ingest *in, int argc, char **argv)
{
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (opt) {
		case 'd': in->device = optarg; break;
		case 'p': in->port = atoi(optarg); break;
		case 'l': in->lba = atol(optarg); break;
		case 'r': in->record = atol(optarg); break;
		case 'b': in->batch = atol(optarg); break;
		case 'n': in->depth = atoi(optarg); break;
		case 'o': in->offset = atoll(optarg); break;
		case 's': in->stamp = atoi(optarg); break;
		case 'c': in->compact = 1; break;
		case 'L': in->no_lowat = 1; break;
		default: exit(2);
		}
	if (!in->device || !in->record || !in->batch || in->batch % in->record)
		errx(2, "--device, --record and --batch, a multiple of it, are needed");
}

static int listen_on(int port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };
	int sk = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	setsockopt(sk, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (sk < 0 || bind(sk, (struct sockaddr *)&at, sizeof(at)) || listen(sk, 1))
		err(1, "port %d", port);
	puts("ready");
	fflush(stdout);
	return sk;
}

/* Whoever waits for a batch is woken when there is one, not for each segment. */
static void set_lowat(const struct ingest *in)
{
	int bytes = in->batch;

	if (!in->no_lowat && setsockopt(in->sk, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof(bytes)))
		err(1, "SO_RCVLOWAT");
}

static unsigned int keep(struct iovec *iov, unsigned int n, char *at, size_t len)
{
	struct iovec *last = n ? iov + n - 1 : NULL;

	if (last && (char *)last->iov_base + last->iov_len == at) {
		last->iov_len += len;
		return n;
	}
	iov[n].iov_base = at;
	iov[n].iov_len = len;
	return n + 1;
}

static unsigned int compact(struct ingest *in, struct iovec *iov, unsigned int n)
{
	char *end;

	if (n < 2)
		return n;
	end = (char *)iov->iov_base + iov->iov_len;
	for (unsigned int i = 1; i < n; i++) {
		memmove(end, iov[i].iov_base, iov[i].iov_len);
		end += iov[i].iov_len;
		in->moved += iov[i].iov_len;
	}
	iov->iov_len = end - (char *)iov->iov_base;
	return 1;
}

unsigned int ingest_filter(struct ingest *in, char *buf, size_t len, struct iovec *iov)
{
	unsigned int n = 0;

	for (char *end = buf + len; buf < end; buf += in->record)
		if (record_filter((struct record *)buf, in->stamp))
			n = keep(iov, n, buf, in->record);
	return in->compact ? compact(in, iov, n) : n;
}

size_t iov_bytes(const struct iovec *iov, unsigned int n)
{
	size_t bytes = 0;

	while (n--)
		bytes += iov++->iov_len;
	return bytes;
}

char *ingest_alloc(size_t bytes)
{
	char *at;

	if (posix_memalign((void **)&at, 2 << 20, bytes))
		errx(1, "no memory");
	madvise(at, bytes, MADV_HUGEPAGE);
	memset(at, 0, bytes);
	return at;
}

static void report(const struct ingest *in, const struct meter *m)
{
	printf("{\"in\": %llu, \"out\": %llu, \"copied\": %llu, \"moved\": %llu, \"writes\": %llu, ",
	       (unsigned long long)in->in, (unsigned long long)in->out, (unsigned long long)in->copied,
	       (unsigned long long)in->moved, (unsigned long long)in->writes);
	meter_print(m);
	puts("}");
}

int main(int argc, char **argv)
{
	struct ingest in = { .depth = 1, .port = 7000, .lba = 512 };
	struct meter m;
	int listener;

	parse(&in, argc, argv);
	ingest_prepare(&in);
	listener = listen_on(in.port);
	in.sk = accept(listener, NULL, NULL);
	if (in.sk < 0)
		err(1, "accept");
	meter_start(&m);
	set_lowat(&in);
	ingest_stream(&in);
	meter_stop(&m);
	close(in.sk);
	report(&in, &m);
	return 0;
}
