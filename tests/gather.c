// SPDX-License-Identifier: GPL-2.0
/*
 * bpf_uior_keep(): what a program keeps is what is written and sent, whatever the
 * alignment and the number of ranges, on every kind of drive, in large pages and
 * small. Whole blocks of whole pages are gathered: nothing moves.
 */
#include "bpf.h"

#define LBA	8192
#define BUFFER	(1 * MiB)

static struct region r;
static struct ops *ops;
static const char *path;
static int tx[2], tx_slot;
static unsigned char *want;
static size_t want_len;
static unsigned int nr_keeps;
static uint64_t addr;

static void keep(uint32_t off, uint32_t len)
{
	CHECK(nr_keeps < NR_KEEPS);
	ops->bss->keeps[nr_keeps++] = (struct keep){ off, len };
	memcpy(want + want_len, r.data + addr + off, len);
	want_len += len;
}

static void begin(uint64_t at)
{
	static uint64_t seed;

	addr = at;
	nr_keeps = 0;
	want_len = 0;
	pattern_fill(r.data + addr, BUFFER, 0, ++seed * 0x9e3779b97f4a7c15);
}

static void check_sent(void)
{
	unsigned char *got = malloc(want_len);

	CHECK(got);
	recv_all(tx[1], got, want_len);
	CHECK(!memcmp(got, want, want_len));
	free(got);
}

static size_t padded(void)
{
	size_t block = drive_block(path);

	return (want_len + block - 1) / block * block;
}

static void check_stored(void)
{
	size_t block = drive_block(path), whole = padded();
	unsigned char *got = malloc(whole);

	CHECK(got);
	drive_read(path, LBA * block, got, whole);
	CHECK(!memcmp(got, want, want_len));
	check_filled(got + want_len, whole - want_len, 0);
	free(got);
}

/* The chain BPF -> write [-> send] on the buffer; returns the bytes moved. */
static uint32_t run_kept(bool send)
{
	struct unified_descriptor d = desc_bpf(addr, BUFFER);
	struct unified_completion c;

	d.type |= UNIFIED_REGION_F_NVME;
	d.flags = UNIFIED_IO_DESC_F_PAD;
	d.nvme.opcode = NVME_CMD_WRITE;
	d.nvme.slba = LBA;
	if (send) {
		d.type |= UNIFIED_REGION_F_NETWORK;
		d.net.flags = UNIFIED_IO_NET_F_SEND;
		d.net.tx_slot = tx_slot;
	}
	ops->bss->steps[0] = (struct step){ .op = STEP_KEEP_LIST, .a = nr_keeps };
	CHECK_RES(submit(&r, d), 0);
	if (send)
		check_sent();
	c = reap(&r);
	CHECK_EQ(ops->bss->steps[0].ret, 0);
	CHECK_RES(c.res, (int)(send ? want_len : padded()));
	CHECK_EQ(c.len, want_len);
	check_stored();
	return c.moved;
}

static uint32_t below(uint32_t n)
{
	return rand() % n;
}

/* Ranges with borders at multiples of @unit, up to @longest units each. */
static void random_ranges(uint32_t unit, uint32_t longest)
{
	uint32_t units = BUFFER / unit, at = below(4);

	while (nr_keeps < NR_KEEPS) {
		uint32_t len = 1 + below(longest);

		if (at + len >= units)
			break;
		keep(at * unit, len * unit);
		at += len + below(longest);
	}
}

/* Every drive can gather pages; and what ends a range early, what touches, is one. */
static void whole_pages(bool send)
{
	begin(4 * KiB);
	for (uint32_t i = 0; i < 60; i++)
		keep(i * 16 * KiB, i % 3 ? 4 * KiB : 12 * KiB);
	CHECK_EQ(run_kept(send), 0);

	begin(0);
	for (uint32_t i = 0; i < 200; i++)
		keep(i * 4 * KiB, 4 * KiB);
	CHECK_EQ(run_kept(send), 0);
}

/* The 65th range has no place of its own. */
static void too_many(void)
{
	begin(0);
	for (uint32_t i = 0; i < 100; i++)
		keep(i * 8 * KiB, 4 * KiB);
	CHECK_EQ(run_kept(false), 36 * 4 * KiB);
}

static void anywhere(bool send)
{
	/* the data area begins on a page; the second border is one of 2 MiB folios, if there are any */
	static const uint64_t at[] = { 0, 2 * MiB - BUFFER / 2 };
	static const uint32_t unit[] = { 1, 4, 100, 512, 4096 };

	for (size_t i = 0; i < ARRAY_SIZE(at); i++)
		for (size_t j = 0; j < ARRAY_SIZE(unit); j++) {
			begin(at[i]);
			random_ranges(unit[j], BUFFER / unit[j] / 20);
			run_kept(send);
			begin(at[i]);
			random_ranges(unit[j], 9);
			run_kept(send);
		}
}

