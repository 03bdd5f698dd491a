// SPDX-License-Identifier: GPL-2.0
/*
 * AF_XDP sockets whose UMEM is in the region: which mode, and that it is what it says;
 * packets in and out, more of them than there are frames; several queues and NICs on
 * one UMEM; packets of several frames; libxdp's own program. The wires are tests/xsk.sh's.
 */
#include "xsk_wire.h"

#define MARK		0xaa
#define VNET_LEN	12	/* of virtio's header, which the device puts in front of a packet */

static struct unified_io io;
static bool zero_copy;		/* can the kernel on zc0 and zc1? */

static enum unified_io_xsk_mode best(void)
{
	return zero_copy ? UNIFIED_IO_XSK_ZEROCOPY : UNIFIED_IO_XSK_COPY;
}

static struct unified_io_xsk *open_one(const char *ifname, struct xsk *skel,
				       enum unified_io_xsk_mode mode, unsigned int flags)
{
	struct unified_io_xsk_queue queue = { ifname, 0, bpf_map__fd(skel->maps.sockets) };
	struct unified_io_xsk_params params = wire_params(&queue, 1);
	struct unified_io_xsk *xsk;

	params.mode = mode;
	params.flags = flags;
	CHECK_RES(unified_io_xsk_open(&xsk, &io, &params), 0);
	return xsk;
}

static void refused(void)
{
	struct unified_io_xsk_queue queue = { "veth0", 0, -1 };
	struct unified_io_xsk_params good = wire_params(&queue, 1), p;
	struct xsk *skel = wire_program("veth0");
	struct unified_io_xsk *xsk;

	queue.map_fd = bpf_map__fd(skel->maps.sockets);
	p = good, p.mode = UNIFIED_IO_XSK_ZEROCOPY;
	CHECK_RES(unified_io_xsk_open(&xsk, &io, &p), -EOPNOTSUPP);
	CHECK(strstr(unified_io_hint(UNIFIED_IO_CALL_XSK, -EOPNOTSUPP), "UNIFIED_IO_XSK_COPY"));
	p = good, p.len = io.data_size;
	CHECK_RES(unified_io_xsk_open(&xsk, &io, &p), -ERANGE);
	p = good, p.addr = ~4095ULL;
	CHECK_RES(unified_io_xsk_open(&xsk, &io, &p), -ERANGE);
	p = good, p.addr++;
	CHECK_RES(unified_io_xsk_open(&xsk, &io, &p), -EINVAL);
	p = good, p.ring = 100;
	CHECK_RES(unified_io_xsk_open(&xsk, &io, &p), -EINVAL);
	p = good, p.frame_size = 8192;
	CHECK_RES(unified_io_xsk_open(&xsk, &io, &p), -EINVAL);
	p = good, p.ring = 1024;
	CHECK_RES(unified_io_xsk_open(&xsk, &io, &p), -ENOBUFS);
	p = good, p.flags = 1U << 31;
	CHECK_RES(unified_io_xsk_open(&xsk, &io, &p), -EINVAL);
	queue.rxq = 7;
	CHECK_RES(unified_io_xsk_open(&xsk, &io, &good), -EINVAL);
	queue.rxq = 0;
	queue.ifname = "nonesuch";
	CHECK_RES(unified_io_xsk_open(&xsk, &io, &good), -ENODEV);
	xsk__destroy(skel);
}

static void modes(void)
{
	struct xsk *skel = wire_program("veth0");
	struct unified_io_xsk *xsk = open_one("veth0", skel, UNIFIED_IO_XSK_AUTO, 0);

	CHECK_EQ(unified_io_xsk_mode(xsk), UNIFIED_IO_XSK_COPY);
	CHECK_RES(unified_io_xsk_why(xsk), -EOPNOTSUPP);
	unified_io_xsk_close(xsk);
	xsk__destroy(skel);

	skel = wire_program("zc0");
	xsk = open_one("zc0", skel, UNIFIED_IO_XSK_AUTO, 0);
	CHECK_EQ(unified_io_xsk_mode(xsk), best());
	CHECK_RES(unified_io_xsk_why(xsk), zero_copy ? 0 : -EOPNOTSUPP);
	unified_io_xsk_close(xsk);
	/* at once: the queue of the one before is still being given up */
	xsk = open_one("zc0", skel, UNIFIED_IO_XSK_COPY, 0);
	CHECK_EQ(unified_io_xsk_mode(xsk), UNIFIED_IO_XSK_COPY);
	unified_io_xsk_close(xsk);
	xsk__destroy(skel);
}

