// SPDX-License-Identifier: GPL-2.0
/*
 * Packets as chains, one each: an XDP program by ATTACH_BPF or a struct_ops program
 * looks at the packet where AF_XDP has received it, and the drive takes it from there;
 * nothing is copied, and what the program drops is not written.
 */
#include "xsk_wire.h"

#define NR	48
#define LBA	4096

static struct unified_io io;
static struct unified_io_info info;
static struct region region;	/* the same, for the helpers of bpf.h */

static uint32_t round_up(uint32_t len, uint32_t unit)
{
	return (len + unit - 1) / unit * unit;
}

static size_t length_of(unsigned int seq)
{
	return 100 + seq * 29;
}

static uint64_t offset_of(unsigned int seq)
{
	return (uint64_t)(LBA + seq * 8) * info.lba_size;
}

/* The bytes of packet @seq as it was written: its message, behind the headers. */
static void check_stored(unsigned int seq)
{
	unsigned char got[4096];
	uint32_t len = HEADERS + length_of(seq);

	drive_read(env("NVME0"), offset_of(seq), got, round_up(len, info.lba_size));
	CHECK_EQ(wire_check(got, len), seq);
	check_filled(got + len, round_up(len, info.lba_size) - len, 0);
}

static void check_not_stored(unsigned int seq)
{
	unsigned char got[4096];

	drive_read(env("NVME0"), offset_of(seq), got, sizeof(got));
	check_filled(got, sizeof(got), 0xdd);
}

static uint32_t stored_len(unsigned int seq)
{
	return round_up(HEADERS + length_of(seq), info.lba_size);
}

static void spoil_drive(void)
{
	static unsigned char old[NR * 4096];

	memset(old, 0xdd, sizeof(old));
	drive_write(env("NVME0"), (uint64_t)LBA * info.lba_size, old, sizeof(old));
}

/* The end of NR chains: none copied anything, and what was dropped was not written. */
static void finish(struct unified_io_xsk *xsk, bool dropped)
{
	struct unified_completion cqe;

	for (unsigned int i = 0; i < NR; i++) {
		CHECK_RES(unified_io_wait(&io, &cqe, WAIT_NS), 0);
		CHECK_EQ(cqe.copied, 0);
		CHECK_EQ(cqe.moved, 0);
		CHECK_EQ(!!(cqe.flags & UNIFIED_IO_CQE_F_DROPPED), dropped);
		if (!dropped)
			CHECK_RES(cqe.res, (int)stored_len(cqe.user_data));
		CHECK_RES(unified_io_xsk_release(xsk, cqe.addr), 0);
	}
	for (unsigned int seq = 0; seq < NR; seq++) {
		if (dropped)
			check_not_stored(seq);
		else
			check_stored(seq);
	}
}

/* Whole blocks, zeroes behind the packet: an XDP program cannot be told how long it is. */
static void prep_xdp(struct unified_descriptor *desc, const struct unified_io_xsk_frame *frame,
		     int prog_id)
{
	uint32_t len = round_up(frame->len, info.lba_size);

	memset(io.data + frame->addr + frame->len, 0, len - frame->len);
	unified_io_prep_buffer(desc, frame->addr, len);
	unified_io_then_bpf(desc, prog_id, 0);
}

/* NR packets at once, through the XDP program @prog_id. */
static void packets(struct unified_io_xsk *xsk, int prog_id)
{
	int peer = wire_peer(0);

	spoil_drive();
	for (unsigned int seq = 0; seq < NR; seq++)
		wire_send(peer, seq, length_of(seq));
	for (unsigned int seq = 0; seq < NR; seq++) {
		struct unified_io_xsk_frame frame = wire_recv(xsk, 1, NULL);
		struct unified_descriptor *desc = unified_io_get_desc(&io);

		CHECK(desc);
		prep_xdp(desc, &frame, prog_id);
		unified_io_then_write(desc, LBA + seq * 8, 0);
		desc->user_data = seq;
	}
	CHECK_EQ(unified_io_submit(&io), NR);
	close(peer);
}

