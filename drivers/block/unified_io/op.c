// SPDX-License-Identifier: GPL-2.0
/*
 * The operation: planned as a set of stages, run stage by stage, completed at
 * one place.
 */
#include <linux/eventfd.h>

#include "ring.h"
#include "trace.h"

/* In the order in which they run. */
static int (*const uior_stages[UNIFIED_IO_STAGE_NR])(struct uior_op *op) = {
	[UNIFIED_IO_STAGE_RECV]	 = uior_recv,
	[UNIFIED_IO_STAGE_READ]	 = uior_read,
	[UNIFIED_IO_STAGE_BPF]	 = uior_bpf,
	[UNIFIED_IO_STAGE_WRITE] = uior_write,
	[UNIFIED_IO_STAGE_FLUSH] = uior_flush,
	[UNIFIED_IO_STAGE_SEND]	 = uior_send,
};

#define UIOR_SOURCES	(BIT(UNIFIED_IO_STAGE_RECV) | BIT(UNIFIED_IO_STAGE_READ))

static void uior_op_task(struct uior_task *task)
{
	uior_op_run(container_of(task, struct uior_op, task));
}

/* Once per region: what stays the same however often it is used. */
void uior_op_init(struct uior_op *op, struct uior_region *region)
{
	op->region = region;
	op->task.run = uior_op_task;
}

/**
 * uior_op_get - operations, and the CQ slots that their completions will fill
 * @region: the caller holds a reference to it
 * @state: UIOR_OP_URING, or 0
 * @ops: where to put them
 * @nr: how many
 *
 * Context: any. Return: how many there were, for the caller to fill in their
 * descriptors and uior_op_prepare() the rest; less than @nr if the CQ is full,
 * which the process is told in control.flags.
 */
u32 uior_op_get(struct uior_region *region, u32 state, struct uior_op **ops, u32 nr)
{
	unsigned long irq;
	u32 got, i;

	spin_lock_irqsave(&region->cq_lock, irq);
	got = min(nr, uior_cq_room(region));
	for (i = 0; i < got; i++)
		ops[i] = region->free_ops[region->cq_reserved + i];
	WRITE_ONCE(region->cq_reserved, region->cq_reserved + got);
	region->cq_silent += state & UIOR_OP_URING ? got : 0;
	if (got == nr)
		uior_ctrl_clear(region, UNIFIED_IO_CTRL_F_CQ_FULL);
	else
		uior_ctrl_set(region, region->ctrl_flags | UNIFIED_IO_CTRL_F_CQ_FULL);
	spin_unlock_irqrestore(&region->cq_lock, irq);
	percpu_ref_get_many(&region->refs, got);
	for (i = 0; i < got; i++) {
		memset_startat(ops[i], 0, todo);
		ops[i]->state = state;
		atomic_set(&ops[i]->children, 1);
	}
	return got;
}

/* Give their slots back, filled or, those of the silent, empty. */
static void uior_op_release(struct uior_region *region, struct uior_op **ops, u32 nr)
{
	u32 reserved, posted = 0, i;
	unsigned long irq;

	spin_lock_irqsave(&region->cq_lock, irq);
	reserved = region->cq_reserved;
	for (i = 0; i < nr; i++) {
		if (!(ops[i]->state & UIOR_OP_SILENT)) {
			uior_cq_fill(region, posted, &ops[i]->cqe);
			posted++;
		}
		region->cq_silent -= !!(ops[i]->state & UIOR_OP_URING);
		region->free_ops[--reserved] = ops[i];
	}
	WRITE_ONCE(region->cq_reserved, reserved);
	if (posted)
		uior_cq_post(region, posted);
	spin_unlock_irqrestore(&region->cq_lock, irq);
	if (wq_has_sleeper(&region->cq_wait))
		wake_up_poll(&region->cq_wait, posted ? EPOLLIN | EPOLLRDNORM : UIOR_WAKE_RUNNER);
	for (; region->eventfd && posted; posted--)
		eventfd_signal(region->eventfd);
	percpu_ref_put_many(&region->refs, nr);
}

static void uior_op_put_socks(struct uior_op *op)
{
	if (op->rx)
		uior_sock_put(op->rx);
	if (op->tx)
		uior_sock_put(op->tx);
	op->rx = NULL;
	op->tx = NULL;
}