/* What is in front of the packet is as it was, but the last bytes, which the device writes. */
static void check_dma(const struct unified_io_xsk_frame *frame, bool by_device)
{
	const unsigned char *packet = io.data + frame->addr, *header = packet - VNET_LEN;

	CHECK_EQ(frame->addr % 4096, UNIFIED_IO_XSK_HEADROOM);
	check_filled(packet - UNIFIED_IO_XSK_HEADROOM, UNIFIED_IO_XSK_HEADROOM - VNET_LEN, MARK);
	if (!by_device) {
		check_filled(header, VNET_LEN, MARK);
		return;
	}
	/* no flags, no offload, and the packet is in one buffer */
	check_filled(header, VNET_LEN - 2, 0);
	CHECK_EQ(header[VNET_LEN - 2], 1);
	CHECK_EQ(header[VNET_LEN - 1], 0);
}

static void mark(const struct unified_io_xsk_frame *frame)
{
	memset(io.data + frame->addr - UNIFIED_IO_XSK_HEADROOM, MARK, UNIFIED_IO_XSK_HEADROOM);
}

/* Back to the sender, who gets what it sent. */
static void turn_round(struct unified_io_xsk_frame *frame)
{
	struct packet *p = (void *)(io.data + frame->addr);
	struct ether_header eth = p->eth;
	struct iphdr ip = p->ip;
	struct udphdr udp = p->udp;

	memcpy(p->eth.ether_dhost, eth.ether_shost, ETH_ALEN);
	memcpy(p->eth.ether_shost, eth.ether_dhost, ETH_ALEN);
	p->ip.saddr = ip.daddr;
	p->ip.daddr = ip.saddr;
	p->udp.source = udp.dest;
	p->udp.dest = udp.source;
	p->udp.check = 0;
}

static void expect_echo(int fd, uint64_t seq, size_t len)
{
	unsigned char got[16 * KiB];
	struct timeval limit = { .tv_sec = WAIT_NS / NSEC_PER_SEC };
	uint64_t its;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	CHECK_EQ(recv(fd, got, sizeof(got), 0), (ssize_t)len);
	memcpy(&its, got, sizeof(its));
	CHECK_EQ(its, seq);
	pattern_check(got + sizeof(its), len - sizeof(its), 0, seq);
}

static size_t length_of(uint64_t seq)
{
	return sizeof(uint64_t) + seq * 89 % (MAX_MESSAGE - sizeof(uint64_t) + 1);
}

static void flush(struct unified_io_xsk *xsk, unsigned int queue)
{
	int ret;

	do
		ret = unified_io_xsk_flush(xsk, queue);
	while (ret > 0);
	CHECK_RES(ret, 0);
}

/* More packets than frames, in bursts; every second one goes back. The bytes that were carried. */
static uint64_t bursts(struct unified_io_xsk *xsk, int peer, bool by_device)
{
	struct unified_io_xsk_frame frame;
	uint64_t seq = 0, bytes = 0;

	for (int burst = 0; burst < 12; burst++, seq += 32) {
		for (unsigned int i = 0; i < 32; i++)
			wire_send(peer, seq + i, length_of(seq + i));
		for (unsigned int i = 0; i < 32; i++) {
			frame = wire_recv(xsk, 1, NULL);
			CHECK(!frame.more);
			CHECK_EQ(frame.len, HEADERS + length_of(seq + i));
			CHECK_EQ(wire_check(io.data + frame.addr, frame.len), seq + i);
			check_dma(&frame, by_device);
			mark(&frame);
			bytes += frame.len;
			if (i % 2) {
				bytes += frame.len;
				turn_round(&frame);
				CHECK_RES(unified_io_xsk_send(xsk, 0, &frame), 0);
			} else {
				CHECK_RES(unified_io_xsk_release(xsk, frame.addr), 0);
			}
		}
		flush(xsk, 0);
		for (unsigned int i = 1; i < 32; i += 2)
			expect_echo(peer, seq + i, length_of(seq + i));
	}
	return bytes;
}

