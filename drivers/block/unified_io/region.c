// SPDX-License-Identifier: GPL-2.0
/*
 * A region from SETUP to its end.
 *
 * Everything that an operation needs is allocated here. Destroy accepts a
 * half-built region; create's error path calls it. Two steps to the end: close
 * stops the sources of new work and drops the file's reference; free runs from
 * the workqueue when the last operation and socket are gone, and module exit
 * flushes that workqueue, so that no code of ours runs after it.
 */
#include <linux/cred.h>
#include <linux/debugfs.h>
#include <linux/eventfd.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/xarray.h>

#include "uior.h"

DEFINE_XARRAY_ALLOC1(uior_regions);

/* Regions between close and free, and who waits for the latter. */
atomic_t uior_nr_closed = ATOMIC_INIT(0);
DECLARE_WAIT_QUEUE_HEAD(uior_freed);

/* Where the data area may be mapped by PMDs on its own, it pays to align it. */
#define UIOR_ALIGN_DATA_FROM	(16UL << 20)

static int uior_setup_check(struct unified_io_setup *setup)
{
	if (setup->flags & ~(UNIFIED_IO_SETUP_EVENTFD | UNIFIED_IO_SETUP_NUMA_NODE |
			     UNIFIED_IO_SETUP_SMALL_PAGES | UNIFIED_IO_SETUP_BLOCK_LAYER))
		return -EINVAL;
	if (setup->resv)
		return -EINVAL;
	if (!setup->niov_entries)
		setup->niov_entries = setup->cq_entries;
	if (!is_power_of_2(setup->sq_entries) || setup->sq_entries > UNIFIED_IO_MAX_ENTRIES ||
	    !is_power_of_2(setup->cq_entries) || setup->cq_entries > UNIFIED_IO_MAX_ENTRIES ||
	    !is_power_of_2(setup->niov_entries) || setup->niov_entries > UNIFIED_IO_MAX_ENTRIES)
		return -EINVAL;
	if (setup->region_size < UNIFIED_IO_MIN_REGION || !PAGE_ALIGNED(setup->region_size) ||
	    setup->region_size > UNIFIED_IO_MAX_REGION)
		return -EINVAL;
	if ((setup->flags & UNIFIED_IO_SETUP_NUMA_NODE) &&
	    (setup->numa_node < 0 || setup->numa_node >= MAX_NUMNODES ||
	     !node_online(setup->numa_node)))
		return -EINVAL;
	return 0;
}

struct uior_layout {
	u64 sq, cq, niov, data;
};

/* Control | SQ, CQ | Net IOVs | Data */
static int uior_layout(const struct unified_io_setup *setup, struct uior_layout *at)
{
	u64 align = setup->region_size >= UIOR_ALIGN_DATA_FROM ? PMD_SIZE : PAGE_SIZE;

	at->sq = sizeof(struct unified_io_control);
	at->cq = at->sq + setup->sq_entries * sizeof(struct unified_descriptor);
	at->niov = at->cq + setup->cq_entries * sizeof(struct unified_completion);
	at->data = ALIGN(at->niov + setup->niov_entries * sizeof(struct unified_net_iov), align);
	return at->data < setup->region_size ? 0 : -EINVAL;
}

static void uior_region_publish(struct uior_region *region, const struct uior_layout *at)
{
	void *base = region->mem.vaddr;

	region->ctrl = base;
	region->sq = base + at->sq;
	region->cq = base + at->cq;
	region->niov = base + at->niov;
	region->data_offset = at->data;
	region->data_size = region->mem.size - at->data;
	*region->ctrl = (struct unified_io_control) {
		.magic = UNIFIED_IO_MAGIC,
		.version = UNIFIED_IO_VERSION,
		.sq_entries = region->sq_entries,
		.cq_entries = region->cq_entries,
		.niov_entries = region->niov_entries,
		.region_id = region->id,
		.sq_offset = at->sq,
		.cq_offset = at->cq,
		.niov_offset = at->niov,
		.data_offset = region->data_offset,
		.data_size = region->data_size,
		.region_size = region->mem.size,
	};
}

static int uior_region_ops(struct uior_region *region)
{
	u32 i;

	region->ops = kvcalloc(region->cq_entries, sizeof(*region->ops), UIOR_GFP);
	region->free_ops = kvcalloc(region->cq_entries, sizeof(*region->free_ops), UIOR_GFP);
	/* One per operation, and one in the hand of each flow that finds the CQ full. */
	region->spare = kvcalloc(region->cq_entries + UNIFIED_IO_MAX_SOCKETS,
				 sizeof(*region->spare), UIOR_GFP);
	region->counts = alloc_percpu_gfp(struct uior_counts, UIOR_GFP);
	if (!region->ops || !region->free_ops || !region->spare || !region->counts)
		return -ENOMEM;
	for (i = 0; i < region->cq_entries; i++) {
		uior_op_init(&region->ops[i], region);
		region->free_ops[i] = &region->ops[i];
	}
	return 0;
}

static void uior_region_destroy(struct uior_region *region)
{
	uior_dev_close(&region->dev);
	uior_xdp_exit(region);
	if (region->eventfd)
		eventfd_ctx_put(region->eventfd);
	percpu_ref_exit(&region->refs);
	put_cred(region->cred);
	put_pid(region->owner);
	free_percpu(region->counts);
	kvfree(region->spare);
	kvfree(region->free_ops);
	kvfree(region->ops);
	uior_mem_free(&region->mem);
	kvfree(region);
}

