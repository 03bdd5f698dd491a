// SPDX-License-Identifier: GPL-2.0
/* Calls on sockets: made, fed, emptied, ended, bent, and given to a region. */
#include "fuzz.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

static char payload[256 << 10];

static struct fuzz_sock *sock_of(uint8_t byte)
{
	unsigned int nr = world.nr_socks < NR_SOCKS ? world.nr_socks : NR_SOCKS;

	return &world.sock[byte < 240 && nr ? byte % nr : byte % NR_SOCKS];
}

static void lo_packet_pair(int fd[2], int type)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = 1 };

	for (int i = 0; i < 2; i++) {
		fd[i] = socket(AF_PACKET, type | SOCK_CLOEXEC, 0);
		bind(fd[i], (struct sockaddr *)&at, sizeof(at));
	}
}

static int tcp_listening(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	listen(fd, 1);
	return fd;
}

/* Half of the connections have little room in them. */
static void narrow(int fd)
{
	int size = 2048;

	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
}

static void make_sock(uint8_t kind, int fd[2])
{
	switch (kind) {
	case 0 ... 95:
		tcp_pair(fd);
		break;
	case 96 ... 143:
		udp_pair(fd);
		break;
	case 144 ... 167:
		lo_packet_pair(fd, SOCK_RAW);
		break;
	case 168 ... 175:
		lo_packet_pair(fd, SOCK_DGRAM);
		break;
	case 176 ... 223:
		if (getenv("WIRE_HERE"))
			wire_tcp_pair(getenv("WIRE_HERE"), fd);
		break;
	case 224 ... 231:
		fd[0] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		break;
	case 232 ... 239:
		fd[0] = tcp_listening();
		break;
	case 240 ... 247:
		socketpair(AF_UNIX, kind & 1 ? SOCK_STREAM : SOCK_DGRAM, 0, fd);
		break;
	default:
		fd[0] = socket(kind & 1 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	}
}

static void give(struct fuzz_region *r, int fd, uint32_t slot, uint8_t place)
{
	struct unified_io_attach_socket arg = { .fd = fd, .slot = slot };

	call_ioctl(r->fd, UNIFIED_IO_ATTACH_SOCKET, &arg, sizeof(arg), place);
}

/* Mostly into the first free slot of the region. */
void call_sock_new(const uint8_t *a)
{
	unsigned int slot = __atomic_fetch_add(&world.nr_socks, 1, __ATOMIC_RELAXED) % NR_SOCKS;
	int fd[2] = { -1, -1 };

	make_sock(a[0], fd);
	if (a[1] & 1)
		narrow(fd[0]);
	if (a[1] & 2)
		narrow(fd[1]);
	if (a[1] & 4)
		fcntl(fd[0], F_SETFL, O_NONBLOCK);
	world.sock[slot] = (struct fuzz_sock){ fd[0], fd[1] };
	if (a[2] < 224)
		give(region_of(a[3]), fd[0], UNIFIED_IO_SLOT_ANY, 0);
}

void call_attach_socket(const uint8_t *a)
{
	struct unified_io_attach_socket arg = {
		.fd = a[0] < 128 ? sock_of(a[0])->here : a[0] < 192 ? -1 : a[0] < 224 ? region_of(a[0])->fd :
			(int)wild(a[0]),
		.slot = a[1] < 200 ? a[1] & 3 : a[1] < 240 ? UNIFIED_IO_SLOT_ANY : wild(a[1]),
		.flags = a[2] < 250 ? 0 : a[2], .resv = a[3] < 250 ? 0 : a[3],
	};

	call_ioctl(region_of(a[4])->fd, UNIFIED_IO_ATTACH_SOCKET, &arg, sizeof(arg), a[5]);
}

void call_sock_send(const uint8_t *a)
{
	static const size_t lens[] = { 1, 100, 1400, 4096, 8192, 65536, 9000, 0, sizeof(payload) };
	struct fuzz_sock *s = sock_of(a[0]);

	for (int i = 0; i <= a[2] % 8; i++)
		send(a[3] < 240 ? s->there : s->here, payload, PICK(lens, 6, a[1]),
		     MSG_DONTWAIT | MSG_NOSIGNAL | (a[3] & 1 ? MSG_OOB : 0));
}

void call_sock_drain(const uint8_t *a)
{
	struct fuzz_sock *s = sock_of(a[0]);
	int fd = a[1] & 1 ? s->here : s->there;	/* the region's own: what is it left with? */

	for (int i = 0; i < 16; i++)
		if (recv(fd, payload, 1 + a[2] * 1024, MSG_DONTWAIT | (a[3] & 1 ? MSG_PEEK : 0)) <= 0)
			break;
}

static void close_end(int *fd)
{
	close(*fd);
	*fd = -1;
}

void call_sock_end(const uint8_t *a)
{
	struct fuzz_sock *s = sock_of(a[0]);
	struct linger reset = { .l_onoff = 1 };
	struct sockaddr none = { .sa_family = AF_UNSPEC };

	switch (a[1] % 8) {
	case 0:
		shutdown(s->there, SHUT_WR);
		break;
	case 1:
		close_end(&s->there);
		break;
	case 2:
		setsockopt(s->there, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		close_end(&s->there);
		break;
	case 3:
		shutdown(s->here, a[2] % 3);
		break;
	case 4:
		close_end(&s->here);
		break;
	case 5:
		connect(s->here, &none, sizeof(none));
		break;
	case 6:
		connect(s->there, &none, sizeof(none));
		break;
	default:
		shutdown(s->there, SHUT_RDWR);
	}
}

void call_sock_option(const uint8_t *a)
{
	static const struct {
		int level, name;
	} options[] = {
		{ SOL_SOCKET, SO_SNDBUF }, { SOL_SOCKET, SO_RCVBUF }, { SOL_SOCKET, SO_RCVLOWAT },
		{ SOL_SOCKET, SO_ZEROCOPY }, { SOL_SOCKET, SO_PEEK_OFF }, { SOL_SOCKET, SO_TIMESTAMP },
		{ SOL_SOCKET, SO_RCVTIMEO }, { SOL_SOCKET, SO_OOBINLINE }, { SOL_SOCKET, SO_BUSY_POLL },
		{ SOL_SOCKET, SO_KEEPALIVE }, { SOL_SOCKET, SO_TXTIME }, { SOL_SOCKET, SO_MARK },
		{ IPPROTO_TCP, TCP_CORK }, { IPPROTO_TCP, TCP_NODELAY }, { IPPROTO_TCP, TCP_MAXSEG },
		{ IPPROTO_TCP, TCP_USER_TIMEOUT }, { IPPROTO_TCP, TCP_REPAIR }, { IPPROTO_TCP, TCP_WINDOW_CLAMP },
		{ IPPROTO_UDP, 103 /* UDP_SEGMENT */ }, { IPPROTO_UDP, 104 /* UDP_GRO */ },
		{ IPPROTO_UDP, 1 /* UDP_CORK */ }, { SOL_PACKET, PACKET_VNET_HDR }, { SOL_PACKET, PACKET_AUXDATA },
		{ SOL_PACKET, PACKET_VERSION }, { SOL_PACKET, PACKET_QDISC_BYPASS },
	};
	struct fuzz_sock *s = sock_of(a[0]);
	int value[2] = { a[2] < 224 ? a[2] : wild(a[2]), 0 }, i = a[1] % ARRAY_SIZE(options);

	if (a[1] == 255)
		setsockopt(s->here, IPPROTO_TCP, TCP_ULP, "tls", 3);
	else
		setsockopt(a[3] & 1 ? s->there : s->here, options[i].level, options[i].name, value,
			   a[3] & 2 ? 8 : 4);
}
