// SPDX-License-Identifier: GPL-2.0
/*
 * SEND: from the region's pages, without a copy where that is cheaper.
 *
 * As io_uring's SEND_ZC does, a zero-copy message carries a ubuf_info: every skb
 * that points to our pages holds it, and the stage is over when the last lets
 * go, so the buffer is the process's again when the completion says so. Where
 * the bytes would be copied all the same, or are few, they are copied at once, as
 * send() does; uior_send_zc() decides. The stack may still copy:
 *	- it takes no reference: a route without scatter-gather, a datagram that
 *	  is to be fragmented;
 *	- it copies late, since the skb is delivered to this machine (veth) or
 *	  tapped, and reports it when it lets go. How many bytes is not known
 *	  then: all are counted. The socket's next sends are copied at once.
 *
 * Sends of few bytes that wait for the same connection go as one message; and where
 * another send is left behind a message, it has MSG_MORE, unless many bytes are copied. So
 * what was submitted together fills segments up. Should that other one be cancelled before
 * its turn, TCP sends the rest with the next acknowledgment, or when its timer (200 ms) expires.
 *
 * Datagrams up to UIOR_JOIN_MAX, of one length and to one address, go as one message, too, which
 * the stack cuts again, as far down as it can (UDP_SEGMENT, udp(7)): the peer sees no
 * difference. Where it refuses, or the process has the socket cork or cut, each goes by itself.
 */
#include <linux/ip.h>
#include <linux/net.h>
#include <linux/udp.h>
#include <net/inet_sock.h>
#include <net/sock.h>

#include "uior.h"

/* The length from which pointing to the pages is cheaper than a copy: bench/quick --only send. */
#define UIOR_ZC_MIN	SZ_32K

/* Up to which length datagrams go as one message: for longer ones it saves too little. */
#define UIOR_JOIN_MAX	SZ_8K

/* How many sends copy at once after one that was copied late. */
#define UIOR_ZC_HOLD	64

/* What fits into one packet of IPv4, which is what the stack cuts. */
#define UIOR_UDP_MAX	(U16_MAX - sizeof(struct iphdr) - sizeof(struct udphdr))

/* A control message: where the stack cuts. */
struct uior_segment {
	struct cmsghdr hdr;
	u16 len;
};

static void uior_zc_learn(struct uior_op *op)
{
	if (op->zc_late) {
		WRITE_ONCE(op->zc_sock->zc_hold, UIOR_ZC_HOLD);
		op->send_copied = op->sent;
	} else if (op->zc_attached) {
		WRITE_ONCE(op->zc_sock->zc_hold, 0);
	}
	uior_sock_drop(op->zc_sock);
	op->zc_sock = NULL;
}

/* Returns whether nobody has our pages any more: the stage is over. */
static bool uior_zc_put(struct uior_op *op)
{
	if (op->zc_sock) {
		if (!refcount_dec_and_test(&op->ubuf.refcnt))
			return false;
		uior_zc_learn(op);
	}
	if (op->send_copied)
		uior_op_copied(op, UNIFIED_IO_STAGE_SEND, op->send_copied);
	return true;
}

/* An skb lets go of our pages; any context. */
static void uior_zc_complete(struct sk_buff *skb, struct ubuf_info *ubuf, bool success)
{
	struct uior_op *op = container_of(ubuf, struct uior_op, ubuf);

	WRITE_ONCE(op->zc_attached, true);
	if (!success)
		WRITE_ONCE(op->zc_late, true);
	if (uior_zc_put(op))
		uior_op_resume(&op, 1);
}

static const struct ubuf_info_ops uior_ubuf_ops = {
	.complete = uior_zc_complete,
};

/**
 * uior_send_reserve - take the turn of a chain that will send
 * @op: its data are there, or are about to be read from the drive
 *
 * So sends go out in the order of submission, or of what was received, though
 * reads and writes before them end in any order. A chain that has yet to
 * receive takes no turn: those behind it would wait for its peer.
 * Context: process.
 */
void uior_send_reserve(struct uior_op *op)
{
	if (op->todo & BIT(UNIFIED_IO_STAGE_SEND))
		uior_flow_reserve(&op->tx->tx, op);
}

/* Which socket: the one of the request, the program's, or the descriptor's. */
static int uior_send_target(struct uior_op *op)
{
	struct uior_sock *sock;

	if (op->state & UIOR_OP_REPLY) {
		sock = op->rx;
		if (!sock)
			return -ENOTCONN;
		kref_get(&sock->ref);
	} else if (op->state & UIOR_OP_TARGET_SET) {
		sock = uior_sock_get(op->region, op->target, op->desc.net.proto);
		if (IS_ERR(sock))
			return PTR_ERR(sock);
	} else {
		return op->tx ? 0 : -ENOTCONN;
	}
	/* Its turn in the same socket's flow stays its own. */
	if (sock != op->tx)
		uior_send_leave(op);
	if (op->tx)
		uior_sock_put(op->tx);
	op->tx = sock;
	return 0;
}