/* What the region's counters have more than @before. */
static void check_bypass(const struct unified_io_info *before, enum unified_io_xsk_mode mode,
			 uint64_t bytes)
{
	bool copied = mode == UNIFIED_IO_XSK_COPY;
	struct unified_io_info now;

	CHECK_RES(unified_io_get_info(&io, &now), 0);
	CHECK_EQ(now.bypass_mode, copied ? UNIFIED_IO_BYPASS_XSK_COPY : UNIFIED_IO_BYPASS_XSK);
	CHECK_EQ(now.bypass_bytes - before->bypass_bytes, bytes);
	CHECK_EQ(now.bypass_copied - before->bypass_copied, copied ? bytes : 0);
}

static void traffic(const char *ifname, unsigned int wire, enum unified_io_xsk_mode mode)
{
	struct xsk *skel = wire_program(ifname);
	struct unified_io_info before;
	struct unified_io_xsk *xsk;
	int peer = wire_peer(wire);
	uint64_t bytes;

	memset(io.data, MARK, 4 * MiB);
	xsk = open_one(ifname, skel, mode, 0);
	CHECK_RES(unified_io_get_info(&io, &before), 0);
	bytes = bursts(xsk, peer, mode == UNIFIED_IO_XSK_ZEROCOPY);
	CHECK_EQ(unified_io_xsk_copied(xsk), mode == UNIFIED_IO_XSK_ZEROCOPY ? 0 : bytes);
	check_bypass(&before, mode, bytes);
	CHECK_EQ(wire_stats(xsk).rx_dropped, 0);
	/* nothing was written outside of the UMEM */
	check_filled(io.data, 1 * MiB, MARK);
	check_filled(io.data + 1 * MiB + XSK_LEN, 1 * MiB, MARK);
	unified_io_xsk_close(xsk);
	xsk__destroy(skel);
	close(peer);
}

/* A packet of our own making, in a frame that nothing has come in. */
static void originate(void)
{
	struct xsk *skel = wire_program("zc0");
	struct unified_io_xsk *xsk = open_one("zc0", skel, UNIFIED_IO_XSK_AUTO, 0);
	struct unified_io_xsk_frame frame = { 0 }, first;
	int peer = wire_peer(0), ret;

	wire_send(peer, 0, 1000);
	first = wire_recv(xsk, 1, NULL);
	turn_round(&first);
	for (uint64_t seq = 1; seq < 3 * XSK_LEN / 4096 / 2; seq++) {
		struct packet *p;

		while (unified_io_xsk_alloc(xsk, 0, &frame.addr)) {
			ret = unified_io_xsk_wait(xsk, NSEC_PER_SEC / 1000);
			if (ret != -ETIME)
				CHECK_RES(ret, 0);
		}
		frame.addr += seq % 1000;
		frame.len = first.len;
		p = (void *)(io.data + frame.addr);
		memcpy(p, io.data + first.addr, first.len);
		p->seq = seq;
		pattern_fill(p->data, 1000 - sizeof(seq), 0, seq);
		CHECK_RES(unified_io_xsk_send(xsk, 0, &frame), 0);
		flush(xsk, 0);
		expect_echo(peer, seq, 1000);
	}
	unified_io_xsk_close(xsk);
	xsk__destroy(skel);
	close(peer);
}

/* One UMEM for all; each packet comes in a frame of its queue, and can go out by another. */
static void queues(const char *ifname, unsigned int wire, enum unified_io_xsk_mode mode)
{
	struct unified_io_xsk_queue at[4];
	struct unified_io_xsk_params params = wire_params(at, 4);
	struct xsk *skel = wire_program(ifname);
	int map = bpf_map__fd(skel->maps.sockets);
	unsigned int seen[4] = { 0 }, nr_seen = 0, queue;
	struct unified_io_info before;
	struct unified_io_xsk *xsk;
	uint64_t bytes = 0;

	for (unsigned int q = 0; q < 4; q++)
		at[q] = (struct unified_io_xsk_queue){ ifname, q, map };
	params.ring = XSK_LEN / 4096 / 4;
	CHECK_RES(unified_io_get_info(&io, &before), 0);
	CHECK_RES(unified_io_xsk_open(&xsk, &io, &params), 0);
	CHECK_EQ(unified_io_xsk_mode(xsk), mode);
	/* the sender's kernel picks a queue by the ports */
	for (uint64_t seq = 0; seq < 64; seq++) {
		struct unified_io_xsk_frame frame;
		int peer = wire_peer(wire);

		wire_send(peer, seq, length_of(seq));
		frame = wire_recv(xsk, 4, &queue);
		bytes += 2 * frame.len;
		CHECK_EQ(wire_check(io.data + frame.addr, frame.len), seq);
		CHECK_EQ((frame.addr - params.addr) / (XSK_LEN / 4), queue);
		nr_seen += !seen[queue]++;
		turn_round(&frame);
		/* out by another queue */
		CHECK_RES(unified_io_xsk_send(xsk, (queue + 1) % 4, &frame), 0);
		flush(xsk, (queue + 1) % 4);
		expect_echo(peer, seq, length_of(seq));
		close(peer);
	}
	CHECK_EQ(nr_seen, 4);
	/* each queue tells its own */
	for (queue = 0; queue < 4; queue++)
		flush(xsk, queue);
	check_bypass(&before, mode, bytes);
	unified_io_xsk_close(xsk);
	xsk__destroy(skel);
}

