// SPDX-License-Identifier: GPL-2.0
/*
 * RECV: from a socket into the region, one copy by the CPU, which is counted.
 *
 * A multishot receive stays at the head of its flow. Each arrival is an
 * operation of its own, with a Net IOV for its buffer, which runs the rest of
 * the chain; the stream ends, and completes, when its last arrival has.
 * Arrivals are received, and run through BPF and up to the submission of their
 * write, one after the other: the order of bytes is the order of blocks.
 */
#include <linux/net.h>
#include <net/sock.h>

#include "ring.h"
#include "trace.h"

/* The RECV stage: wait in the socket's flow. */
int uior_recv(struct uior_op *op)
{
	return uior_flow_add(&op->rx->rx, op);
}

/* What is left of the buffer behind headroom, carry and what was received. */
static u32 uior_recv_room(const struct uior_op *op)
{
	return op->ctx.cap - op->desc.net.headroom - op->ctx.carried - op->got;
}

/* The tail that the program wanted to see again goes in front. */
static int uior_recv_carry(struct uior_op *op)
{
	struct uior_sock *sock = op->rx;
	u32 len = sock->carry_len;

	op->state |= UIOR_OP_CARRIED;
	if (!len)
		return 0;
	if (len >= uior_recv_room(op))
		return -EMSGSIZE;
	memcpy(op->region->mem.vaddr + uior_op_pos(op, op->desc.net.headroom), sock->carry, len);
	sock->carry_len = 0;
	op->ctx.carried = len;
	uior_op_copied(op, UNIFIED_IO_STAGE_RECV, len);
	return 0;
}

/* Once from the socket: bytes, 0 at the end of a stream, or a negative errno. */
static int uior_recv_some(struct uior_op *op)
{
	struct uior_sock *sock = op->rx;
	u32 room = uior_recv_room(op);
	struct msghdr msg = { .msg_name = &op->addr };
	struct kvec kvec = {
		.iov_base = op->region->mem.vaddr +
			    uior_op_pos(op, op->ctx.cap - room),
		.iov_len = room,
	};
	int ret;

	if (sock->rx_error) {
		ret = sock->rx_error;
		sock->rx_error = 0;
		return ret;
	}
	iov_iter_kvec(&msg.msg_iter, ITER_DEST, &kvec, 1, room);
	ret = sock_recvmsg(sock->sock, &msg, MSG_DONTWAIT);
	if (ret < 0)
		return ret;
	sock->rx.bytes += ret;
	op->addr_len = msg.msg_namelen;
	if (ret)
		uior_op_copied(op, UNIFIED_IO_STAGE_RECV, ret);
	/* The rest of a datagram that did not fit is lost: say so. */
	return msg.msg_flags & MSG_TRUNC ? -EMSGSIZE : ret;
}

/* -EAGAIN: wait for more. Otherwise what there is will do, or nothing will. */
static int uior_recv_stream(struct uior_op *op)
{
	int ret;

	do {
		ret = uior_recv_some(op);
		if (ret == -EAGAIN && op->got && !(op->desc.flags & UNIFIED_IO_DESC_F_WAITALL))
			return 0;
		if (ret < 0 && ret != -EAGAIN && op->got) {
			op->rx->rx_error = ret;
			return 0;
		}
		if (ret < 0)
			return ret;
		if (!ret)
			op->state |= UIOR_OP_EOF;
		op->got += ret;
	} while (ret && op->desc.flags & UNIFIED_IO_DESC_F_WAITALL && uior_recv_room(op));
	return 0;
}

static int uior_recv_datagram(struct uior_op *op)
{
	int ret = uior_recv_some(op);

	if (ret >= 0)
		op->got = ret;
	return min(ret, 0);
}

