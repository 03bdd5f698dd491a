// SPDX-License-Identifier: GPL-2.0
/*
 * Kfuncs with good, bad, huge and overflowing arguments. A bad one gets an error
 * or NULL, changes nothing, and never reaches a byte outside the buffer.
 */
#include "bpf.h"
#include "nothing.skel.h"

#define ADDR	8192
#define CAP	4096U	/* one page: LOAD_4K has one place to be */

static struct region r;
static struct ops *ops;

/* Runs one step on a buffer of CAP patterned bytes; its return value. */
static long long step(uint32_t op, uint64_t a, uint64_t b, uint64_t c)
{
	struct unified_completion done;

	pattern_fill(r.data, 64 * KiB, 0, 1);
	ops->bss->steps[0] = (struct step){ .op = op, .a = a, .b = b, .c = c };
	done = run(&r, desc_bpf(ADDR, CAP));
	CHECK_OK(done.res);
	return ops->bss->steps[0].ret;
}

/* The neighbours of the buffer, and the buffer itself. */
static void untouched(void)
{
	pattern_check(r.data, 64 * KiB, 0, 1);
}

static void data(void)
{
	static unsigned char want[CAP];
	static const uint32_t bad[] = { CAP, CAP + 1, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffff000 };

	pattern_fill(want, CAP, ADDR, 1);
	for (uint32_t off = 0; off < CAP; off += 511)
		CHECK_EQ(step(STEP_LOAD, off, 0, 0), want[off]);
	CHECK_EQ(step(STEP_LOAD, CAP - 1, 0, 0), want[CAP - 1]);
	CHECK_EQ(step(STEP_LOAD_4K, 0, 0, 0), want[4095]);
	CHECK_EQ(step(STEP_LOAD_4K, 1, 0, 0), -1);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		CHECK_EQ(step(STEP_LOAD, bad[i], 0, 0), -1);
		CHECK_EQ(step(STEP_STORE, bad[i], 0xff, 0), -1);
		CHECK_EQ(step(STEP_LOAD_4K, bad[i], 0, 0), -1);
		untouched();
	}
	CHECK_EQ(step(STEP_STORE, 100, 0x5c, 0), 0);
	CHECK_EQ(r.data[ADDR + 100], 0x5c);
	r.data[ADDR + 100] = 0;
}

/* Old verifiers let a program read behind a pointer to no byte; new ones refuse the program. */
static void no_byte(void)
{
	struct nothing *nothing = nothing__open();
	struct bpf_link *link;
	struct region region;
	int err;

	CHECK(nothing);
	region_open(&region, NULL);
	nothing->struct_ops.nothing_ops->region_id = region.setup.region_id;
	err = nothing__load(nothing);
	CHECK(!err || err == -EACCES);
	if (!err) {
		link = bpf_map__attach_struct_ops(nothing->maps.nothing_ops);
		CHECK(link);
		CHECK_OK(run(&region, desc_bpf(ADDR, CAP)).res);
		CHECK_EQ(nothing->bss->byte, -1);
		bpf_link__destroy(link);
	}
	nothing__destroy(nothing);
	region_close(&region);
}

struct range {
	uint64_t off, len;
	int want;
};

static const struct range ranges[] = {
	{ 0, CAP, 0 }, { 0, 0, 0 }, { CAP, 0, 0 }, { 1, CAP - 1, 0 }, { CAP - 1, 1, 0 },
	{ 0, CAP + 1, -ERANGE }, { 1, CAP, -ERANGE }, { CAP + 1, 0, -ERANGE }, { CAP, 1, -ERANGE },
	{ 0xffffffff, 1, -ERANGE }, { 1, 0xffffffff, -ERANGE }, { 0xffffffff, 0xffffffff, -ERANGE },
	{ 0x80000000, 0x80000000, -ERANGE },
};

static void set_ranges(uint32_t op)
{
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
		CHECK_EQ(step(op, ranges[i].off, ranges[i].len, 0), ranges[i].want);
		untouched();
	}
}

static void set_data_takes_effect(void)
{
	struct unified_completion c;

	ops->bss->steps[0] = (struct step){ .op = STEP_SET_DATA, .a = 100, .b = 200 };
	c = run(&r, desc_bpf(ADDR, CAP));
	CHECK_EQ(c.res, 200);
	CHECK_EQ(c.len, 200);
	CHECK_EQ(c.addr, ADDR + 100);
	ops->bss->steps[0] = (struct step){ .op = STEP_SET_LEN, .a = 77 };
	c = run(&r, desc_bpf(ADDR, CAP));
	CHECK_EQ(c.res, 77);
	CHECK_EQ(step(STEP_SET_LEN, CAP, 0, 0), 0);
	CHECK_EQ(step(STEP_SET_LEN, CAP + 1, 0, 0), -ERANGE);
	CHECK_EQ(step(STEP_SET_LEN, 0xffffffff, 0, 0), -ERANGE);
	/* a refused setter leaves the data as they were */
	c = run(&r, desc_bpf(ADDR, CAP));
	CHECK_EQ(c.res, CAP);
}

