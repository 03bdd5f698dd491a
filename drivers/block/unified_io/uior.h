/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Unified I/O Region: what its files share.
 *
 * The way of an operation, one direction:
 *
 *	ioctl.c	 a descriptor arrives: from the SQ (ring.h) or by value
 *	uring.c	 or by io_uring
 *	op.c	 copied once, validated on the copy, planned as a set of stages
 *	flow.c	 receives and sends wait their turn in a flow of their socket
 *	recv.c	 RECV: socket to region	  send.c  SEND: region to socket
 *	dev.c	 READ, WRITE, FLUSH	  nvme.c passthrough, blk.c bio
 *	bpf.c	 BPF: struct_ops	  xdp.c	  XDP programs
 *	kfuncs.c what programs of struct_ops call
 *	buffer.c where the bytes of an operation are: in one piece, or as a table names
 *	gather.c what a program keeps, and all that is in pieces, for WRITE and SEND
 *	op.c	 the only exit: the completion is posted, waiters wake
 *
 * A stage never calls another stage, never touches a ring, never completes. It
 * returns a result, or -EIOCBQUEUED and later calls uior_op_resume().
 *
 * Contexts. Stages run in process context, by whoever drains the region's
 * ready list: a task inside ENTER, SUBMIT or COMPLETE, otherwise the region's
 * work. uior_op_resume(), uior_flow_wake() and all below them run in any
 * context. No lock is held across a stage.
 *
 * Locks, outer first: park_lock or a socket's wait queue's, flow->lock, then one of
 * cq_lock, niov_lock, or cq_wait's, all with interrupts off. sock_lock stands alone, sq_lock
 * and complete_lock are outside of cq_lock; all three are taken in process context only.
 *
 * Lifetime. region->refs counts operations and sockets; the open file holds
 * the initial reference. The last one frees the region from the workqueue.
 */
#ifndef _UIOR_H
#define _UIOR_H

#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/bpf.h>
#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/llist.h>
#include <linux/mm.h>
#include <linux/percpu-refcount.h>
#include <linux/poll.h>
#include <linux/skbuff.h>
#include <linux/socket.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/unified_io_region.h>

#include "uior_bpf.h"

struct uior_region;
struct uior_op;

/* SETUP allocates a lot: charged, and without the OOM killer, also in a memory cgroup. */
#define UIOR_GFP	(GFP_KERNEL_ACCOUNT | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)

/* Something to do in process context; queued at most once at a time. */
struct uior_task {
	struct llist_node node;
	void (*run)(struct uior_task *task);
};

/**
 * struct uior_mem - the pages of a region
 * @bvecs: the pages, as few as possible: 2 MiB folios, then 4 KiB pages.
 *	Immutable; bios and socket messages point straight into it.
 * @nr_huge: how many of @bvecs are 2 MiB folios
 * @nr_bvecs: all of them
 * @vaddr: one kernel mapping of all
 * @size: bytes
 * @user: whose RLIMIT_MEMLOCK is charged, or NULL
 */
struct uior_mem {
	struct bio_vec *bvecs;
	unsigned int nr_huge;
	unsigned int nr_bvecs;
	void *vaddr;
	size_t size;
	struct user_struct *user;
};

/**
 * struct uior_dev - the drive of a region; constant after SETUP
 * @file: keeps the device open; its mode decides what is allowed
 * @bdev: the device
 * @kind: UNIFIED_IO_DEV_*
 * @nsid: namespace id; 1 for a device that is not NVMe
 * @lba_shift: log2 of the logical block size
 * @max_bytes: longest single command
 * @max_vecs: most vectors of a command that gathers
 * @range_mask: bits that the inner borders of ranges may not have
 * @range_min: shortest range that is gathered, bytes
 * @gathers: it can take data in several ranges
 */
struct uior_dev {
	struct file *file;
	struct block_device *bdev;
	u32 kind;
	u32 nsid;
	u32 lba_shift;
	u32 max_bytes;
	u32 max_vecs;
	u32 range_mask;
	u32 range_min;
	bool gathers;
};

