// SPDX-License-Identifier: GPL-2.0
/*
 * A source that the process reads, a file, or a log record by record. Each buffer is
 * a chain; a ring of them is on its way, and is given up in order.
 */
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "pipe.h"
#include "split.h"

/* What a buffer holds when its chain has ended. */
struct slot {
	bool done;
	int err;
	uint64_t addr;
	uint32_t len;
};

/**
 * struct feed - buffers on their way
 * @pipe: whose
 * @slots: pipe->options.depth of them
 * @head: the oldest that is on its way, counted from the first
 * @tail: the next to fill
 * @end: nothing more is taken from the source
 * @failing: a chain has failed; why has been said
 * @result: the first error: what is behind it is not given up any more
 * @source_error: what the source ended with: all that came before it is
 * @split: where records end
 */
struct feed {
	struct pipe *pipe;
	struct slot *slots;
	uint64_t head;
	uint64_t tail;
	bool end;
	bool failing;
	int result;
	int source_error;
	struct split split;
};

static struct slot *slot_of(const struct feed *feed, uint64_t nr)
{
	return &feed->slots[nr % feed->pipe->options.depth];
}

static uint64_t address_of(const struct feed *feed, uint64_t nr)
{
	return nr % feed->pipe->options.depth * feed->pipe->options.batch;
}

static void fail(struct feed *feed, int err)
{
	feed->result = feed->result ?: err;
	feed->end = true;
}

static void end_source(struct feed *feed, int err)
{
	feed->source_error = err;
	feed->end = true;
}

static void queue(struct feed *feed, const struct unified_descriptor *desc)
{
	struct unified_descriptor *entry = unified_io_get_desc(&feed->pipe->io);

	*entry = *desc;
	entry->user_data = feed->tail++;
	must(UNIFIED_IO_CALL_SUBMIT, unified_io_submit(&feed->pipe->io), "a buffer");
}

/* Waits for more to read into a buffer. False: there will be none, for a signal came before. */
static bool more(struct feed *feed)
{
	struct pollfd fds[] = {
		{ .fd = feed->pipe->signal_fd, .events = POLLIN },
		{ .fd = feed->pipe->source_fd, .events = POLLIN },
	};

	while (poll(fds, 2, -1) < 0 && errno == EINTR)
		;
	if (take_signal(feed->pipe))
		feed->end = true;
	return !feed->end;
}

/*
 * One read, or as many as fill the buffer; none at the source's end. Returns the bytes,
 * behind what was set aside.
 */
static uint32_t read_in(struct feed *feed, uint8_t *to, uint32_t room)
{
	struct pipe *pipe = feed->pipe;
	uint32_t len = split_begin(&feed->split, to);
	ssize_t n = 0;

	while (!feed->end && len < room && (n <= 0 || (pipe->options.fill && more(feed)))) {
		n = read(pipe->source_fd, to + len, room - len);
		if (n < 0 && errno != EINTR) {
			end_source(feed, -errno);
			warn("%s: %s", pipe->source.text, strerror(-feed->source_error));
		}
		if (!n)
			feed->end = true;
		if (n > 0) {
			len += n;
			pipe->bytes_read += n;
			pipe->copied += n;
		}
	}
	return len;
}

static void fill_from_file(struct feed *feed)
{
	struct pipe *pipe = feed->pipe;
	uint64_t addr = address_of(feed, feed->tail);
	uint8_t *data = pipe->io.data + addr + HEADROOM;
	struct unified_descriptor desc;
	uint32_t len = read_in(feed, data, pipe->options.batch - HEADROOM);

	len = split_end(&feed->split, data, len, feed->end);
	pipe->copied += 2 * feed->split.rest_len;
	if (!len)
		return;
	*slot_of(feed, feed->tail) = (struct slot) { .addr = addr + HEADROOM, .len = len };
	if (pipe->has_bpf)
		unified_io_prep_buffer(&desc, addr, pipe->options.batch);
	else
		unified_io_prep_buffer(&desc, addr + HEADROOM, len);
	add_stages(pipe, &desc, split_arg(feed->split.cont, len));
	if (desc.type)
		queue(feed, &desc);
	else
		slot_of(feed, feed->tail++)->done = true;
}

