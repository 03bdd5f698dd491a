// SPDX-License-Identifier: GPL-2.0
/*
 * One thread rewrites descriptors, indices and Net IOVs with random garbage
 * while another submits. Nothing crashes, and every accepted operation completes
 * once.
 */
#include "common.h"

#define SECONDS		5
#define OPERATIONS	1000	/* at least, however slow the machine is */

static struct region r;
static volatile bool stop;

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	return *state ^= *state << 17;
}

/* Mostly plausible descriptors, so that many get far, and one field of them random. */
static struct unified_descriptor arbitrary(uint64_t *state)
{
	uint64_t dice = next_random(state);
	struct unified_descriptor d = desc_nvme(dice % 4, dice % 64 * 4096, 4096, dice % 100);

	d.type = 1 + (dice >> 8) % 7;
	d.net.flags = dice >> 16 & 7;
	((unsigned char *)&d)[(dice >> 24) % sizeof(d)] = dice >> 32;
	return d;
}

static void *rewrite(void *arg)
{
	uint64_t state = 88172645463325252ULL;

	while (!stop) {
		uint64_t dice = next_random(&state);

		r.sq[dice % r.setup.sq_entries] = arbitrary(&state);
		((uint64_t *)r.niov)[dice >> 8 & 127] = next_random(&state);
		if (dice >> 60 == 0)
			r.ctl->niov_tail = dice;
	}
	return NULL;
}

static void keep_peers_busy(const int fd[2])
{
	char buf[4096];

	for (int i = 0; i < 2; i++) {
		send(fd[i], "data", 4, MSG_DONTWAIT | MSG_NOSIGNAL);
		recv(fd[i], buf, sizeof(buf), MSG_DONTWAIT);
	}
}

/* Returns how many completions were consumed. */
static uint64_t consume(void)
{
	unsigned int n = nr_ready(&r);

	CHECK(n <= r.setup.cq_entries);
	__atomic_store_n(&r.ctl->cq_head, r.ctl->cq_head + n, __ATOMIC_RELEASE);
	return n;
}

int main(void)
{
	uint64_t end = now_ns() + SECONDS * NSEC_PER_SEC, consumed = 0;
	int tcp[2], udp[2], peers[2];
	pthread_t thread;

	region_open(&r, env("NVME0"));
	tcp_pair(tcp);
	udp_pair(udp);
	peers[0] = tcp[1];
	peers[1] = udp[1];
	attach(&r, tcp[0]);
	attach(&r, udp[0]);
	CHECK(pthread_create(&thread, NULL, rewrite, NULL) == 0);
	while (now_ns() < end || consumed <= OPERATIONS) {
		r.ctl->sq_tail = r.ctl->sq_head + r.setup.sq_entries;
		enter(&r, ~0U, 1, 1000000, NULL);
		consumed += consume();
		keep_peers_busy(peers);
	}
	stop = true;
	CHECK(pthread_join(thread, NULL) == 0);

	/* sent bytes that the peer has not read keep their pages as long as the socket lives */
	detach(&r, 0);
	detach(&r, 1);
	close(tcp[0]);
	close(tcp[1]);
	wait_idle(&r);
	consumed += consume();
	printf("%llu operations\n", (unsigned long long)consumed);
	CHECK_EQ(region_info(&r).completed, consumed);
	region_close(&r);
	return 0;
}