/*
 * A flow is one direction of a socket: a queue of operations of which the
 * first is stepped until it is done, without ever blocking. Those that are done
 * one after the other leave the queue, and go on, together.
 */
enum uior_flow_state {
	UIOR_FLOW_IDLE,		/* queue empty */
	UIOR_FLOW_RUNNING,	/* its task is queued or runs */
	UIOR_FLOW_WAITING,	/* for the socket's wait queue */
	UIOR_FLOW_PARKED,	/* for Net IOVs or CQ slots */
};

struct uior_flow {
	struct uior_task task;
	struct uior_sock *sock;
	/* Returns 0 when the operation is done, 1 to go on with it, -EAGAIN to wait for
	 * the socket, -EXFULL to wait for Net IOVs or CQ slots.
	 */
	int (*step)(struct uior_flow *flow, struct uior_op *op);
	/* Goes on with those that are done: a list by uior_op.node, of at most @batch. */
	void (*end)(struct list_head *done);
	u32 batch;			/* how many are stepped in one go */
	__poll_t events;		/* that wake it */
	struct uior_op *first;		/* of those to be stepped next, or NULL; its runner's */
	struct uior_op *last;		/* of them */
	u32 bytes;			/* moved since others could run; its runner's */
	spinlock_t lock;		/* guards the fields below */
	struct list_head queue;		/* of uior_op.node */
	enum uior_flow_state state;
	bool again;			/* to be stepped once more before it waits */
	bool dead;			/* detached: operations are cancelled */
	bool cancel;			/* one of the queue may be cancelled */
	wait_queue_entry_t wait;	/* in the socket's wait queue, or in none */
	struct list_head park_node;	/* in region->parked; park_lock */
};

/**
 * struct uior_sock - a socket in a slot
 * @ref: slot table, operations
 * @mem: those, and sends whose last skb will tell how it went
 * @rcu: uior_sock_get() may be looking
 * @region: pinned through region->refs
 * @file: keeps the socket open
 * @sock: the socket
 * @proto: UNIFIED_IO_PROTO_*
 * @rx: receives
 * @tx: sends
 * @zc_hold: after a send that was copied late: how many will copy at once. A hint: unlocked.
 * @segment_max: datagrams up to this length may go as one message. tx only.
 * @rx_error: found after a part had been received; delivered next. rx only.
 * @carry_len: bytes in @carry. rx only.
 * @carry: what the program wants to see again with the next receive
 */
struct uior_sock {
	struct kref ref;
	struct kref mem;
	struct rcu_head rcu;
	struct uior_region *region;
	struct file *file;
	struct socket *sock;
	u8 proto;
	struct uior_flow rx;
	struct uior_flow tx;
	u32 zc_hold;
	u32 segment_max;
	int rx_error;
	u32 carry_len;
	u8 carry[UNIFIED_IO_CARRY_MAX];
};

/* Bytes of an operation's buffer. */
struct uior_range {
	u32 off;
	u32 len;
};

/* Where a piece of the buffer begins: @start bytes into it, @off bytes behind desc.addr. */
struct uior_extent {
	u32 start;
	u32 off;
};

#define UIOR_MAX_RANGES		UNIFIED_IO_RANGES_MAX
/* So that any datagram fits: each border of pages in 64 KiB takes one more. */
#define UIOR_MAX_VECS		(UIOR_MAX_RANGES + SZ_64K / PAGE_SIZE + 2)

/* How many operations leave a flow together at most. */
#define UIOR_FLOW_BATCH		16