static bool uior_send_gathers(const struct uior_op *op)
{
	return op->state & UIOR_OP_SEND_SET ? op->nr_extents : uior_gathered(op);
}

/* The SEND stage: wait in the socket's flow. */
int uior_send(struct uior_op *op)
{
	int ret = uior_send_target(op);

	if (ret)
		return ret;
	/* One piece needs no table. */
	if (uior_gathered(op))
		uior_gather_begin(op);
	if (!(op->state & UIOR_OP_SEND_SET)) {
		op->send_off = op->ctx.off;
		op->send_len = op->ctx.len;
	}
	if (!op->send_len && op->tx->proto == UNIFIED_IO_PROTO_TCP)
		return 0;
	return uior_flow_add(&op->tx->tx, op);
}

/*
 * Where a datagram goes: named by the descriptor, or back to its sender. Return: the length
 * of op->addr, or 0 where the socket knows.
 */
static int uior_send_name(struct uior_op *op)
{
	if (op->tx->proto == UNIFIED_IO_PROTO_TCP)
		return 0;
	if (op->desc.net.addr || op->desc.net.port) {
		struct sockaddr_in *to = (struct sockaddr_in *)&op->addr;

		*to = (struct sockaddr_in) {
			.sin_family = AF_INET,
			.sin_port = htons(op->desc.net.port),
			.sin_addr.s_addr = (__force __be32)op->desc.net.addr,
		};
		op->addr_len = sizeof(*to);
	} else if (op->tx != op->rx || READ_ONCE(op->tx->sock->sk->sk_state) == TCP_ESTABLISHED) {
		return 0;
	}
	return op->addr_len;
}

/*
 * Does the route take packets that point to pages all the way? TCP always takes pages; a device
 * that cannot gather them, or not compute the checksum over them, has each packet copied into one
 * piece on its way out, and loopback copies what it delivers.
 */
static bool uior_route_gathers(const struct sock *sk)
{
	const struct net_device *dev;
	const struct dst_entry *dst;

	guard(rcu)();
	dst = __sk_dst_get(sk);
	/* A datagram may find its route as it goes; the stack then looks at the device. */
	if (!dst)
		return sk->sk_type == SOCK_DGRAM;
	dev = dst_dev_rcu(dst);
	return (dev->features & NETIF_F_SG) && (dev->features & NETIF_F_CSUM_MASK) &&
	       !(dev->flags & IFF_LOOPBACK);
}

/* Not after a late copy; but now and then one send finds out whether that is still so. */
static bool uior_sock_trusted(struct uior_sock *sock)
{
	u32 hold = READ_ONCE(sock->zc_hold);

	if (!hold)
		return true;
	hold--;
	WRITE_ONCE(sock->zc_hold, hold ?: UIOR_ZC_HOLD);
	return !hold;
}

/* So few that to copy them is cheaper whatever the path; and nobody insists. */
static bool uior_send_few(const struct uior_op *op)
{
	return op->send_len < UIOR_ZC_MIN && !(op->desc.net.flags & UNIFIED_IO_NET_F_ZEROCOPY);
}

/* Which way the bytes go: the one place that decides. */
static bool uior_send_zc(const struct uior_op *op)
{
	struct uior_sock *sock = op->tx;

	if (uior_send_few(op) || op->desc.net.flags & UNIFIED_IO_NET_F_COPY)
		return false;
	/* Not AF_PACKET, nor TCP under TLS. */
	if (!test_bit(SOCK_SUPPORT_ZC, &sock->sock->flags))
		return false;
	/* A datagram is one skb, which has room for so many pieces; a stream is cut. */
	if (sock->proto == UNIFIED_IO_PROTO_UDP && uior_send_gathers(op) &&
	    op->nr_vecs > MAX_SKB_FRAGS)
		return false;
	if (op->desc.net.flags & UNIFIED_IO_NET_F_ZEROCOPY)
		return true;
	return uior_route_gathers(sock->sock->sk) && uior_sock_trusted(sock);
}

/* Did the stack copy at once the bytes that it was to point to? */
static bool uior_zc_refused(const struct uior_op *op)
{
	if (op->tx->proto == UNIFIED_IO_PROTO_TCP)
		return !uior_route_gathers(op->tx->sock->sk);
	if (refcount_read(&op->ubuf.refcnt) != 1)
		return false;
	smp_rmb();	/* uior_zc_complete() sets it, then lets go */
	return !READ_ONCE(op->zc_attached);
}

