// SPDX-License-Identifier: GPL-2.0
/*
 * Datagrams that are submitted together: those of one length to one address go as one
 * message, which /proc/net/snmp counts as one; the peers get each as it was, in order,
 * whatever its length and destination, and also where the stack takes no such message.
 */
#include <arpa/inet.h>
#include <netinet/udp.h>
#include <sched.h>

#include "common.h"

#define NR	16
#define ROOM	(16 * KiB)	/* for one datagram */

static struct region r;
static int fd[2], slot;

static void open_pair(void)
{
	int room = 4 * MiB;

	udp_pair(fd);
	CHECK(!setsockopt(fd[1], SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)));
	slot = attach(&r, fd[0]);
}

static void close_pair(void)
{
	detach(&r, slot);
	close(fd[0]);
	close(fd[1]);
}

/* Messages that have left this namespace's UDP. */
static unsigned int messages(void)
{
	unsigned int nr = 0;
	char line[512];
	FILE *f = fopen("/proc/self/net/snmp", "r");

	CHECK(f);
	while (fgets(line, sizeof(line), f))
		sscanf(line, "Udp: %*u %*u %*u %u", &nr);
	fclose(f);
	return nr;
}

static struct unified_descriptor datagram(unsigned int i, uint32_t len)
{
	pattern_fill(r.data + i * ROOM, len, 0, i + 1);
	return desc_send(slot, i * ROOM, len);
}

static void expect(int peer, unsigned int i, uint32_t len)
{
	unsigned char got[ROOM];

	CHECK_EQ(recv(peer, got, sizeof(got), MSG_TRUNC), len);
	pattern_check(got, len, 0, i + 1);
}

/* All that are queued; returns as how many messages they left. */
static unsigned int go(unsigned int nr, const uint32_t *lens)
{
	unsigned int before = messages();

	CHECK_RES(enter(&r, nr, nr, WAIT_NS, NULL), 0);
	for (unsigned int i = 0; i < nr; i++) {
		struct unified_completion c = reap(&r);

		CHECK_RES(c.res, (int)lens[i]);
		CHECK_EQ(c.copied, lens[i]);
	}
	return messages() - before;
}

/* Returns as how many messages they left. */
static unsigned int exchange(unsigned int nr, const uint32_t *lens)
{
	unsigned int sent;

	for (unsigned int i = 0; i < nr; i++)
		queue(&r, datagram(i, lens[i]));
	sent = go(nr, lens);
	for (unsigned int i = 0; i < nr; i++)
		expect(fd[1], i, lens[i]);
	return sent;
}

static unsigned int exchange_same(uint32_t len)
{
	uint32_t lens[NR];

	for (unsigned int i = 0; i < NR; i++)
		lens[i] = len;
	return exchange(NR, lens);
}

static void by_length(void)
{
	static const uint32_t shorter[] = { 100, 100, 60, 100, 100 };
	static const uint32_t longer[] = { 100, 101, 102, 102 };
	uint32_t lens[NR];

	open_pair();
	CHECK_EQ(exchange_same(1), 1);
	CHECK_EQ(exchange_same(1000), 1);
	CHECK_EQ(exchange_same(8000), 2);	/* 64 KiB less the headers: eight at a time */
	CHECK_EQ(exchange_same(12000), NR);	/* not worth it */
	CHECK_EQ(exchange(ARRAY_SIZE(shorter), shorter), 2);
	CHECK_EQ(exchange(ARRAY_SIZE(longer), longer), 3);
	for (int round = 0; round < 200; round++) {
		for (unsigned int i = 0; i < NR; i++)
			lens[i] = rand() % 3 ? 500 : 1 + rand() % 1000;
		exchange(NR, lens);
	}
	close_pair();
}

/* Runs to one client, and to them in turns. */
static void by_address(void)
{
	uint32_t lens[NR];
	uint16_t port[2], unused;
	int client[2] = { udp_bound(&port[0]), udp_bound(&port[1]) };

	slot = attach(&r, udp_bound(&unused));
	for (unsigned int run = 1; run <= NR / 2; run *= 2) {
		for (unsigned int i = 0; i < NR; i++) {
			struct unified_descriptor d = datagram(i, 200);

			d.net.addr = htonl(INADDR_LOOPBACK);
			d.net.port = port[i / run % 2];
			lens[i] = 200;
			queue(&r, d);
		}
		CHECK_EQ(go(NR, lens), NR / run);
		for (unsigned int i = 0; i < NR; i++)
			expect(client[i / run % 2], i, 200);
	}
	detach(&r, slot);
	close(client[0]);
	close(client[1]);
}

