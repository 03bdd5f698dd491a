// SPDX-License-Identifier: GPL-2.0
/*
 * Indices and Net IOVs that no honest program would write. The kernel must take
 * no more descriptors than the ring has, post nothing outside, and answer
 * further honest work as soon as the indices are sane again.
 */
#include "common.h"

static const uint32_t far[] = { 1, 63, 64, 65, 128, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff };

/* Consumes all completions. */
static void drain(struct region *r)
{
	wait_idle(r);
	r->ctl->cq_head = __atomic_load_n(&r->ctl->cq_tail, __ATOMIC_ACQUIRE);
}

static void honest_work(struct region *r)
{
	struct unified_descriptor d = desc_bpf(0, 4096);
	struct unified_io_enter e;

	drain(r);
	r->ctl->sq_tail = __atomic_load_n(&r->ctl->sq_head, __ATOMIC_ACQUIRE);
	d.user_data = 4711;
	queue(r, d);
	CHECK_RES(enter(r, 1, 1, WAIT_NS, &e), 0);
	CHECK_EQ(e.submitted, 1);
	CHECK_EQ(nr_ready(r), 1);
	CHECK_EQ(reap(r).user_data, 4711);
}

static void sq_tail_ahead(struct region *r)
{
	for (size_t i = 0; i < ARRAY_SIZE(far); i++) {
		struct unified_io_enter e;
		uint32_t before = r->ctl->sq_head;
		int ret;

		memset(r->sq, 0xff, 64 * sizeof(*r->sq));
		r->ctl->sq_tail = before + far[i];
		ret = enter(r, ~0U, 0, 0, &e);
		CHECK(ret == 0 || ret == -EINVAL || ret == -EBUSY);
		CHECK(r->ctl->sq_head - before <= r->setup.sq_entries);
		honest_work(r);
	}
}

static void cq_head_garbage(struct region *r)
{
	for (size_t i = 0; i < ARRAY_SIZE(far); i++) {
		uint32_t tail = r->ctl->cq_tail;
		int accepted = 0;

		r->ctl->cq_head = tail + far[i];
		while (accepted <= 1000 && submit(r, desc_bpf(0, 512)) == 0)
			accepted++;
		if (accepted > (int)r->setup.cq_entries)
			FAIL("cq_head %#x ahead: %d accepted", far[i], accepted);
		enter(r, 0, 1, 1000000, NULL);
		honest_work(r);
	}
}

static void kernel_indices_overwritten(struct region *r)
{
	uint32_t sq_head = r->ctl->sq_head, cq_tail = r->ctl->cq_tail;

	r->ctl->sq_head = 12345;
	r->ctl->cq_tail = 54321;
	r->ctl->niov_head = 99;
	r->ctl->data_offset = ~0ULL;
	r->ctl->sq_offset = ~0ULL;
	r->ctl->sq_entries = ~0U;
	r->ctl->cq_entries = 3;
	CHECK_RES(submit(r, desc_bpf(0, 512)), 0);
	wait_idle(r);
	CHECK_EQ(r->ctl->cq_tail, cq_tail + 1);
	r->ctl->sq_head = sq_head;
	honest_work(r);
}

static void bad_niovs(struct region *r)
{
	const struct unified_net_iov bad[] = {
		{ .addr = 0, .len = 0 }, { .addr = ~0ULL, .len = 4096 }, { .addr = r->setup.data_size, .len = 1 },
		{ .addr = 0, .len = ~0U }, { .addr = r->setup.data_size - 10, .len = 11 },
		{ .addr = 0, .len = 4096, .resv = 1 }, { .addr = ~0ULL - 4095, .len = 8192 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct unified_completion c;
		int fd[2], slot;

		tcp_pair(fd);
		slot = attach(r, fd[0]);
		r->niov[r->ctl->niov_tail & (r->setup.cq_entries - 1)] = bad[i];
		r->ctl->niov_tail++;
		CHECK_RES(submit(r, desc_multishot(slot)), 0);
		send_all(fd[1], "hello", 5);
		c = reap(r);
		if (c.res != -EINVAL && c.res != -EMSGSIZE)
			FAIL("bad Net IOV %zu: result %d", i, c.res);
		CHECK(!(c.flags & UNIFIED_IO_CQE_F_MORE));
		detach(r, slot);
		close(fd[0]);
		close(fd[1]);
	}
}

static void niov_tail_garbage(struct region *r)
{
	for (size_t i = 0; i < ARRAY_SIZE(far); i++) {
		int fd[2], slot;

		memset(r->niov, 0xee, r->setup.cq_entries * sizeof(*r->niov));
		r->ctl->niov_tail = r->ctl->niov_head + far[i];
		tcp_pair(fd);
		slot = attach(r, fd[0]);
		CHECK_RES(submit(r, desc_multishot(slot)), 0);
		send_all(fd[1], "hello", 5);
		enter(r, 0, 1, 10000000, NULL);
		detach(r, slot);
		drain(r);
		r->ctl->niov_tail = r->ctl->niov_head;
		close(fd[0]);
		close(fd[1]);
		honest_work(r);
	}
}

int main(void)
{
	struct region r;

	region_open(&r, NULL);
	sq_tail_ahead(&r);
	cq_head_garbage(&r);
	bad_niovs(&r);
	niov_tail_garbage(&r);
	kernel_indices_overwritten(&r);
	CHECK_EQ(region_info(&r).inflight, 0);
	CHECK_EQ(region_info(&r).submitted, region_info(&r).completed);
	region_close(&r);
	return 0;
}