/* Append what is left of a send to a table of vectors: all of it, or as much as there is room for. */
static u32 uior_send_append(struct uior_op *to, const struct uior_op *op)
{
	u32 left = op->send_len - op->sent;

	if (op->state & UIOR_OP_SEND_SET || !uior_gathered(op))
		return uior_gather_span(to, op, op->send_off + op->sent, left, UIOR_MAX_VECS);
	return uior_gather(to, op, op->sent, left, UIOR_MAX_VECS);
}

/*
 * What is left of a send, and of those of few bytes that are stepped next, as far as its
 * table of vectors goes. Those stay in the queue until their turn comes; there is nothing
 * left to do for them then. @more: another send follows.
 */
static u32 uior_send_train(struct uior_op *op, bool *more)
{
	struct uior_flow *flow = &op->tx->tx;
	struct uior_op *next = op;
	u32 len = 0, part;

	guard(spinlock_irq)(&flow->lock);
	do {
		part = uior_send_append(op, next);
		len += part;
		*more = part < next->send_len - next->sent;
		if (*more)
			return len;
		next = uior_flow_after(flow, next);
	} while (next && uior_send_few(next));
	*more = next;
	return len;
}

/* Has the process the stack cut what it sends, or make one datagram of several sends? */
static bool uior_sock_shapes(const struct sock *sk)
{
	return READ_ONCE(udp_sk(sk)->gso_size) || udp_test_bit(CORK, sk) ||
	       READ_ONCE(udp_sk(sk)->pending);
}

/* Can other datagrams go with this one? */
static bool uior_send_leads(const struct uior_op *op)
{
	return op->tx->proto == UNIFIED_IO_PROTO_UDP && uior_send_few(op) &&
	       op->send_len && op->send_len <= min(op->tx->segment_max, UIOR_JOIN_MAX) &&
	       !uior_sock_shapes(op->tx->sock->sk);
}

/*
 * Can this one, to where the first goes? Those before it have @len bytes; only the last may
 * be shorter than the first.
 */
static bool uior_send_joins(const struct uior_op *op, int name, u32 len, struct uior_op *next)
{
	return uior_send_few(next) && next->send_len && next->send_len <= op->send_len &&
	       !(len % op->send_len) && len + next->send_len <= UIOR_UDP_MAX &&
	       uior_send_name(next) == name && !memcmp(&next->addr, &op->addr, name);
}

/* A datagram, and those that are stepped next, as uior_send_train() does; none is cut by us. */
static u32 uior_send_datagrams(struct uior_op *op, int name)
{
	struct uior_flow *flow = &op->tx->tx;
	struct uior_op *next = op;
	u32 len = 0;

	BUILD_BUG_ON(UIOR_MAX_VECS > UDP_MAX_SEGMENTS);
	guard(spinlock_irq)(&flow->lock);
	do {
		u32 nr_vecs = op->nr_vecs;

		if (uior_send_append(op, next) < next->send_len) {
			op->nr_vecs = nr_vecs;
			break;
		}
		len += next->send_len;
		next = uior_flow_after(flow, next);
	} while (next && uior_send_joins(op, name, len, next));
	return len;
}

/* The next message of a send, to @name. Return: does more follow behind it at once? */
static bool uior_send_iter(struct uior_op *op, int name, struct iov_iter *iter)
{
	bool stream = op->tx->proto == UNIFIED_IO_PROTO_TCP, more = false;
	u32 left = op->send_len - op->sent, len;
	struct uior_flow *flow = &op->tx->tx;
	bool last = uior_flow_last(flow, op);

	op->nr_vecs = 0;
	if (!last && uior_send_leads(op)) {
		len = uior_send_datagrams(op, name);
		iov_iter_bvec(iter, ITER_SOURCE, op->vecs, op->nr_vecs, len);
		return false;
	}
	if (!last && stream && uior_send_few(op)) {
		len = uior_send_train(op, &more);
		iov_iter_bvec(iter, ITER_SOURCE, op->vecs, op->nr_vecs, len);
		return more;
	}
	if (uior_send_gathers(op)) {
		len = uior_send_append(op, op);
		iov_iter_bvec(iter, ITER_SOURCE, op->vecs, op->nr_vecs, len);
		more = len < left;
	} else {
		uior_mem_iter(&op->region->mem, iter, ITER_SOURCE,
			      uior_op_pos(op, op->send_off + op->sent), left);
	}
	/* A datagram ends here. */
	if (!stream)
		return false;
	if (more || last)
		return more;
	guard(spinlock_irq)(&flow->lock);
	return uior_flow_after(flow, op);
}

