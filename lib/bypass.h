/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the region's counters show of payload that gets past the module's stages: see
 * UNIFIED_IO_BYPASS_* in the uapi header. Only to be shown: no decision reads it back,
 * and no other memory is ordered by it. Several threads may add. Sockets may be closed
 * after the region: then there is nothing to show any more.
 */
#ifndef UNIFIED_IO_BYPASS_H
#define UNIFIED_IO_BYPASS_H

#include "unified_io.h"

static inline void unified_io_bypass_mode(struct unified_io *io, __u32 mode)
{
	__atomic_store_n(&io->ctrl->bypass_mode, mode, __ATOMIC_RELAXED);
}

static inline void unified_io_bypass_add(struct unified_io *io, __u64 bytes, __u64 copied)
{
	if (!io->ctrl)
		return;
	if (bytes)
		__atomic_fetch_add(&io->ctrl->bypass_bytes, bytes, __ATOMIC_RELAXED);
	if (copied)
		__atomic_fetch_add(&io->ctrl->bypass_copied, copied, __ATOMIC_RELAXED);
}

#endif /* UNIFIED_IO_BYPASS_H */
