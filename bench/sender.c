// SPDX-License-Identifier: GPL-2.0
/*
 * sender FILE RECORD-SIZE SECONDS ADDRESS PORT
 *
 * Streams FILE over TCP for so long, or to its end, and stops at the end of a record. sendfile()
 * hands the page cache to the socket, so that the sender is cheap and the receiver is what limits.
 * Prints what it sent and what it cost.
 */
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CHUNK	(1L << 20)	/* a multiple of every record size */

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static int dial(const char *host, int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	int sk = socket(AF_INET, SOCK_STREAM, 0);

	if (inet_pton(AF_INET, host, &to.sin_addr) != 1)
		errx(2, "%s: not an address", host);
	if (sk < 0 || connect(sk, (struct sockaddr *)&to, sizeof(to)))
		err(1, "connect");
	return sk;
}

static void send_chunk(int sk, int file, off_t *off, off_t end)
{
	while (*off < end)
		if (sendfile(sk, file, off, end - *off) <= 0)
			err(1, "sendfile");
}

static void wait_for_peer(int sk)
{
	char byte;

	shutdown(sk, SHUT_WR);
	if (read(sk, &byte, 1))
		warnx("the receiver did not close in order");
}

static double seconds(struct timeval tv)
{
	return tv.tv_sec + tv.tv_usec / 1e6;
}

int main(int argc, char **argv)
{
	double start, limit;
	struct rusage ru;
	struct stat st;
	off_t off = 0;
	int file, sk;

	if (argc != 6)
		errx(2, "usage: sender FILE RECORD-SIZE SECONDS ADDRESS PORT");
	file = open(argv[1], O_RDONLY);
	if (file < 0 || fstat(file, &st))
		err(1, "%s", argv[1]);
	if (CHUNK % atol(argv[2]))
		errx(2, "%s does not divide %ld", argv[2], CHUNK);
	limit = atof(argv[3]);
	sk = dial(argv[4], atoi(argv[5]));
	for (start = now(); off < st.st_size && now() - start < limit; )
		send_chunk(sk, file, &off, off + CHUNK < st.st_size ? off + CHUNK : st.st_size);
	wait_for_peer(sk);
	getrusage(RUSAGE_SELF, &ru);
	printf("{\"bytes\": %lld, \"seconds\": %.6f, \"cpu\": %.6f, \"switches\": %ld}\n", (long long)off,
	       now() - start, seconds(ru.ru_utime) + seconds(ru.ru_stime), ru.ru_nvcsw + ru.ru_nivcsw);
	return 0;
}