/* An operation without a completion: never started, or nobody waits for it any more. Any context. */
void uior_op_put(struct uior_op *op)
{
	struct uior_region *region = op->region;

	guard(rcu)();	/* keeps the region, of which this may be the last operation */
	uior_op_put_socks(op);
	op->state |= UIOR_OP_SILENT;
	uior_op_release(region, &op, 1);
	/* A flow may have parked for want of the slot. */
	uior_flow_unpark(region);
}

static bool uior_has(const struct uior_op *op, u32 stage)
{
	return op->todo & BIT(stage);
}

static u32 uior_plan_net(const struct unified_descriptor *d)
{
	u32 todo = 0;

	if (!(d->type & UNIFIED_REGION_F_NETWORK))
		return 0;
	if (d->net.flags & UNIFIED_IO_NET_F_RECV)
		todo |= BIT(UNIFIED_IO_STAGE_RECV);
	if (d->net.flags & UNIFIED_IO_NET_F_SEND)
		todo |= BIT(UNIFIED_IO_STAGE_SEND);
	if (todo)
		return todo;
	if ((d->type & UNIFIED_REGION_F_NVME) && d->nvme.opcode == NVME_CMD_WRITE)
		return BIT(UNIFIED_IO_STAGE_RECV);
	return BIT(UNIFIED_IO_STAGE_SEND);
}

static int uior_plan_nvme(const struct unified_descriptor *d)
{
	if (!(d->type & UNIFIED_REGION_F_NVME))
		return 0;
	switch (d->nvme.opcode) {
	case NVME_CMD_READ:
		return BIT(UNIFIED_IO_STAGE_READ);
	case NVME_CMD_WRITE:
		return BIT(UNIFIED_IO_STAGE_WRITE) |
		       (d->nvme.flags & UNIFIED_IO_NVME_F_FLUSH ? BIT(UNIFIED_IO_STAGE_FLUSH) : 0);
	case NVME_CMD_FLUSH:
		return BIT(UNIFIED_IO_STAGE_FLUSH);
	}
	return -EINVAL;
}

/* Which stages: the table of chains in the documentation is made from this. */
static int uior_plan(struct uior_op *op)
{
	const struct unified_descriptor *d = &op->desc;
	int nvme = uior_plan_nvme(d);

	if (nvme < 0)
		return nvme;
	op->todo = nvme | uior_plan_net(d);
	if (d->type & UNIFIED_REGION_F_BPF)
		op->todo |= BIT(UNIFIED_IO_STAGE_BPF);
	if (!op->todo || (op->todo & UIOR_SOURCES) == UIOR_SOURCES)
		return -EINVAL;
	return 0;
}

#define UIOR_TYPES	(UNIFIED_REGION_F_NVME | UNIFIED_REGION_F_NETWORK | UNIFIED_REGION_F_BPF)
#define UIOR_MULTI	(UNIFIED_IO_DESC_F_RECYCLE | UNIFIED_IO_DESC_F_CQE_SKIP)
#define UIOR_FLAGS	(UNIFIED_IO_DESC_F_MULTISHOT | UNIFIED_IO_DESC_F_WAITALL | \
			 UNIFIED_IO_DESC_F_PAD | UNIFIED_IO_DESC_F_RANGES | \
			 UNIFIED_IO_DESC_F_XDP_THEN_OPS | UIOR_MULTI)
#define UIOR_NVME_FLAGS	(UNIFIED_IO_NVME_F_FUA | UNIFIED_IO_NVME_F_FLUSH)
#define UIOR_NET_HOW	(UNIFIED_IO_NET_F_COPY | UNIFIED_IO_NET_F_ZEROCOPY)
#define UIOR_NET_FLAGS	(UNIFIED_IO_NET_F_RECV | UNIFIED_IO_NET_F_SEND | UIOR_NET_HOW)

static bool uior_known_proto(u8 proto)
{
	switch (proto) {
	case UNIFIED_IO_PROTO_ANY:
	case UNIFIED_IO_PROTO_TCP:
	case UNIFIED_IO_PROTO_UDP:
	case UNIFIED_IO_PROTO_RAW:
		return true;
	}
	return false;
}

