// SPDX-License-Identifier: GPL-2.0
/*
 * IORING_OP_URING_CMD on the device: the same chains by io_uring's doorbell,
 * with a CQE of the ring where SUBMIT has a completion in the CQ. An operation
 * still takes a CQ slot while it runs, which bounds how many there are.
 *
 * Who ends a command. The chain's end and io_uring's cancellation (the ring or
 * its task goes away) race for op->uring: who takes it out completes the command.
 * An operation that lost its command goes on and ends in silence. While it has
 * one it is not put but by the command's task work, which like the cancellation
 * runs under the ring's lock, so that either finds it alive.
 */
#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/io_uring/cmd.h>

#include "uior.h"

/* What io_uring keeps with the command. */
struct uior_uring {
	struct uior_op *op;
	struct unified_completion __user *completion;
};

static struct uior_uring *uior_uring_pdu(struct io_uring_cmd *cmd)
{
	return io_uring_cmd_to_pdu(cmd, struct uior_uring);
}

static void uior_uring_done(struct io_uring_cmd *cmd, const struct unified_completion *cqe,
			    int res, unsigned int issue_flags)
{
	u64 more = cqe ? (u64)cqe->copied << 32 | cqe->flags : 0;

#ifdef UIOR_HAVE_URING_DONE32
	if (cmd_to_io_kiocb(cmd)->ctx->flags & (IORING_SETUP_CQE32 | IORING_SETUP_CQE_MIXED))
		io_uring_cmd_done32(cmd, res, more, issue_flags);
	else
		io_uring_cmd_done(cmd, res, issue_flags);
#else
	io_uring_cmd_done(cmd, res, more, issue_flags);
#endif
}

/* The chain has ended; its task, or a worker of io_uring if that is gone. */
static void uior_uring_post(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	struct uior_uring *uring = uior_uring_pdu(cmd);
	struct unified_completion cqe = uring->op->cqe;
	int res = cqe.res;

	uior_op_put(uring->op);
	if (uring->completion && io_uring_cmd_get_task(cmd) == current && current->mm &&
	    copy_to_user(uring->completion, &cqe, sizeof(cqe)))
		res = -EFAULT;
	uior_uring_done(cmd, &cqe, res, issue_flags);
}

#ifdef UIOR_HAVE_URING_TW_REQ
static void uior_uring_work(struct io_tw_req tw_req, io_tw_token_t tw)
{
	uior_uring_post(io_uring_cmd_from_tw(tw_req), IO_URING_CMD_TASK_WORK_ISSUE_FLAGS);
}
#else
#define uior_uring_work	uior_uring_post
#endif

/**
 * uior_uring_finish - the chain of an operation that came by io_uring has ended
 * @op: all but put
 *
 * Context: any.
 */
void uior_uring_finish(struct uior_op *op)
{
	struct io_uring_cmd *cmd = xchg(&op->uring, NULL);

	if (cmd)
		io_uring_cmd_complete_in_task(cmd, uior_uring_work);
	else
		uior_op_put(op);
}

/* The ring or the task goes away: what can be stopped is, and nothing waited for. */
static void uior_uring_abandon(struct uior_region *region, struct io_uring_cmd *cmd,
			       unsigned int issue_flags)
{
	struct uior_op *op = uior_uring_pdu(cmd)->op;

	/* It may be on its way into a flow. */
	WRITE_ONCE(op->abandoned, true);
	uior_sock_cancel(region, op, 0);
	if (cmpxchg(&op->uring, cmd, NULL) == cmd)
		uior_uring_done(cmd, NULL, -ECANCELED, issue_flags);
}

/* UNIFIED_IO_URING_OP: one chain. */
static int uior_uring_op(struct uior_region *region, struct io_uring_cmd *cmd,
			 const struct unified_io_uring_cmd *arg, unsigned int issue_flags)
{
	struct uior_uring *uring = uior_uring_pdu(cmd);
	struct unified_completion empty = {};
	struct unified_descriptor desc;
	struct uior_op *op;

	if (copy_from_user(&desc, u64_to_user_ptr(arg->arg), sizeof(desc)))
		return -EFAULT;
	uring->completion = u64_to_user_ptr(arg->completion);
	if (uring->completion && copy_to_user(uring->completion, &empty, sizeof(empty)))
		return -EFAULT;
	/* A stream of completions is what the CQ is for. */
	if (desc.flags & UNIFIED_IO_DESC_F_MULTISHOT)
		return -EINVAL;
	op = uior_op_accept(region, &desc, UIOR_OP_URING);
	if (IS_ERR(op))
		return PTR_ERR(op);
	op->uring = cmd;
	uring->op = op;
	io_uring_cmd_mark_cancelable(cmd, issue_flags);
	uior_op_start(op);
	return -EIOCBQUEUED;
}

#ifdef UIOR_HAVE_URING_BVEC
static void uior_uring_buf_release(void *priv)
{
	struct uior_region *region = priv;

	percpu_ref_put(&region->refs);
}

/* UNIFIED_IO_URING_REG_BUF: the data area in the ring's table of fixed buffers. */
static int uior_uring_reg_buf(struct uior_region *region, struct io_uring_cmd *cmd, u32 index,
			      unsigned int issue_flags)
{
	const struct uior_mem *mem = &region->mem;
	size_t skip, max = MAX_RW_COUNT;
	unsigned int first = uior_mem_bvec(mem, region->data_offset, &skip);
	unsigned int nr = mem->nr_bvecs - first;
	struct bio_vec *bvecs;
	int ret;

	if (region->data_size > max)
		return -EMSGSIZE;
	bvecs = kvmalloc_array(nr, sizeof(*bvecs), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!bvecs)
		return -ENOMEM;
	memcpy(bvecs, mem->bvecs + first, nr * sizeof(*bvecs));
	bvecs[0].bv_offset += skip;
	bvecs[0].bv_len -= skip;
	percpu_ref_get(&region->refs);
	/* It copies the table. */
	ret = io_buffer_register_bvec(cmd, bvecs, nr, uior_uring_buf_release, region,
				      BIT(ITER_SOURCE) | BIT(ITER_DEST), index, issue_flags);
	if (ret)
		percpu_ref_put(&region->refs);
	kvfree(bvecs);
	return ret;
}