/* uior_op.state */
#define UIOR_OP_EOF		BIT(0)	/* the peer closed while receiving */
#define UIOR_OP_CARRIED		BIT(1)	/* the carry has been put in front */
#define UIOR_OP_REPLY		BIT(2)	/* verdict reply */
#define UIOR_OP_WHOLE	BIT(3)	/* a program follows: it gets the data in one piece */
#define UIOR_OP_SEND_SET	BIT(4)	/* the program set the send range */
#define UIOR_OP_TARGET_SET	BIT(5)	/* the program set the target slot */
#define UIOR_OP_CONTINUED	BIT(6)	/* the stage goes on where it was */
#define UIOR_OP_RESERVED	BIT(7)	/* holds a place in @tx's flow, to send later; flow->lock */
#define UIOR_OP_URING		BIT(8)	/* came by io_uring: no completion in the CQ */
#define UIOR_OP_SILENT		BIT(9)	/* ends without a completion */

/**
 * struct uior_op - one chain in flight
 *
 * Owned by one context at a time: the submitter, then whoever runs the stage
 * or its completion. Only @children, @stream_error and @zc_* are touched from
 * elsewhere.
 *
 * @extents: the pieces of the buffer, where it is not in one; see buffer.c
 * @ranges: the data, where they are in several ranges of the buffer; see gather.c
 * @vecs: of the command or message at hand, where the data are in several ranges
 * @addr: where a datagram came from, or goes to; @addr_len bytes of it
 * @bio: READ, WRITE, FLUSH: the command in flight
 * @ubuf: SEND: counts the skbs that point to our pages
 * @task: resumes the chain in process context
 * @region: whose CQ slot it holds
 * @node: in a flow's queue
 * @desc: the trusted copy
 * @ctx: the buffer as the BPF program sees it: the data are ctx.len bytes from
 *	ctx.off of a buffer of ctx.cap bytes at desc.addr
 * @todo: mask of stages to come; this and all that follows begins as zero
 * @state: UIOR_OP_*
 * @cqe: the completion as it grows
 * @rx: source socket
 * @tx: target socket
 * @target: slot that the program set
 * @result: of the stage at hand, until it is over
 * @got: bytes received so far
 * @addr_len: of @addr
 * @parent: the multishot receive that this is an arrival of
 * @child: multishot: the arrival that is being received
 * @children: multishot: arrivals in flight, and one for itself
 * @stream_error: multishot: first error of an arrival
 * @next_lba: multishot: where the next arrival is written
 * @io_len: READ, WRITE: bytes in all
 * @io_done: READ, WRITE: bytes done
 * @io_now: READ, WRITE: bytes of the command in flight
 * @nr_extents: of @extents: none, or two or more
 * @nr_ranges: of @ranges; with none or one the data are one range
 * @nr_vecs: of @vecs
 * @send_off: SEND: from the start of the buffer
 * @send_len: SEND: bytes in all
 * @sent: SEND: bytes queued on the socket
 * @send_copied: SEND: bytes that were copied at once
 * @send_begun: SEND: @zc_sock is decided
 * @zc_sock: SEND: zero copy; learns how it went; its memory is kept
 * @zc_attached: SEND: the stack took references
 * @zc_late: SEND: the stack had to copy after all
 * @cancel: taken out of the queue that it waits in; flow->lock
 * @abandoned: io_uring has given its command up: it waits for no socket any more
 * @uring: io_uring's command, which its end completes; see uring.c
 */
struct uior_op {
	struct uior_extent extents[UIOR_MAX_RANGES];
	struct uior_range ranges[UIOR_MAX_RANGES];
	struct bio_vec vecs[UIOR_MAX_VECS];

	struct sockaddr_storage addr;
	struct bio bio;
	struct ubuf_info ubuf;

	struct uior_task task;
	struct uior_region *region;
	struct list_head node;
	struct unified_descriptor desc;
	struct unified_io_bpf_ctx ctx;

	u32 todo;
	u32 state;
	struct unified_completion cqe;

	struct uior_sock *rx;
	struct uior_sock *tx;
	u32 target;
	int result;
	u32 got;
	int addr_len;

	struct uior_op *parent;
	struct uior_op *child;
	atomic_t children;
	int stream_error;
	u64 next_lba;

