/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What server, client and checker of the crash tests agree on.
 *
 * Each connection is one stream with a log of its own: connection c's begins at
 * byte base + c * area of the drive and has the log_id (seed << 8 | c), from which
 * every byte of the stream follows. Behind the logs there is the ledger: block c
 * of it says how much of stream c has been acknowledged.
 */
#ifndef CRASH_H
#define CRASH_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

#define CRASH_CONNS	16	/* at most */
#define CRASH_HEAD	512	/* of a buffer: the answer; then the record, as drives want it aligned */
#define CRASH_BUFFER	(20 * 1024)
#define CRASH_LEDGER	4096	/* bytes of a block of the ledger */
#define CRASH_MAGIC	0x444b4341U

/* The server's answer: all before @offset, in @records records, is on stable storage. */
struct crash_ack {
	__u64 records;
	__u64 offset;
};

struct crash_ledger {
	__u32 magic;
	__u32 conn;
	__u64 seed;
	__u64 offset;
};

static inline __u64 crash_log_id(__u64 seed, __u32 conn)
{
	return seed << 8 | conn;
}

#endif /* CRASH_H */
