// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>

#include "intake.h"

#define MIN_AREA	(1ULL << 20)	/* more than a batch can hold */
#define QUEUE_AREA	(8ULL << 20)	/* for packets: those that wait, and those in batches */
#define TAIL		4096U		/* what frames the last packet may be behind it */
#define QUEUE_SIZE	(1U << 16)

uint64_t intake_area(const struct pipe *pipe)
{
	uint64_t len = (uint64_t)pipe->options.depth * pipe->options.batch, least = MIN_AREA;

	if (pipe->source.kind == ADDRESS_XDP)
		least = pipe->source.nr_queues * QUEUE_AREA;
	return len < least ? least : len;
}

uint64_t intake_memory(const struct pipe *pipe)
{
	return batch_memory(pipe) + intake_area(pipe) + TAIL;
}

void intake_init(struct intake *in, struct pipe *pipe)
{
	struct unified_io_info info;

	in->pipe = pipe;
	in->size = QUEUE_SIZE;
	in->queue = calloc(in->size, sizeof(*in->queue));
	if (!in->queue)
		die(EXIT_FAILED, "no memory");
	must(UNIFIED_IO_CALL_OPEN, unified_io_get_info(&pipe->io, &info), "the region");
	in->alignment = pipe->sink.kind == ADDRESS_DRIVE ? info.range_alignment : 1;
	split_init(&in->split, pipe->options.framing, pipe->options.batch);
}

void intake_free(struct intake *in)
{
	free(in->queue);
	in->queue = NULL;
}

void intake_fail(struct intake *in, int err)
{
	in->result = in->result ?: err;
	if (!in->ended)
		in->fail(in);
}

bool intake_full(const struct intake *in, uint32_t coming)
{
	return in->last - in->first + coming >= in->size;
}

void intake_add(struct intake *in, uint64_t addr, uint32_t len)
{
	in->queue[in->last++ % in->size] = (struct unified_net_iov) { .addr = addr, .len = len };
}

bool intake_busy(const struct intake *in)
{
	return in->first != in->last || in->head != in->tail || in->split.rest_len;
}
