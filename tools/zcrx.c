// SPDX-License-Identifier: GPL-2.0
/* A source that a NIC puts straight into the region, where it can. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "intake.h"

#define WAIT_NS		100000000ULL	/* how late a signal may be seen */
#define ENTRIES		32U		/* chains, a power of two */

static const char *const modes[] = {
	[UNIFIED_IO_ZCRX_DEVICE] = "device",
	[UNIFIED_IO_ZCRX_NODEV] = "nodev",
	[UNIFIED_IO_ZCRX_SOCKET] = "socket",
};

/* It is closed before its NIC is made what it was, however the program ends. */
static struct unified_io_zcrx *receiver;

void close_zcrx(void)
{
	sigset_t before;

	hold_signals(&before);
	if (receiver)
		unified_io_zcrx_close(receiver);
	receiver = NULL;
	sigprocmask(SIG_SETMASK, &before, NULL);
}

static void release(uint64_t addr)
{
	unified_io_zcrx_release(receiver, addr);
}

static int submit(const struct unified_descriptor *desc)
{
	return unified_io_zcrx_submit(receiver, desc);
}

static void end_stream(struct intake *in)
{
	shutdown(in->pipe->source_fd, SHUT_RDWR);
}

static void take(struct intake *in, const struct unified_io_zcrx_event *event)
{
	switch (event->type) {
	case UNIFIED_IO_ZCRX_DATA:
		in->pipe->bytes_read += event->res;
		intake_add(in, event->addr, event->res);
		break;
	case UNIFIED_IO_ZCRX_END:
		in->ended = true;
		if (event->res < 0 && !in->pipe->stopped) {
			warn("receive: %s", strerror(-event->res));
			in->source_error = event->res;
		}
		break;
	case UNIFIED_IO_ZCRX_CHAIN:
		batch_ended(in, event->user_data, event->res, event->flags, event->addr);
		break;
	}
}

/* What is missing for the NIC to do it without a copy, line by line. */
static void say_missing(const struct address *source)
{
	char text[2048], *rest = text, *line;

	if (unified_io_zcrx_check(source->path, source->queue, text, sizeof(text)) <= 0)
		return;
	while ((line = strsep(&rest, "\n")))
		if (*line)
			warn("  %s", line);
	if (!source->configure)
		warn("  or let --configure do it, as far as it can be done");
}

static void say_mode(const struct pipe *pipe)
{
	static const char *const who[] = {
		[UNIFIED_IO_ZCRX_DEVICE] = "the NIC writes into the region, nothing is copied",
		[UNIFIED_IO_ZCRX_NODEV] = "io_uring copies each byte once",
		[UNIFIED_IO_ZCRX_SOCKET] = "the module copies each byte once",
	};
	enum unified_io_zcrx_mode mode = unified_io_zcrx_mode(receiver);
	int why = unified_io_zcrx_why(receiver);

	if (!pipe->options.quiet)
		warn("%s: mode %s: %s", pipe->source.text, modes[mode], who[mode]);
	if (why)
		warn("%s: not mode device: %s", pipe->source.text,
		     unified_io_hint(UNIFIED_IO_CALL_ZCRX, why));
	if (why || mode == UNIFIED_IO_ZCRX_DEVICE)
		say_missing(&pipe->source);
	if (pipe->one_piece && !pipe->options.quiet)
		warn("%s: what follows wants it in one piece: each byte is copied once more",
		     pipe->source.text);
}

/* Nobody connects before the NIC has been told where to put what comes. */
void open_zcrx(struct pipe *pipe)
{
	struct unified_io_zcrx_params params = {
		.mode = pipe->source.mode,
		.ifname = pipe->source.path,
		.rxq = pipe->source.queue,
		.addr = batch_memory(pipe),
		.len = intake_area(pipe),
		.entries = ENTRIES,
	};
	int err = unified_io_zcrx_open(&receiver, &pipe->io, &params);

	if (err && params.mode == UNIFIED_IO_ZCRX_DEVICE)
		say_missing(&pipe->source);
	must(UNIFIED_IO_CALL_ZCRX, err, pipe->source.text);
	atexit(close_zcrx);
	pipe->mode = modes[unified_io_zcrx_mode(receiver)];
	say_mode(pipe);
	if (listen(pipe->source_fd, 1))
		die(EXIT_FAILED, "%s: %s", pipe->source.text, strerror(errno));
}

static void look_for_signal(struct pipe *pipe)
{
	if (take_signal(pipe))
		shutdown(pipe->source_fd, SHUT_RDWR);
}

/* Submits, and waits for something to happen. True: nothing can, until we give something up. */
static bool wait_event(struct intake *in)
{
	int ret = unified_io_zcrx_wait(receiver, WAIT_NS);

	if (ret < 0 && ret != -ETIME && ret != -EINTR && ret != -ENOBUFS) {
		warn("%s: %s", in->pipe->source.text, strerror(-ret));
		intake_fail(in, ret);
		in->ended = true;
	}
	look_for_signal(in->pipe);
	return ret == -ENOBUFS;
}

/*
 * Nothing can come, and there is nothing to give up: what came by another queue needs a
 * buffer, and this queue has all of them, for its ring or for what others have not read.
 */
static void give_in(struct intake *in)
{
	warn("%s: no buffer is left to receive into, the queue has them all: give a larger --depth",
	     in->pipe->source.text);
	in->source_error = -ENOBUFS;
	in->ended = true;
}

/* The module counts what it copies by itself. */
static void count_copies(struct pipe *pipe)
{
	if (unified_io_zcrx_mode(receiver) != UNIFIED_IO_ZCRX_SOCKET)
		pipe->copied_in = unified_io_zcrx_copied(receiver);
}

int run_zcrx(struct pipe *pipe)
{
	static struct intake in = { .release = release, .submit = submit, .fail = end_stream };
	struct unified_io_zcrx_event event;
	bool starved;

	intake_init(&in, pipe);
	must(UNIFIED_IO_CALL_ZCRX, unified_io_zcrx_recv(receiver, pipe->source_fd, 0),
	     pipe->source.text);
	while (!in.ended || intake_busy(&in)) {
		starved = wait_event(&in);
		if (starved && in.first == in.last && in.head == in.tail && !in.ended)
			give_in(&in);
		while (!intake_full(&in, 0) && unified_io_zcrx_next(receiver, &event))
			take(&in, &event);
		batch_retire(&in);
		batch_fill(&in);
		if (in.current && (!pipe->options.fill || in.ended || starved))
			batch_submit(&in);
		batch_retire(&in);
		count_copies(pipe);
		progress_show(pipe);
	}
	close_zcrx();
	intake_free(&in);
	return in.result ?: in.source_error;
}