/* Two NICs, one UMEM: what one receives the other sends. */
static void nics(void)
{
	struct xsk *skels[2] = { wire_program("zc0"), wire_program("zc1") };
	struct unified_io_xsk_queue at[2] = {
		{ "zc0", 0, bpf_map__fd(skels[0]->maps.sockets) },
		{ "zc1", 0, bpf_map__fd(skels[1]->maps.sockets) },
	};
	struct unified_io_xsk_params params = wire_params(at, 2);
	struct unified_io_xsk_frame frame[2];
	int peer[2] = { wire_peer(0), wire_peer(1) };
	struct unified_io_xsk *xsk;
	struct packet head;
	unsigned int queue;

	CHECK_RES(unified_io_xsk_open(&xsk, &io, &params), 0);
	CHECK_EQ(unified_io_xsk_mode(xsk), best());
	for (uint64_t seq = 0; seq < 50; seq++) {
		for (unsigned int i = 0; i < 2; i++) {
			wire_send(peer[i], 2 * seq + i, 500);
			frame[i] = wire_recv(xsk, 2, &queue);
			CHECK_EQ(queue, i);
			CHECK_EQ(wire_check(io.data + frame[i].addr, frame[i].len), 2 * seq + i);
			turn_round(&frame[i]);
		}
		/* the frame of the one goes out with the addresses of the other */
		for (unsigned int i = 0; i < 2; i++) {
			struct packet *p = (void *)(io.data + frame[i].addr);

			p->seq ^= 1;
			pattern_fill(p->data, 500 - sizeof(seq), 0, p->seq);
		}
		head = *(struct packet *)(io.data + frame[0].addr);
		memcpy(io.data + frame[0].addr, io.data + frame[1].addr, HEADERS);
		memcpy(io.data + frame[1].addr, &head, HEADERS);
		for (unsigned int i = 0; i < 2; i++) {
			CHECK_RES(unified_io_xsk_send(xsk, i, &frame[!i]), 0);
			flush(xsk, i);
			expect_echo(peer[i], 2 * seq + i, 500);
		}
	}
	unified_io_xsk_close(xsk);
	for (unsigned int i = 0; i < 2; i++) {
		xsk__destroy(skels[i]);
		close(peer[i]);
	}
}

/* A packet of several frames: put together, and sent back as they are. */
static void one_jumbo(struct unified_io_xsk *xsk, int peer, uint64_t seq, size_t len, size_t room)
{
	static unsigned char whole[16 * KiB];
	struct unified_io_xsk_frame frames[4];
	unsigned int nr = 0, at = 0;

	wire_send(peer, seq, len);
	do {
		CHECK(nr < ARRAY_SIZE(frames));
		frames[nr] = wire_recv(xsk, 1, NULL);
		memcpy(whole + at, io.data + frames[nr].addr, frames[nr].len);
		at += frames[nr].len;
	} while (frames[nr++].more);
	CHECK_EQ(nr, at / room + 1);
	CHECK_EQ(at, HEADERS + len);
	CHECK_EQ(wire_check(whole, at), seq);
	turn_round(&frames[0]);
	for (unsigned int i = 0; i < nr; i++)
		CHECK_RES(unified_io_xsk_send(xsk, 0, &frames[i]), 0);
	flush(xsk, 0);
	expect_echo(peer, seq, len);
}

static void set_mtu(const char *here, const char *there, int mtu)
{
	CHECK_EQ(shell("ip link set %s mtu %d && ip -n xsk link set %s mtu %d", here, mtu, there, mtu), 0);
}

