// SPDX-License-Identifier: GPL-2.0
/*
 * BPF on a table of ranges: a program sees the bytes of one range after the other,
 * whatever the order that they lie in; what it keeps, moves and sets is counted in
 * these; what it keeps is what is written and sent, on every kind of drive. A
 * program that straddles, overlapping ranges, a table that another thread rewrites,
 * and XDP programs get what is documented.
 */
#include "bpf.h"
#include "table.h"

#define SLOT	(48 * KiB)	/* one range is inside each, so they do not overlap */
#define NR_LOOKS 12

static struct ops *ops;
static struct bpf_link *attached;

/* Up to @max ranges of up to @units units each, in no order. */
static void shuffled_table(uint32_t unit, uint32_t units, unsigned int max)
{
	unsigned int slots[UNIFIED_IO_RANGES_MAX], i, other, slot;

	begin();
	for (i = 0; i < max; i++) {
		other = below(i + 1);
		slots[i] = slots[other];
		slots[other] = i;
	}
	for (i = 0; i < max; i++) {
		uint32_t len = (1 + below(units)) * unit;

		slot = 64 * KiB + slots[i] * SLOT;
		range(slot + below((SLOT - len) / unit) * unit, len);
	}
}

static void step(unsigned int i, struct step step)
{
	ops->bss->steps[i] = step;
}

static int64_t ret(unsigned int i)
{
	return ops->bss->steps[i].ret;
}

static void no_steps(void)
{
	memset(ops->bss->steps, 0, sizeof(ops->bss->steps));
}

/* The program alone, with the steps that are set. */
static struct unified_completion look(void)
{
	struct unified_descriptor d = desc_table();
	struct unified_completion c;

	d.type = UNIFIED_REGION_F_BPF;
	c = run(&r, d);
	CHECK_RES(c.res, (int)c.len);
	CHECK_EQ(c.addr, 0);
	return c;
}

/* One step; what it returned. */
static int64_t one(uint32_t op, uint64_t a, uint64_t b, uint64_t c)
{
	no_steps();
	step(0, (struct step){ .op = op, .a = a, .b = b, .c = c });
	look();
	return ret(0);
}

/* The ranges have become what was wanted. */
static void check_memory(void)
{
	size_t off = 0;

	for (unsigned int i = 0; i < nr_ranges; off += table[i++].len)
		CHECK(!memcmp(r.data + table[i].addr, want + off, table[i].len));
}

/* The checksum that the same program makes of the same bytes in one piece. */
static int64_t crc_of(uint32_t off, uint32_t len)
{
	uint64_t at = r.setup.data_size - 1 * MiB;

	memcpy(r.data + at, want + off, len);
	no_steps();
	step(0, (struct step){ .op = STEP_CRC32C, .b = len });
	run(&r, desc_bpf(at, len));
	return ret(0);
}

/* around the border at @off, behind which @next bytes follow in one piece */
static void look_at_border(uint32_t off, uint32_t next)
{
	no_steps();
	step(0, (struct step){ .op = STEP_CONTIG, .a = off - 1 });
	step(1, (struct step){ .op = STEP_CONTIG, .a = off });
	step(2, (struct step){ .op = STEP_LOAD, .a = off - 1 });
	step(3, (struct step){ .op = STEP_LOAD, .a = off });
	look();
	CHECK_EQ(ret(0), 1);
	CHECK_EQ(ret(1), next);
	CHECK_EQ(ret(2), want[off - 1]);
	CHECK_EQ(ret(3), want[off]);
}

static void look_across(void)
{
	uint32_t off = below(want_len), len = below(want_len - off), n = len < NR_BYTES ? len : NR_BYTES;
	unsigned char *found, c = rand();
	struct unified_completion done;
	int64_t crc = crc_of(off, len);

	found = memchr(want + off, c, len);
	no_steps();
	step(0, (struct step){ .op = STEP_CRC32C, .a = off, .b = len });
	step(1, (struct step){ .op = STEP_MEMCHR, .a = off, .b = len, .c = c });
	step(2, (struct step){ .op = STEP_LOAD_BYTES, .a = off, .b = n });
	done = look();
	CHECK_EQ(ret(0), crc);
	CHECK_EQ(ret(1), found ? found - want : -ENOENT);
	CHECK_EQ(ret(2), 0);
	CHECK(!memcmp(ops->bss->bytes, want + off, n));
	CHECK_EQ(done.copied, n);
	CHECK_EQ(done.moved, 0);
}

