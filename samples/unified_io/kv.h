/* SPDX-License-Identifier: GPL-2.0 */
/* What kv.c and kv.bpf.c agree on. */
#ifndef KV_H
#define KV_H

#define KV_KEY_MAX	64
#define KV_VALUE_MAX	1024

/* bpf.arg of a descriptor: what its data are */
#define KV_SERVE	0	/* requests, just received */
#define KV_FORMAT	1	/* room for the first record of a new log */
#define KV_REPLAY	2	/* what was read from the drive: records, and gaps */

/*
 * The buffer of a receive:
 *
 *	| answers | scratch | header | requests |
 *	                    '-- log record -----'
 *
 * The shortest request that can get the longest answer is a GET of 20 bytes:
 * there is room for an answer to as many of them as can come. A replay reads
 * some records, or parts of them, and what it overwrites with its scratch.
 */
#define KV_HEADER	64
#define KV_RECORD	8192
#define KV_REQUESTS	(KV_RECORD - KV_HEADER)
#define KV_ANSWER_MAX	(KV_VALUE_MAX + 16)
#define KV_SCRATCH	((KV_REQUESTS / 20 + 2) * KV_ANSWER_MAX / 4096 * 4096)
#define KV_HEAD		(KV_SCRATCH + 4096)	/* of the record: drives want its alignment */
#define KV_HEADROOM	(KV_HEAD + KV_HEADER)
#define KV_BUFFER	(KV_HEAD + KV_RECORD)
#define KV_SCAN		(256 * 1024)
#define KV_READ		(KV_SCAN + 4096)

#endif /* KV_H */
