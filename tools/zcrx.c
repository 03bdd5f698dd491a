// SPDX-License-Identifier: GPL-2.0
/*
 * A source that a NIC puts straight into the region, where it can: what has arrived is
 * gathered, as it lies, into one write or send. The process makes the records, and
 * touches the payload to checksum it.
 */
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "pipe.h"
#include "unified_io_zcrx.h"

#define PAGE		4096U
#define WAIT_NS		100000000ULL	/* how late a signal may be seen */
#define NR_BATCHES	16U		/* on their way to the sink */
#define ENTRIES		32U		/* chains, a power of two */
#define MAX_ARRIVALS	(UNIFIED_IO_RANGES_MAX - 4)	/* beside header and padding */

/* Payload on its way to the sink. */
struct batch {
	bool busy;
	struct unified_io_ranges ranges;
	struct unified_io_log_header *header;
	struct unified_net_iov arrivals[MAX_ARRIVALS];
	uint32_t nr;
	uint32_t len;
};

/**
 * struct zcrx - the source, and what of it is under way
 * @pipe: whose
 * @zc: the library's
 * @batches: those with payload are busy until the sink has it
 * @current: the one that is being filled, or NULL
 * @queue: a ring of arrivals for which there was no batch
 * @head: the oldest of them, counted from the first
 * @tail: behind the newest
 * @size: of @queue: as many as the area has pieces
 * @alignment: that the sink wants of ranges
 * @nr_busy: batches
 * @ended: the connection
 * @result: the first error
 */
struct zcrx {
	struct pipe *pipe;
	struct unified_io_zcrx *zc;
	struct batch batches[NR_BATCHES];
	struct batch *current;
	struct unified_net_iov *queue;
	uint64_t head;
	uint64_t tail;
	uint64_t size;
	uint32_t alignment;
	uint32_t nr_busy;
	bool ended;
	int result;
};

/* A table, a header, padding, and room to copy what cannot be gathered. */
static uint64_t slot_len(const struct pipe *pipe)
{
	return pipe->options.batch + 4 * PAGE;
}

uint64_t zcrx_memory(const struct pipe *pipe)
{
	return NR_BATCHES * slot_len(pipe);
}

static bool into_log(const struct zcrx *z)
{
	return z->pipe->sink.kind == ADDRESS_DRIVE;
}

static void fail(struct zcrx *z, int err)
{
	z->result = z->result ?: err;
	if (!z->ended)
		shutdown(z->pipe->source_fd, SHUT_RDWR);
}

/* A batch that is free now, with room for a record's header; or NULL. */
static struct batch *begin(struct zcrx *z)
{
	struct batch *batch = z->batches;

	while (batch < z->batches + NR_BATCHES && batch->busy)
		batch++;
	if (batch == z->batches + NR_BATCHES)
		return NULL;
	*batch = (struct batch) { .busy = true };
	unified_io_ranges_init(&batch->ranges, &z->pipe->io,
			       (batch - z->batches) * slot_len(z->pipe), slot_len(z->pipe),
			       z->alignment);
	if (into_log(z))
		batch->header = unified_io_ranges_room(&batch->ranges, HEADROOM);
	z->nr_busy++;
	return batch;
}

static void end(struct zcrx *z, struct batch *batch)
{
	uint32_t i;

	for (i = 0; i < batch->nr; i++)
		unified_io_zcrx_release(z->zc, batch->arrivals[i].addr);
	batch->busy = false;
	z->nr_busy--;
}

/* Makes the batch the log's next record. */
static void frame(struct zcrx *z, struct batch *batch)
{
	struct pipe *pipe = z->pipe;
	struct log_cursor *tail = &pipe->tail;
	uint32_t crc, i;

	unified_io_ranges_pad(&batch->ranges, pipe->lba_size);
	tail->source += batch->len;
	record_make(batch->header, tail, batch->len, batch->ranges.len, 0);
	crc = le32toh(batch->header->crc);
	for (i = 0; i < batch->nr; i++)
		crc = crc32c(crc, pipe->io.data + batch->arrivals[i].addr, batch->arrivals[i].len);
	batch->header->crc = htole32(crc);
	record_advance(tail, batch->header);
}

/* The current batch, to the sink. */
static void submit(struct zcrx *z)
{
	struct batch *batch = z->current;
	struct pipe *pipe = z->pipe;
	struct unified_descriptor desc;
	uint64_t at = pipe->tail.at;

	z->current = NULL;
	if (into_log(z) && at + pipe->options.batch + 4 * PAGE > pipe->log_end) {
		warn("the log is full: it has come to len, or to the drive's end");
		fail(z, -ENOSPC);
	}
	if (z->result) {
		end(z, batch);
		return;
	}
	unified_io_prep_buffer(&desc, 0, 0);
	if (into_log(z))
		frame(z, batch);
	add_stages(pipe, &desc, 0);
	desc.flags &= ~UNIFIED_IO_DESC_F_PAD;
	desc.nvme.slba = into_log(z) ? at / pipe->lba_size : 0;
	unified_io_ranges_use(&batch->ranges, &desc);
	desc.user_data = batch - z->batches;
	pipe->copied += batch->ranges.copied;
	must(UNIFIED_IO_CALL_SUBMIT, unified_io_zcrx_submit(z->zc, &desc), "a batch");
}