static void looks(void)
{
	static const uint32_t unit[] = { 1, 4, 100 };
	struct unified_completion c;
	uint32_t off;

	for (int i = 0; i < NR_LOOKS; i++) {
		shuffled_table(unit[i % ARRAY_SIZE(unit)], 8000 / unit[i % ARRAY_SIZE(unit)],
			       2 + below(UNIFIED_IO_RANGES_MAX - 1));
		no_steps();
		c = look();
		CHECK_EQ(ops->bss->seen_off, 0);
		CHECK_EQ(ops->bss->seen_len, want_len);
		CHECK_EQ(ops->bss->seen_cap, want_len);
		CHECK_EQ(c.len, want_len);
		CHECK_EQ(c.copied + c.moved, 0);
		CHECK_EQ(c.flags, UNIFIED_IO_CQE_F_GATHERED);
		off = 0;
		for (unsigned int j = 1; j < nr_ranges; j++) {
			off += table[j - 1].len;
			look_at_border(off, table[j].len);
		}
		CHECK_EQ(one(STEP_CONTIG, want_len, 0, 0), 0);
		CHECK_EQ(one(STEP_CONTIG, want_len + 1, 0, 0), -ERANGE);
		for (int j = 0; j < 10; j++)
			look_across();
		check_memory();
	}
	/* a pointer to what is in one range, and none to what straddles */
	begin();
	range(1 * MiB, 5000);
	range(64 * KiB, 5000);
	CHECK_EQ(one(STEP_LOAD_4K, 904, 0, 0), want[4999]);
	CHECK_EQ(one(STEP_LOAD_4K, 905, 0, 0), -1);
	CHECK_EQ(one(STEP_LOAD_4K, 4999, 0, 0), -1);
	CHECK_EQ(one(STEP_LOAD_4K, 5000, 0, 0), want[9095]);
	CHECK_EQ(one(STEP_LOAD_4K, 5905, 0, 0), -1);
}

static void changes(void)
{
	struct unified_completion c;

	for (int i = 0; i < 4 * NR_LOOKS; i++) {
		uint32_t src, dst, len;

		shuffled_table(1, 3000, 2 + below(30));
		src = below(want_len);
		dst = i % 3 ? below(want_len) : src;
		len = below(want_len - (src > dst ? src : dst));
		no_steps();
		step(0, (struct step){ .op = STEP_MOVE, .a = dst, .b = src, .c = len });
		c = look();
		CHECK_EQ(ret(0), 0);
		CHECK_EQ(c.moved, len);
		CHECK_EQ(c.copied, 0);
		memmove(want + dst, want + src, len);
		check_memory();

		len = len < NR_BYTES ? len : NR_BYTES;
		pattern_fill(ops->bss->bytes, NR_BYTES, 0, i);
		no_steps();
		step(0, (struct step){ .op = STEP_STORE_BYTES, .a = dst, .b = len });
		c = look();
		CHECK_EQ(ret(0), 0);
		CHECK_EQ(c.copied, len);
		CHECK_EQ(c.moved, 0);
		memcpy(want + dst, ops->bss->bytes, len);
		check_memory();
	}
}

/* Keeps are counted in what the ranges were; what is wanted becomes what is kept. */
static void random_keeps(uint32_t unit, uint32_t longest, uint32_t spare)
{
	unsigned int nr = 0;
	uint32_t at = below(3), units = want_len < spare ? 0 : (want_len - spare) / unit;
	size_t kept = 0;

	while (nr < NR_KEEPS) {
		uint32_t len = 1 + below(longest);

		if (at + len > units)
			break;
		ops->bss->keeps[nr++] = (struct keep){ at * unit, len * unit };
		memmove(want + kept, want + at * unit, len * unit);
		kept += len * unit;
		at += len + below(longest);
	}
	want_len = kept;
	no_steps();
	step(0, (struct step){ .op = STEP_KEEP_LIST, .a = nr });
}

/* BPF -> write; returns the bytes moved. */
static uint32_t write_kept(void)
{
	uint32_t block = drive_block(path);
	struct unified_descriptor d = desc_table();
	struct unified_completion c;

	d.type = UNIFIED_REGION_F_BPF;
	d.flags |= UNIFIED_IO_DESC_F_PAD;
	then_write(&d);
	c = run(&r, d);
	CHECK_EQ(ret(0), 0);
	CHECK_RES(c.res, (int)((want_len + block - 1) / block * block));
	CHECK_EQ(c.len, want_len);
	CHECK_EQ(c.copied, 0);
	if (want_len)
		check_stored();
	return c.moved;
}