/* Its turn has come: what was learned before it counts. */
static void uior_send_begin(struct uior_op *op)
{
	op->send_begun = true;
	if (!uior_send_zc(op))
		return;
	op->ubuf = (struct ubuf_info) {
		.ops = &uior_ubuf_ops,
		.flags = SKBFL_ZEROCOPY_FRAG | SKBFL_DONT_ORPHAN,
	};
	refcount_set(&op->ubuf.refcnt, 1);
	op->zc_sock = op->tx;
	uior_sock_keep(op->tx);
}

/* So many bytes of a message have gone: they are the first send's, then those of the next. */
static void uior_send_count(struct uior_op *op, u32 len, bool copied)
{
	for (;; op = list_next_entry(op, node)) {
		u32 part = min(len, op->send_len - op->sent);

		op->sent += part;
		if (copied)
			op->send_copied += part;
		len -= part;
		if (!len)
			return;
	}
}

/* The stack takes no datagrams of this length in one message; others go by themselves, too. */
static bool uior_send_apart(struct uior_op *op, int err)
{
	if (err != -EMSGSIZE && err != -EINVAL && err != -EIO)
		return false;
	op->tx->segment_max = op->send_len - 1;
	return true;
}

/*
 * Hand the socket what it takes now. Return: a negative errno, or whether there is more to
 * hand over.
 */
static int uior_send_some(struct uior_op *op)
{
	struct msghdr msg = {
		.msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL,
		.msg_namelen = uior_send_name(op),
	};
	bool stream = op->tx->proto == UNIFIED_IO_PROTO_TCP, more;
	struct uior_segment segment = {
		.hdr = {
			.cmsg_len = CMSG_LEN(sizeof(segment.len)),
			.cmsg_level = SOL_UDP,
			.cmsg_type = UDP_SEGMENT,
		},
		.len = op->send_len,
	};
	int ret;

	more = uior_send_iter(op, msg.msg_namelen, &msg.msg_iter);
	/* A datagram is not cut. */
	if (!stream && iov_iter_count(&msg.msg_iter) < op->send_len)
		return -EMSGSIZE;
	if (!stream && iov_iter_count(&msg.msg_iter) > op->send_len) {
		msg.msg_control = &segment;
		msg.msg_controllen = sizeof(segment);
	}
	msg.msg_name = msg.msg_namelen ? &op->addr : NULL;
	if (!op->send_begun)
		uior_send_begin(op);
	if (op->zc_sock) {
		msg.msg_flags |= MSG_ZEROCOPY;
		msg.msg_ubuf = &op->ubuf;
	}
	/*
	 * Segments are filled up with what follows at once. Not where many bytes are copied:
	 * the stack could not use the page of an end that waits again.
	 */
	if (more && (op->zc_sock || uior_send_few(op)))
		msg.msg_flags |= MSG_MORE;
	ret = sock_sendmsg(op->tx->sock, &msg);
	if (ret < 0)
		return msg.msg_control && uior_send_apart(op, ret) ? 1 : ret;
	op->tx->tx.bytes += ret;
	uior_send_count(op, ret, ret && (!op->zc_sock || uior_zc_refused(op)));
	return stream && op->sent < op->send_len;
}

/* -EAGAIN: the socket is full. Otherwise all has been sent, or no more will. */
static int uior_send_all(struct uior_op *op)
{
	int ret;

	do {
		ret = uior_send_some(op);
	} while (ret > 0);
	return ret;
}

/**
 * uior_send_step - go on with the send at the head of the flow
 * @flow: the caller is its runner
 * @op: a send
 *
 * Context: process, does not block. Return: see struct uior_flow.
 */
int uior_send_step(struct uior_flow *flow, struct uior_op *op)
{
	int ret = 0;

	/* Unless it went along with one before it; then it is too late to cancel it. */
	if (!op->sent || op->sent < op->send_len)
		ret = uior_flow_ended(flow, op) ? -ECANCELED : uior_send_all(op);
	if (ret == -EAGAIN)
		return ret;
	/* What the peer gets is told, also where the rest was cancelled. */
	if (ret == -ECANCELED && op->sent)
		ret = 0;
	op->result = ret ?: (int)op->sent;
	return 0;
}

/**
 * uior_send_end - sends have left the flow
 * @done: each of them sent, failed, or cancelled
 *
 * One whose pages the stack points to goes on when it lets go of them. Context: process.
 */
void uior_send_end(struct list_head *done)
{
	struct uior_op *ops[UIOR_FLOW_BATCH], *op, *next;
	u32 nr = 0;

	list_for_each_entry_safe(op, next, done, node) {
		/* The socket may be closed while its last skbs hold our pages. */
		uior_sock_put(op->tx);
		op->tx = NULL;
		if (uior_zc_put(op))
			ops[nr++] = op;
	}
	uior_op_resume(ops, nr);
}
