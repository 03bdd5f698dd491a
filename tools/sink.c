// SPDX-License-Identifier: GPL-2.0
/* What becomes of the data at the end of a pipe. */
#include <unistd.h>

#include "pipe.h"
#include "pipe.skel.h"

static const uint8_t sync_flags[] = {
	[SYNC_NONE] = 0,
	[SYNC_FLUSH] = UNIFIED_IO_NVME_F_FLUSH,
	[SYNC_FUA] = UNIFIED_IO_NVME_F_FUA,
};

/* Behind the source: the programs, and the sink if that is the kernel's. */
void add_stages(const struct pipe *pipe, struct unified_descriptor *desc, uint32_t arg)
{
	/* from a NIC: zcrx.c has asked it before */
	uint32_t xdp_id = is_socket(&pipe->source) ? pipe->xdp_id : 0;

	if (pipe->nr_links || xdp_id)
		unified_io_then_bpf(desc, xdp_id, arg);
	if (pipe->nr_links && xdp_id)
		desc->flags |= UNIFIED_IO_DESC_F_XDP_THEN_OPS;
	if (pipe->sink.kind == ADDRESS_DRIVE) {
		/* 'frame' says which block */
		unified_io_then_write(desc, 0, sync_flags[pipe->options.sync]);
		desc->flags |= UNIFIED_IO_DESC_F_PAD;
	}
	if (pipe->sink_slot >= 0)
		unified_io_then_send(desc, pipe->sink_slot);
}

int write_out(struct pipe *pipe, const void *data, size_t len)
{
	const char *from = data;
	ssize_t n;

	for (; len; from += n, len -= n) {
		n = write(pipe->sink_fd, from, len);
		if (n < 0 && errno == EINTR)
			n = 0;
		if (n < 0) {
			n = -errno;
			warn("%s: %s", pipe->sink.text, strerror(errno));
			return n;
		}
		pipe->bytes_written += n;
		pipe->copied += n;
	}
	return 0;
}

int failed(const struct unified_completion *cqe)
{
	static const char *const stages[UNIFIED_IO_STAGE_NR] = {
		"receive", "read", "BPF", "write", "flush", "send",
	};
	bool bpf = cqe->stage == UNIFIED_IO_STAGE_BPF;

	if (bpf && cqe->res == -ENOSPC)
		warn(LOG_FULL);
	else if (bpf && cqe->res == -EBADMSG)
		warn("a record of the log is damaged: see unified-io log verify");
	else
		warn("%s: %s: %s", cqe->stage < UNIFIED_IO_STAGE_NR ? stages[cqe->stage] : "?",
		     strerror(-cqe->res), unified_io_hint(UNIFIED_IO_CALL_COMPLETION, cqe->res));
	return cqe->res;
}

/* Where 'frame' is now. */
static void take_tail(struct pipe *pipe)
{
	const struct pipe_state *state = &pipe->bpf->bss->state;

	pipe->tail.seq = state->seq;
	pipe->tail.offset = state->offset;
	pipe->tail.source = state->source;
	pipe->tail.at = state->lba * pipe->lba_size;
}

bool has_room(const struct pipe *pipe)
{
	return pipe->tail.at + pipe->lba_size <= pipe->log_end;
}

/* The record that says that we are done, and all of it stable. Nothing is in flight. */
int end_log(struct pipe *pipe)
{
	struct unified_descriptor *desc;
	struct unified_completion cqe;

	take_tail(pipe);
	if (!has_room(pipe)) {
		warn(LOG_FULL);
		return -ENOSPC;
	}
	memset(pipe->io.data, 0, pipe->lba_size);
	record_make((void *)pipe->io.data, &pipe->tail, 0, pipe->lba_size, UNIFIED_IO_LOG_END);
	desc = unified_io_get_desc(&pipe->io);
	unified_io_prep_write(desc, 0, pipe->lba_size, pipe->tail.at / pipe->lba_size);
	desc->nvme.flags = UNIFIED_IO_NVME_F_FLUSH;
	must(UNIFIED_IO_CALL_SUBMIT, unified_io_wait(&pipe->io, &cqe, 0), "the log's end");
	pipe->tail.seq++;
	pipe->tail.at += pipe->lba_size;
	return cqe.res < 0 ? failed(&cqe) : 0;
}