static void writes(void)
{
	uint32_t align = region_info(&r).range_alignment, block = drive_block(path);
	uint32_t whole = align > block ? align : block;

	for (int i = 0; i < 10; i++) {
		shuffled_table(align, 12000 / align + 1, 2 + below(UNIFIED_IO_RANGES_MAX - 1));
		random_keeps(i % 2 ? align : 1 + below(1000), 4000 / (i % 2 ? align : 500) + 1, block);
		write_kept();
	}
	/* whole blocks where the drive can begin: nothing moves */
	shuffled_table(whole, 2, UNIFIED_IO_RANGES_MAX);
	random_keeps(whole, 2, block);
	CHECK_EQ(write_kept(), 0);
	/* all of it, as it came */
	shuffled_table(whole, 2, UNIFIED_IO_RANGES_MAX);
	no_steps();
	CHECK_EQ(write_kept(), 0);
}

static struct unified_descriptor passed_to_drive(void)
{
	struct unified_descriptor d = desc_table();

	d.type = UNIFIED_REGION_F_BPF;
	then_write(&d);
	return d;
}

/* What the program sets, and what then does not fit. */
static void write_sets(void)
{
	uint32_t align = region_info(&r).range_alignment, block = drive_block(path);
	uint32_t unit = align > block ? align : block;
	struct unified_descriptor d;

	begin();
	range(1 * MiB, 2 * unit);
	range(64 * KiB, 4 * unit);
	no_steps();
	step(0, (struct step){ .op = STEP_SET_DATA, .a = unit, .b = 2 * unit });
	step(1, (struct step){ .op = STEP_SET_LBA, .a = LBA });
	d = passed_to_drive();
	d.nvme.slba = 0;
	CHECK_RES(result(&r, d), (int)(2 * unit));
	memmove(want, want + unit, 2 * unit);
	want_len = 2 * unit;
	check_stored();

	step(0, (struct step){ .op = STEP_SET_LEN, .a = 6 * unit });
	step(1, (struct step){ });
	CHECK_RES(result(&r, passed_to_drive()), (int)(6 * unit));
	step(0, (struct step){ .op = STEP_SET_LEN, .a = 6 * unit + 1 });
	CHECK_RES(result(&r, passed_to_drive()), (int)(6 * unit));
	CHECK_EQ(ret(0), -ERANGE);
	step(0, (struct step){ .op = STEP_SET_LEN, .a = unit + 1 });
	CHECK_RES(result(&r, passed_to_drive()), -EREMOTEIO);

	/* no room behind the data */
	begin();
	range(1 * MiB, unit);
	range(64 * KiB, unit - 4);
	no_steps();
	d = passed_to_drive();
	d.flags |= UNIFIED_IO_DESC_F_PAD;
	CHECK_RES(result(&r, d), -ERANGE);
	if (align == 1)
		return;
	/* a border that the drive cannot gather: if it is in the data */
	begin();
	range(1 * MiB, 2 * unit + align / 2);
	range(64 * KiB, 2 * unit - align / 2);
	CHECK_RES(result(&r, passed_to_drive()), -EREMOTEIO);
	step(0, (struct step){ .op = STEP_KEEP, .a = unit, .b = unit });
	CHECK_RES(result(&r, passed_to_drive()), (int)unit);
	step(1, (struct step){ .op = STEP_KEEP, .a = 2 * unit, .b = unit });
	CHECK_RES(result(&r, passed_to_drive()), -EREMOTEIO);
}

static void send_of(int fd, int slot, uint32_t off, uint32_t len, int expect)
{
	struct unified_descriptor d = desc_table();
	unsigned char *got = malloc(len + 1);

	CHECK(got);
	d.type = UNIFIED_REGION_F_BPF;
	then_send(&d, slot);
	CHECK_RES(submit(&r, d), 0);
	if (expect > 0) {
		recv_all(fd, got, len);
		CHECK(!memcmp(got, want + off, len));
	}
	CHECK_RES(reap(&r).res, expect);
	free(got);
}

