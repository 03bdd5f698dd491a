/* SPDX-License-Identifier: GPL-2.0 */
/* Where a record may end; for the command and its BPF program. */
#ifndef FRAMING_H
#define FRAMING_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

enum framing {
	FRAMING_RAW,	/* anywhere */
	FRAMING_LINE,	/* behind a '\n' */
	FRAMING_LENGTH,	/* between messages, each behind its length: 4 bytes, most significant first */
};

/* Of a message that is not complete, so much waits; of a longer one a record takes a part. */
#define SPLIT_MAX	16384	/* UNIFIED_IO_CARRY_MAX */
#define PREFIX_LEN	4

/* In bpf.arg, beside the length: the data begin inside of a message. */
#define ARG_CONT	(1U << 31)

/* What pipe.bpf.c keeps from record to record. */
struct pipe_state {
	__u64 seq;
	__u64 offset;
	__u64 source;
	__u64 lba;
	__u64 skip;	/* bytes of a message, of which a part has gone, that are still to come */
	__u32 inside;	/* the next record begins inside of a message */
	__u32 flags;	/* of the record at hand */
	__u32 full;	/* the log; what comes now must not stand where something is missing */
};

#endif /* FRAMING_H */