/* False if it has to wait for a batch. */
static bool store(struct zcrx *z, const struct unified_net_iov *arrival)
{
	struct batch *batch;

	if (is_file(&z->pipe->sink)) {
		if (!z->result && write_out(z->pipe, z->pipe->io.data + arrival->addr, arrival->len))
			fail(z, -EIO);
		unified_io_zcrx_release(z->zc, arrival->addr);
		return true;
	}
	batch = z->current;
	if (batch && (batch->nr == MAX_ARRIVALS ||
		      batch->len + arrival->len > z->pipe->options.batch ||
		      unified_io_ranges_add(&batch->ranges, arrival->addr, arrival->len))) {
		submit(z);
		batch = NULL;
	}
	if (!batch) {
		z->current = batch = begin(z);
		if (!batch)
			return false;
		must(UNIFIED_IO_CALL_SUBMIT,
		     unified_io_ranges_add(&batch->ranges, arrival->addr, arrival->len), "a batch");
	}
	batch->arrivals[batch->nr++] = *arrival;
	batch->len += arrival->len;
	return true;
}

static void take(struct zcrx *z, const struct unified_io_zcrx_event *event)
{
	switch (event->type) {
	case UNIFIED_IO_ZCRX_DATA:
		z->pipe->bytes_read += event->res;
		z->queue[z->tail++ % z->size] = (struct unified_net_iov) {
			.addr = event->addr, .len = event->res,
		};
		break;
	case UNIFIED_IO_ZCRX_END:
		z->ended = true;
		if (event->res < 0 && !z->pipe->stopped) {
			warn("receive: %s", strerror(-event->res));
			fail(z, event->res);
		}
		break;
	case UNIFIED_IO_ZCRX_CHAIN:
		if (event->res < 0 && !z->result) {
			warn("%s: %s: %s", z->pipe->sink.text, strerror(-event->res),
			     unified_io_hint(UNIFIED_IO_CALL_COMPLETION, event->res));
			fail(z, event->res);
		}
		end(z, &z->batches[event->user_data]);
		break;
	}
}

static void open_zcrx(struct zcrx *z)
{
	struct pipe *pipe = z->pipe;
	struct unified_io_zcrx_params params = {
		.ifname = pipe->source.path,
		.rxq = pipe->source.queue,
		.addr = zcrx_memory(pipe),
		.len = (uint64_t)pipe->options.depth * pipe->options.batch,
		.entries = ENTRIES,
	};
	struct unified_io_info info;

	must(UNIFIED_IO_CALL_OPEN, unified_io_get_info(&pipe->io, &info), "the region");
	z->alignment = into_log(z) ? info.range_alignment : 1;
	z->size = params.len;	/* a piece may be a byte long */
	z->size = z->size > (1U << 20) ? 1U << 20 : z->size;
	z->queue = calloc(z->size, sizeof(*z->queue));
	if (!z->queue)
		die(EXIT_FAILED, "no memory");
	must(UNIFIED_IO_CALL_ZCRX, unified_io_zcrx_open(&z->zc, &pipe->io, &params),
	     pipe->source.text);
	if (unified_io_zcrx_mode(z->zc) != UNIFIED_IO_ZCRX_DEVICE)
		warn("%s: payload is copied once: %s", pipe->source.text,
		     unified_io_hint(UNIFIED_IO_CALL_ZCRX, unified_io_zcrx_why(z->zc)));
	must(UNIFIED_IO_CALL_ZCRX, unified_io_zcrx_recv(z->zc, pipe->source_fd, 0),
	     pipe->source.text);
}

static void look_for_signal(struct pipe *pipe)
{
	struct pollfd pollfd = { .fd = pipe->signal_fd, .events = POLLIN };

	if (pipe->stopped || poll(&pollfd, 1, 0) <= 0)
		return;
	pipe->stopped = true;
	shutdown(pipe->source_fd, SHUT_RDWR);
}

int run_zcrx(struct pipe *pipe)
{
	struct zcrx *z = calloc(1, sizeof(*z));
	struct unified_io_zcrx_event event;
	int result;

	if (!z)
		die(EXIT_FAILED, "no memory");
	z->pipe = pipe;
	open_zcrx(z);
	while (!z->ended || z->head != z->tail || z->nr_busy) {
		unified_io_zcrx_wait(z->zc, WAIT_NS);
		look_for_signal(pipe);
		while (unified_io_zcrx_next(z->zc, &event))
			take(z, &event);
		while (z->head != z->tail && store(z, &z->queue[z->head % z->size]))
			z->head++;
		if (z->current && (!pipe->options.fill || z->ended))
			submit(z);
		progress_show(pipe);
	}
	pipe->copied += unified_io_zcrx_copied(z->zc);
	unified_io_zcrx_close(z->zc);
	result = z->result;
	free(z->queue);
	free(z);
	return result;
}