static int uior_uring_unreg_buf(struct io_uring_cmd *cmd, u32 index, unsigned int issue_flags)
{
	return io_buffer_unregister(cmd, index, issue_flags);
}
#else
static int uior_uring_reg_buf(struct uior_region *region, struct io_uring_cmd *cmd, u32 index,
			      unsigned int issue_flags)
{
	return -EOPNOTSUPP;
}

static int uior_uring_unreg_buf(struct io_uring_cmd *cmd, u32 index, unsigned int issue_flags)
{
	return -EOPNOTSUPP;
}
#endif

/**
 * uior_uring_cmd - a command of io_uring on the device
 * @cmd: cmd_op is one of UNIFIED_IO_URING_*
 * @issue_flags: IO_URING_F_*
 *
 * Context: process, may sleep as the ioctls do. Return: the CQE's result, or
 * -EIOCBQUEUED.
 */
int uior_uring_cmd(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	struct uior_region *region = uior_file_region(cmd->file);
	const u64 *words = (const u64 *)cmd->sqe->cmd;
	struct unified_io_uring_cmd arg;
	bool plain;

	if (issue_flags & IO_URING_F_CANCEL) {
		uior_uring_abandon(region, cmd, issue_flags);
		return 0;
	}
	if (!region)
		return -ENXIO;
	if (region->uring && region->uring != cmd_to_io_kiocb(cmd)->ctx)
		return -EXDEV;
	/* The SQE is in memory that the process writes. */
	arg.arg = READ_ONCE(words[0]);
	arg.completion = READ_ONCE(words[1]);
	plain = arg.arg <= U32_MAX && !arg.completion;
	switch (cmd->cmd_op) {
	case UNIFIED_IO_URING_OP:
		return uior_uring_op(region, cmd, &arg, issue_flags);
	case UNIFIED_IO_URING_ENTER:
		return plain ? uior_submit_sq(region, arg.arg) : -EINVAL;
	case UNIFIED_IO_URING_CANCEL:
		return arg.completion ? -EINVAL : uior_sock_cancel(region, NULL, arg.arg);
	case UNIFIED_IO_URING_REG_BUF:
		return plain ? uior_uring_reg_buf(region, cmd, arg.arg, issue_flags) : -EINVAL;
	case UNIFIED_IO_URING_UNREG_BUF:
		return plain ? uior_uring_unreg_buf(cmd, arg.arg, issue_flags) : -EINVAL;
	}
	return -ENOTTY;
}

#ifdef UIOR_HAVE_URING_LOOP
__bpf_kfunc_start_defs();

/**
 * bpf_uior_submit - take descriptors from a region's SQ, in a loop of io_uring
 * @loop: the ring whose loop_step this is; a program of type io_uring_bpf_ops has one
 * @region_id: setup.region_id, of a region of this process; one that setup.uring_fd
 *	binds to another ring refuses
 * @nr: at most so many descriptors; 0 only wakes receives that wait for Net IOVs or
 *	CQ slots, as UNIFIED_IO_ENTER does
 *
 * As UNIFIED_IO_URING_ENTER: the completions come into the region's CQ, which the
 * process has registered as memory of the ring. A multishot IORING_OP_POLL_ADD on the
 * device makes CQEs of them, for which the loop can wait.
 *
 * Context: in the process's io_uring_enter(), with the ring locked; may sleep.
 * Return: how many were taken; -ENOENT without such a region, -EPERM if it is another
 * process's, -EXDEV, or -EBUSY if none was taken for want of a CQ slot.
 */
__bpf_kfunc int bpf_uior_submit(struct iou_ctx *loop, u32 region_id, u32 nr)
{
	struct uior_region *region = uior_region_get(region_id);
	struct bpf_run_ctx *program;
	int ret;

	if (!region)
		return -ENOENT;
	if (region->owner != task_tgid(current)) {
		ret = -EPERM;
	} else if (region->uring && region->uring != (void *)loop) {
		/* io_uring makes the one pointer of the other by a cast. */
		ret = -EXDEV;
	} else {
		/* The chains are the process's, and no helper calls of the program. */
		program = bpf_set_run_ctx(NULL);
		ret = uior_submit_sq(region, nr);
		bpf_reset_run_ctx(program);
	}
	percpu_ref_put(&region->refs);
	return ret;
}

__bpf_kfunc_end_defs();
#endif

/**
 * uior_uring_bind - the ring that setup.uring_fd stands for
 * @fd: of a ring
 * @uring: out: what tells it from others; it is not followed, and not held: the
 *	ring may hold the region's file, and neither would ever be closed
 *
 * Context: process. Return: 0, -EBADF, or -EINVAL for another file.
 */
int uior_uring_bind(int fd, const void **uring)
{
	CLASS(fd, f)(fd);

	if (fd_empty(f))
		return -EBADF;
	if (strcmp(fd_file(f)->f_path.dentry->d_name.name, "[io_uring]"))
		return -EINVAL;
	*uring = fd_file(f)->private_data;
	return 0;
}
