// SPDX-License-Identifier: GPL-2.0
/*
 * The doorbells: one function per ioctl.
 *
 * An argument is copied in once and used from the copy. One that is copied out
 * is first written back as it is: a call whose result cannot be delivered fails
 * before it has changed anything. Where the second copy fails all the same, what
 * was done is undone; ENTER alone has told in the region what it took.
 */
#include <linux/dma-buf.h>
#include <linux/miscdevice.h>
#include <linux/uaccess.h>

#include "ring.h"

/* How many descriptors are taken under the locks of the rings at a time. */
#define UIOR_SUBMIT_MAX	32U

/* Constant sizes: the copies need no look at what object they hit. */
static __always_inline int uior_arg_in(void *arg, const void __user *user, size_t size)
{
	return copy_from_user(arg, user, size) ? -EFAULT : 0;
}

static __always_inline int uior_arg_out(void __user *user, const void *arg, size_t size)
{
	return copy_to_user(user, arg, size) ? -EFAULT : 0;
}

static __always_inline int uior_arg_inout(void *arg, void __user *user, size_t size)
{
	return uior_arg_in(arg, user, size) ?: uior_arg_out(user, arg, size);
}

static int uior_do_setup(struct file *file, struct unified_io_setup __user *user)
{
	struct uior_region *region;
	struct unified_io_setup setup;
	int ret = uior_arg_inout(&setup, user, sizeof(setup));

	if (ret)
		return ret;
	if (READ_ONCE(file->private_data))
		return -EBUSY;
	region = uior_region_create(&setup);
	if (IS_ERR(region))
		return PTR_ERR(region);
	ret = uior_arg_out(user, &setup, sizeof(setup));
	/* Release: pairs with uior_file_region(). */
	if (!ret && cmpxchg_release(&file->private_data, NULL, region))
		ret = -EBUSY;
	if (ret)
		uior_region_close(region);
	return ret;
}

