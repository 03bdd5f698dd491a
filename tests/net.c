// SPDX-License-Identifier: GPL-2.0
/*
 * net tcp|udp|packet: receives into the region and sends out of it, one shot
 * each: sizes, odd addresses, headroom, neighbours untouched, order kept. A
 * receive is one copy, which is counted.
 */
#include "common.h"

static struct region r;
static int fd[2], slot, proto;

static void check_received(struct unified_completion c, uint64_t addr, uint32_t len)
{
	CHECK_RES(c.res, (int)len);
	CHECK_EQ(c.recv, (int)len);
	CHECK_EQ(c.stage, UNIFIED_IO_STAGE_RECV);
	CHECK_EQ(c.flags, UNIFIED_IO_CQE_F_COPIED);
	CHECK_EQ(c.copied, len);
	CHECK_EQ(c.addr, addr);
	CHECK_EQ(c.len, len);
	CHECK_EQ(c.slot, slot);
}

static void receive_at(uint64_t addr, uint32_t len, uint32_t headroom)
{
	struct unified_descriptor d = desc_recv(slot, addr, headroom + len + 100);
	unsigned char *at = r.data + addr + headroom;

	d.net.proto = proto;
	d.net.headroom = headroom;
	memset(r.data + addr - 8, 0xaa, headroom + len + 200);
	send_pattern(fd[1], len, addr, 1);
	check_received(run(&r, d), addr + headroom, len);
	pattern_check(at, len, addr, 1);
	check_filled(r.data + addr - 8, 8 + headroom, 0xaa);
	check_filled(at + len, 92, 0xaa);
}

static void send_at(uint64_t addr, uint32_t len)
{
	struct unified_descriptor d = desc_send(slot, addr, len);
	struct unified_completion c;

	d.net.proto = proto;
	pattern_fill(r.data + addr, len, addr, 2);
	c = run(&r, d);
	CHECK_RES(c.res, (int)len);
	CHECK_EQ(c.send, (int)len);
	CHECK_EQ(c.stage, UNIFIED_IO_STAGE_SEND);
	recv_pattern(fd[1], len, addr, 2);
}

static void shapes(uint32_t most)
{
	static const uint64_t addrs[] = { 4096, 4097, 8191, 2 * MiB - 3 };
	const uint32_t lens[] = { 1, 7, 64, 100, 1000, most };

	for (size_t a = 0; a < ARRAY_SIZE(addrs); a++) {
		for (size_t l = 0; l < ARRAY_SIZE(lens); l++) {
			receive_at(addrs[a], lens[l], l * 13);
			send_at(addrs[a], lens[l]);
		}
	}
	/* the last bytes of the data area */
	send_at(r.setup.data_size - 100, 100);
}

/* Several at once on one slot run in the order of submission. */
static void order(void)
{
	for (int i = 0; i < 10; i++) {
		struct unified_descriptor d = desc_recv(slot, i * 4096, 64);

		d.flags = proto == UNIFIED_IO_PROTO_TCP ? UNIFIED_IO_DESC_F_WAITALL : 0;
		d.user_data = i;
		queue(&r, d);
	}
	CHECK_RES(enter(&r, 10, 0, 0, NULL), 0);
	for (int i = 0; i < 10; i++)
		send_pattern(fd[1], 64, i * 64, 3);
	for (int i = 0; i < 10; i++) {
		struct unified_completion c = reap(&r);

		CHECK_EQ(c.user_data, i);
		CHECK_RES(c.res, 64);
		pattern_check(r.data + i * 4096, 64, i * 64, 3);
	}
	for (int i = 0; i < 10; i++) {
		pattern_fill(r.data + i * 4096, 64, i * 64, 4);
		queue(&r, desc_send(slot, i * 4096, 64));
	}
	CHECK_RES(enter(&r, 10, 10, WAIT_NS, NULL), 0);
	for (int i = 0; i < 10; i++) {
		CHECK_RES(reap(&r).res, 64);
		recv_pattern(fd[1], 64, i * 64, 4);
	}
}

static void wrong_protocol(void)
{
	static const int protos[] = { UNIFIED_IO_PROTO_TCP, UNIFIED_IO_PROTO_UDP, UNIFIED_IO_PROTO_RAW };

	for (size_t i = 0; i < ARRAY_SIZE(protos); i++) {
		struct unified_descriptor d = desc_send(slot, 0, 64);

		d.net.proto = protos[i];
		if (protos[i] != proto)
			CHECK_RES(result(&r, d), -EPROTONOSUPPORT);
	}
}

/* Frames between two AF_PACKET sockets, at the two ends of the wire. */
static void packets(void)
{
	unsigned char frame[200] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 2, 2, 2, 2, 2, 0x88, 0xb5 };
	unsigned char got[4096];
	int here, slot_here, peer;
	struct unified_completion c;

	here = in_netns("peer");
	peer = packet_socket("eth1");
	leave_netns(here);
	slot_here = attach(&r, packet_socket("eth0"));
	pattern_fill(frame + 14, sizeof(frame) - 14, 0, 5);

	memcpy(r.data + 1001, frame, sizeof(frame));
	c = run(&r, desc_send(slot_here, 1001, sizeof(frame)));
	CHECK_RES(c.res, sizeof(frame));
	do {
		CHECK(recv(peer, got, sizeof(got), 0) > 0);
	} while (got[12] != 0x88 || got[13] != 0xb5);
	CHECK(!memcmp(got, frame, sizeof(frame)));

	frame[100] ^= 1;
	send_all(peer, frame, sizeof(frame));
	do {
		c = run(&r, desc_recv(slot_here, 5000, 4096));
		CHECK_OK(c.res);
		CHECK_EQ(c.copied, c.res);
	} while (r.data[5012] != 0x88 || r.data[5013] != 0xb5 || r.data[5100] != frame[100]);
	CHECK_EQ(c.res, sizeof(frame));
	CHECK(!memcmp(r.data + 5000, frame, sizeof(frame)));
	slot = slot_here;
	wrong_protocol();
	close(peer);
}

int main(int argc, char **argv)
{
	CHECK_EQ(argc, 2);
	region_open(&r, NULL);
	if (!strcmp(argv[1], "packet")) {
		proto = UNIFIED_IO_PROTO_RAW;
		packets();
		region_close(&r);
		return 0;
	}
	proto = strcmp(argv[1], "tcp") ? UNIFIED_IO_PROTO_UDP : UNIFIED_IO_PROTO_TCP;
	if (proto == UNIFIED_IO_PROTO_TCP)
		tcp_pair(fd);
	else
		udp_pair(fd);
	slot = attach(&r, fd[0]);
	close(fd[0]);	/* the region keeps it open */
	shapes(proto == UNIFIED_IO_PROTO_TCP ? 8000 : 9000);
	order();
	wrong_protocol();
	region_close(&r);
	return 0;
}
