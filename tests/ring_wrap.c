// SPDX-License-Identifier: GPL-2.0
/*
 * Both rings go round many times, in batches of every size, from one entry to
 * the whole ring, across the place where the 32-bit indices themselves wrap.
 * Each descriptor completes once, in its own words.
 */
#include "common.h"

static uint32_t published, completed;

static struct unified_descriptor numbered(uint32_t nr)
{
	struct unified_descriptor d = desc_bpf(nr % 256 * 512, 512 + nr % 7);

	d.user_data = (uint64_t)nr << 32 | ~nr;
	return d;
}

static void consume(struct region *r, bool *seen, uint32_t first)
{
	struct unified_completion c = reap(r);
	uint32_t nr = c.user_data >> 32;

	CHECK_EQ((uint32_t)c.user_data, ~nr);
	CHECK(nr - first < r->setup.sq_entries);
	if (seen[nr - first])
		FAIL("descriptor %u completed twice", nr);
	seen[nr - first] = true;
	CHECK_EQ(c.res, 512 + nr % 7);
	CHECK_EQ(c.addr, nr % 256 * 512);
	completed++;
}

static void batch(struct region *r, unsigned int n)
{
	bool seen[256] = {};
	struct unified_io_enter e;
	uint32_t first = published;

	for (unsigned int i = 0; i < n; i++)
		queue(r, numbered(published++));
	CHECK_RES(enter(r, n, n, WAIT_NS, &e), 0);
	CHECK_EQ(e.submitted, n);
	CHECK_EQ(e.completed, n);
	for (unsigned int i = 0; i < n; i++)
		consume(r, seen, first);
	CHECK_EQ(nr_ready(r), 0);
}

static void go_round(unsigned int entries, unsigned int rounds)
{
	struct unified_io_setup setup = SETUP_DEFAULT;
	struct region r;

	published = completed = 0;
	setup.sq_entries = setup.cq_entries = entries;
	region_setup(&r, NULL, setup);
	CHECK_EQ(r.ctl->sq_head, r.ctl->sq_tail);
	CHECK_EQ(r.ctl->cq_head, r.ctl->cq_tail);
	while (published < entries * rounds)
		batch(&r, 1 + published % entries);
	CHECK_EQ(completed, published);
	CHECK_EQ(r.ctl->sq_head, published);
	CHECK_EQ(r.ctl->cq_tail, published);
	CHECK_EQ(r.ctl->sq_tail, published);
	region_close(&r);
}

/* No more is taken than was asked for, and no more than there is. */
static void partial(void)
{
	struct unified_io_enter e;
	struct region r;

	region_open(&r, NULL);
	for (unsigned int i = 0; i < r.setup.sq_entries; i++)
		queue(&r, numbered(i));
	CHECK_RES(enter(&r, 10, 10, WAIT_NS, &e), 0);
	CHECK_EQ(e.submitted, 10);
	CHECK_EQ(r.ctl->sq_head, 10);
	CHECK_RES(enter(&r, 0, 0, 0, &e), 0);
	CHECK_EQ(e.submitted, 0);
	CHECK_RES(enter(&r, ~0U, 54, WAIT_NS, &e), 0);
	CHECK_EQ(e.submitted, r.setup.sq_entries - 10);
	/* nothing to take, and no room for its completion either */
	CHECK_RES(enter(&r, 1, 0, 0, &e), -EBUSY);
	for (unsigned int i = 0; i < r.setup.cq_entries; i++)
		CHECK_EQ(reap(&r).user_data, numbered(i).user_data);
	CHECK_RES(enter(&r, 1, 0, 0, &e), 0);
	CHECK_EQ(e.submitted, 0);
	region_close(&r);
}

int main(void)
{
	go_round(1, 100);
	go_round(2, 50);
	go_round(64, 10);
	go_round(256, 4);
	partial();
	return 0;
}
