// SPDX-License-Identifier: GPL-2.0
/*
 * send --to HOST --port PORT --size BYTES [--udp] [--rounds N] [--slice SECONDS]
 * send --sink --port PORT [--udp]
 *
 * Sends messages of one size in all ways that there are, each over a connection of its own, in
 * rounds of short slices, one way after the other: what else the machine does meets them alike.
 * What counts is what the peer's host has acknowledged in the slice, or for datagrams, what has
 * left the socket. Between slices all buffers get free. The sink reads, without a copy, and
 * discards. Prints each slice as JSON.
 */
#include <arpa/inet.h>
#include <err.h>
#include <getopt.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "meter.h"
#include "send.h"

static const struct contender *const contenders[] = {
	&contender_ours, &contender_ours_each, &contender_send, &contender_send_zc, &contender_sendfile,
};
#define NR	(sizeof(contenders) / sizeof(contenders[0]))

static int rounds = 1, sink;
static double slice = 0.1;
static const char *only;	/* this contender, for a profile */
static struct send_job job;

static const struct option options[] = {
	{ "to", required_argument, NULL, 't' },
	{ "port", required_argument, NULL, 'p' },
	{ "size", required_argument, NULL, 's' },
	{ "udp", no_argument, NULL, 'u' },
	{ "rounds", required_argument, NULL, 'r' },
	{ "slice", required_argument, NULL, 'S' },
	{ "contender", required_argument, NULL, 'c' },
	{ "sink", no_argument, &sink, 1 },
	{ }
};

static void parse(int argc, char **argv)
{
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (opt) {
		case 0: break;
		case 't': job.host = optarg; break;
		case 'p': job.port = atoi(optarg); break;
		case 's': job.size = atoi(optarg); break;
		case 'u': job.udp = true; break;
		case 'r': rounds = atoi(optarg); break;
		case 'S': slice = atof(optarg); break;
		case 'c': only = optarg; break;
		default: exit(2);
		}
	if (!job.port || (!sink && (!job.host || !job.size)))
		errx(2, "--port, and --to with --size or --sink, are needed");
	for (job.depth = DEPTH_MAX; job.depth > 8 && (size_t)job.depth * job.size > (4 << 20); job.depth /= 2)
		;
	job.batch = job.depth < 64 ? job.depth / 4 : 16;
}

static int new_socket(void)
{
	int sk = socket(AF_INET, job.udp ? SOCK_DGRAM : SOCK_STREAM, 0);

	if (sk < 0)
		err(1, "socket");
	return sk;
}

static void *discard(void *arg)
{
	static char bytes[1 << 20];
	int sk = (intptr_t)arg;

	while (recv(sk, bytes, job.udp ? 1 : sizeof(bytes), MSG_TRUNC) > 0)
		;
	close(sk);
	return NULL;
}

static int sink_main(void)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(job.port) };
	int sk = new_socket(), one = 1, peer;
	pthread_t thread;

	setsockopt(sk, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(sk, (struct sockaddr *)&any, sizeof(any)) || (!job.udp && listen(sk, NR)))
		err(1, "port %d", job.port);
	puts("ready");
	fflush(stdout);
	if (job.udp)
		discard((void *)(intptr_t)sk);
	while ((peer = accept(sk, NULL, NULL)) >= 0)
		pthread_create(&thread, NULL, discard, (void *)(intptr_t)peer);
	return 1;
}

static int dial(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(job.port) };
	int sk = new_socket();

	if (inet_pton(AF_INET, job.host, &to.sin_addr) != 1)
		errx(2, "%s: not an address", job.host);
	if (connect(sk, (struct sockaddr *)&to, sizeof(to)))
		err(1, "connect");
	return sk;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* Until the peer has acknowledged a stream, or the device has sent a datagram. */
static void wait_sent(int sk)
{
	const struct timespec pause = { .tv_nsec = 50000 };
	int left;

	while (!ioctl(sk, SIOCOUTQ, &left) && left > 0)
		nanosleep(&pause, NULL);
}

static uint64_t acknowledged(int sk)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	if (getsockopt(sk, IPPROTO_TCP, TCP_INFO, &info, &len))
		err(1, "TCP_INFO");
	return info.tcpi_bytes_acked;
}

/* Sends for the time of a slice. Returns how many messages were handed over, and stops the meter. */
static uint64_t keep_sending(const struct contender *c, int sk, struct meter *m)
{
	uint64_t messages = 0;
	double until = now() + slice;

	for (; now() < until; messages += job.batch)
		c->batch();
	if (job.udp)
		wait_sent(sk);
	meter_stop(m);
	return messages;
}

static void run_slice(const struct contender *c, int sk, const char *separator)
{
	uint64_t copied = c->copied ? c->copied() : 0, acked = job.udp ? 0 : acknowledged(sk);
	uint64_t messages;
	struct meter m;

	meter_start(&m);
	messages = keep_sending(c, sk, &m);
	acked = job.udp ? messages * job.size : acknowledged(sk) - acked;
	if (c->settle)
		c->settle();
	wait_sent(sk);
	printf("%s{\"contender\": \"%s\", \"messages\": %llu, \"bytes\": %llu, \"copied\": ", separator,
	       c->name, (unsigned long long)messages, (unsigned long long)acked);
	if (c->copied)
		printf("%llu, ", (unsigned long long)(c->copied() - copied));
	else
		printf("null, ");
	meter_print(&m);
	putchar('}');
}

int main(int argc, char **argv)
{
	const struct contender *present[NR];
	int sk[NR], nr = 0;

	parse(argc, argv);
	if (sink)
		return sink_main();
	for (unsigned int i = 0; i < NR; i++) {
		if (only && strcmp(only, contenders[i]->name))
			continue;
		if (contenders[i]->fits && !contenders[i]->fits(&job))
			continue;
		present[nr] = contenders[i];
		sk[nr] = dial();
		present[nr]->open(&job, sk[nr]);
		/* The first are not what the others are like: windows open, pages are touched. */
		present[nr]->batch();
		nr++;
	}
	putchar('[');
	for (int i = 0; i < rounds * nr; i++)
		run_slice(present[(i + i / nr) % nr], sk[(i + i / nr) % nr], i ? ",\n" : "");
	puts("]");
	return 0;
}
