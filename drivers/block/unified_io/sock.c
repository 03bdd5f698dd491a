// SPDX-License-Identifier: GPL-2.0
/*
 * Sockets in slots, and the flows in which operations wait for them.
 *
 * Concept: a socket has two flows, receive and send. A flow steps its first
 * operation without blocking; when the socket has nothing for it, the flow
 * enters the socket's wait queue, as poll() does, and no thread waits. The
 * order of operations is the order of bytes, so a flow has one runner at a
 * time: whoever moved it to RUNNING queued its task.
 *
 * An operation in a queue holds its socket, so a flow that is not IDLE lives.
 */
#include <linux/file.h>
#include <linux/net.h>
#include <linux/nospec.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <net/inet_sock.h>
#include <net/sock.h>

#include "ring.h"

/* How many steps a flow makes before others get their turn. */
#define UIOR_FLOW_BUDGET	64

/* How many bytes it moves before whom it woke gets the processor: bench/quick --only send. */
#define UIOR_FLOW_BYTES		SZ_16K

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

/* Move the flow to RUNNING; the caller holds its lock. */
static void __uior_flow_kick(struct uior_flow *flow)
{
	flow->state = UIOR_FLOW_RUNNING;
	uior_task_queue(flow->sock->region, &flow->task);
}

/*
 * The operation that is to be taken out next, wherever it is in the queue. One that went
 * along with a send before it waits for its turn, to tell that.
 */
static struct uior_op *__uior_flow_cancelled(struct uior_flow *flow)
{
	struct uior_op *op;

	if (!flow->cancel)
		return NULL;
	list_for_each_entry(op, &flow->queue, node)
		if (op->cancel && !op->sent && !(READ_ONCE(op->state) & UIOR_OP_RESERVED))
			return op;
	flow->cancel = false;
	return NULL;
}

/* The operation to step next: none while the first has only reserved its place. */
static struct uior_op *__uior_flow_first(struct uior_flow *flow)
{
	struct uior_op *op = list_first_entry_or_null(&flow->queue, struct uior_op, node);

	return op && !(READ_ONCE(op->state) & UIOR_OP_RESERVED) ? op : NULL;
}

/*
 * The queue has changed. Only an operation that the runner alone takes out may
 * set it going: it holds the socket until then.
 */
static void __uior_flow_start(struct uior_flow *flow)
{
	if (flow->state == UIOR_FLOW_IDLE && __uior_flow_first(flow))
		__uior_flow_kick(flow);
}

/* A flow that waits for the socket has something else to do. Any context. */
void uior_flow_wake(struct uior_flow *flow)
{
	unsigned long irq;

	spin_lock_irqsave(&flow->lock, irq);
	if (flow->state == UIOR_FLOW_WAITING)
		__uior_flow_kick(flow);
	else
		flow->again = true;
	spin_unlock_irqrestore(&flow->lock, irq);
}

/* Net IOVs or CQ slots may have come. Any context. */
void uior_flow_unpark(struct uior_region *region)
{
	struct uior_flow *flow, *next;
	unsigned long irq;

	if (list_empty_careful(&region->parked))
		return;
	spin_lock_irqsave(&region->park_lock, irq);
	list_for_each_entry_safe(flow, next, &region->parked, park_node) {
		list_del_init(&flow->park_node);
		spin_lock(&flow->lock);
		__uior_flow_kick(flow);
		spin_unlock(&flow->lock);
	}
	spin_lock(&region->cq_lock);
	uior_ctrl_clear(region, UNIFIED_IO_CTRL_F_NEED_NIOV);
	spin_unlock(&region->cq_lock);
	spin_unlock_irqrestore(&region->park_lock, irq);
}

/* The step found neither Net IOV nor CQ slot, or one of them missing. */
static void uior_flow_park(struct uior_flow *flow)
{
	struct uior_region *region = flow->sock->region;
	bool slot, niov, again;

	spin_lock_irq(&region->park_lock);
	spin_lock(&flow->lock);
	again = flow->again;	/* a cancel, or the end of a stream, while it was RUNNING */
	flow->state = UIOR_FLOW_PARKED;
	list_add_tail(&flow->park_node, &region->parked);
	spin_unlock(&flow->lock);

	/* An unpark finds it, and all that is said of it; what came before is looked for. */
	spin_lock(&region->cq_lock);
	uior_ctrl_set(region, UNIFIED_IO_CTRL_F_CQ_FULL | UNIFIED_IO_CTRL_F_NEED_NIOV);
	smp_mb();	/* (G) first say it, then look */
	slot = uior_cq_room(region);
	niov = uior_niov_any(region);
	uior_ctrl_set(region, (slot ? 0 : UNIFIED_IO_CTRL_F_CQ_FULL) |
			      (niov ? 0 : UNIFIED_IO_CTRL_F_NEED_NIOV));
	spin_unlock(&region->cq_lock);
	spin_unlock_irq(&region->park_lock);
	if ((slot && niov) || again || READ_ONCE(flow->dead))
		uior_flow_unpark(region);
}