static int uior_check_flags(const struct uior_op *op)
{
	const struct unified_descriptor *d = &op->desc;
	bool recv = uior_has(op, UNIFIED_IO_STAGE_RECV);
	u32 unknown = (d->type & ~UIOR_TYPES) | (d->flags & ~UIOR_FLAGS) | d->nvme.resv |
		      (d->nvme.flags & ~UIOR_NVME_FLAGS) | (d->net.flags & ~UIOR_NET_FLAGS);

	if (unknown || (d->net.flags & UIOR_NET_HOW) == UIOR_NET_HOW ||
	    !uior_known_proto(d->net.proto))
		return -EINVAL;
	/* Most have none. */
	if (!d->flags && !d->nvme.flags)
		return 0;
	/* One slot for the stream, one for the arrival that it waits for. */
	if ((d->flags & UNIFIED_IO_DESC_F_MULTISHOT) && op->region->cq_entries < 2)
		return -EINVAL;
	if ((d->flags & UNIFIED_IO_DESC_F_MULTISHOT) ? !recv : d->flags & UIOR_MULTI)
		return -EINVAL;
	if ((d->flags & UNIFIED_IO_DESC_F_WAITALL) && !recv)
		return -EINVAL;
	if ((d->flags & UNIFIED_IO_DESC_F_XDP_THEN_OPS) &&
	    (!uior_has(op, UNIFIED_IO_STAGE_BPF) || !d->bpf.prog_id))
		return -EINVAL;
	/* Nothing to receive into; and what no program makes is not padded. */
	if ((d->flags & UNIFIED_IO_DESC_F_RANGES) &&
	    (op->todo & UIOR_SOURCES || op->todo == BIT(UNIFIED_IO_STAGE_FLUSH) ||
	     (d->flags & UNIFIED_IO_DESC_F_PAD && !uior_has(op, UNIFIED_IO_STAGE_BPF))))
		return -EINVAL;
	if (((d->flags & UNIFIED_IO_DESC_F_PAD) || d->nvme.flags) &&
	    !uior_has(op, UNIFIED_IO_STAGE_WRITE))
		return -EINVAL;
	return 0;
}

static int uior_check_range(struct uior_op *op)
{
	const struct unified_descriptor *d = &op->desc;
	u64 end;

	if (d->flags & UNIFIED_IO_DESC_F_MULTISHOT)
		return 0;
	if (!d->len)
		return op->todo == BIT(UNIFIED_IO_STAGE_FLUSH) ? 0 : -EMSGSIZE;
	if (d->len > UNIFIED_IO_MAX_LEN)
		return -EMSGSIZE;
	if (check_add_overflow(d->addr, (u64)d->len, &end) || end > op->region->data_size)
		return -ERANGE;
	if (uior_has(op, UNIFIED_IO_STAGE_RECV) && d->net.headroom >= d->len)
		return -EMSGSIZE;
	return d->flags & UNIFIED_IO_DESC_F_RANGES ? uior_buf_table(op) : 0;
}

static int uior_check_dev(struct uior_op *op)
{
	const struct unified_descriptor *d = &op->desc;
	const struct uior_dev *dev = &op->region->dev;
	bool read = uior_has(op, UNIFIED_IO_STAGE_READ);
	bool made = op->todo & (BIT(UNIFIED_IO_STAGE_RECV) | BIT(UNIFIED_IO_STAGE_BPF));
	int ret;

	if (!(d->type & UNIFIED_REGION_F_NVME))
		return 0;
	if (!dev->bdev || (d->nvme.nsid && d->nvme.nsid != dev->nsid))
		return -ENODEV;
	ret = uior_dev_may(dev, !read);
	if (ret)
		return ret;
	/* What a receive or a program makes is checked when it is there. */
	if (!read && (made || !uior_has(op, UNIFIED_IO_STAGE_WRITE)))
		return 0;
	uior_gather_begin(op);
	return uior_dev_check(op, op->ctx.off, op->ctx.len, d->nvme.slba) ?: uior_gather_fits(op);
}

static int uior_get_socks(struct uior_op *op)
{
	const struct unified_descriptor *d = &op->desc;
	struct uior_sock *sock;

	if (uior_has(op, UNIFIED_IO_STAGE_RECV)) {
		sock = uior_sock_get(op->region, d->net.slot, d->net.proto);
		if (IS_ERR(sock))
			return PTR_ERR(sock);
		op->rx = sock;
	}
	if (uior_has(op, UNIFIED_IO_STAGE_SEND)) {
		sock = uior_sock_get(op->region, d->net.tx_slot, d->net.proto);
		if (IS_ERR(sock))
			return PTR_ERR(sock);
		op->tx = sock;
	}
	/* Only a datagram can be addressed. */
	if ((d->net.port || d->net.addr) && (!op->tx || op->tx->proto != UNIFIED_IO_PROTO_UDP))
		return -EINVAL;
	return 0;
}