/* Fill the buffer: 0 when there is something to go on with, or the end. */
static int uior_recv_fill(struct uior_op *op)
{
	int ret = 0;

	if (!(op->state & UIOR_OP_CARRIED))
		ret = uior_recv_carry(op);
	if (ret)
		return ret;
	ret = op->rx->proto == UNIFIED_IO_PROTO_TCP ? uior_recv_stream(op) :
						      uior_recv_datagram(op);
	if (ret)
		return ret;
	op->ctx.off = op->desc.net.headroom;
	op->ctx.len = op->ctx.carried + op->got;
	if (op->state & UIOR_OP_EOF) {
		op->ctx.flags |= UNIFIED_IO_BPF_CTX_F_EOF;
		op->cqe.flags |= UNIFIED_IO_CQE_F_EOF;
	}
	return 0;
}

/* The stream has ended, and nothing is left to hand on. */
static bool uior_recv_empty(const struct uior_op *op)
{
	return op->state & UIOR_OP_EOF && !op->ctx.len;
}

/**
 * uior_niov_keep - keep a Net IOV for the next arrival
 * @region: the region
 * @niov: was taken from the ring, and checked
 *
 * New ones are taken from the ring only when no spare is left, so there are
 * never more in the kernel than operations, but for those in the hand of a flow
 * that finds the CQ full. Context: any.
 */
void uior_niov_keep(struct uior_region *region, const struct unified_net_iov *niov)
{
	unsigned long irq;

	spin_lock_irqsave(&region->niov_lock, irq);
	region->spare[region->nr_spare] = *niov;
	WRITE_ONCE(region->nr_spare, region->nr_spare + 1);
	spin_unlock_irqrestore(&region->niov_lock, irq);
}

/* A buffer that the process gave: its own words, so checked. -EXFULL: none. */
static int uior_niov_get(struct uior_region *region, u32 headroom, struct unified_net_iov *niov)
{
	bool any = true;
	u64 end;

	spin_lock_irq(&region->niov_lock);
	if (region->nr_spare) {
		WRITE_ONCE(region->nr_spare, region->nr_spare - 1);
		*niov = region->spare[region->nr_spare];
	} else {
		any = uior_niov_take(region, niov);
	}
	spin_unlock_irq(&region->niov_lock);
	if (!any)
		return -EXFULL;
	if (niov->resv || niov->len <= headroom || niov->len > UNIFIED_IO_MAX_LEN ||
	    check_add_overflow(niov->addr, (u64)niov->len, &end) || end > region->data_size)
		return -EINVAL;
	return 0;
}

/* An operation and a buffer for the next arrival; -EXFULL: there is none now. */
static struct uior_op *uior_arrival_get(struct uior_op *parent)
{
	struct uior_region *region = parent->region;
	struct unified_net_iov niov;
	struct uior_op *op;
	int ret = uior_niov_get(region, parent->desc.net.headroom, &niov);

	if (ret)
		return ERR_PTR(ret);
	if (!uior_op_get(region, 0, &op, 1)) {
		uior_niov_keep(region, &niov);
		return ERR_PTR(-EXFULL);
	}
	op->desc = parent->desc;
	op->desc.addr = niov.addr;
	op->desc.len = niov.len;
	op->ctx = parent->ctx;
	op->ctx.cap = niov.len;
	op->cqe.user_data = parent->cqe.user_data;
	op->cqe.slot = parent->cqe.slot;
	op->cqe.addr = niov.addr;
	op->cqe.stage = UNIFIED_IO_STAGE_RECV;
	op->rx = parent->rx;
	kref_get(&op->rx->ref);
	op->tx = parent->tx;
	if (op->tx)
		kref_get(&op->tx->ref);
	op->parent = parent;
	return op;
}

/*
 * Nothing arrived, or nothing that will be handed on: the buffer stays with the
 * kernel for the next receive, and so does the carry.
 */
static void uior_arrival_drop(struct uior_op *op)
{
	uior_niov_keep(op->region, &(struct unified_net_iov) {
		.addr = op->desc.addr, .len = op->desc.len });
	if (op->ctx.carried)
		op->rx->carry_len = op->ctx.carried;
	uior_op_put(op);
}

