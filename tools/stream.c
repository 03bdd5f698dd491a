// SPDX-License-Identifier: GPL-2.0
/*
 * A source in the network: one submission, which the kernel repeats for each arrival.
 * Into a drive or a socket the process sleeps until the stream has ended; into a file
 * it writes each arrival and gives its buffer back.
 */
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "pipe.h"

#define ENTER_NS	100000000ULL	/* how late a signal may be seen with --cpus */

static bool kernel_only(const struct pipe *pipe)
{
	return !is_file(&pipe->sink);
}

static void arm(struct pipe *pipe)
{
	struct unified_descriptor *desc = unified_io_get_desc(&pipe->io);
	__u16 flags = 0;

	if (kernel_only(pipe))
		flags |= UNIFIED_IO_DESC_F_RECYCLE | UNIFIED_IO_DESC_F_CQE_SKIP;
	if (pipe->options.fill && pipe->source.kind != ADDRESS_UDP_LISTEN)
		flags |= UNIFIED_IO_DESC_F_WAITALL;
	unified_io_prep_recv_multishot(desc, pipe->source_slot, HEADROOM, flags);
	add_stages(pipe, desc, 0);
	must(UNIFIED_IO_CALL_SUBMIT, unified_io_submit(&pipe->io), "the stream");
}

/*
 * All that TCP has acknowledged is ours to store: the stream goes on to the end of
 * the socket's queue, and what the peer sends from now on is refused. Datagrams that
 * nobody has taken are not.
 */
static void stop(struct pipe *pipe)
{
	__u64 user_data = 0;

	pipe->stopped = true;
	if (pipe->source.kind == ADDRESS_UDP_LISTEN)
		ioctl(pipe->io.fd, UNIFIED_IO_CANCEL, &user_data);
	else
		shutdown(pipe->source_fd, SHUT_RDWR);
}

static void wait_event(struct pipe *pipe)
{
	struct pollfd fds[] = {
		{ .fd = pipe->signal_fd, .events = POLLIN },
		{ .fd = pipe->io.fd, .events = POLLIN },
	};
	bool enter = pipe->options.cpus;

	/* chains run in the thread that waits in the kernel: on our processors */
	if (enter)
		unified_io_enter(&pipe->io, 0, 1, ENTER_NS);
	poll(fds, enter ? 1 : 2, enter ? 0 : progress_timeout(pipe));
	if (take_signal(pipe))
		stop(pipe);
	progress_show(pipe);
}

/* An arrival for the process, or one that failed. */
static int take_arrival(struct pipe *pipe, const struct unified_completion *cqe)
{
	int err = 0;

	if (cqe->res < 0)
		return failed(cqe);
	if (!(cqe->flags & UNIFIED_IO_CQE_F_DROPPED))
		err = write_out(pipe, pipe->io.data + cqe->addr + HEADROOM, cqe->len);
	unified_io_add_buffer(&pipe->io, cqe->addr, pipe->options.batch);
	unified_io_publish_buffers(&pipe->io);
	if (err && !pipe->stopped)
		stop(pipe);
	return err;
}

/*
 * The stream has ended. What a program carried over from the last arrival comes once
 * more behind a connection's error, if asked for: so that it is stored. Returns whether
 * that is now on its way.
 */
static bool end_stream(struct pipe *pipe, const struct unified_completion *cqe, int *result)
{
	bool refused = pipe->stopped && (cqe->res == -ECONNRESET || cqe->res == -ECANCELED);

	/* of an arrival that failed we know already */
	if (cqe->res >= 0 || *result)
		return false;
	if (!refused)
		*result = failed(cqe);
	if (pipe->source.kind == ADDRESS_UDP_LISTEN || cqe->res == -ENOTCONN)
		return false;
	arm(pipe);
	return true;
}

int run_stream(struct pipe *pipe)
{
	struct unified_completion cqe;
	bool again = true, going = true;
	int result = 0, err;

	must(UNIFIED_IO_CALL_SUBMIT,
	     unified_io_add_buffers(&pipe->io, 0, pipe->options.batch, pipe->options.depth),
	     "the buffers");
	arm(pipe);
	while (going) {
		wait_event(pipe);
		while (going && unified_io_peek(&pipe->io)) {
			cqe = *unified_io_peek(&pipe->io);
			unified_io_consume(&pipe->io, 1);
			if (cqe.flags & UNIFIED_IO_CQE_F_MORE) {
				err = take_arrival(pipe, &cqe);
				result = result ?: err;
				continue;
			}
			going = again && end_stream(pipe, &cqe, &result);
			again = false;
		}
		if (going && unified_io_needs_enter(&pipe->io))
			unified_io_submit(&pipe->io);
	}
	return result;
}