/**
 * uior_op_prepare - validate the operation's copy of its descriptor, plan it
 * @op: with its descriptor filled in
 *
 * Context: process. Return: 0, or the errno of the uapi header for what is
 * wrong; the operation can then only be put or finished.
 */
int uior_op_prepare(struct uior_op *op)
{
	const struct unified_descriptor *d = &op->desc;
	int ret;

	op->cqe.user_data = d->user_data;
	op->cqe.addr = d->addr;
	op->cqe.slot = d->net.slot;
	op->cqe.slba = d->nvme.slba;
	op->next_lba = d->nvme.slba;
	op->ctx = (struct unified_io_bpf_ctx) {
		.user_data = d->user_data,
		.lba = d->nvme.slba,
		.len = d->len,
		.cap = d->len,
		.arg = d->bpf.arg,
		.slot = d->net.slot,
		.lba_size = op->region->dev.bdev ? 1U << op->region->dev.lba_shift : 0,
		.region_id = op->region->id,
	};
	ret = uior_plan(op) ?: uior_check_flags(op) ?: uior_check_range(op) ?:
	      uior_check_dev(op) ?: uior_get_socks(op);
	if (ret) {
		op->todo = 0;
		op->cqe.res = ret;
	}
	return ret;
}

/**
 * uior_op_accept - an operation for a descriptor that came by value
 * @region: the caller holds a reference to it
 * @desc: a copy that the process cannot write
 * @state: UIOR_OP_URING, or 0
 *
 * Context: process. Return: the operation, to be started; or an ERR_PTR() of
 * -EBUSY without a CQ slot, or of what is wrong with the descriptor.
 */
struct uior_op *uior_op_accept(struct uior_region *region, const struct unified_descriptor *desc,
			       u32 state)
{
	struct uior_op *op;
	int ret;

	if (!uior_op_get(region, state, &op, 1))
		return ERR_PTR(-EBUSY);
	op->desc = *desc;
	ret = uior_op_prepare(op);
	if (!ret)
		return op;
	uior_op_put(op);
	return ERR_PTR(ret);
}

/* Accepted: from here on it completes exactly once. */
void uior_op_start(struct uior_op *op)
{
	uior_count(op->region, submitted, 1);
	trace_uior_submit(op);
	/* A send alone is about to take its place. */
	if (!uior_has(op, UNIFIED_IO_STAGE_RECV) && op->todo != BIT(UNIFIED_IO_STAGE_SEND))
		uior_send_reserve(op);
	uior_op_run(op);
}

/* Run stages until one goes on by itself, or none is left. Process context. */
void uior_op_run(struct uior_op *op)
{
	while (op->todo) {
		u32 stage = __ffs(op->todo);
		int ret;

		op->todo &= ~BIT(stage);
		op->cqe.stage = stage;
		if (!(op->state & UIOR_OP_CONTINUED))
			trace_uior_stage_start(op);
		op->state &= ~UIOR_OP_CONTINUED;
		ret = uior_stages[stage](op);
		if (ret == -EIOCBQUEUED)
			return;
		uior_op_stage_end(op, stage, ret);
	}
	uior_op_finish(&op, 1);
}

static void uior_op_record(struct uior_op *op, u32 stage, int result)
{
	struct unified_completion *cqe = &op->cqe;

	switch (stage) {
	case UNIFIED_IO_STAGE_RECV:
	case UNIFIED_IO_STAGE_READ:
		cqe->recv = result;
		break;
	case UNIFIED_IO_STAGE_BPF:
		cqe->verdict = result;
		break;
	case UNIFIED_IO_STAGE_FLUSH:
		if (result >= 0)	/* the bytes written stand */
			return;
		fallthrough;
	case UNIFIED_IO_STAGE_WRITE:
		cqe->nvme = result;
		break;
	case UNIFIED_IO_STAGE_SEND:
		cqe->send = result;
		break;
	}
	cqe->res = result;
	if (stage == UNIFIED_IO_STAGE_BPF && result >= 0)
		cqe->res = op->ctx.len;
}

/**
 * uior_op_stage_end - a stage is over
 * @op: the operation
 * @stage: which, UNIFIED_IO_STAGE_*
 * @result: bytes, a verdict, or a negative errno, which ends the chain
 *
 * Context: any.
 */
