// SPDX-License-Identifier: GPL-2.0
/*
 * The flows in which operations wait for a socket.
 *
 * Concept: a socket has two flows, receive and send. A flow steps its first
 * operations without blocking; when the socket has nothing for them, the flow
 * enters the socket's wait queue, as poll() does, and no thread waits. The
 * order of operations is the order of bytes, so a flow has one runner at a
 * time: whoever moved it to RUNNING queued its task.
 *
 * An operation in a queue holds its socket, so a flow that is not IDLE lives.
 */
#include <linux/net.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <net/sock.h>

#include "ring.h"

/* How many steps a flow makes before others get their turn. */
#define UIOR_FLOW_BUDGET	64

/* How many bytes it moves before whom it woke gets the processor: bench/quick --only send. */
#define UIOR_FLOW_BYTES		SZ_16K

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

/* One direction of a socket; the caller adds what it does. */
void uior_flow_init(struct uior_flow *flow, struct uior_sock *sock, __poll_t events)
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

/* Cancel what waits: the flow's runner finds it dead. Process context. */
void uior_flow_kill(struct uior_flow *flow)
{
	spin_lock_irq(&flow->lock);
	WRITE_ONCE(flow->dead, true);
	if (flow->state == UIOR_FLOW_WAITING)
		__uior_flow_kick(flow);
	spin_unlock_irq(&flow->lock);
	uior_flow_unpark(flow->sock->region);
}

/**
 * uior_flow_cancel - cancel operations that wait in a flow
 * @flow: the caller holds its socket
 * @which: the one, or NULL for all that were submitted with
 * @user_data: of the descriptor
 *
 * One that has a place reserved does not wait here, but for the drive.
 * Context: any. Return: how many.
 */
int uior_flow_cancel(struct uior_flow *flow, const struct uior_op *which, u64 user_data)
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