	u32 io_len;
	u32 io_done;
	u32 io_now;
	u32 nr_extents;
	u32 nr_ranges;
	u32 nr_vecs;

	u32 send_off;
	u32 send_len;
	u32 sent;
	u32 send_copied;
	bool send_begun;
	struct uior_sock *zc_sock;
	bool zc_attached;
	bool zc_late;

	bool cancel;
	bool abandoned;
	struct io_uring_cmd *uring;
};

/*
 * An event on cq_wait for those that wait in the kernel alone: no poll() asks
 * for it, so a process that polls sleeps on while chains go by.
 */
#define UIOR_WAKE_RUNNER	EPOLLMSG

/* What one CPU has done; see struct unified_io_info. */
struct uior_counts {
	struct unified_io_stage_stat stage[UNIFIED_IO_STAGE_NR];
	u64 submitted;
	u64 completed;
	u64 dropped;
	u64 replied;
	u64 resubmitted;
	u64 moved;
	u64 carried;
};

/* Any context. */
#define uior_count(region, what, n)	this_cpu_add((region)->counts->what, n)

/**
 * struct uior_region - all of one open file
 * @id: index in uior_regions, until the file is closed
 * @refs: see above
 * @cred: of who called SETUP; the region's work runs with them
 * @owner: the process that called SETUP, which may be gone
 * @created: when, ns of CLOCK_BOOTTIME; tells it from an earlier region of the same id
 * @mem: the pages
 * @ctrl: head of the region. Written by the process: never trusted.
 * @data_offset: of the data area in @mem
 * @data_size: of the data area
 * @dev: the drive
 * @sq_lock: guards @sq_head
 * @sq: the SQ in @mem
 * @sq_entries: a power of two
 * @sq_head: next descriptor to take
 * @cq_lock: guards @cq_tail, @cq_reserved, @cq_silent, @free_ops, @ctrl_flags
 * @cq: the CQ in @mem
 * @cq_entries: a power of two
 * @cq_tail: next completion to post
 * @cq_reserved: slots promised to operations in flight
 * @cq_silent: of them, those of io_uring's commands: no completion will fill them
 * @ops: as many as the CQ has slots
 * @free_ops: a stack: from @cq_reserved on, those not in flight
 * @ctrl_flags: UNIFIED_IO_CTRL_F_*; copied to @ctrl
 * @complete_lock: one COMPLETE at a time
 * @cq_wait: woken by completions, and by tasks when there is a runner
 * @eventfd: signalled per completion, or NULL
 * @niov_lock: guards @niov_head, @spare, @nr_spare
 * @niov: the Net IOV ring in @mem
 * @niov_entries: a power of two
 * @niov_head: next Net IOV to take
 * @spare: Net IOVs that the kernel holds
 * @nr_spare: how many
 * @sock_lock: of who writes @socks, @nr_socks
 * @socks: by slot; RCU
 * @nr_socks: how many
 * @park_lock: guards @parked
 * @parked: flows that wait for Net IOVs or CQ slots
 * @ready: tasks to run
 * @nr_runners: contexts that will drain @ready before they leave
 * @work: drains @ready where there is no runner
 * @deferred: operations that found no tag of the drive, by task.node
 * @nr_deferred: how many, until each has its tag
 * @deferred_work: sleeps for the tags
 * @free_work: the end
 * @bpf_ops: attached struct_ops, by their order; RCU, written under uior_bpf_lock
 * @bpf_places: mask of those of @bpf_ops that were ever in use: without a program
 *	there now, chains fail, not pass; written under uior_bpf_lock
 * @bpf_had: a program of either kind was attached once: so without any
 * @progs: attached XDP programs; RCU, written under uior_bpf_lock
 * @last_prog: index of the one attached last
 * @xdp_dev: stands for net_ifindex towards XDP programs
 * @xdp_rxq: ditto, for net_rxq
 * @counts: uior_count()
 * @uring: the one ring that may send commands, or NULL for any; see uior_uring_bind()
 * @debugfs: directory
 */
