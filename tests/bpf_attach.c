// SPDX-License-Identifier: GPL-2.0
/*
 * struct_ops programs: which region they bind to, one at a time, detached with
 * the link or the region, attached and detached while operations run, replaced
 * by link update.
 */
#include "bpf.h"

static volatile bool stop, never_without;

static struct bpf_link *try_attach_ops(struct ops *ops)
{
	return bpf_map__attach_struct_ops(ops->maps.remote_ops);
}

static void binding(struct region *r, struct region *other)
{
	struct ops *ops = ops_load(r->setup.region_id), *second = ops_load(r->setup.region_id);
	struct ops *lost = ops_load(0x7ffffff0);
	struct bpf_link *link = try_attach_ops(ops);

	CHECK(link);
	CHECK(!try_attach_ops(second));
	CHECK_EQ(errno, EBUSY);
	CHECK(!try_attach_ops(lost));
	ops->bss->verdict = UNIFIED_IO_BPF_DROP;
	CHECK(run(r, desc_bpf(0, 512)).flags & UNIFIED_IO_CQE_F_DROPPED);
	/* the other region has none */
	CHECK(run(other, desc_bpf(0, 512)).flags & UNIFIED_IO_CQE_F_NO_PROG);
	CHECK_EQ(region_info(other).struct_ops, 0);
	CHECK_EQ(ops->bss->nr_calls, 1);

	bpf_link__destroy(link);
	CHECK_EQ(region_info(r).struct_ops, 0);
	/* what it held back does not get through because it went away */
	CHECK_RES(run(r, desc_bpf(0, 512)).res, -ENOENT);
	link = try_attach_ops(second);
	CHECK(link);
	CHECK_EQ(run(r, desc_bpf(0, 512)).flags, 0);
	bpf_link__destroy(link);
	ops__destroy(ops);
	ops__destroy(second);
	ops__destroy(lost);
}

/* The region goes first: the link stays, harmless, and there is nothing to replace. */
static void region_first(void)
{
	struct region r;
	struct bpf_link *link;
	struct ops *ops, *second;

	region_open(&r, NULL);
	ops = ops_attach(&r, &link);
	second = ops_load(r.setup.region_id);
	CHECK_EQ(run(&r, desc_bpf(0, 512)).flags, 0);
	region_close(&r);
	usleep(100000);
	CHECK_RES(bpf_link__update_map(link, second->maps.remote_ops), -ENOENT);
	bpf_link__destroy(link);
	ops__destroy(ops);
	ops__destroy(second);
}

static void *traffic(void *arg)
{
	struct region *r = arg;
	uint64_t *done = calloc(1, sizeof(*done));

	while (!stop) {
		bool strict = never_without;
		struct unified_completion c = run(r, desc_bpf(0, 4096));

		CHECK_RES(c.res, c.res < 0 ? -ENOENT : 4096);
		CHECK(!strict || !never_without || !c.verdict || c.verdict == UNIFIED_IO_BPF_DROP);
		CHECK(c.flags == 0 || c.flags == UNIFIED_IO_CQE_F_DROPPED);
		++*done;
	}
	return done;
}

/* Replaced in place: no operation finds the region without a program. */
static void update(struct region *r, struct ops *pass, struct ops *drop)
{
	struct bpf_link *link = try_attach_ops(pass);

	CHECK(link);
	never_without = true;
	for (int i = 0; i < 30; i++) {
		CHECK_RES(bpf_link__update_map(link, i & 1 ? pass->maps.remote_ops : drop->maps.remote_ops), 0);
		usleep(5000);
	}
	never_without = false;
	bpf_link__destroy(link);
}

static void under_traffic(struct region *r)
{
	struct ops *pass = ops_load(r->setup.region_id), *drop = ops_load(r->setup.region_id);
	pthread_t thread;
	void *done;

	drop->bss->verdict = UNIFIED_IO_BPF_DROP;
	CHECK(!pthread_create(&thread, NULL, traffic, r));
	update(r, pass, drop);
	for (int i = 0; i < 30; i++) {
		struct bpf_link *link = try_attach_ops(i & 1 ? drop : pass);

		CHECK(link);
		usleep(10000);
		bpf_link__destroy(link);
	}
	stop = true;
	pthread_join(thread, &done);
	CHECK(*(uint64_t *)done > 100);
	CHECK(pass->bss->nr_calls > 0 && drop->bss->nr_calls > 0);
	ops__destroy(pass);
	ops__destroy(drop);
}

int main(void)
{
	struct region r, other;

	region_open(&r, NULL);
	region_open(&other, NULL);
	binding(&r, &other);
	region_first();
	under_traffic(&r);
	region_close(&r);
	region_close(&other);
	return 0;
}
