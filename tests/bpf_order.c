// SPDX-License-Identifier: GPL-2.0
/*
 * Several struct_ops on one region run in their order, also behind an XDP program;
 * the first that does not pass the data on ends the stage; what one keeps is the
 * next one's data in one piece; when one of them goes, nothing gets through.
 */
#include "bpf.h"

static struct region r;

static struct ops *ops_at(uint32_t order, struct bpf_link **link)
{
	struct ops *ops = ops__open();

	CHECK(ops);
	ops->struct_ops.remote_ops->region_id = r.setup.region_id;
	ops->struct_ops.remote_ops->order = order;
	CHECK_RES(ops__load(ops), 0);
	*link = bpf_map__attach_struct_ops(ops->maps.remote_ops);
	return ops;
}

static void refused(uint32_t order, int err)
{
	struct bpf_link *link;
	struct ops *ops = ops_at(order, &link);

	CHECK(!link);
	CHECK_EQ(errno, err);
	ops__destroy(ops);
}

/* Attached last to first; each cuts 100 bytes off. */
static void in_order(struct ops *first, struct ops *last)
{
	first->bss->steps[0] = (struct step){ .op = STEP_SET_LEN, .a = 3000 };
	last->bss->steps[0] = (struct step){ .op = STEP_SET_LEN, .a = 2900 };
	CHECK_EQ(run(&r, desc_bpf(0, 4096)).len, 2900);
	CHECK_EQ(first->bss->seen_len, 4096);
	CHECK_EQ(last->bss->seen_len, 3000);

	first->bss->verdict = UNIFIED_IO_BPF_DROP;
	CHECK(run(&r, desc_bpf(0, 4096)).flags & UNIFIED_IO_CQE_F_DROPPED);
	first->bss->verdict = -EACCES;
	CHECK_RES(run(&r, desc_bpf(0, 4096)).res, -EACCES);
	CHECK_EQ(first->bss->nr_calls, 3);
	CHECK_EQ(last->bss->nr_calls, 1);
	first->bss->verdict = UNIFIED_IO_BPF_PASS;
}

/* Blocks that the drive would gather, were there not another program. */
static void one_piece(struct ops *first, struct ops *last)
{
	struct unified_descriptor d = desc_bpf(0, 16384);
	struct unified_completion c;

	d.type |= UNIFIED_REGION_F_NVME;
	d.nvme.opcode = NVME_CMD_WRITE;
	pattern_fill(r.data, 16384, 0, 5);
	first->bss->keeps[0] = (struct keep){ 0, 4096 };
	first->bss->keeps[1] = (struct keep){ 8192, 4096 };
	first->bss->steps[0] = (struct step){ .op = STEP_KEEP_LIST, .a = 2 };
	last->bss->steps[0] = (struct step){ .op = STEP_SET_LEN, .a = 8192 };
	c = run(&r, d);
	CHECK_RES(c.res, 8192);
	CHECK_EQ(c.moved, 4096);
	CHECK_EQ(c.flags & UNIFIED_IO_CQE_F_GATHERED, 0);
	CHECK_EQ(last->bss->seen_len, 8192);
	drive_check(env("NVME0"), 0, 4096, 0, 5);
	drive_check(env("NVME0"), 4096, 4096, 8192, 5);
	first->bss->steps[0].op = STEP_NONE;
}

static void behind_xdp(struct ops *first)
{
	struct unified_descriptor d = desc_bpf(0, 4096);
	struct xdp *xdp = xdp_load();
	uint64_t calls = first->bss->nr_calls;

	xdp->bss->verdict = 2;				/* XDP_PASS */
	d.bpf.prog_id = xdp_attach(&r, xdp->progs.remote_xdp);
	CHECK_RES(run(&r, d).res, 4096);
	CHECK_EQ(first->bss->nr_calls, calls);		/* not asked for */
	d.flags = UNIFIED_IO_DESC_F_XDP_THEN_OPS;
	run(&r, d);
	CHECK_EQ(first->bss->nr_calls, calls + 1);
	xdp->bss->verdict = 1;	/* XDP_DROP */
	CHECK(run(&r, d).flags & UNIFIED_IO_CQE_F_DROPPED);
	CHECK_EQ(first->bss->nr_calls, calls + 1);
	xdp__destroy(xdp);
}

int main(void)
{
	struct bpf_link *first_link, *last_link;
	struct ops *first, *last;

	need(UNIFIED_IO_FEAT_STRUCT_OPS);
	region_open(&r, env("NVME0"));
	last = ops_at(UNIFIED_IO_MAX_OPS - 1, &last_link);
	CHECK(last_link);
	first = ops_at(0, &first_link);
	CHECK(first_link);
	CHECK_EQ(region_info(&r).struct_ops, 2);
	refused(0, EBUSY);
	refused(UNIFIED_IO_MAX_OPS, EINVAL);
	in_order(first, last);
	one_piece(first, last);
	last->bss->steps[0].op = STEP_NONE;
	behind_xdp(first);

	bpf_link__destroy(first_link);
	CHECK_RES(run(&r, desc_bpf(0, 4096)).res, -ENOENT);
	bpf_link__destroy(last_link);
	ops__destroy(first);
	ops__destroy(last);
	region_close(&r);
	return 0;
}
