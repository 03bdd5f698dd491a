// SPDX-License-Identifier: GPL-2.0
/*
 * Ordinary XDP programs by ATTACH_BPF: verdicts, data adjusted at head and tail,
 * which program a descriptor gets, what the program sees of interface and queue.
 */
#include "bpf.h"

#define CAP	4096

static struct region r;
static struct xdp *xdp;

static struct unified_completion run_xdp(int prog_id)
{
	struct unified_descriptor d = desc_bpf(8192, CAP);

	d.bpf.prog_id = prog_id;
	return run(&r, d);
}

static void verdicts(int id)
{
	static const struct { int xdp, res, flags; } rows[] = {
		{ 2 /* PASS */, CAP, 0 }, { 1 /* DROP */, CAP, UNIFIED_IO_CQE_F_DROPPED },
		{ 0 /* ABORTED */, -ECANCELED, 0 }, { 4 /* REDIRECT */, -EOPNOTSUPP, 0 },
		{ 3 /* TX, no source socket */, -ENOTCONN, 0 }, { 5, -EPROTO, 0 },
		{ -1, -EPROTO, 0 }, { 1000000, -EPROTO, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct unified_completion c;

		xdp->bss->verdict = rows[i].xdp;
		c = run_xdp(id);
		CHECK_RES(c.res, rows[i].res);
		CHECK_EQ(c.flags, rows[i].flags);
	}
	CHECK_EQ(xdp->bss->nr_calls, ARRAY_SIZE(rows));
	xdp->bss->verdict = 2;
}

static void sees(int id)
{
	r.data[8192] = 0xc3;
	run_xdp(id);
	CHECK_EQ(xdp->bss->seen_len, CAP);
	CHECK_EQ(xdp->bss->seen_byte, 0xc3);
	CHECK_EQ(xdp->bss->seen_ifindex, r.setup.net_ifindex);
	CHECK_EQ(xdp->bss->seen_rxq, 0);
}

static void adjust(int id)
{
	struct unified_completion c;

	xdp->bss->head_delta = 14;
	c = run_xdp(id);
	CHECK_EQ(xdp->bss->head_ret, 0);
	CHECK_EQ(c.addr, 8192 + 14);
	CHECK_EQ(c.res, CAP - 14);
	xdp->bss->head_delta = 0;

	xdp->bss->tail_delta = -1000;
	c = run_xdp(id);
	CHECK_EQ(xdp->bss->tail_ret, 0);
	CHECK_EQ(c.addr, 8192);
	CHECK_EQ(c.res, CAP - 1000);

	/* never out of the buffer */
	memset(r.data, 0x11, 32 * KiB);
	xdp->bss->tail_delta = 100;
	c = run_xdp(id);
	CHECK(c.res <= CAP);
	CHECK(xdp->bss->tail_ret < 0);
	xdp->bss->tail_delta = 0x7fffffff;
	CHECK(run_xdp(id).res <= CAP);
	xdp->bss->tail_delta = -CAP - 1;
	CHECK_EQ(run_xdp(id).res, CAP);
	CHECK(xdp->bss->tail_ret < 0);
	xdp->bss->tail_delta = 0;
	xdp->bss->head_delta = -1;
	c = run_xdp(id);
	CHECK(xdp->bss->head_ret < 0);
	CHECK_EQ(c.addr, 8192);
	xdp->bss->head_delta = CAP + 1;
	CHECK_EQ(run_xdp(id).res, CAP);
	CHECK(xdp->bss->head_ret < 0);
	xdp->bss->head_delta = 0;
	/* there is no room in front of a buffer that would be the program's */
	xdp->bss->meta_delta = -8;
	CHECK_EQ(run_xdp(id).res, CAP);
	CHECK(xdp->bss->meta_ret < 0);
	xdp->bss->meta_delta = 0;
	check_filled(r.data, 32 * KiB, 0x11);
}

/* prog_id 0: the program attached last. */
static void choice(int id)
{
	int drop = xdp_attach(&r, xdp->progs.drop);

	CHECK_EQ(run_xdp(0).flags, UNIFIED_IO_CQE_F_DROPPED);
	CHECK_EQ(run_xdp(id).flags, 0);
	CHECK(attach_bpf(&r, -1, UNIFIED_IO_BPF_F_DETACH, drop) >= 0);
	CHECK_RES(run_xdp(drop).res, -ENOENT);
	CHECK_EQ(run_xdp(0).flags, 0);
	CHECK_EQ(region_info(&r).nr_progs, 1);
}

static void replace(int id)
{
	int fd = bpf_program__fd(xdp->progs.drop);
	int new = attach_bpf(&r, fd, UNIFIED_IO_BPF_F_REPLACE, id);

	CHECK(new > 0);
	CHECK(new != id);
	CHECK_RES(run_xdp(id).res, -ENOENT);
	CHECK_EQ(run_xdp(new).flags, UNIFIED_IO_CQE_F_DROPPED);
	CHECK_EQ(region_info(&r).nr_progs, 1);
	CHECK(attach_bpf(&r, -1, UNIFIED_IO_BPF_F_DETACH, new) >= 0);
	/* there was a filter, and now there is none: nothing gets past it */
	CHECK_RES(run_xdp(0).res, -ENOENT);
	CHECK_EQ(region_info(&r).nr_progs, 0);
}

/* prog_id 0: struct_ops first; once they are gone, no XDP program stands in for them. */
static void behind_struct_ops(void)
{
	int drop = xdp_attach(&r, xdp->progs.drop);
	struct bpf_link *link;
	struct ops *ops = ops_attach(&r, &link);

	CHECK_EQ(run_xdp(0).flags, 0);
	CHECK_EQ(ops->bss->nr_calls, 1);
	CHECK_EQ(run_xdp(drop).flags, UNIFIED_IO_CQE_F_DROPPED);
	bpf_link__destroy(link);
	ops__destroy(ops);
	CHECK_RES(run_xdp(0).res, -ENOENT);
	CHECK_EQ(run_xdp(drop).flags, UNIFIED_IO_CQE_F_DROPPED);
}

int main(void)
{
	struct unified_io_setup setup = SETUP_DEFAULT;
	int id;

	setup.net_ifindex = 1;
	xdp = xdp_load();
	region_setup(&r, NULL, setup);
	CHECK_EQ(run_xdp(0).flags, UNIFIED_IO_CQE_F_NO_PROG);
	id = xdp_attach(&r, xdp->progs.remote_xdp);
	verdicts(id);
	sees(id);
	adjust(id);
	choice(id);
	replace(id);
	behind_struct_ops();
	xdp__destroy(xdp);
	region_close(&r);
	return 0;
}
