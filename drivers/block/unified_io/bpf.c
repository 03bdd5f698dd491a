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
	atomic64_inc(&op->region->counts.resubmitted);
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
		atomic64_inc(&op->region->counts.dropped);
		break;
	case UNIFIED_IO_BPF_REPLY:
		if (!op->rx)
			return -ENOTCONN;
		op->todo = BIT(UNIFIED_IO_STAGE_SEND);
		op->state |= UIOR_OP_REPLY;
		op->cqe.flags |= UNIFIED_IO_CQE_F_REPLIED;
		atomic64_inc(&op->region->counts.replied);
		break;
	case UNIFIED_IO_BPF_RESUBMIT:
		return uior_bpf_resubmit(op);
	default:
		return verdict < 0 && verdict >= -MAX_ERRNO ? verdict : -EPROTO;
	}
	return verdict;
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
	struct unified_io_bpf_ops *ops = NULL;
	u32 prog_id = op->desc.bpf.prog_id;
	int verdict = UNIFIED_IO_BPF_PASS, ret;

	rcu_read_lock();
	if (!prog_id)
		ops = rcu_dereference(op->region->bpf_ops);
	if (ops)
		verdict = ops->process(&op->ctx);
	rcu_read_unlock();
	if (!ops) {
		ret = uior_xdp_run(op, prog_id, &verdict);
		/* A program that went away must not let pass what it held back. */
		if (ret && (prog_id || READ_ONCE(op->region->bpf_had)))
			return ret;
		if (ret)
			op->cqe.flags |= UNIFIED_IO_CQE_F_NO_PROG;
	}
	return uior_bpf_verdict(op, verdict);
}

static int uior_ops_reg(void *kdata, struct bpf_link *link)
{
	struct unified_io_bpf_ops *ops = kdata;
	struct uior_region *region;

	guard(mutex)(&uior_bpf_lock);
	region = xa_load(&uior_regions, ops->region_id);
	if (!region)
		return -ENOENT;
	if (rcu_access_pointer(region->bpf_ops))
		return -EBUSY;
	WRITE_ONCE(region->bpf_had, true);
	rcu_assign_pointer(region->bpf_ops, ops);
	return 0;
}

static void uior_ops_unreg(void *kdata, struct bpf_link *link)
{
	struct unified_io_bpf_ops *ops = kdata;
	struct uior_region *region;

	/* The map that holds @ops is freed after a grace period. */
	guard(mutex)(&uior_bpf_lock);
	region = xa_load(&uior_regions, ops->region_id);
	if (region && rcu_access_pointer(region->bpf_ops) == ops)
		RCU_INIT_POINTER(region->bpf_ops, NULL);
}

/* Replace in place: no chain sees the region without a program. */
static int uior_ops_update(void *kdata, void *old_kdata, struct bpf_link *link)
{
	struct unified_io_bpf_ops *ops = kdata, *old = old_kdata;
	struct uior_region *region;

	if (ops->region_id != old->region_id)
		return -EINVAL;
	guard(mutex)(&uior_bpf_lock);
	region = xa_load(&uior_regions, ops->region_id);
	if (!region || rcu_access_pointer(region->bpf_ops) != old)
		return -ENOENT;
	rcu_assign_pointer(region->bpf_ops, ops);
	return 0;
}

/* The file is gone: no program finds the region any more, what is attached comes off. */
void uior_bpf_detach(struct uior_region *region)
{
	guard(mutex)(&uior_bpf_lock);
	xa_erase(&uior_regions, region->id);
	RCU_INIT_POINTER(region->bpf_ops, NULL);
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
	if (__btf_member_bit_offset(t, member) / 8 != offsetof(struct unified_io_bpf_ops, region_id))
		return 0;
	to->region_id = from->region_id;
	return 1;
}

static int uior_ops_validate(void *kdata)
{
	struct unified_io_bpf_ops *ops = kdata;

	return ops->process ? 0 : -EINVAL;
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

/* Neither has an undo: both go with the module. */
int uior_bpf_init(void)
{
	return uior_kfunc_init() ?:
	       register_bpf_struct_ops(&uior_struct_ops, unified_io_bpf_ops);
}
