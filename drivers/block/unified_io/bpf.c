// SPDX-License-Identifier: GPL-2.0
/*
 * The BPF stage: struct_ops unified_io_bpf_ops.
 *
 * Concept: a program gets bounded pointers into the operation's buffer (kfuncs.c)
 * and steers the chain by its verdict and a few setters. The buffer is shared with
 * the process, which may change it at any time; the program's view of its
 * bounds is not.
 *
 * Reading order: verdict, stage, registry of struct_ops.
 */
#include <linux/bpf.h>
#include <linux/bpf_verifier.h>
#include <linux/btf.h>
#include <linux/xarray.h>

#include "uior.h"

/* Attaching and detaching; readers of bpf_ops and progs use RCU. */
DEFINE_MUTEX(uior_bpf_lock);

/* Read the next block of an index: the chain begins again at its read. */
static int uior_bpf_resubmit(struct uior_op *op)
{
	if (!(op->desc.type & UNIFIED_REGION_F_NVME) || op->desc.nvme.opcode != NVME_CMD_READ)
		return -EINVAL;
	if (op->ctx.depth >= UNIFIED_IO_RESUBMIT_MAX)
		return -ELOOP;
	op->ctx.depth++;
	op->io_done = 0;
	op->todo |= BIT(UNIFIED_IO_STAGE_READ) | BIT(UNIFIED_IO_STAGE_BPF);
	uior_count(op->region, resubmitted, 1);
	return UNIFIED_IO_BPF_RESUBMIT;
}

/* What the verdict means to the chain. */
static int uior_bpf_verdict(struct uior_op *op, int verdict)
{
	switch (verdict) {
	case UNIFIED_IO_BPF_PASS:
		break;
	case UNIFIED_IO_BPF_DROP:
		op->todo = 0;
		op->cqe.flags |= UNIFIED_IO_CQE_F_DROPPED;
		uior_count(op->region, dropped, 1);
		break;
	case UNIFIED_IO_BPF_REPLY:
		if (!op->rx)
			return -ENOTCONN;
		op->todo = BIT(UNIFIED_IO_STAGE_SEND);
		op->state |= UIOR_OP_REPLY;
		op->cqe.flags |= UNIFIED_IO_CQE_F_REPLIED;
		uior_count(op->region, replied, 1);
		break;
	case UNIFIED_IO_BPF_RESUBMIT:
		return uior_bpf_resubmit(op);
	default:
		/* From ERESTARTSYS on, errnos are the kernel's own: EIOCBQUEUED would end nothing. */
		return verdict < 0 && verdict > -ERESTARTSYS ? verdict : -EPROTO;
	}
	return verdict;
}

/* The programs in their order. Returns how many; -ENOENT if one of them is gone. */
static int uior_ops_get(struct uior_region *region, struct unified_io_bpf_ops **ops)
{
	unsigned long places = smp_load_acquire(&region->bpf_places);	/* uior_ops_reg() */
	bool gone = false;
	int nr = 0;

	for (; places; places &= places - 1) {
		ops[nr] = rcu_dereference(region->bpf_ops[__ffs(places)]);
		if (ops[nr])
			nr++;
		else
			gone = true;
	}
	return gone ? -ENOENT : nr;
}

/* All struct_ops, until one does not pass the data on. Returns how many there are, or an error. */
static int uior_ops_run(struct uior_op *op, int *verdict)
{
	struct unified_io_bpf_ops *ops[UNIFIED_IO_MAX_OPS];
	int i, nr;

	guard(rcu)();
	nr = uior_ops_get(op->region, ops);
	for (i = 0; i < nr && *verdict == UNIFIED_IO_BPF_PASS; i++) {
		if (i)
			op->nr_ranges = 0;
		if (i + 1 < nr)
			op->state |= UIOR_OP_WHOLE;
		else
			op->state &= ~UIOR_OP_WHOLE;
		*verdict = ops[i]->process(&op->ctx);
	}
	return nr;
}

/* Run what the descriptor names. */
static int uior_bpf_run(struct uior_op *op, int *verdict)
{
	u32 prog_id = op->desc.bpf.prog_id;
	int ret;

	if (prog_id) {
		ret = uior_xdp_run(op, prog_id, verdict);
		if (ret || *verdict || !(op->desc.flags & UNIFIED_IO_DESC_F_XDP_THEN_OPS))
			return ret;
	}
	ret = uior_ops_run(op, verdict);
	if (ret)
		return min(ret, 0);
	ret = prog_id ? -ENOENT : uior_xdp_run(op, 0, verdict);
	/* A program that went away must not let pass what it held back. */
	if (!ret || prog_id || READ_ONCE(op->region->bpf_had))
		return ret;
	op->cqe.flags |= UNIFIED_IO_CQE_F_NO_PROG;
	return 0;
}

/**
 * uior_bpf - the BPF stage
 * @op: the operation
 *
 * Context: process. No lock is held but RCU's read side, which is what keeps
 * the program.
 */
int uior_bpf(struct uior_op *op)
{
	int verdict = UNIFIED_IO_BPF_PASS, ret = uior_bpf_run(op, &verdict);

	return ret ?: uior_bpf_verdict(op, verdict);
}

