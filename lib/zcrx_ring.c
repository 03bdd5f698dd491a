// SPDX-License-Identifier: GPL-2.0
/*
 * io_uring receives: ZCRX on a NIC's queue, or without a NIC. One ring has both
 * the receives and, as commands to the region, the chains.
 *
 * The refill ring takes released buffers back. A queue's page pool empties it as it
 * needs buffers; without a NIC, and where the kernel had to copy, nobody does:
 * then it is flushed.
 */
#include <net/if.h>
#include <sys/mman.h>
#include <unistd.h>

#include "barrier.h"
#include "bypass.h"
#include "zcrx.h"

#define PAGE		4096U
#define CQ_ENTRIES	4096U

void unified_io_zcrx_tell_copied(struct unified_io_zcrx *zc)
{
	__u64 copied;

	if (zc->params.mode != UNIFIED_IO_ZCRX_DEVICE)
		return;
	copied = unified_io_zcrx_copied(zc);
	unified_io_bypass_add(zc->io, 0, copied - zc->copied_told);
	zc->copied_told = copied;
}

static void ring_close(struct unified_io_zcrx *zc)
{
	io_uring_queue_exit(&zc->ring);
	if (!zc->params.loop)
		munmap(zc->refill, zc->refill_size);
}

/* As many as there are buffers. */
static __u32 refill_entries(const struct unified_io_zcrx_params *params)
{
	__u32 entries = 64;

	while (entries < 32768 && entries < params->len / (params->buf_len ?: PAGE))
		entries *= 2;
	return entries;
}

/* The ring's head and the statistics have a page each. */
__u64 unified_io_zcrx_refill_len(const struct unified_io_zcrx_params *params)
{
	__u64 len = 2 * PAGE + refill_entries(params) * sizeof(struct io_uring_zcrx_rqe);

	return (len + PAGE - 1) & ~(__u64)(PAGE - 1);
}

static int refill_alloc(struct unified_io_zcrx *zc)
{
	const struct unified_io_zcrx_params *p = &zc->params;

	zc->ifq.rq_entries = refill_entries(p);
	zc->refill_size = unified_io_zcrx_refill_len(p);
	zc->refill = zc->io->data + p->addr + p->len;
	if (p->loop)
		return zc->refill_size <= zc->io->data_size - p->addr - p->len ? 0 : -ERANGE;
	zc->refill = mmap(NULL, zc->refill_size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return zc->refill == MAP_FAILED ? -errno : 0;
}

static int ifq_register(struct unified_io_zcrx *zc)
{
	struct io_uring_region_desc memory = {
		.user_addr = (uintptr_t)zc->refill,
		.size = zc->refill_size,
		.flags = IORING_MEM_REGION_TYPE_USER,
	};
	struct io_uring_zcrx_area_reg area = {
		.addr = (uintptr_t)zc->io->data + zc->params.addr,
		.len = zc->params.len,
	};
	struct zcrx_event_desc events = {
		.flags = ZCRX_EVENT_DESC_FLAG_STATS,
		.stats_offset = zc->refill_size - sizeof(struct zcrx_stats),
	};

	zc->ifq.area_ptr = (uintptr_t)&area;
	zc->ifq.region_ptr = (uintptr_t)&memory;
	zc->ifq.event_desc = (uintptr_t)&events;
	zc->stats = (void *)(zc->refill + events.stats_offset);
	*zc->stats = (struct zcrx_stats){ 0 };	/* in the data area there may be anything */
	return io_uring_register(zc->ring.ring_fd, IORING_REGISTER_ZCRX_IFQ, &zc->ifq, 1);
}

/* A ring that was closed lets go of its queue only a while after. */
static int ifq_take(struct unified_io_zcrx *zc)
{
	int err, tries = 500;

	while ((err = ifq_register(zc)) == -EEXIST && --tries)
		usleep(10000);
	return err;
}

static void tell_mode(struct unified_io_zcrx *zc)
{
	bool device = zc->params.mode == UNIFIED_IO_ZCRX_DEVICE;

	zc->copied_told = 0;
	unified_io_bypass_mode(zc->io, device ? UNIFIED_IO_BYPASS_ZCRX : UNIFIED_IO_BYPASS_ZCRX_NODEV);
}

static int ring_open(struct unified_io_zcrx *zc)
{
	struct io_uring_params params = {
		.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
			 IORING_SETUP_CQE32 | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP |
			 IORING_SETUP_NO_SQARRAY,
		.cq_entries = zc->params.entries < CQ_ENTRIES / 4 ?
			      CQ_ENTRIES : 4 * zc->params.entries,
	};
	int err;

	memset(&zc->ifq, 0, sizeof(zc->ifq));
	if (zc->params.mode == UNIFIED_IO_ZCRX_NODEV) {
		zc->ifq.flags = ZCRX_REG_NODEV;
	} else {
		zc->ifq.if_idx = zc->params.ifname ? if_nametoindex(zc->params.ifname) : 0;
		zc->ifq.if_rxq = zc->params.rxq;
		zc->ifq.rx_buf_len = zc->params.buf_len;
		if (!zc->ifq.if_idx)
			return -ENODEV;
	}
	err = io_uring_queue_init_params(2 * zc->params.entries, &zc->ring, &params);
	if (err)
		return err;
	err = refill_alloc(zc);
	if (err) {
		io_uring_queue_exit(&zc->ring);
		return err;
	}
	err = ifq_take(zc);
	if (err)
		ring_close(zc);
	else
		tell_mode(zc);
	return err;
}

static struct io_uring_sqe *get_sqe(struct unified_io_zcrx *zc)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&zc->ring);

	if (sqe)
		return sqe;
	io_uring_submit(&zc->ring);
	return io_uring_get_sqe(&zc->ring);
}