struct uior_region {
	u32 id;
	struct percpu_ref refs;
	const struct cred *cred;
	struct pid *owner;
	u64 created;
	struct uior_mem mem;
	struct unified_io_control *ctrl;
	u64 data_offset;
	u64 data_size;
	struct uior_dev dev;

	spinlock_t sq_lock ____cacheline_aligned_in_smp;
	struct unified_descriptor *sq;
	u32 sq_entries;
	u32 sq_head;

	spinlock_t cq_lock ____cacheline_aligned_in_smp;
	struct unified_completion *cq;
	u32 cq_entries;
	u32 cq_tail;
	u32 cq_reserved;
	u32 cq_silent;
	struct uior_op *ops;
	struct uior_op **free_ops;
	u32 ctrl_flags;
	struct mutex complete_lock;
	wait_queue_head_t cq_wait;
	struct eventfd_ctx *eventfd;

	spinlock_t niov_lock ____cacheline_aligned_in_smp;
	struct unified_net_iov *niov;
	u32 niov_entries;
	u32 niov_head;
	struct unified_net_iov *spare;
	u32 nr_spare;

	spinlock_t sock_lock;
	struct uior_sock __rcu *socks[UNIFIED_IO_MAX_SOCKETS];
	u32 nr_socks;

	spinlock_t park_lock;
	struct list_head parked;

	struct llist_head ready ____cacheline_aligned_in_smp;
	atomic_t nr_runners;
	struct work_struct work;
	struct llist_head deferred;
	atomic_t nr_deferred;
	struct work_struct deferred_work;
	struct work_struct free_work;

	struct unified_io_bpf_ops __rcu *bpf_ops[UNIFIED_IO_MAX_OPS];
	u32 bpf_places;
	bool bpf_had;
	struct bpf_prog __rcu *progs[UNIFIED_IO_MAX_PROGS];
	u32 last_prog;
	struct net_device *xdp_dev;
	struct xdp_rxq_info *xdp_rxq;

	struct uior_counts __percpu *counts;
	const void *uring;
	struct dentry *debugfs;
};

extern struct xarray uior_regions;	/* lookups under uior_bpf_lock or by uior_region_get() */
extern atomic_t uior_nr_closed;
extern wait_queue_head_t uior_freed;
extern struct workqueue_struct *uior_wq;

/* mem.c */
int uior_mem_alloc(struct uior_mem *mem, size_t size, int node, bool small);
void uior_mem_free(struct uior_mem *mem);
unsigned int uior_mem_bvec(const struct uior_mem *mem, size_t off, size_t *in_bvec);
void uior_mem_iter(const struct uior_mem *mem, struct iov_iter *iter,
		   unsigned int direction, size_t off, size_t len);
void uior_mem_pages(const struct uior_mem *mem, size_t off, unsigned int nr,
		    struct page **pages);
int uior_mem_map(struct uior_region *region, struct vm_area_struct *vma);

/* dmabuf.c */
struct dma_buf *uior_dmabuf_export(struct uior_region *region,
				   const struct unified_io_export *arg);

/* The region that SETUP gave the file, or NULL. */
static inline struct uior_region *uior_file_region(const struct file *file)
{
	/* Acquire: pairs with cmpxchg_release() in uior_do_setup(). */
	return smp_load_acquire(&file->private_data);
}

/* region.c */
struct uior_region *uior_region_create(struct unified_io_setup *setup);
struct uior_region *uior_region_get(u32 id);
void uior_region_close(struct uior_region *region);

/* ioctl.c */
long uior_ioctl(struct file *file, unsigned int cmd, unsigned long arg);
int uior_submit_sq(struct uior_region *region, u32 nr);

/* uring.c */
int uior_uring_cmd(struct io_uring_cmd *cmd, unsigned int issue_flags);
int uior_uring_bind(int fd, const void **uring);
void uior_uring_finish(struct uior_op *op);