static void uior_region_free(struct work_struct *work)
{
	struct uior_region *region = container_of(work, struct uior_region, free_work);

	/* uior_task_queue() and uior_dev_defer() may be about to queue their work. */
	synchronize_rcu();
	cancel_work_sync(&region->work);
	cancel_work_sync(&region->deferred_work);
	uior_region_destroy(region);
	atomic_fetch_dec_release(&uior_nr_closed);	/* pairs with the acquire in uior_mem_charge() */
	wake_up_all(&uior_freed);
	module_put(THIS_MODULE);
}

static void uior_region_release(struct percpu_ref *ref)
{
	struct uior_region *region = container_of(ref, struct uior_region, refs);

	queue_work(uior_wq, &region->free_work);
}

static struct uior_region *uior_region_new(const struct unified_io_setup *setup)
{
	struct uior_region *region = kvzalloc(sizeof(*region), UIOR_GFP);

	if (!region)
		return NULL;
	region->sq_entries = setup->sq_entries;
	region->cq_entries = setup->cq_entries;
	region->niov_entries = setup->niov_entries;
	region->cred = get_current_cred();
	region->owner = get_pid(task_tgid(current));
	region->created = ktime_get_boottime_ns();
	spin_lock_init(&region->sq_lock);
	spin_lock_init(&region->cq_lock);
	spin_lock_init(&region->niov_lock);
	spin_lock_init(&region->sock_lock);
	spin_lock_init(&region->park_lock);
	INIT_LIST_HEAD(&region->parked);
	init_llist_head(&region->ready);
	mutex_init(&region->complete_lock);
	init_waitqueue_head(&region->cq_wait);
	INIT_WORK(&region->work, uior_run_work);
	INIT_WORK(&region->deferred_work, uior_dev_deferred);
	INIT_WORK(&region->free_work, uior_region_free);
	return region;
}

static int uior_region_uring(struct uior_region *region, const struct unified_io_setup *setup)
{
	return setup->uring_fd == -1 ? 0 : uior_uring_bind(setup->uring_fd, &region->uring);
}

static int uior_region_eventfd(struct uior_region *region, const struct unified_io_setup *setup)
{
	struct eventfd_ctx *ctx;

	if (!(setup->flags & UNIFIED_IO_SETUP_EVENTFD))
		return 0;
	ctx = eventfd_ctx_fdget(setup->event_fd);
	if (IS_ERR(ctx))
		return PTR_ERR(ctx) == -EBADF ? -EBADF : -EINVAL;
	region->eventfd = ctx;
	return 0;
}

/* What is cheap to refuse comes first, the pages last. */
static int uior_region_build(struct uior_region *region, struct unified_io_setup *setup)
{
	int node = setup->flags & UNIFIED_IO_SETUP_NUMA_NODE ? setup->numa_node : NUMA_NO_NODE;
	struct uior_layout at;
	int ret;

	ret = uior_layout(setup, &at) ?:
	      uior_dev_open(&region->dev, setup->nvme_fd,
			    setup->flags & UNIFIED_IO_SETUP_BLOCK_LAYER) ?:
	      uior_xdp_init(region, setup->net_ifindex, setup->net_rxq) ?:
	      uior_region_uring(region, setup) ?:
	      uior_region_eventfd(region, setup) ?:
	      percpu_ref_init(&region->refs, uior_region_release, 0, GFP_KERNEL) ?:
	      uior_region_ops(region) ?:
	      uior_mem_alloc(&region->mem, setup->region_size, node,
			     setup->flags & UNIFIED_IO_SETUP_SMALL_PAGES);
	if (ret)
		return ret;
	uior_dev_limit(&region->dev, &region->mem);
	/* The last thing: with the id struct_ops can find the region. */
	ret = xa_alloc(&uior_regions, &region->id, NULL, xa_limit_31b, GFP_KERNEL);
	if (ret)
		return ret;
	uior_region_publish(region, &at);
	xa_store(&uior_regions, region->id, region, GFP_KERNEL);
	return 0;
}

/**
 * uior_region_create - make the region that @setup asks for
 * @setup: in and out
 *
 * Context: process, may sleep. Return: the region or an ERR_PTR() of an errno
 * of the uapi header.
 */
struct uior_region *uior_region_create(struct unified_io_setup *setup)
{
	struct uior_region *region;
	int ret = uior_setup_check(setup);

	if (ret)
		return ERR_PTR(ret);
	region = uior_region_new(setup);
	if (!region)
		return ERR_PTR(-ENOMEM);
	ret = uior_region_build(region, setup);
	if (ret) {
		uior_region_destroy(region);
		return ERR_PTR(ret);
	}
	__module_get(THIS_MODULE);
	uior_debugfs_add(region);
	setup->region_id = region->id;
	setup->data_offset = region->data_offset;
	setup->data_size = region->data_size;
	return region;
}

/* The region of this id, with a reference, or NULL once its file is gone. Process context. */
struct uior_region *uior_region_get(u32 id)
{
	struct uior_region *region;

	xa_lock(&uior_regions);
	region = xa_load(&uior_regions, id);
	/* It is taken out before the reference of its file is dropped. */
	if (region)
		percpu_ref_get(&region->refs);
	xa_unlock(&uior_regions);
	return region;
}

/* The file is gone: nothing new begins, what waits is cancelled. */
void uior_region_close(struct uior_region *region)
{
	atomic_inc(&uior_nr_closed);
	debugfs_remove_recursive(region->debugfs);
	/* No arrival may find its program gone. */
	uior_sock_detach_all(region);
	uior_bpf_detach(region);
	percpu_ref_kill(&region->refs);
}
