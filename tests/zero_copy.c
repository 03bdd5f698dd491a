// SPDX-License-Identifier: GPL-2.0
/*
 * Copies are counted where they happen and nowhere else: none in a send over a
 * NIC that gathers; all bytes over one that does not, over loopback, and with
 * NET_F_COPY; all bytes of a receive; none between region and drive. When a send
 * completes the pages are free, and it does not before.
 */
#include "common.h"

#define LEN		(1 * MiB)
#define DATAGRAM	1400

static struct region r;

static uint64_t copied(unsigned int stage)
{
	return region_info(&r).stage[stage].copied;
}

static void *read_all(void *arg)
{
	recv_pattern(*(int *)arg, LEN, 0, 1);
	return NULL;
}

/* Sends LEN bytes to the other end; the completion. */
static struct unified_completion send_over(int fd[2], unsigned int flags)
{
	int slot = attach(&r, fd[0]);
	struct unified_descriptor d = desc_send(slot, 4096, LEN);
	struct unified_completion c;
	pthread_t thread;

	d.net.flags |= flags;
	pattern_fill(r.data + 4096, LEN, 0, 1);
	CHECK(!pthread_create(&thread, NULL, read_all, &fd[1]));
	c = run(&r, d);
	CHECK_RES(c.res, LEN);
	/* ours again: what is written now must not get to the peer */
	memset(r.data + 4096, 0xee, LEN);
	pthread_join(thread, NULL);
	detach(&r, slot);
	close(fd[0]);
	close(fd[1]);
	return c;
}

static void sends(void)
{
	struct unified_completion c;
	int fd[2];

	wire_tcp_pair(env("GATHER_HERE"), fd);
	c = send_over(fd, 0);
	CHECK_EQ(c.copied, 0);
	CHECK_EQ(c.flags, 0);
	CHECK_EQ(copied(UNIFIED_IO_STAGE_SEND), 0);

	wire_tcp_pair(env("GATHER_HERE"), fd);
	c = send_over(fd, UNIFIED_IO_NET_F_COPY);
	CHECK_EQ(c.copied, LEN);
	CHECK_EQ(c.flags, UNIFIED_IO_CQE_F_COPIED);
	CHECK_EQ(copied(UNIFIED_IO_STAGE_SEND), LEN);

	/* a NIC that cannot gather: the stack copies, and that is told */
	wire_tcp_pair(env("WIRE_HERE"), fd);
	c = send_over(fd, 0);
	CHECK_EQ(c.copied, LEN);
	CHECK_EQ(c.flags, UNIFIED_IO_CQE_F_COPIED);

	/* as it does when the receiver is this machine */
	tcp_pair(fd);
	c = send_over(fd, 0);
	CHECK_EQ(c.copied, LEN);
	CHECK_EQ(c.flags, UNIFIED_IO_CQE_F_COPIED);
	CHECK_EQ(copied(UNIFIED_IO_STAGE_SEND), 3 * LEN);
}

/* A datagram of one packet, few bytes: copied, or where the process insists, not. */
static void datagram(unsigned int flags, uint32_t copies)
{
	unsigned char got[DATAGRAM + 1];
	struct unified_completion c;
	struct unified_descriptor d;
	int fd[2], slot;

	wire_udp_pair(env("GATHER_HERE"), fd);
	slot = attach(&r, fd[0]);
	d = desc_send(slot, 4096, DATAGRAM);
	d.net.flags |= flags;
	pattern_fill(r.data + 4096, DATAGRAM, 0, 3);
	c = run(&r, d);
	CHECK_RES(c.res, DATAGRAM);
	CHECK_EQ(c.copied, copies);
	memset(r.data + 4096, 0xee, DATAGRAM);
	CHECK_EQ(recv(fd[1], got, sizeof(got), 0), DATAGRAM);
	pattern_check(got, DATAGRAM, 0, 3);
	detach(&r, slot);
	close(fd[0]);
	close(fd[1]);
}

/* The peer answers no question for its address: what is sent to it waits, here, until it does again. */
static void peer_deaf(bool on)
{
	CHECK_EQ(shell("ip -n peer link set \"$(ip -n peer -o -4 addr show to 10.78.0.2 | cut -d ' ' -f 2)\" arp %s",
		       on ? "off" : "on"), 0);
	if (on)
		CHECK_EQ(shell("ip neigh flush to 10.78.0.2"), 0);
}

/* Not complete while a packet still points at the pages, which what is written meanwhile shows; then it is. */
static void held(int fd[2], uint32_t len, unsigned int flags)
{
	int slot = attach(&r, fd[0]);
	struct unified_descriptor d = desc_send(slot, 4096, len);
	struct unified_completion c;

	d.net.flags |= flags;
	pattern_fill(r.data + 4096, len, 0, 4);
	peer_deaf(true);
	CHECK_RES(submit(&r, d), 0);
	CHECK_RES(enter(&r, 0, 1, NSEC_PER_SEC / 2, NULL), -ETIME);
	pattern_fill(r.data + 4096, len, 0, 5);
	peer_deaf(false);
	recv_pattern(fd[1], len, 0, 5);
	c = reap(&r);
	CHECK_RES(c.res, len);
	CHECK_EQ(c.copied, 0);
	detach(&r, slot);
	close(fd[0]);
	close(fd[1]);
}

static void until_the_last_reference(void)
{
	int fd[2];

	/* It asks for as long as it takes. After three questions, by default, it gives the datagram up. */
	CHECK_EQ(shell("for file in /proc/sys/net/ipv4/neigh/*/mcast_solicit; do echo 1000 >$file; done"), 0);
	wire_udp_pair(env("GATHER_HERE"), fd);
	held(fd, DATAGRAM, UNIFIED_IO_NET_F_ZEROCOPY);
	wire_tcp_pair(env("GATHER_HERE"), fd);
	held(fd, LEN / 16, 0);
}

static void *write_all(void *arg)
{
	send_pattern(*(int *)arg, LEN, 0, 2);
	return NULL;
}

static void receives(void)
{
	struct unified_descriptor d;
	struct unified_completion c;
	pthread_t thread;
	int fd[2], slot;

	wire_tcp_pair(env("GATHER_HERE"), fd);
	slot = attach(&r, fd[0]);
	d = desc_recv(slot, 0, LEN);
	d.flags = UNIFIED_IO_DESC_F_WAITALL;
	CHECK(!pthread_create(&thread, NULL, write_all, &fd[1]));
	c = run(&r, d);
	pthread_join(thread, NULL);
	CHECK_RES(c.res, LEN);
	CHECK_EQ(c.copied, LEN);
	pattern_check(r.data, LEN, 0, 2);
	CHECK_EQ(copied(UNIFIED_IO_STAGE_RECV), LEN);
	detach(&r, slot);
	close(fd[0]);
	close(fd[1]);
}

static void drive(void)
{
	CHECK_EQ(run(&r, desc_nvme(NVME_CMD_WRITE, 0, LEN, 0)).copied, 0);
	CHECK_EQ(run(&r, desc_nvme(NVME_CMD_READ, 0, LEN, 0)).copied, 0);
	CHECK_EQ(copied(UNIFIED_IO_STAGE_WRITE), 0);
	CHECK_EQ(copied(UNIFIED_IO_STAGE_READ), 0);
}

int main(void)
{
	need(UNIFIED_IO_FEAT_SEND_ZC);
	region_open(&r, env("NVME0"));
	sends();
	datagram(0, DATAGRAM);
	datagram(UNIFIED_IO_NET_F_ZEROCOPY, 0);
	until_the_last_reference();
	receives();
	drive();
	region_close(&r);
	return 0;
}
