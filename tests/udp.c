// SPDX-License-Identifier: GPL-2.0
/*
 * One bound UDP socket, many clients: replies go to the sender of each request,
 * by verdict and by a receive-send chain; sends name their destination, or use
 * the connected peer.
 */
#include <arpa/inet.h>
#include "bpf.h"

#define CLIENTS	4

static struct region r;
static int client[CLIENTS], slot;
static uint16_t port;

static void request(int i, const char *text)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};

	CHECK_EQ(sendto(client[i], text, strlen(text), 0, (struct sockaddr *)&to, sizeof(to)), (ssize_t)strlen(text));
}

static void expect(int i, const char *text)
{
	char got[100] = {};

	CHECK(recv(client[i], got, sizeof(got), 0) == (ssize_t)strlen(text));
	CHECK(!strcmp(got, text));
	for (int other = 0; other < CLIENTS; other++)
		CHECK(recv(client[other], got, 1, MSG_DONTWAIT) < 0);
}

static void by_chain(void)
{
	char text[] = "request 0";

	for (int i = 0; i < CLIENTS; i++) {
		struct unified_descriptor d = desc_recv(slot, 100, 1000);

		d.net.flags |= UNIFIED_IO_NET_F_SEND;
		d.net.tx_slot = slot;
		text[8] = '0' + i;
		CHECK_RES(submit(&r, d), 0);
		request(i, text);
		CHECK_RES(reap(&r).send, 9);
		expect(i, text);
	}
}

static void by_verdict(void)
{
	struct bpf_link *link;
	struct ops *ops = ops_attach(&r, &link);
	char text[] = "request 0";

	ops->bss->verdict = UNIFIED_IO_BPF_REPLY;
	ops->bss->steps[0] = (struct step){ .op = STEP_STORE, .a = 3, .b = 'U' };
	for (int i = 0; i < CLIENTS; i++) {
		struct unified_descriptor d = desc_recv(slot, 4096, 1000);

		d.type |= UNIFIED_REGION_F_BPF;
		text[8] = '0' + i;
		request(i, text);
		CHECK_RES(run(&r, d).send, 9);
		text[3] = 'U';
		expect(i, text);
		text[3] = 'u';
	}
	bpf_link__destroy(link);
	ops__destroy(ops);
}

static void by_address(void)
{
	for (int i = 0; i < CLIENTS; i++) {
		struct unified_descriptor d = desc_send(slot, 0, 5);
		struct sockaddr_in at;
		socklen_t len = sizeof(at);

		CHECK(getsockname(client[i], (struct sockaddr *)&at, &len) == 0);
		memcpy(r.data, "hello", 5);
		d.net.addr = htonl(INADDR_LOOPBACK);
		d.net.port = ntohs(at.sin_port);
		CHECK_RES(run(&r, d).res, 5);
		expect(i, "hello");
	}
	/* neither a peer nor an address */
	CHECK_RES(run(&r, desc_send(slot, 0, 5)).res, -EDESTADDRREQ);
}

static void by_peer(void)
{
	int pair[2], connected;
	char got[10];

	udp_pair(pair);
	connected = attach(&r, pair[0]);
	CHECK_RES(run(&r, desc_send(connected, 0, 5)).res, 5);
	CHECK_EQ(recv(pair[1], got, sizeof(got), 0), 5);
	CHECK(!memcmp(got, "hello", 5));
	detach(&r, connected);
}

int main(void)
{
	uint16_t unused;

	region_open(&r, NULL);
	slot = attach(&r, udp_bound(&port));
	for (int i = 0; i < CLIENTS; i++)
		client[i] = udp_bound(&unused);
	by_chain();
	by_address();
	by_peer();
	by_verdict();
	region_close(&r);
	return 0;
}
