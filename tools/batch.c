// SPDX-License-Identifier: GPL-2.0
/* From arrivals to chains, and what becomes of them. */
#include "intake.h"

#define PAGE	4096U

/* A buffer; in place: a table, a header, padding, and room to copy what cannot be gathered. */
static uint64_t slot_len(const struct pipe *pipe)
{
	return pipe->options.batch + 4 * PAGE;
}

uint64_t batch_memory(const struct pipe *pipe)
{
	return NR_BATCHES * slot_len(pipe);
}

static bool into_log(const struct intake *in)
{
	return in->pipe->sink.kind == ADDRESS_DRIVE;
}

/* Of a stream; what a packet is to the program, xdp.c asks by itself. */
static bool asks_xdp(const struct intake *in)
{
	return in->pipe->xdp_id && in->pipe->one_piece;
}

/* With its record it fits a buffer of the pipe that reads it. */
static uint32_t room(const struct intake *in, const struct batch *batch)
{
	return in->pipe->options.batch - HEADROOM - batch->len;
}

static struct batch *batch_of(struct intake *in, uint64_t nr)
{
	return &in->batches[nr % NR_BATCHES];
}

/* False if all batches are on their way. */
static bool begin(struct intake *in)
{
	struct pipe *pipe = in->pipe;
	struct batch *batch = batch_of(in, in->tail);

	if (in->tail - in->head == NR_BATCHES)
		return false;
	*batch = (struct batch) { .at = (batch - in->batches) * slot_len(pipe) };
	in->tail++;
	in->current = batch;
	if (pipe->one_piece) {
		batch->len = split_begin(&in->split, pipe->io.data + batch->at + HEADROOM);
		return true;
	}
	unified_io_ranges_init(&batch->ranges, &pipe->io, batch->at, slot_len(pipe), in->alignment);
	if (into_log(in))
		unified_io_ranges_room(&batch->ranges, HEADROOM);
	return true;
}

/* The take_*() return how many of the @len bytes went in: not all where the batch is full. */

static uint32_t take_copy(struct intake *in, struct batch *batch, uint64_t addr, uint32_t len)
{
	unsigned char *data = in->pipe->io.data;

	if (len > room(in, batch))
		len = room(in, batch);
	memcpy(data + batch->at + HEADROOM + batch->len, data + addr, len);
	in->pipe->copied += len;
	batch->len += len;
	return len;
}

/* An arrival is divided only if it does not fit a whole batch. */
static uint32_t take_in_place(struct intake *in, struct batch *batch, uint64_t addr, uint32_t len)
{
	if (len > room(in, batch) && !batch->len)
		len = room(in, batch) & ~(PAGE / 2 - 1);
	if (len > room(in, batch) || batch->nr == MAX_ARRIVALS ||
	    unified_io_ranges_add(&batch->ranges, addr, len))
		return 0;
	batch->len += len;
	return len;
}

/* All of an arrival is where it belongs: its memory is free, now or when the batch is done. */
static void taken(struct intake *in, struct batch *batch, uint64_t addr)
{
	if (in->pipe->one_piece)
		in->release(addr);
	else
		batch->arrivals[batch->nr++] = addr;
}

/* Into a file, with no batch between. */
static void write_arrivals(struct intake *in)
{
	const struct unified_net_iov *arrival;

	for (; in->first != in->last; in->first++) {
		arrival = &in->queue[in->first % in->size];
		if (!in->result &&
		    write_out(in->pipe, in->pipe->io.data + arrival->addr, arrival->len))
			intake_fail(in, -EIO);
		in->release(arrival->addr);
	}
}

void batch_fill(struct intake *in)
{
	uint32_t (*take)(struct intake *in, struct batch *batch, uint64_t addr, uint32_t len) =
		in->pipe->one_piece ? take_copy : take_in_place;
	const struct unified_net_iov *arrival;

	if (is_file(&in->pipe->sink) && !in->pipe->one_piece) {
		write_arrivals(in);
		return;
	}
	while (in->first != in->last) {
		if (!in->current && !begin(in))
			return;
		arrival = &in->queue[in->first % in->size];
		in->taken += take(in, in->current, arrival->addr + in->taken,
				  arrival->len - in->taken);
		if (in->taken < arrival->len) {
			batch_submit(in);
			continue;
		}
		taken(in, in->current, arrival->addr);
		in->taken = 0;
		in->first++;
	}
	/* what was set aside, with nothing to follow it */
	if (in->ended && in->split.rest_len && !in->current)
		begin(in);
}

