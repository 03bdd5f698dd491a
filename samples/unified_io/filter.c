// SPDX-License-Identifier: GPL-2.0
/*
 * filter IFNAME XDP_OBJECT BLOCK_DEVICE - packets -> an XDP program -> NVMe
 *
 * The idea: an XDP program that was written for a NIC is the BPF stage of a chain as it
 * is, its object file unchanged. Here the packets are those of a packet socket, so the
 * program sees what it would see on the NIC; what it passes is written to the drive,
 * each packet at the begin of a block, what it drops goes nowhere. The process sleeps
 * until SIGINT.
 *
 *     lab/run --nvme 1 --load -- sh -c '
 *             build/user/samples/filter lo build/user/samples/filter.bpf.o /dev/nvme0n1 &
 *             sleep 2; for port in 7000 7001; do echo $port | nc -u -w 1 127.0.0.1 $port; done
 *             kill -INT $!; wait; head -c 512 /dev/nvme0n1 | xxd'
 *
 * Any object with one XDP program will do that neither redirects packets nor is made for
 * one device (XDP_REDIRECT ends the chain with EOPNOTSUPP).
 */
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "common.h"

#define BUFFER_LEN	(128U << 10)	/* the largest packet, and whole blocks */
#define NR_BUFFERS	64

static void on_signal(int sig)
{
	(void)sig;
}

/* Frames that come in on the interface, as a NIC would give them to XDP. */
static int open_packets(unsigned int ifindex)
{
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = ifindex,
	};
	int fd = socket(AF_PACKET, SOCK_RAW, 0), one = 1;

	if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)) ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)))
		err(1, "packet socket");
	return fd;
}

/* The object's XDP program, loaded and on no interface. Returns its id. */
static int attach_program(struct unified_io *io, const char *path)
{
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	struct bpf_program *program;
	int id;

	if (!object)
		err(1, "%s", path);
	check(UNIFIED_IO_CALL_OPS, path, bpf_object__load(object));
	program = bpf_object__next_program(object, NULL);
	if (!program || bpf_program__type(program) != BPF_PROG_TYPE_XDP)
		errx(1, "%s: the first program is no XDP program", path);
	id = unified_io_attach_xdp(io, bpf_program__fd(program));
	check(UNIFIED_IO_CALL_XDP, path, id);
	bpf_object__close(object);	/* the region keeps the program */
	return id;
}

static void submit_stream(struct unified_io *io, int slot, int id)
{
	struct unified_descriptor *desc = unified_io_get_desc(io);

	unified_io_prep_recv_multishot(desc, slot, 0, UNIFIED_IO_DESC_F_RECYCLE |
				       UNIFIED_IO_DESC_F_CQE_SKIP | UNIFIED_IO_DESC_F_PAD);
	unified_io_then_bpf(desc, id, 0);
	unified_io_then_write(desc, 0, 0);
	check(UNIFIED_IO_CALL_SUBMIT, "submit", unified_io_submit(io));
}

/* Until a signal: then the socket goes, and the stream ends with that. */
static void await_signal(struct unified_io *io, int slot)
{
	struct unified_completion cqe;
	int ret = unified_io_wait(io, &cqe, 0);

	if (ret == -EINTR) {
		check(UNIFIED_IO_CALL_SOCKET, "detach", unified_io_detach_socket(io, slot));
		while ((ret = unified_io_wait(io, &cqe, 0)) == -EINTR)
			;
	}
	check(UNIFIED_IO_CALL_SUBMIT, "wait", ret);
	if (cqe.res != -ECANCELED)
		check(UNIFIED_IO_CALL_COMPLETION, "stream", cqe.res);
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct unified_io_setup setup;
	struct unified_io_info info;
	struct unified_io io;
	int slot, id;

	if (argc != 4)
		errx(2, "usage: %s IFNAME XDP_OBJECT BLOCK_DEVICE (which is overwritten)", argv[0]);
	sigaction(SIGINT, &action, NULL);
	unified_io_defaults(&setup);
	setup.net_ifindex = if_nametoindex(argv[1]);	/* the program's ingress_ifindex */
	setup.nvme_fd = open(argv[3], O_RDWR);
	if (!setup.net_ifindex || setup.nvme_fd < 0)
		err(1, "%s", setup.net_ifindex ? argv[3] : argv[1]);
	check(UNIFIED_IO_CALL_OPEN, "region", unified_io_open(&io, &setup));
	id = attach_program(&io, argv[2]);
	check(UNIFIED_IO_CALL_SUBMIT, "buffers",
	      unified_io_add_buffers(&io, 0, BUFFER_LEN, NR_BUFFERS));
	slot = check(UNIFIED_IO_CALL_SOCKET, "attach",
		     unified_io_attach_socket(&io, open_packets(setup.net_ifindex)));
	submit_stream(&io, slot, id);
	printf("filtering\n");
	fflush(stdout);
	await_signal(&io, slot);

	check(UNIFIED_IO_CALL_SUBMIT, "info", unified_io_get_info(&io, &info));
	printf("%llu written, %llu dropped\n", info.stage[UNIFIED_IO_STAGE_WRITE].ops, info.dropped);
	unified_io_close(&io);
	return 0;
}
