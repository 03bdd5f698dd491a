// SPDX-License-Identifier: GPL-2.0
/*
 * The doorbells: one function per ioctl.
 *
 * An argument is copied in once and used from the copy. One that is copied out
 * is first written back as it is: a call whose result cannot be delivered fails
 * before it has changed anything.
 */
#include <linux/miscdevice.h>
#include <linux/uaccess.h>

#include "ring.h"

static int uior_do_setup(struct file *file, void *arg)
{
	struct uior_region *region;

	if (READ_ONCE(file->private_data))
		return -EBUSY;
	region = uior_region_create(arg);
	if (IS_ERR(region))
		return PTR_ERR(region);
	/* Release: pairs with smp_load_acquire() at each use. */
	if (!cmpxchg_release(&file->private_data, NULL, region))
		return 0;
	uior_region_close(region);
	return -EBUSY;
}

static int uior_do_query(struct file *file, void *arg)
{
	struct unified_io_query *query = arg;
	u64 known = UNIFIED_IO_FEAT_HUGE_MAP | UNIFIED_IO_FEAT_NVME_PASSTHROUGH |
		    UNIFIED_IO_FEAT_STRUCT_OPS | UNIFIED_IO_FEAT_XDP | UNIFIED_IO_FEAT_SEND_ZC;

	*query = (struct unified_io_query) {
		.version = UNIFIED_IO_VERSION,
		.max_entries = UNIFIED_IO_MAX_ENTRIES,
		.features = known,
		.min_region = UNIFIED_IO_MIN_REGION,
		.max_region = UNIFIED_IO_MAX_REGION,
		.max_sockets = UNIFIED_IO_MAX_SOCKETS,
		.max_progs = UNIFIED_IO_MAX_PROGS,
		.max_len = UNIFIED_IO_MAX_LEN,
		.carry_max = UNIFIED_IO_CARRY_MAX,
	};
#ifndef UIOR_HAVE_FOLIO_PMD
	query->features &= ~UNIFIED_IO_FEAT_HUGE_MAP;
#endif
	query->missing = known & ~query->features;
	return 0;
}

/* Take the next descriptor of the SQ: NULL if there is none. */
static struct uior_op *uior_sq_next(struct uior_region *region)
{
	struct uior_op *op = uior_op_get(region);
	bool taken;

	if (!op)
		return ERR_PTR(-EBUSY);
	spin_lock(&region->sq_lock);
	taken = uior_sq_take(region, &op->desc);
	spin_unlock(&region->sq_lock);
	if (taken)
		return op;
	uior_op_put(op);
	return NULL;
}

/* Submit up to @nr descriptors; -EBUSY if the CQ was full before that. */
static int uior_submit_batch(struct uior_region *region, u32 nr, u32 *submitted)
{
	struct blk_plug plug;
	struct uior_op *op = NULL;
	u32 n;

	nr = min(nr, region->sq_entries);
	blk_start_plug(&plug);
	for (n = 0; n < nr; n++) {
		op = uior_sq_next(region);
		if (IS_ERR_OR_NULL(op))
			break;
		/* A bad descriptor has no stages, and completes with its errno. */
		uior_op_prepare(op);
		uior_op_start(op);
	}
	blk_finish_plug(&plug);
	*submitted = n;
	return n < nr && IS_ERR(op) ? PTR_ERR(op) : 0;
}

static int uior_do_enter(struct uior_region *region, void *arg)
{
	struct unified_io_enter *enter = arg;
	int ret;

	if (enter->flags || enter->resv || enter->min_complete > region->cq_entries)
		return -EINVAL;
	uior_flow_unpark(region);
	ret = uior_submit_batch(region, enter->to_submit, &enter->submitted);
	uior_run_ready(region);
	/* Also with a full CQ: what is in flight will make it worth another try. */
	if (enter->min_complete)
		ret = uior_run_wait(region, enter->min_complete, enter->timeout_ns);
	enter->completed = uior_cq_count(region);
	return enter->submitted ? 0 : ret;
}

static int uior_do_submit(struct uior_region *region, void *arg)
{
	struct unified_io_submit *submit = arg;
	struct uior_op *op = uior_op_get(region);
	int ret;

	if (!op)
		return -EBUSY;
	op->desc = submit->desc;
	ret = uior_op_prepare(op);
	if (ret) {
		uior_op_put(op);
		return ret;
	}
	uior_op_start(op);
	uior_run_ready(region);
	return 0;
}