/* The chain of a batch in one piece; without stages there is none. */
static void chain_of_piece(struct intake *in, struct batch *batch, struct unified_descriptor *desc)
{
	struct pipe *pipe = in->pipe;

	batch->addr = batch->at + HEADROOM;
	if (asks_xdp(in) && !batch->filtered) {
		unified_io_prep_buffer(desc, batch->addr, batch->len);
		unified_io_then_bpf(desc, pipe->xdp_id, 0);
		return;
	}
	if (pipe->nr_links)
		unified_io_prep_buffer(desc, batch->at, pipe->options.batch);
	else
		unified_io_prep_buffer(desc, batch->addr, batch->len);
	add_stages(pipe, desc, split_arg(batch->cont, batch->len));
}

static void chain_of_ranges(struct intake *in, struct batch *batch, struct unified_descriptor *desc)
{
	struct pipe *pipe = in->pipe;

	if (into_log(in))
		unified_io_ranges_pad(&batch->ranges, pipe->lba_size);
	unified_io_prep_buffer(desc, 0, 0);
	add_stages(pipe, desc, into_log(in) ? batch->len : 0);
	unified_io_ranges_use(&batch->ranges, desc);
	pipe->copied += batch->ranges.copied;
}

static void submit_chain(struct intake *in, struct batch *batch)
{
	struct unified_descriptor desc;

	if (in->pipe->one_piece)
		chain_of_piece(in, batch, &desc);
	else
		chain_of_ranges(in, batch, &desc);
	if (in->result || !desc.type) {
		batch->filtered = true;
		batch->done = true;
		return;
	}
	desc.user_data = batch - in->batches;
	must(UNIFIED_IO_CALL_SUBMIT, in->submit(&desc), "a batch");
}

void batch_submit(struct intake *in)
{
	struct batch *batch = in->current;
	bool end = in->ended && in->first == in->last;

	in->current = NULL;
	if (in->pipe->one_piece) {
		batch->len = split_end(&in->split, in->pipe->io.data + batch->at + HEADROOM,
				       batch->len, end);
		batch->cont = in->split.cont;
		in->pipe->copied += 2 * in->split.rest_len;
	}
	/* all of it waits for more */
	if (!batch->len && !batch->nr) {
		in->tail--;
		return;
	}
	submit_chain(in, batch);
}

/* What the XDP program has let pass goes on, in order, and begins where it was. */
static void pass_on(struct intake *in)
{
	unsigned char *data = in->pipe->io.data;
	struct batch *batch;

	for (; in->passed != in->tail && batch_of(in, in->passed)->filtered; in->passed++) {
		batch = batch_of(in, in->passed);
		if (batch->done)
			continue;
		if (batch->addr != batch->at + HEADROOM) {
			memmove(data + batch->at + HEADROOM, data + batch->addr, batch->len);
			in->pipe->copied += batch->len;
		}
		submit_chain(in, batch);
	}
}

void batch_ended(struct intake *in, uint64_t nr, int res, uint32_t flags, uint64_t addr)
{
	struct batch *batch = &in->batches[nr];
	bool filter = asks_xdp(in) && !batch->filtered;

	if (res < 0 && !in->result) {
		if (res == -ENOSPC && into_log(in))
			warn(LOG_FULL);
		else
			warn("%s: %s: %s", in->pipe->sink.text, strerror(-res),
			     unified_io_hint(UNIFIED_IO_CALL_COMPLETION, res));
		intake_fail(in, res);
	}
	batch->addr = addr;
	batch->len = res < 0 || flags & UNIFIED_IO_CQE_F_DROPPED ? 0 : res;
	batch->done = !filter || !batch->len;
	batch->filtered = true;
}

void batch_retire(struct intake *in)
{
	struct batch *batch;
	uint32_t i;

	if (asks_xdp(in))
		pass_on(in);
	for (; in->head != in->tail && batch_of(in, in->head)->done; in->head++) {
		batch = batch_of(in, in->head);
		if (is_file(&in->pipe->sink) && batch->len && !in->result &&
		    write_out(in->pipe, in->pipe->io.data + batch->addr, batch->len))
			intake_fail(in, -EIO);
		for (i = 0; i < batch->nr; i++)
			in->release(batch->arrivals[i]);
	}
}
