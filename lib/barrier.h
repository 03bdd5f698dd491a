/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The library's only memory barriers. The region's three rings have one writer
 * per index; each pair below has its partner in drivers/block/unified_io/ring.h:
 *
 *	library					kernel
 *	A  store_release(sq_tail)		load_acquire(sq_tail)
 *	   entries are written before they	... and read after it
 *	   are published
 *	B  load_acquire(sq_head)		store_release(sq_head)
 *	   entries are reused after the		... has copied them
 *	   kernel
 *	C  load_acquire(cq_tail)		store_release(cq_tail)
 *	   completions are read after		... they were written
 *	D  store_release(cq_head)		load_acquire(cq_head)
 *	   completions were read before		... their slots are reused
 *	E  store_release(niov_tail)		load_acquire(niov_tail)
 *	F  load_acquire(niov_head)		store_release(niov_head)
 *	   as A and B, for Net IOVs
 *	G  full barrier between the store	full barrier between the store
 *	   of cq_head or niov_tail and the	of flags and the look at cq_head
 *	   load of flags			and niov_tail
 */
#ifndef UNIFIED_IO_BARRIER_H
#define UNIFIED_IO_BARRIER_H

#include <linux/types.h>

static inline void unified_io_store_release(__u32 *index, __u32 value)
{
	__atomic_store_n(index, value, __ATOMIC_RELEASE);
}

static inline __u32 unified_io_load_acquire(const __u32 *index)
{
	return __atomic_load_n(index, __ATOMIC_ACQUIRE);
}

static inline void unified_io_full_barrier(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static inline __u32 unified_io_load(const __u32 *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

#endif /* UNIFIED_IO_BARRIER_H */