static int uior_do_query(struct unified_io_query __user *user)
{
	u64 known = UNIFIED_IO_FEAT_HUGE_MAP | UNIFIED_IO_FEAT_NVME_PASSTHROUGH |
		    UNIFIED_IO_FEAT_STRUCT_OPS | UNIFIED_IO_FEAT_XDP | UNIFIED_IO_FEAT_SEND_ZC |
		    UNIFIED_IO_FEAT_URING_CMD | UNIFIED_IO_FEAT_URING_BUF;
	struct unified_io_query query = {
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
	query.features &= ~UNIFIED_IO_FEAT_HUGE_MAP;
#endif
	if (!IS_ENABLED(CONFIG_IO_URING))
		query.features &= ~(UNIFIED_IO_FEAT_URING_CMD | UNIFIED_IO_FEAT_URING_BUF);
#ifndef UIOR_HAVE_URING_BVEC
	query.features &= ~UNIFIED_IO_FEAT_URING_BUF;
#endif
	query.missing = known & ~query.features;
	return uior_arg_out(user, &query, sizeof(query));
}

/*
 * Take up to @nr descriptors of the SQ, as many as the CQ has slots for. Return: how many;
 * @full: it had too few, or with nothing to take, none.
 */
static u32 uior_sq_next(struct uior_region *region, struct uior_op **ops, u32 nr, bool *full)
{
	u32 there, got, i;

	spin_lock(&region->sq_lock);
	there = min(nr, uior_sq_count(region));
	nr = max(there, 1U);
	got = uior_op_get(region, 0, ops, nr);
	*full = got < nr;
	for (i = 0; i < min(got, there); i++)
		uior_sq_take(region, &ops[i]->desc);
	uior_sq_consume(region);
	spin_unlock(&region->sq_lock);
	if (i < got)
		uior_op_put(ops[i]);
	return i;
}

/* Submit up to @nr descriptors; -EBUSY if the CQ was full before that. */
static int uior_submit_batch(struct uior_region *region, u32 nr, u32 *submitted)
{
	struct uior_op *ops[UIOR_SUBMIT_MAX];
	struct blk_plug plug;
	bool full = false;
	u32 got, i, n = 0;

	nr = min(nr, region->sq_entries);
	blk_start_plug(&plug);
	while (n < nr && !full) {
		got = uior_sq_next(region, ops, min(nr - n, UIOR_SUBMIT_MAX), &full);
		if (!got)
			break;
		for (i = 0; i < got; i++) {
			/* A bad descriptor has no stages, and completes with its errno. */
			uior_op_prepare(ops[i]);
			uior_op_start(ops[i]);
		}
		n += got;
	}
	blk_finish_plug(&plug);
	*submitted = n;
	return full ? -EBUSY : 0;
}

/**
 * uior_submit_sq - take descriptors from the SQ, and do not wait
 * @region: the region
 * @nr: at most so many
 *
 * Context: process, may sleep. Return: how many were taken, or -EBUSY if none
 * was for want of a CQ slot.
 */
int uior_submit_sq(struct uior_region *region, u32 nr)
{
	u32 submitted;
	int ret;

	uior_run_begin(region);
	uior_flow_unpark(region);
	ret = uior_submit_batch(region, nr, &submitted);
	uior_run_ready(region);
	uior_run_end(region);
	return submitted ?: ret;
}

static int uior_do_cancel(struct uior_region *region, const u64 __user *user)
{
	u64 user_data;

	return uior_arg_in(&user_data, user, sizeof(user_data)) ?:
	       uior_sock_cancel(region, NULL, user_data);
}

static int uior_do_enter(struct uior_region *region, struct unified_io_enter __user *user)
{
	struct unified_io_enter enter;
	int ret = uior_arg_inout(&enter, user, sizeof(enter));

	if (ret)
		return ret;
	if (enter.flags || enter.resv || enter.min_complete > region->cq_entries)
		return -EINVAL;
	uior_run_begin(region);
	uior_flow_unpark(region);
	ret = uior_submit_batch(region, enter.to_submit, &enter.submitted);
	uior_run_ready(region);
	/* Also with a full CQ: what is in flight will make it worth another try. */
	if (enter.min_complete)
		ret = uior_run_wait(region, enter.min_complete, enter.timeout_ns);
	uior_run_end(region);
	if (ret && !enter.submitted)
		return ret;
	enter.completed = uior_cq_ready(region);
	return uior_arg_out(user, &enter, sizeof(enter));
}

static int uior_do_submit(struct uior_region *region,
			  const struct unified_io_submit __user *user)
{
	struct unified_descriptor desc;
	struct uior_op *op;
	int ret = uior_arg_in(&desc, &user->desc, sizeof(desc));

	if (ret)
		return ret;
	op = uior_op_accept(region, &desc, 0);
	if (IS_ERR(op))
		return PTR_ERR(op);
	uior_run_begin(region);
	uior_op_start(op);
	uior_run_ready(region);
	uior_run_end(region);
	return 0;
}

/* Hand completions out; consumed is what has arrived. One call at a time. */
static int uior_complete_out(struct uior_region *region, struct unified_io_complete __user *user)
{
	struct unified_io_complete complete = {};
	u32 head, count;
	int ret;

	if (mutex_lock_interruptible(&region->complete_lock))
		return -EINTR;
	scoped_guard(spinlock_irq, &region->cq_lock) {
		count = uior_cq_count(region);
		complete.count = min(count, UNIFIED_IO_COMPLETE_MAX);
		head = uior_cq_peek(region, complete.cqe, count, complete.count);
		if (complete.count < count)
			complete.flags |= UNIFIED_IO_COMPLETE_F_MORE;
		if (uior_cq_idle(region))
			complete.flags |= UNIFIED_IO_COMPLETE_F_IDLE;
	}
	ret = uior_arg_out(user, &complete, sizeof(complete));
	if (!ret)
		uior_cq_consume(region, head);
	mutex_unlock(&region->complete_lock);
	return ret;
}

static int uior_do_complete(struct uior_region *region, struct unified_io_complete __user *user,
			    bool wait)
{
	struct unified_io_complete complete = {};
	int ret = uior_arg_out(user, &complete, sizeof(complete));

	if (ret)
		return ret;
	uior_run_begin(region);
	uior_flow_unpark(region);
	if (wait)
		ret = uior_run_wait(region, 1, 0);
	else
		uior_run_ready(region);
	uior_run_end(region);
	if (ret)
		return ret;
	ret = uior_complete_out(region, user);
	/* A receive may have waited for the slots. */
	uior_flow_unpark(region);
	return ret;
}

static int uior_do_attach_bpf(struct uior_region *region,
			      struct unified_io_attach_bpf __user *user)
{
	struct unified_io_attach_bpf arg, was;
	struct bpf_prog *prog;
	int ret = uior_arg_inout(&arg, user, sizeof(arg));

	if (ret)
		return ret;
	was = arg;
	prog = uior_xdp_get(&arg);
	if (IS_ERR(prog))
		return PTR_ERR(prog);
	/* The id first: a program that is attached can be detached. */
	if (prog)
		ret = uior_arg_out(user, &arg, sizeof(arg));
	ret = ret ?: uior_xdp_attach(region, prog, was.prog_id);
	if (!ret || !prog)
		return ret;
	bpf_prog_put(prog);
	return uior_arg_out(user, &was, sizeof(was)) ?: ret;
}

static int uior_do_attach_socket(struct uior_region *region,
				 struct unified_io_attach_socket __user *user)
{
	struct unified_io_attach_socket arg;
	int ret = uior_arg_inout(&arg, user, sizeof(arg));
	bool any;

	if (ret)
		return ret;
	any = arg.slot == UNIFIED_IO_SLOT_ANY;
	ret = uior_sock_attach(region, &arg);
	if (ret || !any)
		return ret;
	ret = uior_arg_out(user, &arg, sizeof(arg));
	if (ret) {
		arg.fd = -1;
		uior_sock_attach(region, &arg);
	}
	return ret;
}

static int uior_do_export(struct uior_region *region,
			  const struct unified_io_export __user *user)
{
	struct unified_io_export arg;
	struct dma_buf *dmabuf;
	int ret = uior_arg_in(&arg, user, sizeof(arg));

	if (ret)
		return ret;
	dmabuf = uior_dmabuf_export(region, &arg);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	ret = dma_buf_fd(dmabuf, O_CLOEXEC);
	if (ret < 0)
		dma_buf_put(dmabuf);
	return ret;
}

static int uior_do_get_info(struct uior_region *region, struct unified_io_info __user *user)
{
	struct unified_io_info info;

	uior_info(region, &info);
	return uior_arg_out(user, &info, sizeof(info));
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
static_assert(offsetof(struct unified_io_control, bypass_mode) == 452);
static_assert(sizeof(struct unified_io_info) == 408);
/* The region's offsets, and those of mmap(), are as wide as a long. */
static_assert(sizeof(long) == 8);

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
	struct uior_region *region = uior_file_region(file);
	void __user *user = (void __user *)arg;

	switch (cmd) {
	case UNIFIED_IO_ENTER:
		return region ? uior_do_enter(region, user) : -ENXIO;
	case UNIFIED_IO_SUBMIT:
		return region ? uior_do_submit(region, user) : -ENXIO;
	case UNIFIED_IO_COMPLETE:
		return region ? uior_do_complete(region, user, !(file->f_flags & O_NONBLOCK)) :
				-ENXIO;
	case UNIFIED_IO_ATTACH_BPF:
		return region ? uior_do_attach_bpf(region, user) : -ENXIO;
	case UNIFIED_IO_ATTACH_SOCKET:
		return region ? uior_do_attach_socket(region, user) : -ENXIO;
	case UNIFIED_IO_CANCEL:
		return region ? uior_do_cancel(region, user) : -ENXIO;
	case UNIFIED_IO_EXPORT:
		return region ? uior_do_export(region, user) : -ENXIO;
	case UNIFIED_IO_GET_INFO:
		return region ? uior_do_get_info(region, user) : -ENXIO;
	case UNIFIED_IO_SETUP:
		return uior_do_setup(file, user);
	case UNIFIED_IO_QUERY:
		return uior_do_query(user);
	}
	return -ENOTTY;
}
