// SPDX-License-Identifier: GPL-2.0
/* Sockets in slots. An operation that uses one holds it; its flows are in flow.c. */
#include <linux/file.h>
#include <linux/net.h>
#include <linux/nospec.h>
#include <net/inet_sock.h>
#include <net/sock.h>

#include "uior.h"

static void uior_sock_free(struct kref *mem)
{
	kfree_rcu(container_of(mem, struct uior_sock, mem), rcu);
}

/* Its memory alone, not the socket. Any context. */
void uior_sock_drop(struct uior_sock *sock)
{
	kref_put(&sock->mem, uior_sock_free);
}

/* The last reference to the socket is gone. Any context. */
void uior_sock_release(struct kref *ref)
{
	struct uior_sock *sock = container_of(ref, struct uior_sock, ref);
	struct uior_region *region = sock->region;

	remove_wait_queue(&sock->sock->wq.wait, &sock->rx.wait);
	remove_wait_queue(&sock->sock->wq.wait, &sock->tx.wait);
	fput(sock->file);
	uior_sock_drop(sock);
	percpu_ref_put(&region->refs);
}

/**
 * uior_sock_get - the socket in a slot
 * @region: the region
 * @slot: untrusted
 * @proto: what it has to be, or UNIFIED_IO_PROTO_ANY
 *
 * Context: any. Return: the socket with a reference, or an ERR_PTR() of
 * -ENOTCONN or -EPROTONOSUPPORT.
 */
struct uior_sock *uior_sock_get(struct uior_region *region, u32 slot, u8 proto)
{
	struct uior_sock *sock;

	if (slot >= UNIFIED_IO_MAX_SOCKETS)
		return ERR_PTR(-ENOTCONN);
	slot = array_index_nospec(slot, UNIFIED_IO_MAX_SOCKETS);
	/* One without references has left its slot, for another socket perhaps. */
	scoped_guard(rcu)
		do {
			sock = rcu_dereference(region->socks[slot]);
		} while (sock && !kref_get_unless_zero(&sock->ref));
	if (!sock)
		return ERR_PTR(-ENOTCONN);
	if (proto != UNIFIED_IO_PROTO_ANY && proto != sock->proto) {
		uior_sock_put(sock);
		return ERR_PTR(-EPROTONOSUPPORT);
	}
	return sock;
}

/**
 * uior_sock_cancel - cancel operations that wait for a socket
 * @region: the region
 * @op: which, or NULL for all that were submitted with
 * @user_data: of the descriptor
 *
 * They end with -ECANCELED soon, not yet on return. Context: process.
 * Return: how many, or -ENOENT.
 */
int uior_sock_cancel(struct uior_region *region, const struct uior_op *op, u64 user_data)
{
	struct uior_sock *sock;
	int slot, nr = 0;

	for (slot = 0; slot < UNIFIED_IO_MAX_SOCKETS && !(op && nr); slot++) {
		sock = uior_sock_get(region, slot, UNIFIED_IO_PROTO_ANY);
		if (IS_ERR(sock))
			continue;
		nr += uior_flow_cancel(&sock->rx, op, user_data);
		nr += uior_flow_cancel(&sock->tx, op, user_data);
		uior_sock_put(sock);
	}
	/* Its flow may be parked. */
	uior_flow_unpark(region);
	return nr ?: -ENOENT;
}

/* Which of our protocols is it, and is it ready for use? */
static int uior_sock_proto(const struct sock *sk)
{
	if (sk->sk_family == AF_PACKET)
		return UNIFIED_IO_PROTO_RAW;
	if (sk->sk_family != AF_INET && sk->sk_family != AF_INET6)
		return -EPROTONOSUPPORT;
	if (sk->sk_type == SOCK_STREAM && sk->sk_protocol == IPPROTO_TCP) {
		u8 state = READ_ONCE(sk->sk_state);

		return state == TCP_ESTABLISHED || state == TCP_CLOSE_WAIT ?
		       UNIFIED_IO_PROTO_TCP : -ENOTCONN;
	}
	if (sk->sk_type == SOCK_DGRAM && sk->sk_protocol == IPPROTO_UDP)
		return READ_ONCE(inet_sk(sk)->inet_num) ? UNIFIED_IO_PROTO_UDP : -ENOTCONN;
	return -EPROTONOSUPPORT;
}

