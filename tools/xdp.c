// SPDX-License-Identifier: GPL-2.0
/*
 * A source of packets: AF_XDP sockets, whose memory is in the region, on queues of a NIC.
 * Each packet becomes a block of a pcapng file where it lies, after the XDP program that
 * the user may have put behind the source has let it pass.
 */
#include <net/if.h>
#include <stdlib.h>
#include <linux/if_xdp.h>
#include <sys/socket.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "intake.h"
#include "unified_io_pcapng.h"
#include "unified_io_xsk.h"
#include "xdp.skel.h"

#define WAIT_NS		100000000ULL	/* how late a signal may be seen */
#define RING		512U
#define ASKED		(1ULL << 63)	/* user_data: a packet, not a batch */

static const char *const modes[] = {
	[UNIFIED_IO_XSK_ZEROCOPY] = "zerocopy",
	[UNIFIED_IO_XSK_COPY] = "copy",
};

static struct unified_io_xsk *sockets;
static struct xdp_bpf *program;
static uint32_t nr_queues;
static struct unified_io *region;

static void release(uint64_t addr)
{
	unified_io_xsk_release(sockets, addr);
}

static int submit(const struct unified_descriptor *desc)
{
	return unified_io_submit_one(region, desc);
}

static void end_capture(struct intake *in)
{
	in->ended = true;
}

/* From now on packets go elsewhere, and what has come can be stored. */
static void leave_nic(void)
{
	bpf_link__destroy(program->links.take);
	program->links.take = NULL;
}

static void load_program(struct pipe *pipe)
{
	program = xdp_bpf__open();
	if (!program)
		die(EXIT_FAILED, "the NIC's program: %s", strerror(errno));
	program->rodata->port = pipe->source.port ?
		size_arg("port", pipe->source.port, 1, UINT16_MAX) : 0;
	must(UNIFIED_IO_CALL_OPS, xdp_bpf__load(program), "the NIC's program");
}

static void attach_program(struct pipe *pipe)
{
	program->links.take = bpf_program__attach_xdp(program->progs.take,
						      if_nametoindex(pipe->source.path));
	if (!program->links.take)
		must(UNIFIED_IO_CALL_XSK, -errno, pipe->source.text);
}

static void say_mode(const struct pipe *pipe)
{
	int why = unified_io_xsk_why(sockets);

	if (!pipe->options.quiet)
		warn("%s: mode %s: %s", pipe->source.text, pipe->mode,
		     unified_io_xsk_mode(sockets) == UNIFIED_IO_XSK_ZEROCOPY ?
		     "the NIC writes packets into the region, nothing is copied" :
		     "the kernel copies each packet once");
	if (why)
		warn("%s: not mode zerocopy: %s", pipe->source.text,
		     unified_io_hint(UNIFIED_IO_CALL_XSK, why));
}

/* All is there before the first packet is led to it. */
void open_xdp(struct pipe *pipe)
{
	struct unified_io_xsk_queue queues[MAX_QUEUES];
	struct unified_io_xsk_params params = {
		.mode = pipe->source.mode,
		.queues = queues,
		.nr_queues = pipe->source.nr_queues,
		.ring = RING,
		.addr = batch_memory(pipe),
		.len = intake_area(pipe),
	};
	uint32_t i;

	load_program(pipe);
	for (i = 0; i < params.nr_queues; i++)
		queues[i] = (struct unified_io_xsk_queue) {
			.ifname = pipe->source.path,
			.rxq = pipe->source.queue + i,
			.map_fd = bpf_map__fd(program->maps.sockets),
		};
	must(UNIFIED_IO_CALL_XSK, unified_io_xsk_open(&sockets, &pipe->io, &params),
	     pipe->source.text);
	region = &pipe->io;
	nr_queues = params.nr_queues;
	pipe->mode = modes[unified_io_xsk_mode(sockets)];
	attach_program(pipe);
	say_mode(pipe);
}

/* The first blocks of the file take a frame, as a packet does. */
static void put_head(struct intake *in)
{
	__u64 addr;

	must(UNIFIED_IO_CALL_XSK, unified_io_xsk_alloc(sockets, 0, &addr), in->pipe->source.text);
	unified_io_pcapng_head((void *)(in->pipe->io.data + addr));
	intake_add(in, addr, sizeof(struct unified_io_pcapng_head));
}

static void keep(struct intake *in, uint64_t addr, uint32_t len)
{
	len = unified_io_pcapng_wrap(in->pipe->io.data + addr, len);
	intake_add(in, addr - sizeof(struct unified_io_pcapng_packet), len);
	in->pipe->packets++;
}

