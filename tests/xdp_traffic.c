// SPDX-License-Identifier: GPL-2.0
/*
 * An XDP program as network people write them, on frames of an AF_PACKET
 * socket: it parses Ethernet, IP and UDP, drops one port and passes the rest.
 * Then programs come and go while operations run.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include "bpf.h"

#define GOOD_PORT	7001
#define BAD_PORT	7002

static struct region r;
static volatile bool stop;

static void send_datagram(uint16_t port, const char *text)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	CHECK(sendto(fd, text, strlen(text), 0, (struct sockaddr *)&to, sizeof(to)) == (ssize_t)strlen(text));
	close(fd);
}

static bool is_udp_to(const unsigned char *frame, uint16_t port)
{
	return frame[12] == 8 && frame[13] == 0 && frame[23] == IPPROTO_UDP &&
	       frame[36] << 8 == (port & 0xff00) && frame[37] == (port & 0xff);
}

/* Receives frames until it has seen one to GOOD_PORT, which must pass. */
static void filters_frames(struct xdp *xdp)
{
	int fd = packet_socket("lo"), slot = attach(&r, fd);
	struct unified_descriptor d = desc_recv(slot, 0, 4096);
	bool dropped = false;

	d.type |= UNIFIED_REGION_F_BPF;
	d.net.proto = UNIFIED_IO_PROTO_RAW;
	d.bpf.prog_id = xdp_attach(&r, xdp->progs.parse);
	xdp->bss->drop_port = BAD_PORT;
	send_datagram(BAD_PORT, "drop me");
	send_datagram(GOOD_PORT, "pass me");
	for (;;) {
		struct unified_completion c = run(&r, d);

		CHECK_OK(c.res);
		if (is_udp_to(r.data, BAD_PORT)) {
			CHECK_EQ(c.verdict, UNIFIED_IO_BPF_DROP);
			dropped = true;
		} else {
			CHECK_EQ(c.verdict, UNIFIED_IO_BPF_PASS);
		}
		if (is_udp_to(r.data, GOOD_PORT))
			break;
	}
	CHECK(dropped);
	CHECK_EQ(memcmp(r.data + 42, "pass me", 7), 0);
	detach(&r, slot);
	CHECK(attach_bpf(&r, -1, UNIFIED_IO_BPF_F_DETACH, d.bpf.prog_id) >= 0);
	close(fd);
}

static void *traffic(void *arg)
{
	uint64_t *count = calloc(3, sizeof(*count));

	while (!stop) {
		struct unified_completion c = run(&r, desc_bpf(0, 4096));

		CHECK_RES(c.res, c.res < 0 ? -ENOENT : 4096);
		count[c.res < 0 ? 2 : c.flags & UNIFIED_IO_CQE_F_DROPPED ? 1 : 0]++;
	}
	return count;
}

static void come_and_go(struct xdp *xdp)
{
	int pass = bpf_program__fd(xdp->progs.pass), drop = bpf_program__fd(xdp->progs.drop);
	pthread_t thread;
	uint64_t *count;
	void *result;

	CHECK(!pthread_create(&thread, NULL, traffic, NULL));
	for (int i = 0; i < 200; i++) {
		int id = attach_bpf(&r, pass, 0, 0), new;

		CHECK(id > 0);
		usleep(1000);
		new = attach_bpf(&r, drop, UNIFIED_IO_BPF_F_REPLACE, id);
		CHECK(new > 0);
		usleep(1000);
		CHECK(attach_bpf(&r, -1, UNIFIED_IO_BPF_F_DETACH, new) >= 0);
		usleep(1000);
	}
	stop = true;
	pthread_join(thread, &result);
	count = result;
	printf("%llu passed, %llu dropped, %llu refused for want of a program\n", (unsigned long long)count[0],
	       (unsigned long long)count[1], (unsigned long long)count[2]);
	CHECK(count[0] && count[1] && count[2]);
}

int main(void)
{
	struct xdp *xdp = xdp_load();

	region_open(&r, NULL);
	filters_frames(xdp);
	come_and_go(xdp);
	/* still attached programs go with the region */
	xdp_attach(&r, xdp->progs.pass);
	xdp__destroy(xdp);
	region_close(&r);
	return 0;
}