static int uior_ops_reg(void *kdata, struct bpf_link *link)
{
	struct unified_io_bpf_ops *ops = kdata;
	struct uior_region *region;

	guard(mutex)(&uior_bpf_lock);
	region = xa_load(&uior_regions, ops->region_id);
	if (!region)
		return -ENOENT;
	if (rcu_access_pointer(region->bpf_ops[ops->order]))
		return -EBUSY;
	WRITE_ONCE(region->bpf_had, true);
	rcu_assign_pointer(region->bpf_ops[ops->order], ops);
	/* Who sees the place in use sees the program there: uior_ops_get(). */
	smp_store_release(&region->bpf_places, region->bpf_places | BIT(ops->order));
	return 0;
}

static void uior_ops_unreg(void *kdata, struct bpf_link *link)
{
	struct unified_io_bpf_ops *ops = kdata;
	struct uior_region *region;

	/* The map that holds @ops is freed after a grace period. */
	guard(mutex)(&uior_bpf_lock);
	region = xa_load(&uior_regions, ops->region_id);
	if (region && rcu_access_pointer(region->bpf_ops[ops->order]) == ops)
		RCU_INIT_POINTER(region->bpf_ops[ops->order], NULL);
}

/* Replace in place: no chain sees the region without a program. */
static int uior_ops_update(void *kdata, void *old_kdata, struct bpf_link *link)
{
	struct unified_io_bpf_ops *ops = kdata, *old = old_kdata;
	struct uior_region *region;

	if (ops->region_id != old->region_id || ops->order != old->order)
		return -EINVAL;
	guard(mutex)(&uior_bpf_lock);
	region = xa_load(&uior_regions, ops->region_id);
	if (!region || rcu_access_pointer(region->bpf_ops[ops->order]) != old)
		return -ENOENT;
	rcu_assign_pointer(region->bpf_ops[ops->order], ops);
	return 0;
}

/* The file is gone: no program finds the region any more, what is attached comes off. */
void uior_bpf_detach(struct uior_region *region)
{
	int i;

	guard(mutex)(&uior_bpf_lock);
	xa_erase(&uior_regions, region->id);
	for (i = 0; i < UNIFIED_IO_MAX_OPS; i++)
		RCU_INIT_POINTER(region->bpf_ops[i], NULL);
}

/* How many struct_ops are attached. */
u32 uior_bpf_count(struct uior_region *region)
{
	u32 i, nr = 0;

	for (i = 0; i < UNIFIED_IO_MAX_OPS; i++)
		nr += !!rcu_access_pointer(region->bpf_ops[i]);
	return nr;
}

static int uior_ops_init(struct btf *btf)
{
	return 0;
}

static int uior_ops_check_member(const struct btf_type *t, const struct btf_member *member,
				 const struct bpf_prog *prog)
{
	return prog->sleepable ? -EINVAL : 0;
}

static int uior_ops_init_member(const struct btf_type *t, const struct btf_member *member,
				void *kdata, const void *udata)
{
	const struct unified_io_bpf_ops *from = udata;
	struct unified_io_bpf_ops *to = kdata;

	/* A member that is data: 1 says that it has been taken over. */
	switch (__btf_member_bit_offset(t, member) / 8) {
	case offsetof(struct unified_io_bpf_ops, region_id):
		to->region_id = from->region_id;
		return 1;
	case offsetof(struct unified_io_bpf_ops, order):
		to->order = from->order;
		return 1;
	}
	return 0;
}

static int uior_ops_validate(void *kdata)
{
	struct unified_io_bpf_ops *ops = kdata;

	return ops->process && ops->order < UNIFIED_IO_MAX_OPS ? 0 : -EINVAL;
}

static bool uior_ops_is_valid_access(int off, int size, enum bpf_access_type type,
				     const struct bpf_prog *prog,
				     struct bpf_insn_access_aux *info)
{
	return bpf_tracing_btf_ctx_access(off, size, type, prog, info);
}

static const struct bpf_verifier_ops uior_verifier_ops = {
	.get_func_proto = bpf_base_func_proto,
	.is_valid_access = uior_ops_is_valid_access,
};

static int uior_ops_process_stub(struct unified_io_bpf_ctx *ctx)
{
	return UNIFIED_IO_BPF_PASS;
}

static struct unified_io_bpf_ops uior_ops_stubs = {
	.process = uior_ops_process_stub,
};

static struct bpf_struct_ops uior_struct_ops = {
	.verifier_ops = &uior_verifier_ops,
	.init = uior_ops_init,
	.check_member = uior_ops_check_member,
	.init_member = uior_ops_init_member,
	.reg = uior_ops_reg,
	.unreg = uior_ops_unreg,
	.update = uior_ops_update,
	.validate = uior_ops_validate,
	.cfi_stubs = &uior_ops_stubs,
	.owner = THIS_MODULE,
	.name = "unified_io_bpf_ops",
};

/* What is registered goes with the module. */
int uior_bpf_init(void)
{
	int ret = uior_kfunc_init();

	if (ret)
		return ret;
	ret = register_bpf_struct_ops(&uior_struct_ops, unified_io_bpf_ops);
	if (ret)
		uior_kfunc_exit();
	return ret;
}

void uior_bpf_exit(void)
{
	uior_kfunc_exit();
}