static int ring_arm(struct unified_io_zcrx *zc, __u32 conn)
{
	struct io_uring_sqe *sqe = get_sqe(zc);

	if (!sqe)
		return -EBUSY;
	io_uring_prep_rw(IORING_OP_RECV_ZC, sqe, zc->conns[conn].fd, NULL, 0, 0);
	sqe->ioprio = IORING_RECV_MULTISHOT;
	sqe->zcrx_ifq_idx = zc->ifq.zcrx_id;
	sqe->user_data = zcrx_tag(conn, 0);
	zc->conns[conn].state = ZCRX_BUSY;
	return 0;
}

static int ring_submit(struct unified_io_zcrx *zc, __u32 chain)
{
	struct unified_io_uring_cmd cmd = {
		.arg = (uintptr_t)&zc->chains[chain].desc,
		.completion = (uintptr_t)&zc->chains[chain].completion,
	};
	struct io_uring_sqe *sqe = get_sqe(zc);

	if (!sqe)
		return -EBUSY;
	io_uring_prep_rw(IORING_OP_URING_CMD, sqe, zc->io->fd, NULL, 0, 0);
	sqe->cmd_op = UNIFIED_IO_URING_OP;
	memcpy(sqe->cmd, &cmd, sizeof(cmd));
	sqe->user_data = zcrx_tag(chain, ZCRX_CHAIN);
	return 0;
}

static __u32 refill_pending(const struct unified_io_zcrx *zc)
{
	return zc->refill_tail - unified_io_load_acquire((__u32 *)(zc->refill + zc->ifq.offsets.head));
}

static int refill_flush(struct unified_io_zcrx *zc)
{
	struct zcrx_ctrl ctrl = { .zcrx_id = zc->ifq.zcrx_id, .op = ZCRX_CTRL_FLUSH_RQ };

	return io_uring_register(zc->ring.ring_fd, IORING_REGISTER_ZCRX_CTRL, &ctrl, 0);
}

static void ring_release(struct unified_io_zcrx *zc, __u64 addr)
{
	struct io_uring_zcrx_rqe *rqes = (void *)(zc->refill + zc->ifq.offsets.rqes);

	if (refill_pending(zc) == zc->ifq.rq_entries)
		refill_flush(zc);
	rqes[zc->refill_tail & (zc->ifq.rq_entries - 1)] = (struct io_uring_zcrx_rqe){
		.off = addr - zc->params.addr,
	};
	unified_io_store_release((__u32 *)(zc->refill + zc->ifq.offsets.tail), ++zc->refill_tail);
	zc->released = true;
}