void uior_op_stage_end(struct uior_op *op, u32 stage, int result)
{
	trace_uior_stage_end(op, stage, result);
	uior_count(op->region, stage[stage].ops, 1);
	uior_op_record(op, stage, result);
	if (result < 0) {
		uior_count(op->region, stage[stage].errors, 1);
		op->todo = 0;
	} else {
		uior_count(op->region, stage[stage].bytes,
			   stage == UNIFIED_IO_STAGE_BPF ? op->ctx.len : result);
	}
}

/**
 * uior_op_resume - the asynchronous stage that ran last is over
 * @ops: each with op->result; the array is used up
 * @nr: how many, of one region; at most UIOR_FLOW_BATCH
 *
 * Context: any.
 */
void uior_op_resume(struct uior_op **ops, u32 nr)
{
	u32 ended = 0, i;

	for (i = 0; i < nr; i++) {
		struct uior_op *op = ops[i];

		uior_op_stage_end(op, op->cqe.stage, op->result);
		if (op->todo)
			uior_task_queue(op->region, &op->task);
		else
			ops[ended++] = op;
	}
	if (ended)
		uior_op_finish(ops, ended);
}

/* The stage that ran last has more to do, in process context. Any context. */
void uior_op_again(struct uior_op *op)
{
	op->todo |= BIT(op->cqe.stage);
	op->state |= UIOR_OP_CONTINUED;
	uior_task_queue(op->region, &op->task);
}

void uior_op_copied(struct uior_op *op, u32 stage, u32 bytes)
{
	op->cqe.copied += bytes;
	op->cqe.flags |= UNIFIED_IO_CQE_F_COPIED;
	uior_count(op->region, stage[stage].copied, bytes);
}

void uior_op_moved(struct uior_op *op, u32 bytes)
{
	op->cqe.moved += bytes;
	uior_count(op->region, moved, bytes);
}

/* What an arrival means to its stream. */
static void uior_arrival_end(struct uior_op *op)
{
	struct uior_op *parent = op->parent;

	if (op->cqe.res < 0 && !cmpxchg(&parent->stream_error, 0, op->cqe.res))
		uior_flow_wake(&parent->rx->rx);
	op->cqe.flags |= UNIFIED_IO_CQE_F_MORE;
	if (op->desc.flags & UNIFIED_IO_DESC_F_RECYCLE)
		uior_niov_keep(op->region, &(struct unified_net_iov) {
			.addr = op->desc.addr, .len = op->desc.len });
	else
		op->cqe.flags |= UNIFIED_IO_CQE_F_BUFFER;
	if (op->cqe.res >= 0 && op->desc.flags & UNIFIED_IO_DESC_F_CQE_SKIP)
		op->state |= UIOR_OP_SILENT;
}

/* All but the slot is given back, and the completion says how it went. */
static void uior_op_end(struct uior_op *op)
{
	op->cqe.len = op->ctx.len;
	if (uior_gathered(op))
		op->cqe.flags |= UNIFIED_IO_CQE_F_GATHERED;
	if (op->parent)
		uior_arrival_end(op);
	else if (!(op->desc.flags & UNIFIED_IO_DESC_F_RANGES))
		op->cqe.addr += op->ctx.off;
	trace_uior_complete(op);
	uior_send_leave(op);
	uior_op_put_socks(op);
}

/**
 * uior_op_finish - the only exit
 * @ops: no stage is left of them; the array is used up
 * @nr: how many, of one region; at most UIOR_FLOW_BATCH
 *
 * Context: any.
 */
void uior_op_finish(struct uior_op **ops, u32 nr)
{
	struct uior_op *parents[UIOR_FLOW_BATCH];
	struct uior_region *region = ops[0]->region;
	u32 streams = 0, slots = 0, i;

	uior_count(region, completed, nr);
	for (i = 0; i < nr; i++) {
		struct uior_op *op = ops[i];

		uior_op_end(op);
		if (op->parent)
			parents[streams++] = op->parent;
		if (op->state & UIOR_OP_URING)
			uior_uring_finish(op);
		else
			ops[slots++] = op;
	}
	if (slots)
		uior_op_release(region, ops, slots);
	if (streams)
		uior_flow_unpark(region);
	while (streams)
		uior_stream_put(parents[--streams]);
}
