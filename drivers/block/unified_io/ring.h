/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The three rings in shared memory. Concept: an index has one writer; the
 * kernel keeps its own indices outside the region and never reads them back;
 * the process's index is clamped, so that a wild one costs only the process.
 *
 * Barriers. The letters pair with those of the library's barrier.h.
 *
 *	kernel					process
 *	SQ	(A) load-acquire sq_tail	(A) store-release sq_tail
 *		(B) store-release sq_head	(B) load-acquire sq_head
 *	CQ	(C) store-release cq_tail	(C) load-acquire cq_tail
 *		(D) load-acquire cq_head	(D) store-release cq_head
 *	NIOV	(E) load-acquire niov_tail	(E) store-release niov_tail
 *		(F) store-release niov_head	(F) load-acquire niov_head
 *	flags	store flags			store cq_head or niov_tail
 *		(G) full barrier		(G) full barrier
 *		load cq_head, niov_tail		load flags
 */
#ifndef _UIOR_RING_H
#define _UIOR_RING_H

#include "uior.h"

/* Copy what the process may be rewriting: each word is read exactly once. Or an entry for it to
 * read: so few words are not worth a call of memcpy().
 */
static inline void uior_copy_once(void *dst, const void *src, size_t bytes)
{
	u64 *to = dst;
	const u64 *from = src;

	_Pragma("GCC unroll 8")
	for (; bytes; bytes -= sizeof(u64))
		*to++ = READ_ONCE(*from++);
}

/* Descriptors that can be taken; the caller holds sq_lock. A tail that runs ahead of its ring hands
 * in garbage, at most a ring of it.
 */
static inline u32 uior_sq_count(struct uior_region *region)
{
	u32 tail = smp_load_acquire(&region->ctrl->sq_tail);	/* (A) */

	return min(tail - region->sq_head, region->sq_entries);
}

/* Take one that is there; the caller holds sq_lock. */
static inline void uior_sq_take(struct uior_region *region, struct unified_descriptor *desc)
{
	uior_copy_once(desc, &region->sq[region->sq_head & (region->sq_entries - 1)],
		       sizeof(*desc));
	region->sq_head++;
}

/* Their places in the ring are the process's again; the caller holds sq_lock. */
static inline void uior_sq_consume(struct uior_region *region)
{
	smp_store_release(&region->ctrl->sq_head, region->sq_head);	/* (B) */
}

/* Completions that the process has not consumed; the caller holds cq_lock. Without it the
 * kernel's tail could be ahead of what the process sees.
 */
static inline u32 uior_cq_count(struct uior_region *region)
{
	u32 head = smp_load_acquire(&region->ctrl->cq_head);	/* (D) */

	return min(region->cq_tail - head, region->cq_entries);
}

/* Completions that the process finds if it looks now; takes cq_lock. */
static inline u32 uior_cq_ready(struct uior_region *region)
{
	guard(spinlock_irqsave)(&region->cq_lock);
	return uior_cq_count(region);
}

/* Nothing is on its way into the CQ; the caller holds cq_lock. */
static inline bool uior_cq_idle(const struct uior_region *region)
{
	return region->cq_reserved == region->cq_silent;
}

/* Slots neither filled nor promised; the caller holds cq_lock. */
static inline u32 uior_cq_room(struct uior_region *region)
{
	u32 used = uior_cq_count(region) + region->cq_reserved;

	return used < region->cq_entries ? region->cq_entries - used : 0;
}

/* Fill the @i-th slot behind the tail, which an operation reserved; the caller holds cq_lock. */
static inline void uior_cq_fill(struct uior_region *region, u32 i,
				const struct unified_completion *cqe)
{
	uior_copy_once(&region->cq[(region->cq_tail + i) & (region->cq_entries - 1)], cqe,
		       sizeof(*cqe));
}

/* What was filled is the process's to see; the caller holds cq_lock. */
static inline void uior_cq_post(struct uior_region *region, u32 nr)
{
	region->cq_tail += nr;
	smp_store_release(&region->ctrl->cq_tail, region->cq_tail);	/* (C) */
}

/* The oldest @n of @count completions, for a process that does not read the CQ itself; under
 * cq_lock. Returns the head behind them.
 */
static inline u32 uior_cq_peek(struct uior_region *region, struct unified_completion *cqe,
			       u32 count, u32 n)
{
	u32 head = region->cq_tail - count, i;

	for (i = 0; i < n; i++)
		cqe[i] = region->cq[(head + i) & (region->cq_entries - 1)];
	return head + n;
}

/* On behalf of that process. */
static inline void uior_cq_consume(struct uior_region *region, u32 head)
{
	smp_store_release(&region->ctrl->cq_head, head);	/* (D) */
}

/* Take one Net IOV; the caller holds niov_lock. */
static inline bool uior_niov_take(struct uior_region *region, struct unified_net_iov *niov)
{
	u32 tail = smp_load_acquire(&region->ctrl->niov_tail);	/* (E) */

	if (tail == region->niov_head)
		return false;
	uior_copy_once(niov, &region->niov[region->niov_head & (region->niov_entries - 1)],
		       sizeof(*niov));
	region->niov_head++;
	smp_store_release(&region->ctrl->niov_head, region->niov_head);	/* (F) */
	return true;
}

/* Is there a Net IOV to take? */
static inline bool uior_niov_any(struct uior_region *region)
{
	return READ_ONCE(region->nr_spare) ||
	       smp_load_acquire(&region->ctrl->niov_tail) !=	/* (E) */
	       READ_ONCE(region->niov_head);
}

/* Tell the process why intake stopped; the caller holds cq_lock. */
static inline void uior_ctrl_set(struct uior_region *region, u32 flags)
{
	if (flags == region->ctrl_flags)
		return;
	region->ctrl_flags = flags;
	WRITE_ONCE(region->ctrl->flags, flags);
}

/* It goes on. But while any flow is parked, only ENTER wakes that. */
static inline void uior_ctrl_clear(struct uior_region *region, u32 flag)
{
	if (list_empty_careful(&region->parked))
		uior_ctrl_set(region, region->ctrl_flags & ~flag);
}

#endif /* _UIOR_RING_H */