/* Run the rest of the chain on what arrived. */
static void uior_arrival_run(struct uior_op *op)
{
	struct uior_op *parent = op->parent;

	op->todo = parent->todo;
	op->ctx.lba = parent->next_lba;
	op->cqe.slba = parent->next_lba;
	atomic_inc(&parent->children);
	uior_count(op->region, submitted, 1);
	trace_uior_submit(op);
	trace_uior_stage_start(op);
	uior_op_stage_end(op, UNIFIED_IO_STAGE_RECV, op->got);
	uior_send_reserve(op);
	uior_op_run(op);
}

/* One arrival. Returns 0 to go on, 1 at the end of the stream, or an error. */
static int uior_stream_step(struct uior_op *parent)
{
	struct uior_op *op = parent->child;
	int ret = READ_ONCE(parent->stream_error);

	if (!op && !ret) {
		op = uior_arrival_get(parent);
		if (IS_ERR(op))
			return PTR_ERR(op);
		parent->child = op;
	}
	if (!ret)
		ret = uior_recv_fill(op);
	if (ret == -EAGAIN)
		return ret;
	parent->child = NULL;
	if (!ret && uior_recv_empty(op))
		ret = 1;
	if (!ret)
		uior_arrival_run(op);
	else if (op)
		uior_arrival_drop(op);
	return ret;
}

/* An arrival has completed, or the stream itself has ended. Any context. */
void uior_stream_put(struct uior_op *parent)
{
	if (!atomic_dec_and_test(&parent->children))
		return;
	if (parent->stream_error && parent->cqe.res >= 0)
		parent->cqe.res = parent->stream_error;
	parent->cqe.slba = parent->next_lba;
	parent->todo = 0;
	uior_op_finish(&parent, 1);
}

static void uior_stream_end(struct uior_op *parent)
{
	parent->ctx.len = 0;
	uior_op_stage_end(parent, UNIFIED_IO_STAGE_RECV, parent->result);
	uior_stream_put(parent);
}

static int uior_multishot_step(struct uior_flow *flow, struct uior_op *parent)
{
	int ret = uior_flow_ended(flow, parent) ? -ECANCELED : uior_stream_step(parent);

	if (!ret)
		return 1;
	if (ret == -EAGAIN || ret == -EXFULL)
		return ret;
	if (parent->child)
		uior_arrival_drop(parent->child);
	parent->child = NULL;
	if (ret > 0)
		parent->cqe.flags |= UNIFIED_IO_CQE_F_EOF;
	parent->result = min(ret, 0);
	return 0;
}

/**
 * uior_recv_step - go on with the receive at the head of the flow
 * @flow: the caller is its runner
 * @op: a one-shot or a multishot receive
 *
 * Context: process, does not block. Return: see struct uior_flow.
 */
int uior_recv_step(struct uior_flow *flow, struct uior_op *op)
{
	int ret;

	if (op->desc.flags & UNIFIED_IO_DESC_F_MULTISHOT)
		return uior_multishot_step(flow, op);
	ret = uior_flow_ended(flow, op) ? -ECANCELED : uior_recv_fill(op);
	if (ret == -EAGAIN)
		return ret;
	op->result = ret ?: (int)op->got;
	return 0;
}

static void uior_recv_go_on(struct uior_op *op)
{
	uior_op_stage_end(op, UNIFIED_IO_STAGE_RECV, op->result);
	/* An end without data ends the chain, too. */
	if (op->result >= 0 && uior_recv_empty(op))
		op->todo = 0;
	/* Here and now: the carry of this one is for the next. */
	uior_send_reserve(op);
	uior_op_run(op);
}

/**
 * uior_recv_end - a receive has left the flow
 * @done: of one
 *
 * Context: process.
 */
void uior_recv_end(struct list_head *done)
{
	struct uior_op *op = list_first_entry(done, struct uior_op, node);

	if (op->desc.flags & UNIFIED_IO_DESC_F_MULTISHOT)
		uior_stream_end(op);
	else
		uior_recv_go_on(op);
}
