// SPDX-License-Identifier: GPL-2.0
/*
 * capture IFNAME QUEUES PORT BLOCK_DEVICE - NIC -> XDP filter -> NVMe
 *
 * The idea: a packet is stored from where the NIC put it. capture.bpf.c leads UDP to
 * PORT to AF_XDP sockets whose memory is the region; around each packet, in the room
 * that AF_XDP leaves free, goes what makes it a block of a pcapng file (pcapng.h); and
 * the drive gathers up to 60 blocks in one write. What NIC or drive cannot do is
 * copied, and the report says so.
 *
 *     lab/run --nvme 1 --nics 1:zc --load -- sh -c '
 *             ip netns add peer; ip link set eth1 netns peer
 *             ip addr add 10.0.0.1/24 dev eth0; ip link set eth0 up
 *             ip -n peer addr add 10.0.0.2/24 dev eth1; ip -n peer link set eth1 up
 *             timeout -s INT 5 build/user/samples/capture eth0 1 7000 /dev/nvme0n1 & sleep 2
 *             seq 3 | ip netns exec peer socat -u - UDP:10.0.0.1:7000
 *             wait; build/user/samples/capcat </dev/nvme0n1 | tcpdump -X -r -'
 *
 * It overwrites the drive from its first block, and ends with SIGINT.
 */
#include <err.h>
#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include <unified_io_xsk.h>
#include <unified_io_zcrx.h>

#include "capture.skel.h"
#include "common.h"
#include "pcapng.h"

#define REGION_SIZE	(32ULL << 20)
#define UMEM_SIZE	(16ULL << 20)	/* at the start of the data area */
#define RING		512
#define MAX_QUEUES	4
#define NR_WRITES	8
#define WRITE_MEM	(256U << 10)	/* for all of a write, where the drive cannot gather */
#define MAX_PACKETS	60		/* ranges in a write, but for head and end */
#define IDLE_NS		100000000ULL	/* then what has come is written */

/* A write that is being put together, or on its way. */
struct write {
	bool busy;
	struct unified_io_ranges ranges;
	__u32 nr;
	__u64 packets[MAX_PACKETS];
};

static struct unified_io io;
static struct unified_io_info info;
static struct unified_io_xsk *xsk;
static struct write writes[NR_WRITES], *current;
static __u64 capture_id, at, packets, copied;
static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

static void *room(struct write *w, __u32 len)
{
	void *to = unified_io_ranges_room(&w->ranges, len);

	if (!to)
		errx(1, "a write has no room for blocks of its own");
	return to;
}

/* What has been written: the packets' frames go back to the sockets. */
static void reap(void)
{
	const struct unified_completion *cqe;

	while ((cqe = unified_io_peek(&io))) {
		struct write *w = &writes[cqe->user_data];

		check(UNIFIED_IO_CALL_COMPLETION, "write", cqe->res);
		while (w->nr)
			unified_io_xsk_release(xsk, w->packets[--w->nr]);
		w->busy = false;
		unified_io_consume(&io, 1);
	}
}

static struct write *begin(void)
{
	struct write *w = writes;
	int ret;

	while (w->busy) {
		if (++w < writes + NR_WRITES)
			continue;
		ret = unified_io_enter(&io, 0, 1, 0);
		if (ret != -EINTR)
			check(UNIFIED_IO_CALL_SUBMIT, "wait", ret);
		reap();
		w = writes;
	}
	w->busy = true;
	unified_io_ranges_init(&w->ranges, &io, UMEM_SIZE + (w - writes) * WRITE_MEM, WRITE_MEM,
			       info.range_alignment);
	if (!at)
		unified_io_pcapng_head(room(w, sizeof(struct unified_io_pcapng_head)));
	return w;
}

static void finish(struct write *w)
{
	struct unified_descriptor *desc = unified_io_get_desc(&io);
	__u32 len = pcapng_end_len(w->ranges.len, info.lba_size);

	pcapng_end(room(w, len), len, capture_id, at);
	unified_io_prep_write(desc, 0, 0, at / info.lba_size);
	unified_io_ranges_use(&w->ranges, desc);
	desc->user_data = w - writes;
	check(UNIFIED_IO_CALL_SUBMIT, "submit", unified_io_submit(&io));
	at += w->ranges.len;
	copied += w->ranges.copied;
	current = NULL;
}

static void store(__u64 packet, __u32 len)
{
	len = unified_io_pcapng_wrap(io.data + packet, len);
	if (!current)
		current = begin();
	check(UNIFIED_IO_CALL_SUBMIT, "ranges",
	      unified_io_ranges_add(&current->ranges,
				    packet - sizeof(struct unified_io_pcapng_packet), len));
	current->packets[current->nr++] = packet;
	packets++;
	if (current->nr == MAX_PACKETS)
		finish(current);
}

static void run(__u32 nr_queues)
{
	struct unified_io_xsk_frame frame;
	__u32 q;
	int ret;

	while (!stop) {
		ret = unified_io_xsk_wait(xsk, IDLE_NS);
		if (ret != -ETIME && ret != -EINTR)
			check(UNIFIED_IO_CALL_XSK, "wait", ret);
		reap();
		for (q = 0; q < nr_queues; q++)
			while (unified_io_xsk_recv(xsk, q, &frame))
				store(frame.addr, frame.len);
		if (ret && current)
			finish(current);
	}
	if (current)
		finish(current);
	while (unified_io_enter(&io, 0, 1, 0) >= 0 && unified_io_peek(&io))
		reap();
}

static struct capture *open_all(const char *ifname, __u32 nr_queues, __u16 port)
{
	struct capture *skel = capture__open();
	struct unified_io_xsk_queue queues[MAX_QUEUES];
	struct unified_io_xsk_params params = {
		.queues = queues, .nr_queues = nr_queues, .ring = RING, .len = UMEM_SIZE,
	};
	int map;
	__u32 q;

	if (!skel)
		err(1, "capture.bpf.o");
	skel->rodata->port = port;
	if (capture__load(skel))
		err(1, "load the filter");
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
	struct capture *skel;
	__u32 nr_queues;

	if (argc != 5)
		errx(2, "usage: %s IFNAME QUEUES PORT BLOCK_DEVICE (which is overwritten)",
		     argv[0]);
	nr_queues = atoi(argv[2]);
	if (!nr_queues || nr_queues > MAX_QUEUES)
		errx(2, "QUEUES is 1 to %d", MAX_QUEUES);
	if (getrandom(&capture_id, sizeof(capture_id), 0) != sizeof(capture_id))
		err(1, "getrandom");
	signal(SIGINT, on_signal);
	open_region(&io, REGION_SIZE, argv[4], O_RDWR);
	check(UNIFIED_IO_CALL_SUBMIT, "info", unified_io_get_info(&io, &info));
	skel = open_all(argv[1], nr_queues, atoi(argv[3]));
	printf("capturing\n");
	fflush(stdout);
	run(nr_queues);

	printf("%llu packets, %llu bytes on the drive; "
	       "copied %llu bytes coming in, %llu going out\n", packets, at, unified_io_xsk_copied(xsk), copied);
	unified_io_xsk_close(xsk);
	capture__destroy(skel);
	unified_io_close(&io);
	return 0;
}