/* The program is one for an interface. */
static void by_xdp(struct unified_io_xsk *xsk)
{
	struct xdp *xdp = xdp_load();
	int xdp_id = unified_io_attach_xdp(&io, bpf_program__fd(xdp->progs.parse));

	CHECK_OK(xdp_id);
	xdp->bss->drop_port = XSK_PORT + 1;
	packets(xsk, xdp_id);
	finish(xsk, false);
	xdp->bss->drop_port = XSK_PORT;
	packets(xsk, xdp_id);
	finish(xsk, true);
	CHECK_EQ(xdp->bss->nr_calls, 2 * NR);
	CHECK_RES(unified_io_detach_xdp(&io, xdp_id), 0);
	xdp__destroy(xdp);
}

/* The buffer is the rest of the frame; the program says how long the data are: room to pad. */
static void by_struct_ops(struct unified_io_xsk *xsk)
{
	struct unified_completion cqe;
	struct bpf_link *link;
	struct ops *ops = ops_attach(&region, &link);
	int peer = wire_peer(0);

	spoil_drive();
	for (unsigned int seq = 0; seq < NR; seq++) {
		struct unified_io_xsk_frame frame;
		struct unified_descriptor *desc = unified_io_get_desc(&io);

		wire_send(peer, seq, length_of(seq));
		frame = wire_recv(xsk, 1, NULL);
		ops->bss->steps[0] = (struct step){ .op = STEP_SET_LEN, .a = frame.len };
		ops->bss->verdict = seq % 3 ? UNIFIED_IO_BPF_PASS : UNIFIED_IO_BPF_DROP;
		unified_io_prep_buffer(desc, frame.addr, 4096 - frame.addr % 4096);
		desc->flags |= UNIFIED_IO_DESC_F_PAD;
		unified_io_then_bpf(desc, 0, 0);
		unified_io_then_write(desc, LBA + seq * 8, 0);
		CHECK_RES(unified_io_wait(&io, &cqe, WAIT_NS), 0);
		CHECK_EQ(cqe.copied, 0);
		CHECK_RES(unified_io_xsk_release(xsk, frame.addr), 0);
		if (seq % 3)
			check_stored(seq);
		else
			check_not_stored(seq);
	}
	bpf_link__destroy(link);
	ops__destroy(ops);
	close(peer);
}

static void on_wire(const char *ifname, enum unified_io_xsk_mode mode)
{
	struct xsk *skel = wire_program(ifname);
	struct unified_io_xsk_queue queue = { ifname, 0, bpf_map__fd(skel->maps.sockets) };
	struct unified_io_xsk_params params = wire_params(&queue, 1);
	struct unified_io_xsk *xsk;

	params.mode = mode;
	CHECK_RES(unified_io_xsk_open(&xsk, &io, &params), 0);
	by_xdp(xsk);
	by_struct_ops(xsk);
	unified_io_xsk_close(xsk);
	xsk__destroy(skel);
}

int main(void)
{
	struct unified_io_setup setup;

	unified_io_defaults(&setup);
	setup.nvme_fd = open(env("NVME0"), O_RDWR);
	CHECK_RES(unified_io_open(&io, &setup), 0);
	close(setup.nvme_fd);
	region.fd = io.fd;
	region.setup = setup;
	CHECK_RES(unified_io_get_info(&io, &info), 0);
	on_wire("zc0", UNIFIED_IO_XSK_COPY);
	if (wire_has_zero_copy(&io, "zc0"))
		on_wire("zc0", UNIFIED_IO_XSK_ZEROCOPY);
	else
		printf("this kernel's virtio_net has no zero copy\n");
	CHECK_RES(unified_io_get_info(&io, &info), 0);
	for (unsigned int i = 0; i < UNIFIED_IO_STAGE_NR; i++)
		CHECK_EQ(info.stage[i].copied, 0);
	unified_io_close(&io);
	return 0;
}