/* op.c */
void uior_op_init(struct uior_op *op, struct uior_region *region);
u32 uior_op_get(struct uior_region *region, u32 state, struct uior_op **ops, u32 nr);
void uior_op_put(struct uior_op *op);
int uior_op_prepare(struct uior_op *op);
struct uior_op *uior_op_accept(struct uior_region *region, const struct unified_descriptor *desc,
			       u32 state);
void uior_op_start(struct uior_op *op);
void uior_op_run(struct uior_op *op);
void uior_op_stage_end(struct uior_op *op, u32 stage, int result);
void uior_op_resume(struct uior_op **ops, u32 nr);
void uior_op_again(struct uior_op *op);
void uior_op_finish(struct uior_op **ops, u32 nr);
void uior_op_copied(struct uior_op *op, u32 stage, u32 bytes);
void uior_op_moved(struct uior_op *op, u32 bytes);

/* buffer.c */
int uior_buf_table(struct uior_op *op);
u32 uior_buf_off(const struct uior_op *op, u32 off);
u32 uior_buf_start(const struct uior_op *op, u32 off);
u32 uior_buf_run(const struct uior_op *op, u32 off);
u8 *uior_buf_part(const struct uior_op *op, u32 off, u32 len, u32 *part);
void uior_buf_load(const struct uior_op *op, u32 off, void *to, u32 len);
void uior_buf_store(const struct uior_op *op, u32 off, const void *from, u32 len);
void uior_buf_zero(const struct uior_op *op, u32 off, u32 len);
void uior_buf_move(const struct uior_op *op, u32 dst, u32 src, u32 len);

/* Offset in the region of a byte of the operation's buffer. */
static inline u64 uior_op_pos(const struct uior_op *op, u32 off)
{
	if (op->nr_extents)
		off = uior_buf_off(op, off);
	return op->region->data_offset + op->desc.addr + off;
}

/* run.c */
void uior_task_queue(struct uior_region *region, struct uior_task *task);
void uior_run_begin(struct uior_region *region);
void uior_run_ready(struct uior_region *region);
void uior_run_end(struct uior_region *region);
void uior_run_work(struct work_struct *work);
int uior_run_wait(struct uior_region *region, u32 min_complete, u64 timeout_ns);

/* gather.c */
void uior_gather_limit(struct uior_dev *dev);
int uior_keep(struct uior_op *op, u32 off, u32 len);
void uior_gather_begin(struct uior_op *op);
int uior_gather_fits(const struct uior_op *op);
u32 uior_gather(struct uior_op *to, const struct uior_op *op, u32 from, u32 len, u32 max_vecs);
u32 uior_gather_span(struct uior_op *to, const struct uior_op *op, u32 off, u32 len, u32 max_vecs);

/* Are the data in more than one piece? */
static inline bool uior_gathered(const struct uior_op *op)
{
	return op->nr_ranges > 1 || op->nr_extents;
}

/* dev.c */
int uior_dev_open(struct uior_dev *dev, int fd, bool block_layer);
void uior_dev_limit(struct uior_dev *dev, const struct uior_mem *mem);
void uior_dev_close(struct uior_dev *dev);
int uior_dev_check(const struct uior_op *op, u32 off, u32 len, u64 lba);
int uior_dev_may(const struct uior_dev *dev, bool write);
int uior_read(struct uior_op *op);
int uior_write(struct uior_op *op);
int uior_flush(struct uior_op *op);
void uior_dev_done(struct uior_op *op, blk_status_t status);
void uior_dev_deferred(struct work_struct *work);

/* nvme.c */
u32 uior_nvme_nsid(struct block_device *bdev);
bool uior_nvme_usable(struct block_device *bdev);
int uior_nvme_submit(struct uior_op *op, u8 opcode, u64 lba, u32 len, bool wait);

