/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a NIC has put into the region, on its way through a pipe. Arrivals wait in a queue
 * (zcrx.c, xdp.c) until they are in batches (batch.c): in place, as ranges, or copied into
 * one piece where programs or records want that. Batches end in their order.
 */
#ifndef INTAKE_H
#define INTAKE_H

#include "pipe.h"
#include "split.h"
#include "unified_io_zcrx.h"	/* ranges */

#define NR_BATCHES	16U
#define MAX_ARRIVALS	256U	/* in a batch; neighbours are one range */
#define MAX_ASKED	32U	/* packets, at once, for the user's program */
#define MIN_SQ		32U	/* powers of two: chains of all batches and a receive; and */
#define MIN_CQ		64U	/* what is asked, too: a chain has its slot while it runs */

/**
 * struct batch - payload on its way to the sink
 * @at: its memory in the data area
 * @addr: of the data in one piece
 * @len: bytes of payload
 * @ranges: the data in place
 * @arrivals: that lie in it, to be released
 * @nr: of them
 * @cont: it begins inside of a message
 * @filtered: the XDP program has seen it
 * @done: the sink has it, or nobody wants it
 */
struct batch {
	uint64_t at;
	uint64_t addr;
	uint32_t len;
	struct unified_io_ranges ranges;
	uint64_t arrivals[MAX_ARRIVALS];
	uint32_t nr;
	bool cont;
	bool filtered;
	bool done;
};

/**
 * struct intake - the source, and what of it is under way
 * @pipe: whose
 * @release: an arrival's memory is free again
 * @submit: a chain; 0, or a negative errno
 * @fail: after the first error: end the source
 * @queue: a ring of arrivals
 * @size: of it
 * @first: the oldest of them, counted from the first
 * @last: behind the newest
 * @taken: bytes of the oldest that are in batches already
 * @batches: a ring
 * @head: the oldest that is not done
 * @passed: the oldest that the XDP program has not passed on
 * @tail: behind the newest
 * @current: the newest, while it is being filled, or NULL
 * @split: where records end, in one piece
 * @alignment: that the sink wants of ranges
 * @ended: the source
 * @result: the first error: nothing is stored any more
 * @source_error: what the source ended with: all that came before it is stored
 */
struct intake {
	struct pipe *pipe;
	void (*release)(uint64_t addr);
	int (*submit)(const struct unified_descriptor *desc);
	void (*fail)(struct intake *in);
	struct unified_net_iov *queue;
	uint64_t size;
	uint64_t first;
	uint64_t last;
	uint32_t taken;
	struct batch batches[NR_BATCHES];
	uint64_t head;
	uint64_t passed;
	uint64_t tail;
	struct batch *current;
	struct split split;
	uint32_t alignment;
	bool ended;
	int result;
	int source_error;
};

/* Of the data area: all that is needed; the batches'; behind them, what the NIC writes to. */
uint64_t intake_memory(const struct pipe *pipe);
uint64_t batch_memory(const struct pipe *pipe);
uint64_t intake_area(const struct pipe *pipe);

void intake_init(struct intake *in, struct pipe *pipe);
void intake_free(struct intake *in);
/* The first error ends it all. */
void intake_fail(struct intake *in, int err);
/* Beside @coming more. */
bool intake_full(const struct intake *in, uint32_t coming);
void intake_add(struct intake *in, uint64_t addr, uint32_t len);
/* Is something on its way? */
bool intake_busy(const struct intake *in);

/* Of the queue, as much as there are batches for. */
void batch_fill(struct intake *in);
/* The current one, to the sink. */
void batch_submit(struct intake *in);
/* The chain of batch @nr has ended. */
void batch_ended(struct intake *in, uint64_t nr, int res, uint32_t flags, uint64_t addr);
/* Those that are done, in order. */
void batch_retire(struct intake *in);

#endif /* INTAKE_H */