/* What does not fit the path is cut by IP, each by itself; what does still goes together. */
static void by_mtu(void)
{
	CHECK_OK(shell("ip link set lo mtu 1500"));
	open_pair();
	CHECK_EQ(exchange_same(4000), NR);
	CHECK_EQ(exchange_same(1473), NR);
	CHECK_EQ(exchange_same(1472), 1);
	close_pair();
	CHECK_OK(shell("ip link set lo mtu 65536"));
}

/* The stack refuses to cut where it is to leave the checksum out. */
static void without_checksum(void)
{
	int one = 1;

	open_pair();
	CHECK(!setsockopt(fd[0], SOL_SOCKET, SO_NO_CHECK, &one, sizeof(one)));
	CHECK_EQ(exchange_same(1000), NR);
	close_pair();
}

/* The process has asked the stack to cut. */
static void cut_already(void)
{
	unsigned int before = messages();
	int half = 500;

	open_pair();
	CHECK(!setsockopt(fd[0], SOL_UDP, UDP_SEGMENT, &half, sizeof(half)));
	for (unsigned int i = 0; i < NR; i++)
		queue(&r, datagram(i, 1000));
	CHECK_RES(enter(&r, NR, NR, WAIT_NS, NULL), 0);
	for (unsigned int i = 0; i < NR; i++) {
		unsigned char got[1000];

		CHECK_RES(reap(&r).res, 1000);
		CHECK_EQ(recv(fd[1], got, sizeof(got), MSG_TRUNC), half);
		CHECK_EQ(recv(fd[1], got + half, half, MSG_TRUNC), half);
		pattern_check(got, sizeof(got), 0, i + 1);
	}
	CHECK_EQ(messages() - before, NR);
	close_pair();
}

/* The process has the stack make one datagram of all that is sent until it says so. */
static void corked(void)
{
	unsigned char got[NR * 100];
	int on = 1, off = 0;

	open_pair();
	CHECK(!setsockopt(fd[0], SOL_UDP, UDP_CORK, &on, sizeof(on)));
	for (unsigned int i = 0; i < NR; i++)
		queue(&r, datagram(i, 100));
	CHECK_RES(enter(&r, NR, NR, WAIT_NS, NULL), 0);
	for (unsigned int i = 0; i < NR; i++)
		CHECK_RES(reap(&r).res, 100);
	CHECK(!setsockopt(fd[0], SOL_UDP, UDP_CORK, &off, sizeof(off)));
	CHECK_EQ(recv(fd[1], got, sizeof(got), MSG_TRUNC), sizeof(got));
	for (unsigned int i = 0; i < NR; i++)
		pattern_check(got + i * 100, 100, 0, i + 1);
	close_pair();
}

/* It has begun a datagram, which the first of ours ends. */
static void begun(void)
{
	unsigned char got[200];

	open_pair();
	CHECK_EQ(send(fd[0], "begun", 5, MSG_MORE), 5);
	for (unsigned int i = 0; i < 3; i++)
		queue(&r, datagram(i, 100));
	CHECK_RES(enter(&r, 3, 3, WAIT_NS, NULL), 0);
	for (unsigned int i = 0; i < 3; i++)
		CHECK_RES(reap(&r).res, 100);
	CHECK_EQ(recv(fd[1], got, sizeof(got), MSG_TRUNC), 105);
	CHECK(!memcmp(got, "begun", 5));
	pattern_check(got + 5, 100, 0, 1);
	expect(fd[1], 1, 100);
	expect(fd[1], 2, 100);
	close_pair();
}

/* Nobody is there: the first of those behind the ICMP message has its error, the others have gone. */
static void refused(void)
{
	open_pair();
	close(fd[1]);
	CHECK_RES(run(&r, datagram(0, 100)).res, 100);
	for (unsigned int i = 0; i < 3; i++)
		queue(&r, datagram(i, 100));
	CHECK_RES(enter(&r, 3, 3, WAIT_NS, NULL), 0);
	CHECK_RES(reap(&r).res, -ECONNREFUSED);
	CHECK_RES(reap(&r).res, 100);
	CHECK_RES(reap(&r).res, 100);
	detach(&r, slot);
	close(fd[0]);
}

int main(void)
{
	CHECK(!unshare(CLONE_NEWNET));
	CHECK_OK(shell("ip link set lo up"));
	region_open(&r, NULL);
	by_length();
	by_address();
	by_mtu();
	without_checksum();
	cut_already();
	corked();
	begun();
	refused();
	region_close(&r);
	return 0;
}