static void sends(void)
{
	int fd[2], other[2], slot, to;

	tcp_pair(fd);
	tcp_pair(other);
	slot = attach(&r, fd[0]);
	to = attach(&r, other[0]);
	for (int i = 0; i < 10; i++) {
		uint32_t off, len;

		shuffled_table(1, 3000, 2 + below(UNIFIED_IO_RANGES_MAX - 1));
		off = below(want_len);
		len = 1 + below(want_len - off);
		no_steps();
		step(0, (struct step){ .op = STEP_SET_SEND, .a = off, .b = len });
		step(1, (struct step){ .op = STEP_SET_TARGET, .a = i % 2 ? to : slot });
		send_of(i % 2 ? other[1] : fd[1], slot, off, len, len);
		random_keeps(1, 2000, 0);
		send_of(fd[1], slot, 0, want_len, want_len);
	}
	for (int i = 0; i < 2; i++) {
		close(fd[i]);
		close(other[i]);
	}
	detach(&r, slot);
	detach(&r, to);
}

static void datagrams(void)
{
	unsigned char got[64 * KiB];
	int fd[2], slot;

	udp_pair(fd);
	slot = attach(&r, fd[0]);
	shuffled_table(1, 1000, UNIFIED_IO_RANGES_MAX);
	no_steps();
	send_of(fd[1], slot, 0, 0, want_len);
	CHECK_EQ(recv(fd[1], got, sizeof(got), 0), want_len);
	CHECK(!memcmp(got, want, want_len));
	/* none of it */
	step(0, (struct step){ .op = STEP_SET_LEN, .a = 0 });
	send_of(fd[1], slot, 0, 0, 0);
	CHECK_EQ(recv(fd[1], got, sizeof(got), 0), 0);
	/* more pieces than one message can have */
	begin();
	for (uint32_t i = 0; i < UNIFIED_IO_RANGES_MAX; i++)
		range(64 * KiB + i * SLOT, 1020);
	for (uint32_t i = 0; i < 63; i++)
		ops->bss->keeps[i] = (struct keep){ i * 1022 + 500, 1000 };
	step(0, (struct step){ .op = STEP_KEEP_LIST, .a = 63 });
	send_of(fd[1], slot, 0, 0, -EMSGSIZE);
	detach(&r, slot);
	close(fd[0]);
	close(fd[1]);
}

/* Verdicts and setters that ranges have no use for. */
static void verdicts(void)
{
	struct unified_descriptor d;
	struct unified_completion c;

	begin();
	range(1 * MiB, 4096);
	range(64 * KiB, 4096);
	d = passed_to_drive();
	CHECK_EQ(one(STEP_CARRY, 0, 100, 0), -ENOTCONN);
	CHECK_EQ(one(STEP_SET_DATA, 8192, 1, 0), -ERANGE);
	CHECK_EQ(one(STEP_SET_SEND, 8193, 0, 0), -ERANGE);
	CHECK_EQ(one(STEP_KEEP, 8000, 193, 0), -ERANGE);
	CHECK_EQ(one(STEP_KEEP, UINT32_MAX, 2, 0), -ERANGE);
	CHECK_EQ(one(STEP_LOAD_BYTES, 8000, 193, 0), -ERANGE);
	CHECK_EQ(one(STEP_STORE_BYTES, 8193, 0, 0), -ERANGE);
	CHECK_EQ(one(STEP_CRC32C, 1, 8192, 0), -ERANGE);
	CHECK_EQ(one(STEP_MEMCHR, 1, 8192, 0), -ERANGE);
	CHECK_EQ(one(STEP_MOVE, 1, 0, 8192), -ERANGE);
	CHECK_EQ(one(STEP_MOVE, 0, 1, 8192), -ERANGE);
	no_steps();
	step(0, (struct step){ .op = STEP_KEEP, .a = 5000, .b = 100 });
	step(1, (struct step){ .op = STEP_KEEP, .a = 4000, .b = 100 });
	look();
	CHECK_EQ(ret(0), 0);
	CHECK_EQ(ret(1), -EINVAL);
	no_steps();
	ops->bss->verdict = UNIFIED_IO_BPF_DROP;
	c = run(&r, d);
	CHECK_RES(c.res, 8192);
	CHECK(c.flags & UNIFIED_IO_CQE_F_DROPPED);
	CHECK_EQ(c.stage, UNIFIED_IO_STAGE_BPF);
	ops->bss->verdict = UNIFIED_IO_BPF_REPLY;
	CHECK_RES(result(&r, d), -ENOTCONN);
	ops->bss->verdict = UNIFIED_IO_BPF_RESUBMIT;
	CHECK_RES(result(&r, d), -EINVAL);
	ops->bss->verdict = -EILSEQ;
	CHECK_RES(result(&r, d), -EILSEQ);
	ops->bss->verdict = UNIFIED_IO_BPF_PASS;
	check_memory();
}