/* blk.c */
int uior_blk_submit(struct uior_op *op, u8 opcode, u64 lba, u32 len, bool wait);

/* sock.c */
int uior_sock_attach(struct uior_region *region, struct unified_io_attach_socket *arg);
void uior_sock_detach_all(struct uior_region *region);
struct uior_sock *uior_sock_get(struct uior_region *region, u32 slot, u8 proto);
void uior_sock_release(struct kref *ref);
void uior_sock_drop(struct uior_sock *sock);
int uior_sock_cancel(struct uior_region *region, const struct uior_op *op, u64 user_data);

/* Any context. */
static inline void uior_sock_put(struct uior_sock *sock)
{
	kref_put(&sock->ref, uior_sock_release);
}

static inline void uior_sock_keep(struct uior_sock *sock)
{
	kref_get(&sock->mem);
}

/* flow.c */
void uior_flow_init(struct uior_flow *flow, struct uior_sock *sock, __poll_t events);
void uior_flow_kill(struct uior_flow *flow);
int uior_flow_cancel(struct uior_flow *flow, const struct uior_op *which, u64 user_data);
void uior_flow_reserve(struct uior_flow *flow, struct uior_op *op);
void uior_flow_leave(struct uior_flow *flow, struct uior_op *op);
int uior_flow_add(struct uior_flow *flow, struct uior_op *op);
struct uior_op *uior_flow_after(struct uior_flow *flow, struct uior_op *op);
void uior_flow_wake(struct uior_flow *flow);
void uior_flow_unpark(struct uior_region *region);

/* Is it the last of its queue? Should another come just now, that goes by itself. For the runner. */
static inline bool uior_flow_last(const struct uior_flow *flow, const struct uior_op *op)
{
	return READ_ONCE(op->node.next) == &flow->queue;
}

/* Is the operation, or all of its flow, cancelled? For the flow's runner. */
static inline bool uior_flow_ended(const struct uior_flow *flow, const struct uior_op *op)
{
	return READ_ONCE(flow->dead) || READ_ONCE(op->cancel);
}

/* recv.c */
int uior_recv(struct uior_op *op);
int uior_recv_step(struct uior_flow *flow, struct uior_op *op);
void uior_recv_end(struct list_head *done);
void uior_stream_put(struct uior_op *parent);
void uior_niov_keep(struct uior_region *region, const struct unified_net_iov *niov);

/* send.c */
int uior_send(struct uior_op *op);
void uior_send_reserve(struct uior_op *op);
int uior_send_step(struct uior_flow *flow, struct uior_op *op);
void uior_send_end(struct list_head *done);

/* The target is another, or the chain has ended without sending. Any context. */
static inline void uior_send_leave(struct uior_op *op)
{
	if (op->state & UIOR_OP_RESERVED)
		uior_flow_leave(&op->tx->tx, op);
}

/* bpf.c */
int uior_bpf(struct uior_op *op);
int uior_bpf_init(void);
void uior_bpf_exit(void);
void uior_bpf_detach(struct uior_region *region);
u32 uior_bpf_count(struct uior_region *region);
extern struct mutex uior_bpf_lock;

/* kfuncs.c */
int uior_kfunc_init(void);
void uior_kfunc_exit(void);

/* xdp.c */
int uior_xdp_init(struct uior_region *region, u32 ifindex, u32 rxq);
void uior_xdp_exit(struct uior_region *region);
struct bpf_prog *uior_xdp_get(struct unified_io_attach_bpf *arg);
int uior_xdp_attach(struct uior_region *region, struct bpf_prog *prog, u32 old_id);
int uior_xdp_run(struct uior_op *op, u32 prog_id, int *verdict);
u32 uior_xdp_count(struct uior_region *region);

/* debugfs.c */
void uior_debugfs_init(void);
void uior_debugfs_exit(void);
void uior_debugfs_add(struct uior_region *region);
void uior_info(struct uior_region *region, struct unified_io_info *info);

#endif /* _UIOR_H */
