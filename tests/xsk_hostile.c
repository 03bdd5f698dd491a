// SPDX-License-Identifier: GPL-2.0
/*
 * AF_XDP on the region, misused: addresses outside of the UMEM, by the library and
 * past it, harm nothing but themselves; a process killed with packets on their way
 * leaves nothing; sockets outlive the region, and the region its sockets.
 */
#include "xsk_wire.h"
#include "xsk.h"	/* the library's own: its rings */

#define MARK	0x5c

static struct unified_io io;
static const char *ifname;
static unsigned int wire;
static enum unified_io_xsk_mode mode;
static struct xsk *skel;

static struct unified_io_xsk *open_on(struct unified_io *region)
{
	struct unified_io_xsk_queue queue = { ifname, 0, bpf_map__fd(skel->maps.sockets) };
	struct unified_io_xsk_params params = wire_params(&queue, 1);
	struct unified_io_xsk *xsk;

	params.mode = mode;
	CHECK_RES(unified_io_xsk_open(&xsk, region, &params), 0);
	return xsk;
}

static void expect(struct unified_io_xsk *xsk, uint64_t seq)
{
	struct unified_io_xsk_frame frame = wire_recv(xsk, 1, NULL);

	CHECK_EQ(wire_check(io.data + frame.addr, frame.len), seq);
	CHECK_RES(unified_io_xsk_release(xsk, frame.addr), 0);
	CHECK(unified_io_xsk_flush(xsk, 0) >= 0);
}

static int send_of(struct unified_io_xsk *xsk, uint64_t addr, uint32_t len, bool more)
{
	struct unified_io_xsk_frame frame = { .addr = addr, .len = len, .more = more };

	return unified_io_xsk_send(xsk, 0, &frame);
}

static void by_library(void)
{
	struct unified_io_xsk *xsk = open_on(&io);
	struct unified_io_xsk_frame frame = { 0 };
	int peer = wire_peer(wire);
	uint64_t base = 1 * MiB;

	wire_send(peer, 1, 100);
	frame = wire_recv(xsk, 1, NULL);
	/* outside */
	CHECK_RES(unified_io_xsk_release(xsk, base - 1), -ERANGE);
	CHECK_RES(unified_io_xsk_release(xsk, base + XSK_LEN), -ERANGE);
	CHECK_RES(unified_io_xsk_release(xsk, ~0ULL), -ERANGE);
	CHECK_RES(send_of(xsk, base - 4096, 100, false), -ERANGE);
	CHECK_RES(send_of(xsk, base + XSK_LEN, 100, false), -ERANGE);
	CHECK_RES(send_of(xsk, frame.addr, 4000, false), -ERANGE);
	CHECK_RES(send_of(xsk, frame.addr, ~0U, false), -ERANGE);
	CHECK_RES(send_of(xsk, frame.addr, 0, false), -EMSGSIZE);
	CHECK_RES(send_of(xsk, frame.addr, 100, true), -EINVAL);
	/* the kernel's, and twice */
	CHECK_RES(unified_io_xsk_release(xsk, frame.addr ^ 4096), -EINVAL);
	CHECK_RES(unified_io_xsk_release(xsk, frame.addr), 0);
	CHECK_RES(unified_io_xsk_release(xsk, frame.addr), -EINVAL);
	CHECK_RES(unified_io_xsk_send(xsk, 0, &frame), -EINVAL);
	wire_send(peer, 2, 100);
	expect(xsk, 2);
	close(peer);
	unified_io_xsk_close(xsk);
}