static void on_drive(const char *drive, unsigned int flags)
{
	struct unified_io_setup setup = SETUP_DEFAULT;
	struct bpf_link *link;

	printf("%s, flags %#x\n", drive, flags);
	setup.flags = flags;
	setup.region_size = 8 * MiB;
	path = drive;
	region_setup(&r, drive, setup);
	tcp_pair(tx);
	tx_slot = attach(&r, tx[0]);
	ops = ops_attach(&r, &link);
	for (int send = 0; send < 2; send++) {
		whole_pages(send);
		anywhere(send);
	}
	too_many();
	bpf_link__destroy(link);
	ops__destroy(ops);
	region_close(&r);
	close(tx[0]);
	close(tx[1]);
}

/* What two keeps return, and what the data are after them. */
static struct unified_completion two(struct keep a, struct keep b, int ret)
{
	ops->bss->steps[0] = (struct step){ .op = STEP_KEEP, .a = a.off, .b = a.len };
	ops->bss->steps[1] = (struct step){ .op = STEP_KEEP, .a = b.off, .b = b.len };
	pattern_fill(r.data, 64 * KiB, 0, 7);
	CHECK_RES(submit(&r, desc_bpf(0, 64 * KiB)), 0);
	CHECK_RES((int)ops->bss->steps[1].ret, ret);
	return reap(&r);
}

static void results(void)
{
	struct unified_completion c;
	struct bpf_link *link;

	region_open(&r, NULL);
	ops = ops_attach(&r, &link);

	/* no sink: the process finds it in one piece */
	c = two((struct keep){ 4096, 4096 }, (struct keep){ 16384, 4096 }, 0);
	CHECK_EQ(c.addr, 4096);
	CHECK_EQ(c.len, 8192);
	CHECK_EQ(c.moved, 4096);
	CHECK_EQ(c.flags, 0);
	pattern_check(r.data + 8192, 4096, 16384, 7);

	c = two((struct keep){ 4096, 4096 }, (struct keep){ 8191, 1 }, -EINVAL);
	CHECK_EQ(c.len, 4096);
	c = two((struct keep){ 4096, 0 }, (struct keep){ 100, 50 }, 0);
	CHECK_EQ(c.addr, 100);
	CHECK_EQ(c.len, 50);
	c = two((struct keep){ 100, 10 }, (struct keep){ 50, 0 }, 0);
	CHECK_EQ(c.len, 10);
	two((struct keep){ 0, 1 }, (struct keep){ 64 * KiB - 1, 2 }, -ERANGE);
	two((struct keep){ 0, 1 }, (struct keep){ 64 * KiB + 1, 0 }, -ERANGE);
	two((struct keep){ 0, 1 }, (struct keep){ UINT32_MAX, 2 }, -ERANGE);

	/* set_data begins anew */
	ops->bss->steps[2] = (struct step){ .op = STEP_SET_DATA, .a = 0, .b = 100 };
	c = two((struct keep){ 0, 4096 }, (struct keep){ 16384, 4096 }, 0);
	CHECK_EQ(c.addr, 0);
	CHECK_EQ(c.len, 100);
	ops->bss->steps[2] = (struct step){};

	bpf_link__destroy(link);
	ops__destroy(ops);
	region_close(&r);
}

/* A datagram in the most pieces that there can be goes out in one. */
static void datagram(void)
{
	struct unified_io_setup setup = SETUP_DEFAULT;
	struct unified_descriptor d;
	struct unified_completion c;
	struct bpf_link *link;
	unsigned char *got = malloc(64 * KiB);
	int fd[2];

	setup.flags = UNIFIED_IO_SETUP_SMALL_PAGES;
	region_setup(&r, NULL, setup);
	udp_pair(fd);
	tx_slot = attach(&r, fd[0]);
	ops = ops_attach(&r, &link);
	begin(512);
	for (int i = 0; i < 64; i++)
		keep(i * 2048, i == 63 ? 60000 - 63 * 900 : 900);
	d = desc_send(tx_slot, addr, BUFFER);
	d.type |= UNIFIED_REGION_F_BPF;
	ops->bss->steps[0] = (struct step){ .op = STEP_KEEP_LIST, .a = nr_keeps };
	c = run(&r, d);
	CHECK_RES(c.res, 60000);
	CHECK_EQ(c.moved, 0);
	CHECK_EQ(c.flags & UNIFIED_IO_CQE_F_GATHERED, UNIFIED_IO_CQE_F_GATHERED);
	CHECK_EQ(recv(fd[1], got, 64 * KiB, 0), 60000);
	CHECK(!memcmp(got, want, 60000));
	bpf_link__destroy(link);
	ops__destroy(ops);
	region_close(&r);
	free(got);
}

int main(void)
{
	want = malloc(2 * BUFFER);
	CHECK(want);
	results();
	datagram();
	on_drive(env("NVME0"), 0);
	on_drive(env("NVME0"), UNIFIED_IO_SETUP_SMALL_PAGES);
	on_drive(env("NVME0"), UNIFIED_IO_SETUP_BLOCK_LAYER | UNIFIED_IO_SETUP_SMALL_PAGES);
	on_drive(env("PARTITION"), 0);
	on_drive(env("VIRTIO"), 0);
	on_drive(env("NULLBLK"), UNIFIED_IO_SETUP_SMALL_PAGES);
	on_drive(env("LOOP"), 0);
	return 0;
}