static void move(void)
{
	uint64_t before = region_info(&r).moved;
	unsigned char want[1000];
	struct unified_completion c;

	pattern_fill(want, 1000, ADDR + 50, 1);
	CHECK_EQ(step(STEP_MOVE, 60, 50, 1000), 0);	/* they overlap */
	CHECK(!memcmp(r.data + ADDR + 60, want, 1000));
	CHECK_EQ(region_info(&r).moved - before, 1000);
	CHECK_EQ(step(STEP_MOVE, 0, 0, 0), 0);
	CHECK_EQ(step(STEP_MOVE, 1, 0, CAP), -ERANGE);
	untouched();
	CHECK_EQ(step(STEP_MOVE, 0, 1, CAP), -ERANGE);
	CHECK_EQ(step(STEP_MOVE, 0xffffffff, 0, 1), -ERANGE);
	CHECK_EQ(step(STEP_MOVE, 0, 0xffffffff, 1), -ERANGE);
	CHECK_EQ(step(STEP_MOVE, 0, 0, 0xffffffff), -ERANGE);
	untouched();
	ops->bss->steps[0] = (struct step){ .op = STEP_MOVE, .a = 0, .b = 8, .c = 123 };
	c = run(&r, desc_bpf(ADDR, CAP));
	CHECK_EQ(c.moved, 123);
}

static void search(void)
{
	memset(r.data, 0, 64 * KiB);
	r.data[ADDR + 700] = '\n';
	r.data[ADDR + CAP] = '\n';	/* outside */
	ops->bss->steps[0] = (struct step){ .op = STEP_MEMCHR, .a = 0, .b = CAP, .c = '\n' };
	ops->bss->steps[1] = (struct step){ .op = STEP_MEMCHR, .a = 701, .b = CAP - 701, .c = '\n' };
	ops->bss->steps[2] = (struct step){ .op = STEP_MEMCHR, .a = 701, .b = CAP - 700, .c = '\n' };
	ops->bss->steps[3] = (struct step){ .op = STEP_MEMCHR, .a = 0xffffff00, .b = 0xffff, .c = '\n' };
	CHECK_EQ(run(&r, desc_bpf(ADDR, CAP)).res, CAP);
	CHECK_EQ(ops->bss->steps[0].ret, 700);
	CHECK_EQ(ops->bss->steps[1].ret, -ENOENT);
	CHECK_EQ(ops->bss->steps[2].ret, -ERANGE);
	CHECK_EQ(ops->bss->steps[3].ret, -ERANGE);
	memset(ops->bss->steps, 0, sizeof(ops->bss->steps));
}

/* RFC 3720, B.4 */
static void crc(void)
{
	memset(r.data + ADDR, 0, 32);
	ops->bss->steps[0] = (struct step){ .op = STEP_CRC32C, .a = 0, .b = 32 };
	for (int i = 0; i < 32; i++)
		r.data[ADDR + 100 + i] = i;
	ops->bss->steps[1] = (struct step){ .op = STEP_CRC32C, .a = 100, .b = 32 };
	ops->bss->steps[2] = (struct step){ .op = STEP_CRC32C, .a = CAP - 31, .b = 32 };
	ops->bss->steps[3] = (struct step){ .op = STEP_CRC32C, .a = 100, .b = 16 };
	CHECK_EQ(run(&r, desc_bpf(ADDR, CAP)).res, CAP);
	CHECK_EQ(ops->bss->steps[0].ret, 0x8a9136aaLL);
	CHECK_EQ(ops->bss->steps[1].ret, 0x46dd794eLL);
	CHECK_EQ(ops->bss->steps[2].ret, -ERANGE);
	/* in two parts: the first part's result is the second's seed */
	ops->bss->steps[1] = (struct step){ .op = STEP_CRC32C, .a = 116, .b = 16, .c = ops->bss->steps[3].ret };
	CHECK_EQ(run(&r, desc_bpf(ADDR, CAP)).res, CAP);
	CHECK_EQ(ops->bss->steps[1].ret, 0x46dd794eLL);
	memset(ops->bss->steps, 0, sizeof(ops->bss->steps));
}

/* What a call may take is bounded, however large the buffer. */
static void spans(void)
{
	static const uint32_t ops_by_len[] = { STEP_MEMCHR, STEP_CRC32C };

	for (int over = 0; over < 2; over++) {
		const uint64_t len = UNIFIED_IO_BPF_SPAN_MAX + over;

		for (size_t i = 0; i < ARRAY_SIZE(ops_by_len); i++)
			ops->bss->steps[i] = (struct step){ .op = ops_by_len[i], .b = len, .c = 0xff };
		ops->bss->steps[2] = (struct step){ .op = STEP_MOVE, .a = 64, .b = 0, .c = len };
		CHECK_RES(run(&r, desc_bpf(0, 3 * MiB)).res, 3 * MiB);
		for (int i = 0; i < 3; i++)
			CHECK_EQ(ops->bss->steps[i].ret == -EMSGSIZE, over);
	}
	memset(ops->bss->steps, 0, sizeof(ops->bss->steps));
}

static void others(void)
{
	CHECK(step(STEP_SET_TARGET, 0xffffffff, 0, 0) < 0);
	CHECK(step(STEP_SET_TARGET, UNIFIED_IO_MAX_SOCKETS, 0, 0) < 0);
	/* there is no next receive to carry to */
	CHECK(step(STEP_CARRY, 0, 16, 0) < 0);
	CHECK(step(STEP_CARRY, 0xffffffff, 16, 0) < 0);
	untouched();
}

int main(void)
{
	struct bpf_link *link;

	region_open(&r, NULL);
	ops = ops_attach(&r, &link);
	data();
	set_ranges(STEP_SET_DATA);
	set_ranges(STEP_SET_SEND);
	set_data_takes_effect();
	move();
	search();
	crc();
	spans();
	others();
	no_byte();
	bpf_link__destroy(link);
	ops__destroy(ops);
	region_close(&r);
	return 0;
}