/* Frames outside of the UMEM, for packets to come in. */
static void bad_fill(struct unified_io_xsk *xsk, int peer)
{
	static const uint64_t bad[] = {
		XSK_LEN, XSK_LEN + 4096, ~0ULL, ~4095ULL, 1ULL << 63, 1ULL << 48, -1 * MiB, 3 * MiB,
	};
	struct xsk_ring_prod *fill = &xsk->queues[0].fill;
	struct unified_io_xsk_frame frames[64];
	uint32_t at;

	for (unsigned int i = 0; i < 64; i++) {
		wire_send(peer, i, 200);
		frames[i] = wire_recv(xsk, 1, NULL);
	}
	while (!xsk_ring_prod__reserve(fill, 64, &at))
		usleep(1000);
	for (unsigned int i = 0; i < 64; i++)
		*xsk_ring_prod__fill_addr(fill, at + i) = bad[i % ARRAY_SIZE(bad)];
	xsk_ring_prod__submit(fill, 64);
	for (unsigned int i = 64; i < 128; i++) {
		wire_send(peer, i, 200);
		expect(xsk, i);
	}
	for (unsigned int i = 0; i < 64; i++)
		CHECK_RES(unified_io_xsk_release(xsk, frames[i].addr), 0);
	/* as many as the ring holds: the bad ones have been passed over */
	for (unsigned int i = 128; i < 128 + XSK_RING; i++) {
		wire_send(peer, i, 200);
		expect(xsk, i);
	}
}

/* And packets outside of it, to be sent. */
static void bad_tx(struct unified_io_xsk *xsk, int peer)
{
	struct xsk_ring_prod *tx = &xsk->queues[0].tx;
	char got[100];
	uint32_t at = 0;
	uint64_t end;
	__u64 ours;

	CHECK_RES(unified_io_xsk_alloc(xsk, 0, &ours), 0);
	ours -= 1 * MiB;
	const struct xdp_desc bad[] = {
		{ XSK_LEN, 100, 0 }, { XSK_LEN + 4096, 100, 0 }, { ~0ULL, 100, 0 },
		{ ~0ULL - 50, 100, 0 }, { ours + 4000, 200, 0 }, { ours, 5000, 0 },
		{ ours, ~0U, 0 }, { 1ULL << 63, 100, 0 }, { ours, 100, 1U << 30 },
	};

	CHECK_EQ(xsk_ring_prod__reserve(tx, ARRAY_SIZE(bad), &at), ARRAY_SIZE(bad));
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++)
		*xsk_ring_prod__tx_desc(tx, at + i) = bad[i];
	xsk_ring_prod__submit(tx, ARRAY_SIZE(bad));
	end = now_ns() + WAIT_NS;
	while (wire_stats(xsk).tx_invalid_descs < ARRAY_SIZE(bad)) {
		unified_io_xsk_flush(xsk, 0);
		CHECK(now_ns() < end);
	}
	CHECK_EQ(wire_stats(xsk).tx_invalid_descs, ARRAY_SIZE(bad));
	CHECK(recv(peer, got, sizeof(got), MSG_DONTWAIT) < 0);
	wire_send(peer, 1000, 300);
	expect(xsk, 1000);
}

static void past_library(void)
{
	struct unified_io_xsk *xsk;
	int peer = wire_peer(wire);

	memset(io.data, MARK, 1 * MiB);
	memset(io.data + 1 * MiB + XSK_LEN, MARK, io.data_size - 1 * MiB - XSK_LEN);
	xsk = open_on(&io);
	bad_fill(xsk, peer);
	bad_tx(xsk, peer);
	check_filled(io.data, 1 * MiB, MARK);
	check_filled(io.data + 1 * MiB + XSK_LEN, io.data_size - 1 * MiB - XSK_LEN, MARK);
	unified_io_xsk_close(xsk);
	close(peer);
}

/* Receives and sends until it is killed. */
static void victim(int ready)
{
	struct unified_io_xsk_frame frame;
	struct unified_io_xsk *xsk;
	struct unified_io own;

	CHECK_RES(unified_io_open(&own, NULL), 0);
	xsk = open_on(&own);
	for (;;) {
		frame = wire_recv(xsk, 1, NULL);
		CHECK_RES(unified_io_xsk_send(xsk, 0, &frame), 0);
		CHECK_EQ(write(ready, "", 1), 1);
	}
}

