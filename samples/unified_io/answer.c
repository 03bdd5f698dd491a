// SPDX-License-Identifier: GPL-2.0
/*
 * answer IFNAME QUEUES PORT - NIC -> BPF -> NIC
 *
 * The idea: a request becomes its own answer where it lies. answer.bpf.c leads UDP to
 * PORT to AF_XDP sockets whose memory is the region; a chain runs its other program,
 * which turns a packet round and its text into capitals; and the socket sends the same
 * bytes from the same place. The process never looks at a packet.
 *
 *     lab/run --nics 1:zc --load -- sh -c '
 *             ip netns add peer; ip link set eth1 netns peer
 *             ip addr add 10.0.0.1/24 dev eth0; ip link set eth0 up
 *             ip -n peer addr add 10.0.0.2/24 dev eth1; ip -n peer link set eth1 up
 *             timeout -s INT 5 build/user/samples/answer eth0 1 7000 & sleep 2
 *             echo hello | ip netns exec peer socat -t 1 - UDP:10.0.0.1:7000; wait'
 *
 * It ends with SIGINT.
 */
#include <err.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include <unified_io_xsk.h>

#include "answer.skel.h"
#include "common.h"

#define UMEM_SIZE	(8ULL << 20)	/* at the start of the data area */
#define RING		256
#define MAX_QUEUES	4
#define BATCH		64

static struct unified_io io;
static struct unified_io_xsk *xsk;
static __u32 nr_queues;
static __u64 answers;
static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

/* A chain for each packet that has come, up to a batch. */
static __u32 take_requests(void)
{
	struct unified_io_xsk_frame frame;
	struct unified_descriptor *desc;
	__u32 q, nr = 0;

	for (q = 0; q < nr_queues; q++) {
		while (nr < BATCH && unified_io_xsk_recv(xsk, q, &frame)) {
			desc = unified_io_get_desc(&io);
			unified_io_prep_buffer(desc, frame.addr, frame.len);
			unified_io_then_bpf(desc, 0, 0);
			desc->user_data = q;
			nr++;
		}
	}
	return nr;
}

static void send_answer(const struct unified_completion *cqe)
{
	struct unified_io_xsk_frame frame = { .addr = cqe->addr, .len = cqe->len };

	check(UNIFIED_IO_CALL_COMPLETION, "chain", cqe->res);
	/* If the ring is full, UDP is allowed to lose one. */
	if (cqe->flags & UNIFIED_IO_CQE_F_DROPPED ||
	    unified_io_xsk_send(xsk, cqe->user_data, &frame) == -EBUSY)
		unified_io_xsk_release(xsk, cqe->addr);
	else
		answers++;
}

static void run(void)
{
	struct unified_completion cqe;
	__u32 nr;
	int ret;

	while (!stop) {
		ret = unified_io_xsk_wait(xsk, 0);
		if (ret != -EINTR)
			check(UNIFIED_IO_CALL_XSK, "wait", ret);
		for (nr = take_requests(); nr; nr--) {
			while ((ret = unified_io_wait(&io, &cqe, 0)) == -EINTR)
				;
			check(UNIFIED_IO_CALL_SUBMIT, "chain", ret);
			send_answer(&cqe);
		}
	}
}

static struct answer *open_all(const char *ifname, __u16 port, struct bpf_link **link)
{
	struct unified_io_xsk_queue queues[MAX_QUEUES];
	struct unified_io_xsk_params params = {
		.queues = queues, .nr_queues = nr_queues, .ring = RING, .len = UMEM_SIZE,
	};
	struct answer *skel = answer__open();
	int map;
	__u32 q;

	if (!skel)
		err(1, "answer.bpf.o");
	skel->rodata->port = port;
	check(UNIFIED_IO_CALL_OPS, "bind", unified_io_bind_ops(&io, skel->obj));
	check(UNIFIED_IO_CALL_OPS, "load", answer__load(skel));
	check(UNIFIED_IO_CALL_OPS, "attach", unified_io_attach_ops(skel->obj, link));
	skel->links.filter = bpf_program__attach_xdp(skel->progs.filter, if_nametoindex(ifname));
	if (!skel->links.filter)
		err(1, "put the filter on %s", ifname);
	map = bpf_map__fd(skel->maps.sockets);
	for (q = 0; q < nr_queues; q++)
		queues[q] = (struct unified_io_xsk_queue){ ifname, q, map };
	check(UNIFIED_IO_CALL_XSK, ifname, unified_io_xsk_open(&xsk, &io, &params));
	return skel;
}

int main(int argc, char **argv)
{
	struct answer *skel;
	struct bpf_link *link;

	if (argc != 4)
		errx(2, "usage: %s IFNAME QUEUES PORT", argv[0]);
	nr_queues = atoi(argv[2]);
	if (!nr_queues || nr_queues > MAX_QUEUES)
		errx(2, "QUEUES is 1 to %d", MAX_QUEUES);
	signal(SIGINT, on_signal);
	check(UNIFIED_IO_CALL_OPEN, "region", unified_io_open(&io, NULL));
	skel = open_all(argv[1], atoi(argv[3]), &link);
	printf("answering\n");
	fflush(stdout);
	run();

	printf("%llu answers; copied %llu bytes\n", answers, unified_io_xsk_copied(xsk));
	unified_io_xsk_close(xsk);
	bpf_link__destroy(link);
	answer__destroy(skel);
	unified_io_close(&io);
	return 0;
}