/* The program behind the source: one chain a packet, which ends before submit() is back. */
static void ask(struct intake *in, const struct unified_io_xsk_frame *frame)
{
	struct unified_descriptor *desc = unified_io_get_desc(&in->pipe->io);

	unified_io_prep_buffer(desc, frame->addr, frame->len);
	unified_io_then_bpf(desc, in->pipe->xdp_id, 0);
	desc->user_data = ASKED | frame->addr;
}

static void answered(struct intake *in, const struct unified_completion *cqe)
{
	if (cqe->res < 0) {
		if (!in->result)
			failed(cqe);
		intake_fail(in, cqe->res);
	}
	if (cqe->res <= 0 || cqe->flags & UNIFIED_IO_CQE_F_DROPPED)
		release(cqe->user_data & ~ASKED);
	else
		keep(in, cqe->addr, cqe->len);
}

static void reap(struct intake *in)
{
	const struct unified_completion *cqe;

	while ((cqe = unified_io_peek(&in->pipe->io))) {
		if (cqe->user_data & ASKED)
			answered(in, cqe);
		else
			batch_ended(in, cqe->user_data, cqe->res, cqe->flags, cqe->addr);
		unified_io_consume(&in->pipe->io, 1);
	}
}

/* What has come by a queue, as far as there is room for it. */
static void receive(struct intake *in, uint32_t queue)
{
	struct pipe *pipe = in->pipe;
	struct unified_io_xsk_frame frame;
	uint32_t asked = 0, max = pipe->io.sq_mask + 1;

	if (max > MAX_ASKED)
		max = MAX_ASKED;
	while (!intake_full(in, asked % max) && unified_io_xsk_recv(sockets, queue, &frame)) {
		pipe->bytes_read += frame.len;
		if (!pipe->xdp_id) {
			keep(in, frame.addr, frame.len);
			continue;
		}
		ask(in, &frame);
		if (++asked % max)
			continue;
		must(UNIFIED_IO_CALL_SUBMIT, unified_io_submit(&pipe->io), "packets");
		reap(in);
	}
	if (asked % max)
		must(UNIFIED_IO_CALL_SUBMIT, unified_io_submit(&pipe->io), "packets");
	reap(in);
}

static void look_for_signal(struct intake *in)
{
	if (take_signal(in->pipe))
		in->ended = true;
}

static void wait_event(struct intake *in)
{
	int ret = unified_io_xsk_wait(sockets, WAIT_NS);

	if (ret < 0 && ret != -ETIME && ret != -EINTR) {
		warn("%s: %s: %s", in->pipe->source.text, strerror(-ret),
		     unified_io_hint(UNIFIED_IO_CALL_XSK, ret));
		intake_fail(in, ret);
	}
	look_for_signal(in);
}

/* Those that came while there was no memory or time for them. */
static uint64_t count_lost(void)
{
	struct xdp_statistics stats;
	uint64_t lost = 0;
	socklen_t len;
	uint32_t i;

	for (i = 0; i < nr_queues; i++) {
		len = sizeof(stats);
		if (!getsockopt(unified_io_xsk_fd(sockets, i), SOL_XDP, XDP_STATISTICS, &stats,
				&len))
			lost += stats.rx_dropped + stats.rx_ring_full;
	}
	return lost;
}

static void turn(struct intake *in)
{
	struct pipe *pipe = in->pipe;
	uint32_t i;

	for (i = 0; i < nr_queues; i++)
		receive(in, i);
	batch_retire(in);
	batch_fill(in);
	if (in->current && (!pipe->options.fill || in->ended))
		batch_submit(in);
	batch_retire(in);
	pipe->copied_in = unified_io_xsk_copied(sockets);
	pipe->packets_lost = count_lost();
	progress_show(pipe);
}

int run_xdp(struct pipe *pipe)
{
	static struct intake in = { .release = release, .submit = submit, .fail = end_capture };

	intake_init(&in, pipe);
	put_head(&in);
	while (!in.ended) {
		wait_event(&in);
		turn(&in);
	}
	leave_nic();
	turn(&in);
	while (intake_busy(&in)) {
		unified_io_enter(&pipe->io, 0, 1, WAIT_NS);
		look_for_signal(&in);
		turn(&in);
	}
	unified_io_xsk_close(sockets);
	xdp_bpf__destroy(program);
	intake_free(&in);
	return in.result;
}
