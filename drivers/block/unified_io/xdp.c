// SPDX-License-Identifier: GPL-2.0
/*
 * Ordinary XDP programs on the region's buffers.
 *
 * The program sees the data as a packet: XDP verdicts steer the chain, and
 * bpf_xdp_adjust_head() and _tail() move the bounds of the data inside the
 * operation's buffer. The interface that it sees is a stand-in with the
 * ifindex of SETUP; nothing ever runs on it.
 */
#include <linux/filter.h>
#include <linux/netdevice.h>
#include <net/net_namespace.h>
#include <net/xdp.h>

#include "uior.h"

static int uior_xdp_dev_check(u32 ifindex, u32 rxq)
{
	struct net_device *dev;
	int ret = 0;

	if (!ifindex)
		return rxq ? -EINVAL : 0;
	if (ifindex > INT_MAX)
		return -ENODEV;
	dev = dev_get_by_index(current->nsproxy->net_ns, ifindex);
	if (!dev)
		return -ENODEV;
	if (rxq >= READ_ONCE(dev->real_num_rx_queues))
		ret = -EINVAL;
	dev_put(dev);
	return ret;
}

/**
 * uior_xdp_init - what XDP programs see as their interface
 * @region: being built
 * @ifindex: of an interface in the caller's network namespace, or 0
 * @rxq: one of its receive queues
 *
 * Holds the network namespace, not the interface: that may go away.
 */
int uior_xdp_init(struct uior_region *region, u32 ifindex, u32 rxq)
{
	int ret = uior_xdp_dev_check(ifindex, rxq);

	if (ret)
		return ret;
	region->xdp_rxq = kzalloc(sizeof(*region->xdp_rxq), GFP_KERNEL_ACCOUNT);
	if (!region->xdp_rxq)
		return -ENOMEM;
	region->xdp_dev = alloc_netdev_dummy(0);
	if (!region->xdp_dev)
		return -ENOMEM;
	region->xdp_dev->ifindex = ifindex;
	dev_net_set(region->xdp_dev, get_net(current->nsproxy->net_ns));
	region->xdp_rxq->dev = region->xdp_dev;
	region->xdp_rxq->queue_index = rxq;
	return 0;
}

/* Accepts a half-built region. */
void uior_xdp_exit(struct uior_region *region)
{
	struct bpf_prog *prog;
	int i;

	for (i = 0; i < UNIFIED_IO_MAX_PROGS; i++) {
		prog = rcu_dereference_protected(region->progs[i], true);
		if (prog)
			bpf_prog_put(prog);
	}
	if (region->xdp_dev) {
		put_net(dev_net(region->xdp_dev));
		free_netdev(region->xdp_dev);
	}
	kfree(region->xdp_rxq);
}

static struct bpf_prog *uior_prog(struct uior_region *region, int i)
{
	return rcu_dereference_protected(region->progs[i], lockdep_is_held(&uior_bpf_lock));
}

/* Slot of the program with this id; of a free slot for id 0. */
static int uior_xdp_find(struct uior_region *region, u32 id)
{
	struct bpf_prog *prog;
	int i;

	for (i = 0; i < UNIFIED_IO_MAX_PROGS; i++) {
		prog = uior_prog(region, i);
		if (id ? prog && prog->aux->id == id : !prog)
			return i;
	}
	return id ? -ENOENT : -ENOSPC;
}

u32 uior_xdp_count(struct uior_region *region)
{
	u32 i, n = 0;

	guard(mutex)(&uior_bpf_lock);
	for (i = 0; i < UNIFIED_IO_MAX_PROGS; i++)
		n += !!uior_prog(region, i);
	return n;
}

/* A program for this machine's CPU, for the ordinary attach point. */
static struct bpf_prog *uior_xdp_prog_get(int fd)
{
	struct bpf_prog *prog = bpf_prog_get_type_dev(fd, BPF_PROG_TYPE_XDP, false);

	if (IS_ERR(prog))
		return prog;
	if (bpf_prog_is_dev_bound(prog->aux) ||
	    prog->expected_attach_type == BPF_XDP_DEVMAP ||
	    prog->expected_attach_type == BPF_XDP_CPUMAP) {
		bpf_prog_put(prog);
		return ERR_PTR(-EINVAL);
	}
	return prog;
}

/**
 * uior_xdp_get - the program that UNIFIED_IO_ATTACH_BPF asks for
 * @arg: checked; its prog_id becomes that of the program
 *
 * Context: process, may sleep. Rights: who could load the program may attach it.
 * Return: the program, for uior_xdp_attach() or to be put; NULL to detach; or an
 * ERR_PTR().
 */
struct bpf_prog *uior_xdp_get(struct unified_io_attach_bpf *arg)
{
	struct bpf_prog *prog;

