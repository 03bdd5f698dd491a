/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What zcrx.c and its two ways of receiving share: zcrx_ring.c (io_uring) and
 * zcrx_socket.c (the module).
 */
#ifndef UNIFIED_IO_ZCRX_INTERNAL_H
#define UNIFIED_IO_ZCRX_INTERNAL_H

#include <linux/io_uring.h>	/* before liburing's own, which knows less */
#include <liburing.h>

#include "unified_io_zcrx.h"

enum zcrx_state {
	ZCRX_FREE,
	ZCRX_BUSY,	/* connection: armed; chain: in flight */
	ZCRX_STALLED,	/* connection: to be armed when a buffer is released */
};

/* A connection. */
struct zcrx_conn {
	enum zcrx_state state;
	int fd;
	int slot;	/* of the region */
	__u64 user_data;
};

/* A chain in flight. */
struct zcrx_chain {
	enum zcrx_state state;
	__u64 user_data;
	struct unified_descriptor desc;
	struct unified_completion completion;
};

struct zcrx_backend {
	int (*open)(struct unified_io_zcrx *zc);
	void (*close)(struct unified_io_zcrx *zc);
	int (*arm)(struct unified_io_zcrx *zc, __u32 conn);
	int (*submit)(struct unified_io_zcrx *zc, __u32 chain);
	int (*wait)(struct unified_io_zcrx *zc, __u64 timeout_ns);
	bool (*next)(struct unified_io_zcrx *zc, struct unified_io_zcrx_event *event);
	void (*release)(struct unified_io_zcrx *zc, __u64 addr);
};

extern const struct zcrx_backend unified_io_zcrx_ring, unified_io_zcrx_socket;

struct unified_io_zcrx {
	struct unified_io *io;
	struct unified_io_zcrx_params params;	/* mode is the one in use */
	const struct zcrx_backend *backend;
	int why;
	__u64 copied;				/* but in mode DEVICE: there the kernel counts */
	struct zcrx_conn *conns;		/* params.entries of each */
	struct zcrx_chain *chains;
	__u32 nr_chains;			/* in flight */

	/* zcrx_ring.c */
	struct io_uring ring;
	struct io_uring_zcrx_ifq_reg ifq;
	struct zcrx_stats *stats;
	__u64 copied_told;			/* of them, to the region's counters */
	unsigned char *refill;			/* the refill ring's memory */
	size_t refill_size;
	__u32 refill_tail;
	bool released;				/* a buffer, since the last wait */
};

/* zcrx_ring.c: mode DEVICE: tells the region's counters what the kernel had to copy since the last look */
void unified_io_zcrx_tell_copied(struct unified_io_zcrx *zc);

/* zcrx_check.c: -EFAULT where io_uring has ZCRX and we may use it, else why not. */
int unified_io_zcrx_probe(void);

/* user_data of what we submit: which connection or chain. */
#define ZCRX_CHAIN	1ULL

static inline __u64 zcrx_tag(__u32 index, __u64 kind)
{
	return (__u64)index << 1 | kind;
}

/* The end of connection or chain @tag, as the program knows it; @c is the chain's. */
static inline void zcrx_end(struct unified_io_zcrx *zc, __u64 tag, int res,
			    const struct unified_completion *c,
			    struct unified_io_zcrx_event *event)
{
	bool chain = tag & ZCRX_CHAIN;

	*event = (struct unified_io_zcrx_event){
		.type = chain ? UNIFIED_IO_ZCRX_CHAIN : UNIFIED_IO_ZCRX_END,
		.res = res,
		.user_data = chain ? zc->chains[tag >> 1].user_data : zc->conns[tag >> 1].user_data,
	};
	if (chain) {
		event->addr = c->addr;
		event->flags = c->flags;
		event->copied = c->copied;
		zc->chains[tag >> 1].state = ZCRX_FREE;
		zc->nr_chains--;
	} else {
		zc->conns[tag >> 1].state = ZCRX_FREE;
	}
}

#endif /* UNIFIED_IO_ZCRX_INTERNAL_H */