static struct uior_sock *uior_sock_new(struct uior_region *region, int fd)
{
	struct uior_sock *sock;
	struct socket *socket;
	struct file *file = fget(fd);
	int ret;

	if (!file)
		return ERR_PTR(-EBADF);
	socket = sock_from_file(file);
	ret = socket ? uior_sock_proto(socket->sk) : -ENOTSOCK;
	if (ret < 0)
		goto err_file;
	sock = kzalloc(sizeof(*sock), GFP_KERNEL_ACCOUNT);
	if (!sock) {
		ret = -ENOMEM;
		goto err_file;
	}
	kref_init(&sock->ref);
	kref_init(&sock->mem);
	percpu_ref_get(&region->refs);
	sock->region = region;
	sock->file = file;
	sock->sock = socket;
	sock->proto = ret;
	sock->segment_max = U16_MAX;
	uior_flow_init(&sock->rx, sock, EPOLLIN | EPOLLRDHUP);
	sock->rx.step = uior_recv_step;
	sock->rx.end = uior_recv_end;
	/* The carry of one is for the next. */
	sock->rx.batch = 1;
	uior_flow_init(&sock->tx, sock, EPOLLOUT);
	sock->tx.step = uior_send_step;
	sock->tx.end = uior_send_end;
	sock->tx.batch = UIOR_FLOW_BATCH;
	return sock;

err_file:
	fput(file);
	return ERR_PTR(ret);
}

/* Put @sock into a free slot, or into @slot, or empty that with NULL. */
static int uior_sock_install(struct uior_region *region, struct uior_sock *sock, u32 *slot,
			     struct uior_sock **old)
{
	u32 i = *slot;

	guard(spinlock)(&region->sock_lock);
	if (i == UNIFIED_IO_SLOT_ANY)
		for (i = 0; i < UNIFIED_IO_MAX_SOCKETS && rcu_access_pointer(region->socks[i]); i++)
			;
	if (i >= UNIFIED_IO_MAX_SOCKETS)
		return *slot == UNIFIED_IO_SLOT_ANY ? -ENOSPC : -EINVAL;
	i = array_index_nospec(i, UNIFIED_IO_MAX_SOCKETS);
	*old = rcu_replace_pointer(region->socks[i], sock,
				   lockdep_is_held(&region->sock_lock));
	region->nr_socks += !!sock - !!*old;
	*slot = i;
	return 0;
}

static void uior_sock_detach(struct uior_sock *sock)
{
	uior_flow_kill(&sock->rx);
	uior_flow_kill(&sock->tx);
	uior_sock_put(sock);
}

/**
 * uior_sock_attach - UNIFIED_IO_ATTACH_SOCKET
 * @region: the region
 * @arg: in and out
 *
 * A socket that was in the slot is detached. Context: process, may sleep.
 */
int uior_sock_attach(struct uior_region *region, struct unified_io_attach_socket *arg)
{
	struct uior_sock *sock = NULL, *old = NULL;
	int ret;

	if (arg->flags || arg->resv)
		return -EINVAL;
	if (arg->fd != -1) {
		sock = uior_sock_new(region, arg->fd);
		if (IS_ERR(sock))
			return PTR_ERR(sock);
	} else if (arg->slot == UNIFIED_IO_SLOT_ANY) {
		return -EINVAL;
	}
	ret = uior_sock_install(region, sock, &arg->slot, &old);
	if (ret) {
		if (sock)
			uior_sock_put(sock);
		return ret;
	}
	if (old)
		uior_sock_detach(old);
	return !sock && !old ? -ENOTCONN : 0;
}

/* The file is gone, nobody attaches any more. */
void uior_sock_detach_all(struct uior_region *region)
{
	struct uior_sock *old;
	u32 slot;

	for (slot = 0; slot < UNIFIED_IO_MAX_SOCKETS; slot++)
		if (!uior_sock_install(region, NULL, &slot, &old) && old)
			uior_sock_detach(old);
}
