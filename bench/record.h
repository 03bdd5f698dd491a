/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The records that the ingest benchmark streams, and what every contender must do with them: leave
 * out those of one kind, stamp the others. Included by BPF programs too, after vmlinux.h.
 */
#ifndef BENCH_RECORD_H
#define BENCH_RECORD_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

#define RECORD_MAGIC	0x31434552U	/* "REC1" */
#define RECORD_KINDS	4		/* kinds 0..3, evenly and irregularly spread */
#define RECORD_DROP	3		/* this one is dropped */

struct record {
	__u32	magic;
	__u32	size;		/* of the whole record, a multiple of 4096 */
	__u64	seq;
	__u32	kind;
	__u32	stamp;		/* 0 on the wire; the run's number on the drive */
};

static inline int record_filter(struct record *r, __u32 stamp)
{
	if (r->kind == RECORD_DROP)
		return 0;
	r->stamp = stamp;
	return 1;
}

#endif
