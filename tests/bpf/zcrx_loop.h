/* SPDX-License-Identifier: GPL-2.0 */
/* What zcrx_loop.c and its BPF program share: the memory of a record. */
#ifndef TESTS_ZCRX_LOOP_H
#define TESTS_ZCRX_LOOP_H

#define NR_RECORDS	16	/* in memory */
#define SLOT_HEAD	4096	/* the head of the record; the table of ranges is at 0 */
#define SLOT_TAIL	8192	/* what the drive cannot gather, and zeroes */
#define SLOT_SIZE	16384

/* at the head of each record, which is of whole blocks */
struct record_head {
	__u32 magic;
	__u32 size;		/* of the record */
	__u64 offset;		/* in the stream */
	__u64 len;		/* payload, from the next block on */
};

#define RECORD_MAGIC	0x706f6f6cU

#endif /* TESTS_ZCRX_LOOP_H */