/**
 * uior_flow_reserve - take a place in the queue, to be used later
 * @flow: of a socket that the operation holds
 * @op: uior_flow_add() makes use of the place, uior_flow_leave() gives it up
 *
 * Those behind it wait. Context: process.
 */
void uior_flow_reserve(struct uior_flow *flow, struct uior_op *op)
{
	spin_lock_irq(&flow->lock);
	op->state |= UIOR_OP_RESERVED;
	list_add_tail(&op->node, &flow->queue);
	spin_unlock_irq(&flow->lock);
}

/* Give a reserved place up. Any context. */
void uior_flow_leave(struct uior_flow *flow, struct uior_op *op)
{
	unsigned long irq;

	spin_lock_irqsave(&flow->lock, irq);
	op->state &= ~UIOR_OP_RESERVED;
	list_del(&op->node);
	__uior_flow_start(flow);
	spin_unlock_irqrestore(&flow->lock, irq);
}

/**
 * uior_flow_add - let an operation wait its turn
 * @flow: of a socket that the operation holds
 * @op: its stage goes on in flow->step(); it may have a place reserved
 *
 * Context: process. Return: -EIOCBQUEUED, or -ECANCELED if the socket has been
 * detached, or who submitted is gone.
 */
int uior_flow_add(struct uior_flow *flow, struct uior_op *op)
{
	int ret = -EIOCBQUEUED;

	spin_lock_irq(&flow->lock);
	if (!(op->state & UIOR_OP_RESERVED))
		list_add_tail(&op->node, &flow->queue);
	op->state &= ~UIOR_OP_RESERVED;
	if (flow->dead || READ_ONCE(op->abandoned)) {
		list_del(&op->node);
		ret = -ECANCELED;
	}
	__uior_flow_start(flow);
	spin_unlock_irq(&flow->lock);
	return ret;
}

/**
 * uior_flow_after - which operation is stepped after this one, as things are now
 * @flow: its lock is held, by its runner
 * @op: in its queue
 *
 * Until the runner lets go of them, both stay where they are. Return: NULL if there
 * is none, it is not ready, or it is to be cancelled.
 */
struct uior_op *uior_flow_after(struct uior_flow *flow, struct uior_op *op)
{
	if (list_is_last(&op->node, &flow->queue) || flow->dead)
		return NULL;
	op = list_next_entry(op, node);
	return READ_ONCE(op->state) & UIOR_OP_RESERVED || op->cancel ? NULL : op;
}

/*
 * What to step next: one that is cancelled, or the first ones, of as many bytes as may go
 * before others get the processor. Nobody but the runner takes them out, so they stay where
 * they are; its step finds if one is cancelled now. The caller holds the lock.
 */
static void __uior_flow_pick(struct uior_flow *flow)
{
	struct uior_op *op = __uior_flow_cancelled(flow);
	u32 nr = 0, bytes = 0;

	flow->first = flow->last = op;
	if (op)
		return;
	list_for_each_entry(op, &flow->queue, node) {
		if (READ_ONCE(op->state) & UIOR_OP_RESERVED)
			return;
		if (!nr)
			flow->first = op;
		flow->last = op;
		bytes += op->send_len;
		if (++nr == flow->batch || bytes >= UIOR_FLOW_BYTES)
			return;
	}
}

/* Is there something to step? Otherwise the flow goes idle. */
static bool uior_flow_next(struct uior_flow *flow)
{
	if (flow->first)
		return true;
	spin_lock_irq(&flow->lock);
	flow->again = false;
	__uior_flow_pick(flow);
	if (!flow->first)
		flow->state = UIOR_FLOW_IDLE;
	spin_unlock_irq(&flow->lock);
	return flow->first;
}

/* Those that are done leave the queue; with nothing in the way, what comes next is seen at once. */
static void uior_flow_cut(struct uior_flow *flow, struct uior_op *first, struct uior_op *last,
			  bool pick)
{
	LIST_HEAD(done);

	spin_lock_irq(&flow->lock);
	list_bulk_move_tail(&done, &first->node, &last->node);
	if (pick && !flow->cancel)
		__uior_flow_pick(flow);
	spin_unlock_irq(&flow->lock);
	flow->end(&done);
}

/* Step what was picked, up to one that is not done. Returns what its step did, or 0. */
static int uior_flow_step(struct uior_flow *flow, int *budget)
{
	struct uior_op *first = flow->first, *last = flow->last, *op = first, *done = NULL;
	int ret;

	flow->first = NULL;
	for (;; op = list_next_entry(op, node)) {
		(*budget)--;
		ret = flow->step(flow, op);
		if (ret)
			break;
		done = op;
		if (op == last)
			break;
	}
	if (done)
		uior_flow_cut(flow, first, done, !ret);
	return ret;
}