/* The same bytes twice are the same bytes, and moving them harms no others. */
static void overlapping(void)
{
	unsigned char before[64], after[64];

	begin();
	range(64 * KiB, 4096);
	range(64 * KiB + 1000, 4096);
	range(64 * KiB, 4096);
	memcpy(before, r.data + 64 * KiB - sizeof(before), sizeof(before));
	memcpy(after, r.data + 64 * KiB + 5096, sizeof(after));
	CHECK_EQ(one(STEP_STORE, 0, 77, 0), 0);
	CHECK_EQ(one(STEP_LOAD, 8192, 0, 0), 77);
	CHECK_EQ(one(STEP_STORE, 4096, 78, 0), 0);
	CHECK_EQ(one(STEP_LOAD, 1000, 0, 0), 78);
	CHECK_EQ(one(STEP_MOVE, 1, 0, 3 * 4096 - 1), 0);
	CHECK_EQ(one(STEP_MOVE, 0, 7, 3 * 4096 - 7), 0);
	CHECK_EQ(one(STEP_KEEP, 100, 3 * 4096 - 100, 0), 0);
	CHECK(!memcmp(before, r.data + 64 * KiB - sizeof(before), sizeof(before)));
	CHECK(!memcmp(after, r.data + 64 * KiB + 5096, sizeof(after)));
}

static void xdp_programs(void)
{
	struct xdp *xdp = xdp_load();
	struct unified_descriptor d;
	int id = xdp_attach(&r, xdp->progs.remote_xdp);

	xdp->bss->verdict = XDP_PASS;
	begin();
	range(1 * MiB, 4096);
	range(1 * MiB + 4096, 4096);
	d = passed_to_drive();
	d.bpf.prog_id = id;
	CHECK_RES(result(&r, d), 8192);
	CHECK_EQ(xdp->bss->seen_len, 8192);
	CHECK_EQ(xdp->bss->seen_byte, want[0]);
	range(64 * KiB, 4096);
	d.len += sizeof(*table);
	CHECK_RES(result(&r, d), -EOPNOTSUPP);
	CHECK_EQ(xdp->bss->nr_calls, 1);
	xdp__destroy(xdp);
}

static bool stop;

static void *rewrite(void *arg)
{
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		table[1].addr = ~0ULL - rand();
		table[1].len = rand();
		table[1].addr = 16384;
		table[1].len = 4096;
	}
	return NULL;
}

/* The program runs on what was checked: the table lies in its own ranges, and changes. */
static void rewritten(void)
{
	struct unified_descriptor d;
	pthread_t thread;

	begin();
	range(0, 4096);
	range(16384, 4096);
	d = passed_to_drive();
	d.flags |= UNIFIED_IO_DESC_F_PAD;
	no_steps();
	step(0, (struct step){ .op = STEP_MOVE, .a = 100, .b = 0, .c = 5000 });
	step(1, (struct step){ .op = STEP_KEEP, .a = 1000, .b = 7000 });
	CHECK(pthread_create(&thread, NULL, rewrite, NULL) == 0);
	for (int i = 0; i < 1000; i++) {
		table[0] = (struct unified_net_iov){ .len = 4096 };
		d.len = 2 * sizeof(*table);
		result(&r, d);
	}
	stop = true;
	pthread_join(thread, NULL);
	table[0] = (struct unified_net_iov){ .len = 4096 };
	table[1] = (struct unified_net_iov){ .addr = 16384, .len = 4096 };
	no_steps();
	CHECK_RES(result(&r, d), 8192);
}

static void on_drive(const char *drive, unsigned int flags)
{
	printf("%s, flags %#x\n", drive, flags);
	table_open(drive, flags);
	ops = ops_attach(&r, &attached);
	writes();
	write_sets();
}

static void off_drive(void)
{
	bpf_link__destroy(attached);
	ops__destroy(ops);
	table_close();
}

int main(void)
{
	const char *const drives[] = { "NVME0", "VIRTIO", "NULLBLK", "PARTITION", "LOOP" };

	for (size_t i = 0; i < ARRAY_SIZE(drives); i++) {
		on_drive(env(drives[i]), i % 2 ? UNIFIED_IO_SETUP_SMALL_PAGES : 0);
		off_drive();
	}
	on_drive(env("NVME0"), UNIFIED_IO_SETUP_BLOCK_LAYER | UNIFIED_IO_SETUP_SMALL_PAGES);
	looks();
	changes();
	sends();
	datagrams();
	verdicts();
	overlapping();
	xdp_programs();
	rewritten();
	off_drive();
	return 0;
}
