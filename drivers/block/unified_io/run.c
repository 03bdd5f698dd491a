// SPDX-License-Identifier: GPL-2.0
/*
 * Who runs the stages that go on after an asynchronous step.
 *
 * Tasks go to the region's ready list. A context that is inside one of the
 * region's ioctls is a *runner*: it promises to drain the list, also while it
 * waits for completions, so that a chain goes on in the task that waits for it,
 * without a switch to a kernel thread. Without a runner the region's work does.
 *
 * No task is lost: uior_task_queue() adds, then looks for a runner; a runner
 * leaves, then looks at the list. Both have a full barrier between.
 */
#include <linux/cred.h>
#include <linux/hrtimer.h>
#include <linux/sched/signal.h>

#include "ring.h"

struct uior_waiter {
	wait_queue_entry_t entry;
	struct uior_region *region;
	u32 min_complete;
};

/* Any context. The task's owner keeps the region until it runs, not longer. */
void uior_task_queue(struct uior_region *region, struct uior_task *task)
{
	guard(rcu)();
	/* llist_add() is a full barrier; pairs with uior_run_begin(), _end() and prepare_to_wait(). */
	if (!llist_add(&task->node, &region->ready))
		return;
	if (!atomic_read(&region->nr_runners))
		queue_work(uior_wq, &region->work);
	else if (waitqueue_active(&region->cq_wait))
		wake_up_poll(&region->cq_wait, UIOR_WAKE_RUNNER);
}

void uior_run_begin(struct uior_region *region)
{
	atomic_inc(&region->nr_runners);
	smp_mb__after_atomic();		/* pairs with llist_add() in uior_task_queue() */
}

/* Run what is ready now; process context, no locks held. */
void uior_run_ready(struct uior_region *region)
{
	struct llist_node *list = llist_del_all(&region->ready);
	struct uior_task *task, *next;

	list = llist_reverse_order(list);
	llist_for_each_entry_safe(task, next, list, node) {
		task->run(task);
		cond_resched();
	}
}

void uior_run_end(struct uior_region *region)
{
	/* A full barrier; pairs with llist_add() in uior_task_queue(). */
	if (atomic_dec_return(&region->nr_runners) == 0 && !llist_empty(&region->ready))
		queue_work(uior_wq, &region->work);
}

void uior_run_work(struct work_struct *work)
{
	struct uior_region *region = container_of(work, struct uior_region, work);
	const struct cred *cred = override_creds(region->cred);

	uior_run_begin(region);
	while (!llist_empty(&region->ready))
		uior_run_ready(region);
	uior_run_end(region);
	revert_creds(cred);
}

/* What will never come is not waited for. */
static bool uior_run_done(struct uior_region *region, u32 min_complete)
{
	guard(spinlock_irqsave)(&region->cq_lock);
	return uior_cq_count(region) >= min_complete || uior_cq_idle(region);
}

static int uior_waiter_wake(wait_queue_entry_t *entry, unsigned int mode, int sync, void *key)
{
	struct uior_waiter *waiter = container_of(entry, struct uior_waiter, entry);
	struct uior_region *region = waiter->region;

	if (llist_empty(&region->ready) && !uior_run_done(region, waiter->min_complete))
		return 0;
	return autoremove_wake_function(entry, mode, sync, key);
}

/**
 * uior_run_wait - run what becomes ready until there are completions
 * @region: the caller is its runner
 * @min_complete: how many, unconsumed ones included
 * @timeout_ns: longest wait; 0 for no limit
 *
 * Context: process, sleeps. Return: 0, -ETIME, -EINTR or -ERESTARTNOINTR.
 */
int uior_run_wait(struct uior_region *region, u32 min_complete, u64 timeout_ns)
{
	struct uior_waiter waiter = {
		.entry.func = uior_waiter_wake,
		.entry.private = current,
		.region = region,
		.min_complete = min_complete,
	};
	ktime_t until = 0;
	int ret = 0;

	if (timeout_ns)
		until = ktime_add_safe(ktime_get(), min_t(u64, timeout_ns, KTIME_MAX));
	INIT_LIST_HEAD(&waiter.entry.entry);
	for (;;) {
		uior_run_ready(region);
		if (uior_run_done(region, min_complete))
			break;
		if (signal_pending(current)) {
			/* No signal, but io_uring's work for this task: come again, unseen. */
			ret = task_sigpending(current) || timeout_ns ? -EINTR : -ERESTARTNOINTR;
			break;
		}
		if (timeout_ns && ktime_compare(ktime_get(), until) >= 0) {
			ret = -ETIME;
			break;
		}
		prepare_to_wait(&region->cq_wait, &waiter.entry, TASK_INTERRUPTIBLE);
		if (llist_empty(&region->ready) && !uior_run_done(region, min_complete))
			schedule_hrtimeout(timeout_ns ? &until : NULL, HRTIMER_MODE_ABS);
		finish_wait(&region->cq_wait, &waiter.entry);
	}
	return ret;
}
