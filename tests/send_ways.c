// SPDX-License-Identifier: GPL-2.0
/*
 * Which way a send takes: those that are submitted together share messages and fill
 * segments up; few bytes are copied though the route needs no copy; a socket whose
 * bytes were copied late (veth) copies at once from then on, and tries again now and
 * then; NET_F_ZEROCOPY insists; TLS has to see the bytes.
 */
#include <arpa/inet.h>
#include <linux/tls.h>
#include <linux/tcp.h>

#include "common.h"

#define TINY	64
#define NR_TOGETHER	32
#define SMALL	1024
#define LARGE	(64 * KiB)
#define PIECE	(32 * KiB)	/* long enough to be sent without a copy */

#define NR_TRAIN	48

static struct region r;

static void attach_wire(const char *address, int fd[2], int *slot)
{
	wire_tcp_pair(address, fd);
	*slot = attach(&r, fd[0]);
}

static void close_wire(const int fd[2], unsigned int slot)
{
	detach(&r, slot);
	close(fd[0]);
	close(fd[1]);
	wait_idle(&r);
}

/* Bytes copied of a send of @len that the peer reads. */
static uint32_t copied(const int fd[2], unsigned int slot, uint32_t len, uint8_t flags)
{
	struct unified_descriptor d = desc_send(slot, 0, len);
	struct unified_completion c;

	d.net.flags |= flags;
	pattern_fill(r.data, len, 0, 1);
	CHECK_RES(submit(&r, d), 0);
	recv_pattern(fd[1], len, 0, 1);
	c = reap(&r);
	CHECK_RES(c.res, (int)len);
	CHECK_EQ(!!(c.flags & UNIFIED_IO_CQE_F_COPIED), !!c.copied);
	return c.copied;
}

static void by_length(void)
{
	int fd[2], slot;

	attach_wire(env("GATHER_HERE"), fd, &slot);
	CHECK_EQ(copied(fd, slot, SMALL, 0), SMALL);
	CHECK_EQ(copied(fd, slot, SMALL, UNIFIED_IO_NET_F_ZEROCOPY), 0);
	CHECK_EQ(copied(fd, slot, LARGE, 0), 0);
	CHECK_EQ(copied(fd, slot, LARGE, UNIFIED_IO_NET_F_COPY), LARGE);
	close_wire(fd, slot);
}

static uint32_t segments_out(int fd)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	CHECK(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0);
	return info.tcpi_data_segs_out;
}