/*
 * The socket had nothing. Returns false if that may be otherwise now. An event that finds
 * no flow waiting takes it out of the wait queue: a busy socket, whose every packet is an
 * event, has nobody to call. So first enter, then look again.
 */
static bool uior_flow_wait(struct uior_flow *flow)
{
	bool listens, wait;

	spin_lock_irq(&flow->lock);
	listens = !list_empty(&flow->wait.entry);
	wait = listens && !flow->again && !flow->dead;
	if (wait)
		flow->state = UIOR_FLOW_WAITING;
	spin_unlock_irq(&flow->lock);
	if (!listens) {
		add_wait_queue(&flow->sock->sock->wq.wait, &flow->wait);
		smp_mb();	/* pairs with skwq_has_sleeper() */
	}
	return wait;
}

/* The socket's wait queue; its lock is held. */
static int uior_flow_event(wait_queue_entry_t *wait, unsigned int mode, int sync, void *key)
{
	struct uior_flow *flow = container_of(wait, struct uior_flow, wait);
	__poll_t events = key_to_poll(key);

	if (events && !(events & flow->events))
		return 0;
	guard(spinlock_irqsave)(&flow->lock);
	if (flow->state == UIOR_FLOW_WAITING)
		__uior_flow_kick(flow);
	else
		list_del_init(&wait->entry);
	return 0;
}

/*
 * Whom it woke here runs now, as at the end of a send() or recv(), while its memory is in
 * the cache: where there is enough to read to be worth the switch. cond_resched() alone
 * lets a lazy kernel go on.
 */
static void uior_flow_resched(struct uior_flow *flow)
{
	if (flow->bytes < UIOR_FLOW_BYTES)
		return;
	flow->bytes = 0;
#ifdef TIF_NEED_RESCHED_LAZY
	if (test_thread_flag(TIF_NEED_RESCHED_LAZY))
		schedule();
#endif
	cond_resched();
}

static void uior_flow_run(struct uior_task *task)
{
	struct uior_flow *flow = container_of(task, struct uior_flow, task);
	struct uior_sock *sock = flow->sock;
	int budget = UIOR_FLOW_BUDGET, ret;

	/* The last operation may take the last reference with it. */
	kref_get(&sock->ref);
	while (uior_flow_next(flow)) {
		if (budget <= 0) {
			uior_task_queue(sock->region, task);
			break;
		}
		ret = uior_flow_step(flow, &budget);
		if (ret == -EXFULL) {
			uior_flow_park(flow);
			break;
		}
		/* At an urgent mark, TCP says so with data there if there is a signal: the work asks. */
		if (ret == -EAGAIN && signal_pending(current)) {
			uior_task_queue(sock->region, task);
			break;
		}
		if (ret == -EAGAIN && uior_flow_wait(flow))
			break;
		uior_flow_resched(flow);
	}
	uior_sock_put(sock);
}

static void uior_flow_init(struct uior_flow *flow, struct uior_sock *sock, __poll_t events)
{
	flow->task.run = uior_flow_run;
	flow->sock = sock;
	flow->events = events | EPOLLERR | EPOLLHUP;
	spin_lock_init(&flow->lock);
	INIT_LIST_HEAD(&flow->queue);
	INIT_LIST_HEAD(&flow->park_node);
	init_waitqueue_func_entry(&flow->wait, uior_flow_event);
	INIT_LIST_HEAD(&flow->wait.entry);
}

/* Cancel what waits: the flow's runner finds it dead. */
static void uior_flow_kill(struct uior_flow *flow)
{
	spin_lock_irq(&flow->lock);
	WRITE_ONCE(flow->dead, true);
	if (flow->state == UIOR_FLOW_WAITING)
		__uior_flow_kick(flow);
	spin_unlock_irq(&flow->lock);
	uior_flow_unpark(flow->sock->region);
}

/* One that has a place reserved does not wait here, but for the drive. */
static int uior_flow_cancel(struct uior_flow *flow, const struct uior_op *which, u64 user_data)
{
	struct uior_op *op;
	int nr = 0;

	guard(spinlock_irqsave)(&flow->lock);
	/* io_uring gives up its commands one by one, the youngest first. */
	list_for_each_entry_reverse(op, &flow->queue, node) {
		if (which ? op != which : op->desc.user_data != user_data)
			continue;
		if (!op->cancel && !(READ_ONCE(op->state) & UIOR_OP_RESERVED)) {
			op->cancel = true;
			nr++;
		}
		if (which)
			break;
	}
	if (!nr)
		return 0;
	flow->cancel = true;
	flow->again = true;
	if (flow->state == UIOR_FLOW_WAITING || flow->state == UIOR_FLOW_IDLE)
		__uior_flow_kick(flow);
	return nr;
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