/* The next record that has a payload. */
static void fill_from_log(struct feed *feed)
{
	struct pipe *pipe = feed->pipe;
	const struct unified_io_log_header *header;
	struct unified_descriptor desc;
	uint32_t size;

	do
		header = log_next_header(pipe->reader);
	while (header && !header->len);
	if (!header) {
		end_source(feed, log_why(pipe->reader) ? -EBADMSG : 0);
		if (feed->source_error)
			warn("%s: the log ends without its last record: %s", pipe->source.text,
			     log_why(pipe->reader));
		return;
	}
	size = le32toh(header->size);
	if (size > pipe->options.batch) {
		warn("%s: a record of %u bytes does not fit a buffer: want --batch %u",
		     pipe->source.text, size, size);
		end_source(feed, -EMSGSIZE);
		return;
	}
	*slot_of(feed, feed->tail) = (struct slot) { };
	unified_io_prep_read(&desc, address_of(feed, feed->tail), size,
			     log_position(pipe->reader) / pipe->lba_size);
	add_stages(pipe, &desc, (uint32_t)le64toh(header->seq));
	queue(feed, &desc);
}

static void reap(struct feed *feed)
{
	const struct unified_completion *cqe;
	struct slot *slot;

	while ((cqe = unified_io_peek(&feed->pipe->io))) {
		slot = slot_of(feed, cqe->user_data);
		slot->done = true;
		slot->addr = cqe->addr;
		slot->len = cqe->flags & UNIFIED_IO_CQE_F_DROPPED ? 0 : cqe->len;
		if (cqe->res < 0) {
			slot->err = cqe->res;
			feed->end = true;
			if (!feed->failing)
				failed(cqe);
			feed->failing = true;
		}
		unified_io_consume(&feed->pipe->io, 1);
	}
}

/*
 * Those that have ended, up to the first that has not; into a file in this order, to the
 * first error.
 */
static void retire(struct feed *feed)
{
	struct slot *slot;
	int err;

	for (; feed->head != feed->tail && slot_of(feed, feed->head)->done; feed->head++) {
		slot = slot_of(feed, feed->head);
		err = slot->err;
		if (!err && !feed->result && is_file(&feed->pipe->sink))
			err = write_out(feed->pipe, feed->pipe->io.data + slot->addr, slot->len);
		if (err)
			fail(feed, err);
	}
}

/* After a signal: the beginning of a message that was set aside. */
static bool rest(const struct feed *feed)
{
	return feed->end && !feed->failing && !feed->result && feed->split.rest_len;
}

/* Is there something to fill a buffer with? Waits for that or for a buffer. */
static bool fillable(struct feed *feed)
{
	struct pipe *pipe = feed->pipe;
	bool room = feed->tail - feed->head < pipe->options.depth;
	bool log = pipe->source.kind == ADDRESS_DRIVE;
	struct pollfd fds[] = {
		{ .fd = pipe->signal_fd, .events = POLLIN },
		{ .fd = pipe->io.fd, .events = POLLIN },
		{ .fd = room && !feed->end && !log ? pipe->source_fd : -1, .events = POLLIN },
	};
	bool wait = !room || (feed->end ? !rest(feed) : !log);

	poll(fds, 3, wait ? progress_timeout(pipe) : 0);
	if (take_signal(pipe))
		feed->end = true;
	return room && (feed->end ? rest(feed) : log || fds[2].revents);
}

int run_feed(struct pipe *pipe)
{
	void (*fill)(struct feed *feed) = pipe->source.kind == ADDRESS_DRIVE ? fill_from_log :
									       fill_from_file;
	struct feed feed = { .pipe = pipe };

	split_init(&feed.split, pipe->options.framing, pipe->options.batch);
	feed.slots = calloc(pipe->options.depth, sizeof(*feed.slots));
	if (!feed.slots)
		die(EXIT_FAILED, "no memory");
	while (!feed.end || feed.head != feed.tail || rest(&feed)) {
		if (fillable(&feed))
			fill(&feed);
		reap(&feed);
		retire(&feed);
		progress_show(pipe);
	}
	free(feed.slots);
	return feed.result ?: feed.source_error;
}
