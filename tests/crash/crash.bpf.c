// SPDX-License-Identifier: GPL-2.0
/*
 * crash_server's program: what arrived becomes a record, to be written where the
 * one before ended; the answer, to be sent when it is stable, stands in front.
 */
#include "vmlinux.h"
#include <asm-generic/errno.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "unified_io_bpf.h"
#include "unified_io_log.h"
#include "unified_io_log_bpf.h"
#include "crash.h"

char LICENSE[] SEC("license") = "GPL";

const volatile __u64 seed;
const volatile __u64 base_block;	/* of the first log */
const volatile __u64 area_blocks;	/* of each */

/* Where the log of each connection ends: arrivals of one socket are processed one by one. */
static struct log_tail tails[CRASH_CONNS];

static int answer(struct unified_io_bpf_ctx *ctx, const struct log_tail *tail)
{
	struct crash_ack *ack = (void *)bpf_uior_data(ctx, 0, sizeof(*ack));

	if (!ack)
		return -ERANGE;
	ack->records = tail->seq;
	ack->offset = tail->offset;
	return bpf_uior_set_send(ctx, 0, sizeof(*ack));
}

SEC("struct_ops/process")
int BPF_PROG(process, struct unified_io_bpf_ctx *op)
{
	struct log_tail *tail = &tails[op->arg % CRASH_CONNS];
	__u64 end = base_block + area_blocks * (op->arg + 1);
	__u32 len = op->len, flags = 0;
	int err;

	if (op->flags & UNIFIED_IO_BPF_CTX_F_EOF)
		flags = UNIFIED_IO_LOG_END;
	if (op->lba + record_size(op, len) / (op->lba_size ?: 512) > end)
		return -ENOSPC;
	err = record_frame(op, CRASH_HEAD, len, crash_log_id(seed, op->arg), tail,
			   tail->offset + len, flags);
	tail->seq++;
	tail->offset += len;
	return err ?: answer(op, tail);
}

SEC(".struct_ops.link")
struct unified_io_bpf_ops crash = {
	.process = (void *)process,
};
