// SPDX-License-Identifier: GPL-2.0
/*
 * How a receive or send ends: short, whole with WAITALL, end of stream, reset,
 * a datagram that does not fit, an empty one, a peer that is gone.
 */
#include <netinet/in.h>
#include "common.h"

static struct region r;
static int fd[2], slot;

static void connect_tcp(void)
{
	tcp_pair(fd);
	slot = attach(&r, fd[0]);
}

static void disconnect(void)
{
	detach(&r, slot);
	close(fd[0]);
	if (fd[1] >= 0)
		close(fd[1]);
}

/* Closes the peer's end so that a reset goes out instead of an end of stream. */
static void reset_by_peer(void)
{
	struct linger hard = { 1, 0 };

	CHECK(setsockopt(fd[1], SOL_SOCKET, SO_LINGER, &hard, sizeof(hard)) == 0);
	close(fd[1]);
	fd[1] = -1;
}

static struct unified_descriptor waitall(uint64_t addr, uint32_t len)
{
	struct unified_descriptor d = desc_recv(slot, addr, len);

	d.flags = UNIFIED_IO_DESC_F_WAITALL;
	return d;
}

static void short_receive(void)
{
	struct unified_completion c;

	connect_tcp();
	send_pattern(fd[1], 100, 0, 1);
	c = run(&r, desc_recv(slot, 0, 4096));
	CHECK_RES(c.res, 100);
	CHECK_EQ(c.flags & UNIFIED_IO_CQE_F_EOF, 0);
	disconnect();
}

static void whole_receive(void)
{
	struct unified_completion c;

	connect_tcp();
	CHECK_RES(submit(&r, waitall(0, 300 * KiB)), 0);
	for (int i = 0; i < 300; i++) {
		send_pattern(fd[1], 1024, i * 1024, 1);
		if (i == 150) {
			usleep(20000);
			CHECK_EQ(nr_ready(&r), 0);
		}
	}
	c = reap(&r);
	CHECK_RES(c.res, 300 * KiB);
	CHECK_EQ(c.copied, 300 * KiB);
	pattern_check(r.data, 300 * KiB, 0, 1);

	/* cut short by the end of the stream, which it says */
	CHECK_RES(submit(&r, waitall(0, 4096)), 0);
	send_pattern(fd[1], 1000, 0, 2);
	CHECK(shutdown(fd[1], SHUT_WR) == 0);
	c = reap(&r);
	CHECK_RES(c.res, 1000);
	CHECK(c.flags & UNIFIED_IO_CQE_F_EOF);
	pattern_check(r.data, 1000, 0, 2);
	disconnect();
}

static void end_of_stream(void)
{
	struct unified_descriptor d;
	struct unified_completion c;

	connect_tcp();
	CHECK_RES(submit(&r, desc_recv(slot, 0, 4096)), 0);
	CHECK(shutdown(fd[1], SHUT_WR) == 0);
	c = reap(&r);
	CHECK_RES(c.res, 0);
	CHECK_EQ(c.flags, UNIFIED_IO_CQE_F_EOF);
	CHECK_EQ(c.len, 0);

	/* the sinks do not run on nothing */
	d = desc_recv(slot, 0, 4096);
	d.type |= UNIFIED_REGION_F_NVME;
	d.nvme.opcode = NVME_CMD_WRITE;
	drive_fill(env("NVME0"), 0, 4096, 3);
	c = run(&r, d);
	CHECK_RES(c.res, 0);
	CHECK(c.flags & UNIFIED_IO_CQE_F_EOF);
	drive_check(env("NVME0"), 0, 4096, 0, 3);

	/* the other direction still works */
	pattern_fill(r.data, 500, 0, 4);
	CHECK_RES(run(&r, desc_send(slot, 0, 500)).res, 500);
	recv_pattern(fd[1], 500, 0, 4);
	disconnect();
}

static void reset(void)
{
	connect_tcp();
	CHECK_RES(submit(&r, desc_recv(slot, 0, 4096)), 0);
	reset_by_peer();
	CHECK_RES(reap(&r).res, -ECONNRESET);
	CHECK_RES(run(&r, desc_send(slot, 0, 100)).res, -EPIPE);
	disconnect();

	/* data first, then the error */
	connect_tcp();
	CHECK_RES(submit(&r, waitall(0, 4096)), 0);
	send_pattern(fd[1], 1000, 0, 1);
	usleep(100000);
	reset_by_peer();
	CHECK_RES(reap(&r).res, 1000);
	CHECK_RES(run(&r, desc_recv(slot, 0, 4096)).res, -ECONNRESET);
	disconnect();

	/* a send: first the reset, then a broken pipe */
	connect_tcp();
	reset_by_peer();
	usleep(20000);
	CHECK_RES(run(&r, desc_send(slot, 0, 100)).res, -ECONNRESET);
	CHECK_RES(run(&r, desc_send(slot, 0, 100)).res, -EPIPE);
	disconnect();
}

static void datagrams(void)
{
	struct unified_completion c;

	udp_pair(fd);
	slot = attach(&r, fd[0]);
	memset(r.data, 0xaa, 8192);
	send_pattern(fd[1], 2000, 0, 1);
	c = run(&r, desc_recv(slot, 0, 1000));
	CHECK_RES(c.res, -EMSGSIZE);
	check_filled(r.data + 1000, 4096, 0xaa);
	send_pattern(fd[1], 50, 0, 2);
	CHECK_RES(run(&r, desc_recv(slot, 0, 1000)).res, 50);
	pattern_check(r.data, 50, 0, 2);

	/* an empty datagram is one, and no end of anything */
	CHECK_EQ(send(fd[1], "", 0, 0), 0);
	c = run(&r, desc_recv(slot, 0, 1000));
	CHECK_RES(c.res, 0);
	CHECK_EQ(c.flags & UNIFIED_IO_CQE_F_EOF, 0);

	/* too long for UDP */
	CHECK_RES(run(&r, desc_send(slot, 0, 70000)).res, -EMSGSIZE);

	/* nobody there: the ICMP error comes with the next operation */
	close(fd[1]);
	fd[1] = -1;
	CHECK_RES(run(&r, desc_send(slot, 0, 10)).res, 10);
	usleep(20000);
	CHECK_RES(run(&r, desc_recv(slot, 0, 1000)).res, -ECONNREFUSED);
	disconnect();
}

int main(void)
{
	region_open(&r, env("NVME0"));
	short_receive();
	whole_receive();
	end_of_stream();
	reset();
	datagrams();
	region_close(&r);
	return 0;
}
