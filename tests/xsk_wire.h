/* SPDX-License-Identifier: GPL-2.0 */
/* What the tests of AF_XDP share: tests/xsk.sh's wires, with a program on the end that is here. */
#ifndef TESTS_XSK_WIRE_H
#define TESTS_XSK_WIRE_H

#define XSK_PORT	7000

#ifndef __bpf__

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <linux/if_xdp.h>

#include <unified_io_xsk.h>

#include "bpf.h"
#include "xsk.skel.h"

struct packet {
	struct ether_header eth;
	struct iphdr ip;
	struct udphdr udp;
	/* of every message of these tests */
	uint64_t seq;
	unsigned char data[];
} __attribute__((packed));

#define HEADERS		offsetof(struct packet, seq)
#define MAX_MESSAGE	(1500 - sizeof(struct iphdr) - sizeof(struct udphdr))

/* A program on @ifname that leads UDP to XSK_PORT to the sockets of its map. */
static inline struct xsk *wire_program(const char *ifname)
{
	struct xsk *skel = xsk__open_and_load();

	CHECK(skel);
	skel->links.to_sockets = bpf_program__attach_xdp(skel->progs.to_sockets,
							 if_nametoindex(ifname));
	if (!skel->links.to_sockets)
		FAIL("no XDP program on %s: %s", ifname, strerrorname_np(errno));
	return skel;
}

/* A UDP socket at the other end of wire @n, connected to the end here. */
static inline int wire_peer(unsigned int n)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(XSK_PORT) };
	int here = in_netns("xsk"), fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	leave_netns(here);
	to.sin_addr.s_addr = htonl(0x0a500001 + (n << 8));
	CHECK(fd >= 0);
	CHECK(connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0);
	return fd;
}

/* A message of @len bytes: its number, and a pattern that it seeds. */
static inline void wire_send(int fd, uint64_t seq, size_t len)
{
	unsigned char message[16 * KiB];

	memcpy(message, &seq, sizeof(seq));
	pattern_fill(message + sizeof(seq), len - sizeof(seq), 0, seq);
	CHECK_EQ(send(fd, message, len, 0), (ssize_t)len);
}

/* A whole packet, as it was sent with @len bytes of message; its number. */
static inline uint64_t wire_check(const void *data, size_t len)
{
	const struct packet *p = data;

	CHECK(len >= sizeof(*p));
	CHECK_EQ(ntohs(p->eth.ether_type), ETHERTYPE_IP);
	CHECK_EQ(ntohs(p->udp.dest), XSK_PORT);
	CHECK_EQ(ntohs(p->udp.len), len - HEADERS + sizeof(p->udp));
	pattern_check(p->data, len - sizeof(*p), 0, p->seq);
	return p->seq;
}

/* One socket on queue 0 of @ifname; params to be changed before it is opened. */
#define XSK_RING	128
#define XSK_LEN		(1 * MiB)

static inline struct unified_io_xsk_params wire_params(const struct unified_io_xsk_queue *queues,
						       unsigned int nr)
{
	return (struct unified_io_xsk_params){
		.queues = queues,
		.nr_queues = nr,
		.ring = XSK_RING,
		.addr = 1 * MiB,
		.len = XSK_LEN,
	};
}

/* The next frame of any of the queues; waits for it. */
static inline struct unified_io_xsk_frame wire_recv(struct unified_io_xsk *xsk, unsigned int nr,
						    unsigned int *queue)
{
	struct unified_io_xsk_frame frame;

	for (;;) {
		for (unsigned int q = 0; q < nr; q++) {
			if (!unified_io_xsk_recv(xsk, q, &frame))
				continue;
			if (queue)
				*queue = q;
			return frame;
		}
		CHECK_RES(unified_io_xsk_wait(xsk, WAIT_NS), 0);
	}
}

static inline struct xdp_statistics wire_stats(struct unified_io_xsk *xsk)
{
	struct xdp_statistics stats;
	socklen_t len = sizeof(stats);

	CHECK(getsockopt(unified_io_xsk_fd(xsk, 0), SOL_XDP, XDP_STATISTICS, &stats, &len) == 0);
	return stats;
}

/* Does this kernel's driver of @ifname do zero copy? Those of Linux 6.12 do not, those of Linux 7 have to. */
static inline bool wire_has_zero_copy(struct unified_io *io, const char *ifname)
{
	struct unified_io_xsk_queue queue = { ifname, 0, -1 };
	struct unified_io_xsk_params params = wire_params(&queue, 1);
	struct xsk *skel = wire_program(ifname);
	struct unified_io_xsk *xsk = NULL;
	struct utsname kernel;
	int err;

	params.mode = UNIFIED_IO_XSK_ZEROCOPY;
	queue.map_fd = bpf_map__fd(skel->maps.sockets);
	err = unified_io_xsk_open(&xsk, io, &params);
	if (!err)
		unified_io_xsk_close(xsk);
	else
		CHECK_RES(err, -EOPNOTSUPP);
	xsk__destroy(skel);
	if (err) {
		CHECK(!uname(&kernel) && atoi(kernel.release) < 7);
		printf("%s: this kernel's driver has no zero copy\n", ifname);
	}
	return !err;
}

#endif /* !__bpf__ */

#endif /* TESTS_XSK_WIRE_H */