	if (arg->resv || arg->flags & ~(UNIFIED_IO_BPF_F_DETACH | UNIFIED_IO_BPF_F_REPLACE))
		return ERR_PTR(-EINVAL);
	/* No flag: a new one, without an old id. One flag: with it. */
	if (!arg->flags != !arg->prog_id ||
	    arg->flags == (UNIFIED_IO_BPF_F_DETACH | UNIFIED_IO_BPF_F_REPLACE))
		return ERR_PTR(-EINVAL);
	if (arg->flags & UNIFIED_IO_BPF_F_DETACH)
		return arg->prog_fd == -1 ? NULL : ERR_PTR(-EINVAL);
	prog = uior_xdp_prog_get(arg->prog_fd);
	if (!IS_ERR(prog))
		arg->prog_id = prog->aux->id;
	return prog;
}

/**
 * uior_xdp_attach - put a program where another is, or where none is
 * @region: the region
 * @prog: taken over, unless the call fails; NULL for none
 * @old_id: the program in whose place; 0 for a free one
 *
 * Context: process, may sleep.
 */
int uior_xdp_attach(struct uior_region *region, struct bpf_prog *prog, u32 old_id)
{
	struct bpf_prog *old;
	int i;

	guard(mutex)(&uior_bpf_lock);
	i = uior_xdp_find(region, old_id);
	if (i < 0)
		return i;
	old = uior_prog(region, i);
	rcu_assign_pointer(region->progs[i], prog);
	if (prog) {
		WRITE_ONCE(region->last_prog, i);
		WRITE_ONCE(region->bpf_had, true);
	}
	/* Freed after a grace period, so a run in progress ends safely. */
	if (old)
		bpf_prog_put(old);
	return 0;
}

static struct bpf_prog *uior_xdp_pick(struct uior_region *region, u32 id)
{
	struct bpf_prog *prog;
	int i;

	if (!id)
		return rcu_dereference(region->progs[READ_ONCE(region->last_prog)]);
	for (i = 0; i < UNIFIED_IO_MAX_PROGS; i++) {
		prog = rcu_dereference(region->progs[i]);
		if (prog && prog->aux->id == id)
			return prog;
	}
	return NULL;
}

static int uior_xdp_verdict(u32 act)
{
	switch (act) {
	case XDP_PASS:
		return UNIFIED_IO_BPF_PASS;
	case XDP_DROP:
		return UNIFIED_IO_BPF_DROP;
	case XDP_TX:
		return UNIFIED_IO_BPF_REPLY;
	case XDP_ABORTED:
		return -ECANCELED;
	case XDP_REDIRECT:
		return -EOPNOTSUPP;
	}
	return -EPROTO;
}

/*
 * The packet is the data, its frame is the buffer. XDP keeps a struct xdp_frame
 * in front of the headroom and a struct skb_shared_info behind the tailroom;
 * both are only arithmetic here: nothing makes a frame or an skb of it.
 */
static void uior_xdp_buff(const struct uior_op *op, struct xdp_buff *xdp)
{
	const struct unified_io_bpf_ctx *ctx = &op->ctx;
	u8 *buf = op->region->mem.vaddr + uior_op_pos(op, 0);
	u8 *hard_start = buf - sizeof(struct xdp_frame);
	u32 frame_sz = sizeof(struct xdp_frame) + ctx->cap +
		       SKB_DATA_ALIGN(sizeof(struct skb_shared_info));

	xdp_init_buff(xdp, frame_sz, op->region->xdp_rxq);
	xdp_prepare_buff(xdp, hard_start, buf + ctx->off - hard_start, ctx->len, false);
}

static int uior_xdp_on(struct uior_op *op, const struct bpf_prog *prog)
{
	u8 *buf = op->region->mem.vaddr + uior_op_pos(op, 0);
	struct bpf_net_context net_ctx, *ctx;
	struct xdp_buff xdp;
	int verdict;

	/* A packet's fragments are listed in its frame: in memory that the process can write. */
	if (op->nr_extents)
		return -EOPNOTSUPP;
	uior_xdp_buff(op, &xdp);
	ctx = bpf_net_ctx_set(&net_ctx);
	verdict = uior_xdp_verdict(bpf_prog_run_xdp(prog, &xdp));
	bpf_net_ctx_clear(ctx);
	op->ctx.off = (u8 *)xdp.data - buf;
	op->ctx.len = xdp.data_end - xdp.data;
	return verdict;
}

/**
 * uior_xdp_run - run an attached XDP program on the data
 * @op: the operation
 * @prog_id: kernel id, or 0 for the one attached last
 * @verdict: out: UNIFIED_IO_BPF_* or a negative errno
 *
 * Context: process. Return: 0, or -ENOENT if there is no such program.
 */
int uior_xdp_run(struct uior_op *op, u32 prog_id, int *verdict)
{
	struct bpf_prog *prog;

	local_bh_disable();
	rcu_read_lock();
	prog = uior_xdp_pick(op->region, prog_id);
	if (prog)
		*verdict = uior_xdp_on(op, prog);
	rcu_read_unlock();
	local_bh_enable();
	return prog ? 0 : -ENOENT;
}
