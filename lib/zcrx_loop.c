// SPDX-License-Identifier: GPL-2.0
/* What a loop program in the kernel works on, instead of this library. */
#include "barrier.h"
#include "bypass.h"
#include "zcrx.h"

/* The region becomes memory of the ring: what the program may reach of the process. */
static int lend(struct unified_io_zcrx *zc)
{
	struct io_uring_region_desc memory = {
		.user_addr = (uintptr_t)zc->io->ctrl,
		.size = zc->io->region_size,
		.flags = IORING_MEM_REGION_TYPE_USER,
	};
	struct io_uring_mem_region_reg reg = { .region_uptr = (uintptr_t)&memory };

	return io_uring_register(zc->ring.ring_fd, IORING_REGISTER_MEM_REGION, &reg, 1);
}

static __u64 in_region(const struct unified_io_zcrx *zc, const void *at)
{
	return (__u64)((const char *)at - (const char *)zc->io->ctrl);
}

static __u64 in_ring(const struct unified_io_zcrx *zc, const void *at)
{
	return (__u64)((const char *)at - (const char *)zc->ring.cq.ring_ptr);
}

int unified_io_zcrx_loop_init(struct unified_io_zcrx *zc, struct unified_io_loop *loop)
{
	const struct io_uring *ring = &zc->ring;
	int err;

	if (zc->params.mode == UNIFIED_IO_ZCRX_SOCKET)
		return -EOPNOTSUPP;
	if (!zc->params.loop)
		return -EINVAL;
	if (zc->io->region_size > UNIFIED_IO_LOOP_MAX)
		return -E2BIG;
	err = lend(zc);
	if (err)
		return err;
	*loop = (struct unified_io_loop){
		.mem_size = zc->io->region_size,
		.mem_addr = (uintptr_t)zc->io->ctrl,
		.data = in_region(zc, zc->io->data),
		.area = in_region(zc, zc->io->data + zc->params.addr),
		.rq_head = in_region(zc, zc->refill + zc->ifq.offsets.head),
		.rq_tail = in_region(zc, zc->refill + zc->ifq.offsets.tail),
		.rqes = in_region(zc, zc->refill + zc->ifq.offsets.rqes),
		.rq_entries = zc->ifq.rq_entries,
		.descs = in_region(zc, zc->io->sq),
		.completions = in_region(zc, zc->io->cq),
		.nr_descs = zc->io->sq_mask + 1,
		.nr_completions = zc->io->cq_mask + 1,
		.cq_size = ring->cq.ring_sz,
		.cq_head = in_ring(zc, ring->cq.khead),
		.cq_tail = in_ring(zc, ring->cq.ktail),
		.cqes = in_ring(zc, ring->cq.cqes),
		.cq_entries = ring->cq.ring_entries,
		.sq_tail = in_ring(zc, ring->sq.ktail),
		.sq_size = ring->sq.ring_entries * sizeof(struct io_uring_sqe),
		.sq_entries = ring->sq.ring_entries,
		.zcrx_id = zc->ifq.zcrx_id,
		.region_id = zc->io->ctrl->region_id,
		.device_fd = zc->io->fd,
		.ring_fd = ring->ring_fd,
	};
	return 0;
}

/* As the program has counted it. */
static __u64 arrived(const struct unified_io_zcrx *zc)
{
	return __atomic_load_n(&zc->io->ctrl->bypass_bytes, __ATOMIC_RELAXED);
}

int unified_io_zcrx_loop_run(struct unified_io_zcrx *zc)
{
	__u64 before = arrived(zc), copied;
	int ret;

	/* With a program attached, all arguments but the first are without meaning. */
	ret = io_uring_enter((unsigned int)zc->ring.ring_fd, 0, 0, 0, NULL);
	/* It has used the region's rings, too. */
	zc->io->sq_tail = unified_io_load(&zc->io->ctrl->sq_tail);
	zc->io->cq_head = unified_io_load(&zc->io->ctrl->cq_head);
	if (zc->params.mode == UNIFIED_IO_ZCRX_NODEV) {
		copied = arrived(zc) - before;
		zc->copied += copied;
		unified_io_bypass_add(zc->io, 0, copied);
	}
	unified_io_zcrx_tell_copied(zc);
	return ret;
}
