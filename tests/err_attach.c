// SPDX-License-Identifier: GPL-2.0
/* UNIFIED_IO_ATTACH_SOCKET and UNIFIED_IO_ATTACH_BPF: each bad argument, and full tables. */
#include <netinet/in.h>
#include <sys/un.h>
#include "bpf.h"

static int socket_row(struct region *r, int fd, uint32_t slot, uint32_t flags, uint32_t resv)
{
	struct unified_io_attach_socket arg = { .fd = fd, .slot = slot, .flags = flags, .resv = resv };

	return uior(r->fd, UNIFIED_IO_ATTACH_SOCKET, &arg);
}

static void bad_sockets(struct region *r)
{
	int tcp[2], file = open("/dev/null", O_RDWR), path_fd = open("/", O_PATH);
	int fresh = socket(AF_INET, SOCK_STREAM, 0), unix_pair[2];
	int netlink = socket(AF_NETLINK, SOCK_RAW, 0), icmp = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, unix_pair) == 0);
	tcp_pair(tcp);
	CHECK_RES(socket_row(r, 999, UNIFIED_IO_SLOT_ANY, 0, 0), -EBADF);
	CHECK_RES(socket_row(r, -2, UNIFIED_IO_SLOT_ANY, 0, 0), -EBADF);
	CHECK_RES(socket_row(r, path_fd, UNIFIED_IO_SLOT_ANY, 0, 0), -EBADF);
	CHECK_RES(socket_row(r, file, UNIFIED_IO_SLOT_ANY, 0, 0), -ENOTSOCK);
	CHECK_RES(socket_row(r, unix_pair[0], UNIFIED_IO_SLOT_ANY, 0, 0), -EPROTONOSUPPORT);
	CHECK_RES(socket_row(r, netlink, UNIFIED_IO_SLOT_ANY, 0, 0), -EPROTONOSUPPORT);
	CHECK_RES(socket_row(r, icmp, UNIFIED_IO_SLOT_ANY, 0, 0), -EPROTONOSUPPORT);
	CHECK_RES(socket_row(r, fresh, UNIFIED_IO_SLOT_ANY, 0, 0), -ENOTCONN);
	CHECK(listen(fresh, 1) == 0);
	CHECK_RES(socket_row(r, fresh, UNIFIED_IO_SLOT_ANY, 0, 0), -ENOTCONN);
	CHECK_RES(socket_row(r, tcp[0], UNIFIED_IO_SLOT_ANY, 1, 0), -EINVAL);
	CHECK_RES(socket_row(r, tcp[0], UNIFIED_IO_SLOT_ANY, 0x80000000, 0), -EINVAL);
	CHECK_RES(socket_row(r, tcp[0], UNIFIED_IO_SLOT_ANY, 0, 1), -EINVAL);
	CHECK_RES(socket_row(r, tcp[0], UNIFIED_IO_MAX_SOCKETS, 0, 0), -EINVAL);
	CHECK_RES(socket_row(r, tcp[0], UNIFIED_IO_SLOT_ANY - 1, 0, 0), -EINVAL);
	CHECK_RES(socket_row(r, -1, UNIFIED_IO_SLOT_ANY, 0, 0), -EINVAL);
	CHECK_RES(socket_row(r, -1, UNIFIED_IO_MAX_SOCKETS, 0, 0), -EINVAL);
	CHECK_RES(socket_row(r, -1, 5, 0, 0), -ENOTCONN);
	CHECK_EQ(region_info(r).nr_sockets, 0);
}

static void full_slots(struct region *r)
{
	int fd[2];

	udp_pair(fd);
	for (int i = 0; i < UNIFIED_IO_MAX_SOCKETS; i++)
		CHECK_RES(try_attach(r, fd[0], UNIFIED_IO_SLOT_ANY), i);
	CHECK_RES(try_attach(r, fd[0], UNIFIED_IO_SLOT_ANY), -ENOSPC);
	CHECK_EQ(region_info(r).nr_sockets, UNIFIED_IO_MAX_SOCKETS);
	detach(r, 700);
	CHECK_RES(try_attach(r, fd[0], UNIFIED_IO_SLOT_ANY), 700);
	for (int i = 0; i < UNIFIED_IO_MAX_SOCKETS; i++)
		detach(r, i);
	CHECK_EQ(region_info(r).nr_sockets, 0);
	close(fd[0]);
	close(fd[1]);
}

static void bad_programs(struct region *r, struct xdp *xdp)
{
	int good = bpf_program__fd(xdp->progs.pass), file = open("/dev/null", O_RDWR);
	struct unified_io_attach_bpf resv = { .prog_fd = good, .resv = 1 };

	CHECK_RES(attach_bpf(r, 999, 0, 0), -EBADF);
	CHECK_RES(attach_bpf(r, -1, 0, 0), -EBADF);
	CHECK_RES(attach_bpf(r, file, 0, 0), -EINVAL);
	CHECK_RES(attach_bpf(r, bpf_map__fd(xdp->maps.bss), 0, 0), -EINVAL);
	CHECK_RES(attach_bpf(r, bpf_program__fd(xdp->progs.not_xdp), 0, 0), -EINVAL);
	CHECK_RES(attach_bpf(r, good, 1U << 2, 0), -EINVAL);
	CHECK_RES(attach_bpf(r, good, 1U << 31, 0), -EINVAL);
	CHECK_RES(attach_bpf(r, good, UNIFIED_IO_BPF_F_DETACH, 1), -EINVAL);
	CHECK_RES(attach_bpf(r, -1, UNIFIED_IO_BPF_F_DETACH | UNIFIED_IO_BPF_F_REPLACE, 1), -EINVAL);
	CHECK_RES(attach_bpf(r, -1, UNIFIED_IO_BPF_F_DETACH, 0x7fffffff), -ENOENT);
	CHECK_RES(attach_bpf(r, good, UNIFIED_IO_BPF_F_REPLACE, 0x7fffffff), -ENOENT);
	CHECK_RES(uior(r->fd, UNIFIED_IO_ATTACH_BPF, &resv), -EINVAL);
	CHECK_EQ(region_info(r).nr_progs, 0);
}

/* Four programs an object. */
#define OBJECTS	(UNIFIED_IO_MAX_PROGS / 4)

static void full_programs(struct region *r)
{
	struct xdp *xdp[OBJECTS + 1];
	int id = 0;

	for (int i = 0; i <= OBJECTS; i++)
		xdp[i] = xdp_load();
	for (int i = 0; i < OBJECTS; i++) {
		xdp_attach(r, xdp[i]->progs.pass);
		xdp_attach(r, xdp[i]->progs.drop);
		xdp_attach(r, xdp[i]->progs.parse);
		id = xdp_attach(r, xdp[i]->progs.remote_xdp);
	}
	CHECK_RES(attach_bpf(r, bpf_program__fd(xdp[OBJECTS]->progs.pass), 0, 0), -ENOSPC);
	CHECK_EQ(region_info(r).nr_progs, UNIFIED_IO_MAX_PROGS);
	CHECK_OK(attach_bpf(r, -1, UNIFIED_IO_BPF_F_DETACH, id));
	xdp_attach(r, xdp[OBJECTS]->progs.pass);
	for (int i = 0; i <= OBJECTS; i++)
		xdp__destroy(xdp[i]);
}

int main(void)
{
	struct region r;
	struct xdp *xdp;

	region_open(&r, NULL);
	bad_sockets(&r);
	full_slots(&r);
	xdp = xdp_load();
	bad_programs(&r, xdp);
	xdp__destroy(xdp);
	full_programs(&r);
	region_close(&r);
	return 0;
}