static void killed(void)
{
	int peer = wire_peer(wire), ready[2];
	char byte;

	for (unsigned int i = 0; i < 5; i++) {
		pid_t pid;

		CHECK(pipe2(ready, O_CLOEXEC) == 0);
		pid = fork();
		if (!pid)
			victim(ready[1]);
		close(ready[1]);
		/* until it has the queue, packets are the stack's, which knows no such port */
		do {
			struct pollfd poll_ready = { .fd = ready[0], .events = POLLIN };

			send(peer, &byte, 1, MSG_DONTWAIT);
			if (poll(&poll_ready, 1, 10))
				break;
		} while (!waitpid(pid, NULL, WNOHANG));
		CHECK_EQ(read(ready[0], &byte, 1), 1);
		for (unsigned int n = 0; n < 32; n++)
			send(peer, &byte, 1, MSG_DONTWAIT);
		kill(pid, SIGKILL);
		CHECK_EQ(child_status(pid), SIGKILL);
		close(ready[0]);
	}
	close(peer);
}

/* What was received before the region was closed goes out after it. */
static void socket_outlives(void)
{
	struct unified_io own;
	struct unified_io_xsk *xsk;
	struct unified_io_xsk_frame frame;
	struct ether_header eth;
	struct packet *p;
	int peer = wire_peer(wire);
	unsigned char got[1000];
	uint32_t addr;
	uint16_t port;

	CHECK_RES(unified_io_open(&own, NULL), 0);
	xsk = open_on(&own);
	wire_send(peer, 77, sizeof(got));
	frame = wire_recv(xsk, 1, NULL);
	p = (void *)(own.data + frame.addr);
	eth = p->eth;
	memcpy(p->eth.ether_dhost, eth.ether_shost, ETH_ALEN);
	memcpy(p->eth.ether_shost, eth.ether_dhost, ETH_ALEN);
	addr = p->ip.saddr, p->ip.saddr = p->ip.daddr, p->ip.daddr = addr;
	port = p->udp.source, p->udp.source = p->udp.dest, p->udp.dest = port;
	p->udp.check = 0;
	unified_io_close(&own);

	CHECK_RES(unified_io_xsk_send(xsk, 0, &frame), 0);
	CHECK(unified_io_xsk_flush(xsk, 0) >= 0);
	recv_all(peer, got, sizeof(got));
	pattern_check(got + sizeof(uint64_t), sizeof(got) - sizeof(uint64_t), 0, 77);
	/* and packets still come */
	wire_send(peer, 78, 1000);
	while (!unified_io_xsk_recv(xsk, 0, &frame))
		CHECK(unified_io_xsk_flush(xsk, 0) >= 0);
	CHECK_EQ(frame.len, HEADERS + 1000);
	unified_io_xsk_close(xsk);
	close(peer);
}

/* What a socket has received is the region's when the socket is gone. */
static void region_outlives(void)
{
	struct unified_io_xsk *xsk = open_on(&io);
	struct unified_io_xsk_frame frame;
	struct unified_completion cqe;
	int peer = wire_peer(wire);

	wire_send(peer, 79, 1000);
	frame = wire_recv(xsk, 1, NULL);
	unified_io_xsk_close(xsk);
	CHECK_EQ(wire_check(io.data + frame.addr, frame.len), 79);
	unified_io_prep_write(unified_io_get_desc(&io), frame.addr & ~4095ULL, 4096, 0);
	CHECK_RES(unified_io_wait(&io, &cqe, WAIT_NS), 0);
	CHECK_RES(cqe.res, 4096);
	close(peer);
}

static void on_wire(const char *name, unsigned int n, enum unified_io_xsk_mode as)
{
	ifname = name;
	wire = n;
	mode = as;
	skel = wire_program(name);
	printf("%s: addresses\n", name);
	by_library();
	past_library();
	printf("%s: kills\n", name);
	killed();
	printf("%s: what outlives what\n", name);
	socket_outlives();
	region_outlives();
	xsk__destroy(skel);
}

int main(void)
{
	struct unified_io_setup setup;

	unified_io_defaults(&setup);
	setup.nvme_fd = open(env("NVME0"), O_RDWR);
	setup.region_size = 16 * MiB;
	CHECK_RES(unified_io_open(&io, &setup), 0);
	close(setup.nvme_fd);
	on_wire("veth0", 2, UNIFIED_IO_XSK_COPY);
	if (wire_has_zero_copy(&io, "zc0"))
		on_wire("zc0", 0, UNIFIED_IO_XSK_ZEROCOPY);
	else
		printf("this kernel's virtio_net has no zero copy\n");
	unified_io_close(&io);
	return 0;
}
