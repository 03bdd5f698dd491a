// SPDX-License-Identifier: GPL-2.0
/*
 * crash_client PORT SEED CONNS AREA LIMIT [DRIVE]: sends CONNS streams of LIMIT
 * bytes at once, in pieces of random size, and says on stdout what the server has
 * acknowledged: 'ack CONN OFFSET', a line whenever there is news. With DRIVE it
 * writes the same into the ledger there, so that a log of all writes to the drive
 * tells what had been acknowledged at each of them.
 *
 * Ends well when all is acknowledged, or the server has gone.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "crash.h"
#include "stream.h"

#define WINDOW	(128 * 1024)	/* sent and not yet acknowledged */
#define PIECE	(48 * 1024)

static uint64_t seed, area, limit;
static unsigned int conns;
static int drive = -1;

struct stream {
	pthread_t thread;
	unsigned int nr, random;
	int fd;
	uint64_t sent, acked;
	struct crash_ack ack;	/* as much of it as has come */
	size_t ack_len;
};

/* Ordered connects: the server counts connections as they come. */
static int connect_to(const char *port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(atoi(port)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)))
		err(1, "connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static void tell(const struct stream *s)
{
	static _Alignas(CRASH_LEDGER) uint8_t blocks[CRASH_CONNS][CRASH_LEDGER];
	struct crash_ledger *ledger = (void *)blocks[s->nr];
	char line[64];
	int len = snprintf(line, sizeof(line), "ack %u %" PRIu64 "\n", s->nr, s->acked);

	if (write(STDOUT_FILENO, line, len) != len)
		err(1, "stdout");
	if (drive < 0)
		return;
	*ledger = (struct crash_ledger){ CRASH_MAGIC, s->nr, seed, s->acked };
	if (pwrite(drive, ledger, CRASH_LEDGER, conns * area + s->nr * CRASH_LEDGER) != CRASH_LEDGER)
		err(1, "ledger");
}

static void take_ack(struct stream *s)
{
	if (s->ack.offset < s->acked || s->ack.offset > s->sent)
		errx(1, "connection %u: acknowledged up to %" PRIu64 ", sent %" PRIu64, s->nr,
		     (uint64_t)s->ack.offset, s->sent);
	s->acked = s->ack.offset;
	s->ack_len = 0;
}

/* Takes all that is there. Returns false once the server has gone. */
static bool take_acks(struct stream *s)
{
	bool news = false;
	ssize_t n;

	for (;;) {
		n = recv(s->fd, (char *)&s->ack + s->ack_len, sizeof(s->ack) - s->ack_len, MSG_DONTWAIT);
		if (n <= 0)
			break;
		s->ack_len += n;
		if (s->ack_len == sizeof(s->ack)) {
			take_ack(s);
			news = true;
		}
	}
	if (news)
		tell(s);
	return n < 0 && errno == EAGAIN;
}

/* Sends a piece, or a part of it. Returns false once the server has gone. */
static bool send_piece(struct stream *s)
{
	uint8_t piece[PIECE];
	uint64_t len = rand_r(&s->random) % 4 ? rand_r(&s->random) % 4096 : rand_r(&s->random) % PIECE;
	bool alive;
	ssize_t n;

	len++;
	if (len > limit - s->sent)
		len = limit - s->sent;
	stream_fill(piece, len, crash_log_id(seed, s->nr), s->sent);
	n = send(s->fd, piece, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n > 0)
		s->sent += n;
	alive = n > 0 || errno == EAGAIN;
	usleep(rand_r(&s->random) % 2000);	/* a stream shall last some seconds everywhere */
	return alive;
}

static void *run(void *arg)
{
	struct stream *s = arg;
	bool alive = true;

	while (alive && s->acked < limit) {
		bool more = s->sent < limit && s->sent - s->acked < WINDOW;
		struct pollfd fd = { .fd = s->fd, .events = POLLIN | (more ? POLLOUT : 0) };

		poll(&fd, 1, -1);
		if (fd.revents & (POLLIN | POLLHUP | POLLERR))
			alive = take_acks(s);
		if (alive && fd.revents & POLLOUT)
			alive = send_piece(s);
	}
	close(s->fd);
	return NULL;
}

int main(int argc, char **argv)
{
	static struct stream streams[CRASH_CONNS];
	unsigned int i;

	if (argc != 6 && argc != 7)
		errx(2, "usage: %s PORT SEED CONNS AREA LIMIT [DRIVE]", argv[0]);
	seed = strtoull(argv[2], NULL, 0);
	conns = strtoul(argv[3], NULL, 0);
	area = strtoull(argv[4], NULL, 0);
	limit = strtoull(argv[5], NULL, 0);
	if (!conns || conns > CRASH_CONNS)
		errx(2, "%u connections: 1 to %u", conns, CRASH_CONNS);
	if (argc == 7) {
		drive = open(argv[6], O_WRONLY | O_DIRECT);
		if (drive < 0)
			err(1, "%s", argv[6]);
	}
	for (i = 0; i < conns; i++)
		streams[i] = (struct stream){ .nr = i, .random = seed * CRASH_CONNS + i, .fd = connect_to(argv[1]) };
	for (i = 0; i < conns; i++)
		pthread_create(&streams[i].thread, NULL, run, &streams[i]);
	for (i = 0; i < conns; i++)
		pthread_join(streams[i].thread, NULL);
	return 0;
}