static void jumbo(const char *ifname, const char *other, unsigned int wire, enum unified_io_xsk_mode mode)
{
	/* Without a copy, the kernel keeps its list of frames behind each. */
	size_t room = mode == UNIFIED_IO_XSK_COPY ? 4096 - UNIFIED_IO_XSK_HEADROOM : 3456;
	struct xsk *skel;
	struct unified_io_xsk *xsk;
	int peer = wire_peer(wire);

	set_mtu(ifname, other, 9000);
	skel = wire_program(ifname);
	xsk = open_one(ifname, skel, UNIFIED_IO_XSK_AUTO, UNIFIED_IO_XSK_F_SG);
	CHECK_EQ(unified_io_xsk_mode(xsk), mode);
	for (uint64_t seq = 0; seq < 30; seq++)
		one_jumbo(xsk, peer, seq, sizeof(seq) + seq * 299 % 8900, room);
	unified_io_xsk_close(xsk);

	/* without F_SG it does not fit, and is counted; one that does still comes */
	xsk = open_one(ifname, skel, UNIFIED_IO_XSK_COPY, 0);
	wire_send(peer, 0, 8000);
	wire_send(peer, 1, 800);
	CHECK_EQ(wire_check(io.data + wire_recv(xsk, 1, NULL).addr, HEADERS + 800), 1);
	CHECK_EQ(wire_stats(xsk).rx_dropped, 1);
	unified_io_xsk_close(xsk);
	xsk__destroy(skel);
	set_mtu(ifname, other, 1500);
	close(peer);
}

/* libxdp's own program, which leads everything to the sockets. It goes with the last of them. */
static void default_program(void)
{
	struct unified_io_xsk *xsk;
	struct unified_io_xsk_frame frame;
	int peer = wire_peer(3);

	/* known to each other, or the question would not be answered */
	CHECK_EQ(shell("ip netns exec xsk ping -q -c 1 -W 20 10.80.3.1 >/dev/null"), 0);
	for (int again = 0; again < 2; again++) {
		struct unified_io_xsk_queue at[4];
		struct unified_io_xsk_params params = wire_params(at, 4);

		for (unsigned int q = 0; q < 4; q++)
			at[q] = (struct unified_io_xsk_queue){ "four0", q, -1 };
		params.ring = XSK_LEN / 4096 / 4;
		CHECK_RES(unified_io_xsk_open(&xsk, &io, &params), 0);
		CHECK_EQ(shell("ip link show four0 | grep -q xdp"), 0);
		wire_send(peer, 5, 100);
		do
			frame = wire_recv(xsk, 4, NULL);
		while (frame.len != HEADERS + 100);
		CHECK_EQ(wire_check(io.data + frame.addr, frame.len), 5);
		unified_io_xsk_close(xsk);
	}
	CHECK(shell("ip link show four0 | grep -q xdp") != 0);
	close(peer);
}

int main(void)
{
	CHECK_RES(unified_io_open(&io, NULL), 0);
	zero_copy = wire_has_zero_copy(&io, "zc0");
	refused();
	modes();
	printf("traffic: veth, copied\n");
	traffic("veth0", 2, UNIFIED_IO_XSK_COPY);
	printf("traffic: virtio, copied\n");
	traffic("zc0", 0, UNIFIED_IO_XSK_COPY);
	if (zero_copy) {
		printf("traffic: virtio, not copied\n");
		traffic("zc0", 0, UNIFIED_IO_XSK_ZEROCOPY);
	}
	printf("packets of our own\n");
	originate();
	printf("four queues\n");
	queues("four0", 3, UNIFIED_IO_XSK_COPY);
	if (zero_copy) {
		printf("four queues, not copied\n");
		queues("many0", 4, UNIFIED_IO_XSK_ZEROCOPY);
	}
	printf("two NICs\n");
	nics();
	printf("packets of several frames: veth\n");
	jumbo("veth0", "veth1", 2, UNIFIED_IO_XSK_COPY);
	printf("packets of several frames: virtio\n");
	jumbo("zc0", "far0", 0, UNIFIED_IO_XSK_COPY);
	if (zero_copy) {
		printf("packets of several frames, not copied\n");
		CHECK_EQ(shell("ethtool -X many0 equal 1"), 0);
		jumbo("many0", "many1", 4, UNIFIED_IO_XSK_ZEROCOPY);
	}
	printf("libxdp's program\n");
	default_program();
	unified_io_close(&io);
	return 0;
}