/* Small sends that are submitted together share segments, though each alone would be sent at once. */
static void together(void)
{
	int fd[2], slot, one = 1;
	uint32_t before;

	tcp_pair(fd);
	CHECK(setsockopt(fd[0], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == 0);
	slot = attach(&r, fd[0]);
	before = segments_out(fd[0]);
	pattern_fill(r.data, NR_TOGETHER * TINY, 0, 1);
	for (int i = 0; i < NR_TOGETHER; i++)
		queue(&r, desc_send(slot, i * TINY, TINY));
	CHECK_RES(enter(&r, NR_TOGETHER, NR_TOGETHER, WAIT_NS, NULL), 0);
	for (int i = 0; i < NR_TOGETHER; i++)
		CHECK_RES(reap(&r).res, TINY);
	recv_pattern(fd[1], NR_TOGETHER * TINY, 0, 1);
	CHECK(segments_out(fd[0]) - before <= NR_TOGETHER / 4);
	before = segments_out(fd[0]);
	for (int i = 0; i < NR_TOGETHER; i++)
		CHECK_RES(run(&r, desc_send(slot, i * TINY, TINY)).res, TINY);
	recv_pattern(fd[1], NR_TOGETHER * TINY, 0, 1);
	CHECK(segments_out(fd[0]) - before > NR_TOGETHER / 2);
	close_wire(fd, slot);
}

static uint32_t train_len(int i)
{
	return i % 4 == 1 ? PIECE : 700U + i;
}

/* Queues sends of all of a pattern, each of bytes of its own; every second one can be cancelled. */
static void train_submit(unsigned int slot)
{
	struct unified_descriptor d;
	uint64_t at = 0;

	for (int i = 0; i < NR_TRAIN; i++) {
		d = desc_send(slot, at, train_len(i));
		d.user_data = i % 2;
		memset(r.data + at, i + 1, train_len(i));
		at += train_len(i);
		queue(&r, d);
	}
	CHECK_RES(enter(&r, NR_TRAIN, 0, 0, NULL), 0);
}

/*
 * Reads all that comes, until all sends have ended. Returns the number of those cancelled;
 * @told: the bytes that the others say were sent.
 */
static int train_end(const int fd[2], uint32_t got[], uint32_t *told)
{
	static unsigned char bytes[64 * KiB];
	int left = NR_TRAIN, cancelled = 0, last = 0;
	ssize_t n;

	while ((n = recv(fd[1], bytes, sizeof(bytes), left ? MSG_DONTWAIT : 0)) != 0) {
		CHECK(n > 0 || errno == EAGAIN);
		for (ssize_t i = 0; i < n; i++) {
			CHECK(bytes[i] > last || (bytes[i] == last && last));
			last = bytes[i];
			got[last - 1]++;
		}
		for (; left && nr_ready(&r); left--) {
			struct unified_completion c = reap(&r);

			CHECK(c.res > 0 || (c.res == -ECANCELED && c.user_data == 1));
			cancelled += c.res < 0;
			*told += c.res > 0 ? c.res : 0;
			if (left == 1)
				shutdown(fd[0], SHUT_WR);
		}
	}
	return cancelled;
}

/*
 * More than the socket takes at once. What is cancelled is not sent, but for one that has
 * begun: it says how far it came.
 */
static void train(bool cancel)
{
	int fd[2], slot, size = 4 * KiB, cancelled, missing = 0, partial = 0;
	uint32_t got[NR_TRAIN] = { }, sent = 0, told = 0;
	uint64_t odd = 1;

	tcp_pair(fd);
	CHECK(setsockopt(fd[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) == 0);
	CHECK(setsockopt(fd[1], SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) == 0);
	slot = attach(&r, fd[0]);
	train_submit(slot);
	if (cancel)
		CHECK_RES(uior(r.fd, UNIFIED_IO_CANCEL, &odd), 0);
	cancelled = train_end(fd, got, &told);
	for (int i = 0; i < NR_TRAIN; i++) {
		sent += got[i];
		missing += !got[i];
		partial += got[i] && got[i] < train_len(i);
		CHECK(got[i] <= train_len(i) && (i % 2 || got[i] == train_len(i)));
	}
	CHECK_EQ(missing, cancelled);
	CHECK_EQ(told, sent);
	CHECK(partial <= 1 && cancelled <= NR_TRAIN / 2);
	CHECK_EQ(cancelled > NR_TRAIN / 4, cancel);
	close_wire(fd, slot);
}

/* It finds its route only as it goes, and is larger than a packet there: the stack copies at once. */
static void datagram(void)
{
	struct unified_descriptor d;
	struct unified_completion c;
	struct sockaddr_in any = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), slot;

	CHECK(bind(fd, (struct sockaddr *)&any, sizeof(any)) == 0);
	slot = attach(&r, fd);
	d = desc_send(slot, 0, PIECE);
	d.net.addr = htonl(ntohl(inet_addr(env("GATHER_HERE"))) + 1);
	d.net.port = 9;
	c = run(&r, d);
	CHECK_RES(c.res, PIECE);
	CHECK_EQ(c.copied, PIECE);
	detach(&r, slot);
	close(fd);
}

/* Does a send that the peer does not read complete all the same? */
static bool completes(unsigned int slot, uint8_t flags, uint64_t within)
{
	struct unified_descriptor d = desc_send(slot, 0, PIECE);
	struct unified_io_enter out;
	int ret;

	d.net.flags |= flags;
	CHECK_RES(submit(&r, d), 0);
	ret = enter(&r, 0, 1, within, &out);
	if (ret == -ETIME)
		return false;
	CHECK_RES(ret, 0);
	CHECK_RES(reap(&r).res, PIECE);
	return true;
}

/* More than the peer's window, that it does not open: what follows waits in the socket. */
static void fill_window(const int fd[2], unsigned int slot)
{
	int size = 4 * MiB;

	CHECK(setsockopt(fd[0], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) == 0);
	for (int i = 0; i < 16; i++)
		CHECK(completes(slot, UNIFIED_IO_NET_F_COPY, WAIT_NS));
}

static void veth_pair(const char *address, int fd[2], int *slot)
{
	int size = 4 * KiB;

	wire_tcp_pair(address, fd);
	CHECK(setsockopt(fd[1], SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) == 0);
	*slot = attach(&r, fd[0]);
}

static void learned(const char *address)
{
	int fd[2], slot, nr;

	veth_pair(address, fd, &slot);
	CHECK_EQ(copied(fd, slot, LARGE, UNIFIED_IO_NET_F_ZEROCOPY), LARGE);
	fill_window(fd, slot);
	for (nr = 0; nr < 256 && completes(slot, 0, NSEC_PER_SEC); nr++)
		;
	/* the one that tried again */
	CHECK(nr >= 32 && nr < 256);
	/* and those behind it do not, before it has told */
	CHECK_RES(submit(&r, desc_send(slot, 0, PIECE)), 0);
	CHECK_RES(reap(&r).res, PIECE);
	close_wire(fd, slot);
	while (nr_ready(&r))
		reap(&r);
}

static void forced(const char *address)
{
	int fd[2], slot;

	veth_pair(address, fd, &slot);
	CHECK_EQ(copied(fd, slot, LARGE, UNIFIED_IO_NET_F_ZEROCOPY), LARGE);
	fill_window(fd, slot);
	CHECK(!completes(slot, UNIFIED_IO_NET_F_ZEROCOPY, NSEC_PER_SEC / 5));
	close_wire(fd, slot);
	while (nr_ready(&r))
		reap(&r);
}

static void over_veth(void)
{
	CHECK_EQ(shell("ip link add ways0 type veth peer name ways1 netns peer &&"
		       "ip address add 10.76.0.1/24 dev ways0 && ip link set ways0 up &&"
		       "ip -n peer address add 10.76.0.2/24 dev ways1 && ip -n peer link set ways1 up"), 0);
	learned("10.76.0.1");
	forced("10.76.0.1");
	CHECK_EQ(shell("ip link del ways0"), 0);
}

static void tls(int fd, int direction)
{
	struct tls12_crypto_info_aes_gcm_128 info = {
		.info = { TLS_1_2_VERSION, TLS_CIPHER_AES_GCM_128 }, .key = "fifteen letters",
	};

	CHECK(setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tls", sizeof("tls")) == 0);
	CHECK(setsockopt(fd, SOL_TLS, direction, &info, sizeof(info)) == 0);
}

static void over_tls(void)
{
	int fd[2], slot;

	need_module("tls");
	wire_tcp_pair(env("GATHER_HERE"), fd);
	tls(fd[0], TLS_TX);
	tls(fd[1], TLS_RX);
	slot = attach(&r, fd[0]);
	CHECK_EQ(copied(fd, slot, LARGE, 0), LARGE);
	CHECK_EQ(copied(fd, slot, LARGE, UNIFIED_IO_NET_F_ZEROCOPY), LARGE);
	close_wire(fd, slot);
}

int main(int argc, char **argv)
{
	need(UNIFIED_IO_FEAT_SEND_ZC);
	region_open(&r, NULL);
	if (argc > 1 && !strcmp(argv[1], "tls")) {
		over_tls();
	} else {
		together();
		train(false);
		train(true);
		by_length();
		datagram();
		over_veth();
	}
	region_close(&r);
	return 0;
}