/* Receives that ended for want of a buffer go on when there is one. Returns how many still wait. */
static __u32 go_on(struct unified_io_zcrx *zc, bool *idle)
{
	__u32 i, nr = 0;

	*idle = !zc->nr_chains;
	for (i = 0; i < zc->params.entries; i++) {
		if (zc->conns[i].state == ZCRX_STALLED && (!zc->released || ring_arm(zc, i)))
			nr++;
		else if (zc->conns[i].state == ZCRX_BUSY)
			*idle = false;
	}
	return nr;
}

static int ring_wait(struct unified_io_zcrx *zc, __u64 timeout_ns)
{
	struct __kernel_timespec limit = {
		.tv_sec = (long long)(timeout_ns / 1000000000),
		.tv_nsec = (long long)(timeout_ns % 1000000000),
	};
	struct io_uring_cqe *cqe;
	bool idle;
	int ret;

	if (zc->params.mode == UNIFIED_IO_ZCRX_NODEV && refill_pending(zc) > zc->ifq.rq_entries / 4)
		refill_flush(zc);
	/* Nothing can come before the program releases something. */
	if (go_on(zc, &idle) && idle && !io_uring_cq_ready(&zc->ring))
		return -ENOBUFS;
	zc->released = false;
	ret = io_uring_submit_and_wait_timeout(&zc->ring, &cqe, 1, timeout_ns ? &limit : NULL, NULL);
	unified_io_zcrx_tell_copied(zc);
	return ret < 0 ? ret : 0;
}

/* Without a NIC all of it is a copy; with one the kernel says how much was. */
static void count(struct unified_io_zcrx *zc, __u32 len)
{
	__u32 copied = zc->params.mode == UNIFIED_IO_ZCRX_NODEV ? len : 0;

	zc->copied += copied;
	unified_io_bypass_add(zc->io, len, copied);
}

/* A receive's CQE. False: it was nothing to tell. */
static bool arrival(struct unified_io_zcrx *zc, const struct io_uring_cqe *cqe,
		    struct unified_io_zcrx_event *event)
{
	const struct io_uring_zcrx_cqe *where = (const void *)(cqe + 1);
	__u32 conn = (__u32)(cqe->user_data >> 1);

	if (cqe->flags & IORING_CQE_F_MORE) {
		count(zc, (__u32)cqe->res);
		*event = (struct unified_io_zcrx_event){
			.type = UNIFIED_IO_ZCRX_DATA,
			.res = cqe->res,
			.user_data = zc->conns[conn].user_data,
			.addr = zc->params.addr + (where->off & ~IORING_ZCRX_AREA_MASK),
		};
		return true;
	}
	/* No buffer to copy to, or the CQ was full: the bytes wait in the socket. */
	if (cqe->res == -ENOMEM || cqe->res == -ENOSPC) {
		zc->conns[conn].state = ZCRX_STALLED;
		zc->released |= cqe->res == -ENOSPC;
		if (cqe->res == -ENOMEM && refill_pending(zc))
			zc->released |= !refill_flush(zc);
		return false;
	}
	zcrx_end(zc, cqe->user_data, cqe->res, NULL, event);
	return true;
}

static bool ring_next(struct unified_io_zcrx *zc, struct unified_io_zcrx_event *event)
{
	const struct unified_completion *c;
	struct io_uring_cqe *cqe;
	bool told = false;

	while (!told && io_uring_cq_ready(&zc->ring) && !io_uring_peek_cqe(&zc->ring, &cqe)) {
		c = &zc->chains[(cqe->user_data >> 1) & (zc->params.entries - 1)].completion;
		if (cqe->user_data & ZCRX_CHAIN) {
			zcrx_end(zc, cqe->user_data, cqe->res, c, event);
			told = true;
		} else {
			told = arrival(zc, cqe, event);
		}
		io_uring_cqe_seen(&zc->ring, cqe);
	}
	return told;
}

const struct zcrx_backend unified_io_zcrx_ring = {
	.open = ring_open,
	.close = ring_close,
	.arm = ring_arm,
	.submit = ring_submit,
	.wait = ring_wait,
	.next = ring_next,
	.release = ring_release,
};