static int uior_do_complete(struct uior_region *region, void *arg, bool wait)
{
	struct unified_io_complete *complete = arg;
	int ret = 0;

	*complete = (struct unified_io_complete) {};
	uior_flow_unpark(region);
	if (wait)
		ret = uior_run_wait(region, 1, 0);
	else
		uior_run_ready(region);
	if (ret)
		return ret;
	spin_lock_irq(&region->cq_lock);
	complete->count = uior_cq_consume(region, complete->cqe, UNIFIED_IO_COMPLETE_MAX);
	if (uior_cq_count(region))
		complete->flags |= UNIFIED_IO_COMPLETE_F_MORE;
	if (!region->cq_reserved)
		complete->flags |= UNIFIED_IO_COMPLETE_F_IDLE;
	spin_unlock_irq(&region->cq_lock);
	/* A receive may have waited for the slots. */
	uior_flow_unpark(region);
	return 0;
}

static int uior_do_region(struct file *file, unsigned int nr, void *arg)
{
	struct uior_region *region = smp_load_acquire(&file->private_data);
	int ret = -ENOTTY;

	if (!region)
		return -ENXIO;
	uior_run_begin(region);
	switch (nr) {
	case _IOC_NR(UNIFIED_IO_SUBMIT):
		ret = uior_do_submit(region, arg);
		break;
	case _IOC_NR(UNIFIED_IO_ENTER):
		ret = uior_do_enter(region, arg);
		break;
	case _IOC_NR(UNIFIED_IO_COMPLETE):
		ret = uior_do_complete(region, arg, !(file->f_flags & O_NONBLOCK));
		break;
	case _IOC_NR(UNIFIED_IO_ATTACH_BPF):
		ret = uior_xdp_attach(region, arg);
		break;
	case _IOC_NR(UNIFIED_IO_ATTACH_SOCKET):
		ret = uior_sock_attach(region, arg);
		break;
	case _IOC_NR(UNIFIED_IO_GET_INFO):
		uior_info(region, arg);
		ret = 0;
		break;
	}
	uior_run_end(region);
	return ret;
}

static_assert(sizeof(struct unified_descriptor) == 64);
static_assert(sizeof(struct unified_completion) == 64);
static_assert(sizeof(struct unified_net_iov) == 16);
static_assert(sizeof(struct unified_io_control) == 512);
static_assert(offsetof(struct unified_io_control, sq_head) == 128);
static_assert(offsetof(struct unified_io_control, cq_tail) == 192);
static_assert(offsetof(struct unified_io_control, niov_head) == 256);
static_assert(offsetof(struct unified_io_control, sq_tail) == 320);
static_assert(offsetof(struct unified_io_control, cq_head) == 384);
static_assert(offsetof(struct unified_io_control, niov_tail) == 448);
/* The region's offsets, and those of mmap(), are as wide as a long. */
static_assert(sizeof(long) == 8);

/* Every argument there is. */
union uior_arg {
	struct unified_io_setup setup;
	struct unified_io_submit submit;
	struct unified_io_complete complete;
	struct unified_io_attach_bpf attach_bpf;
	struct unified_io_info info;
	struct unified_io_enter enter;
	struct unified_io_attach_socket attach_socket;
	struct unified_io_query query;
};

static const unsigned int uior_cmds[] = {
	UNIFIED_IO_SETUP, UNIFIED_IO_SUBMIT, UNIFIED_IO_COMPLETE, UNIFIED_IO_ATTACH_BPF,
	UNIFIED_IO_GET_INFO, UNIFIED_IO_ENTER, UNIFIED_IO_ATTACH_SOCKET, UNIFIED_IO_QUERY,
};

/**
 * uior_ioctl - all calls on the device
 * @file: of the device
 * @cmd: UNIFIED_IO_*
 * @arg: user address of its structure
 *
 * Context: process, may sleep.
 */
long uior_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	void __user *user = (void __user *)arg;
	unsigned int i, nr = _IOC_NR(cmd), size = _IOC_SIZE(cmd);
	union uior_arg karg = {};
	long ret;

	for (i = 0; i < ARRAY_SIZE(uior_cmds) && uior_cmds[i] != cmd; i++)
		;
	if (i == ARRAY_SIZE(uior_cmds))
		return -ENOTTY;
	if ((_IOC_DIR(cmd) & _IOC_WRITE) && copy_from_user(&karg, user, size))
		return -EFAULT;
	if ((_IOC_DIR(cmd) & _IOC_READ) && copy_to_user(user, &karg, size))
		return -EFAULT;
	if (cmd == UNIFIED_IO_SETUP)
		ret = uior_do_setup(file, &karg);
	else if (cmd == UNIFIED_IO_QUERY)
		ret = uior_do_query(file, &karg);
	else
		ret = uior_do_region(file, nr, &karg);
	if (!ret && (_IOC_DIR(cmd) & _IOC_READ) && copy_to_user(user, &karg, size))
		return -EFAULT;
	return ret;
}
