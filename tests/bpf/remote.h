/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A BPF program that the test controls from outside: for each call it runs up to
 * NR_STEPS steps, notes what each returned, and returns the verdict it was given.
 */
#ifndef TESTS_REMOTE_H
#define TESTS_REMOTE_H

#define NR_STEPS	4

enum step_op {
	STEP_NONE,
	STEP_SET_DATA,		/* a = off, b = len */
	STEP_SET_LEN,		/* a = len */
	STEP_SET_LBA,		/* a = lba */
	STEP_SET_TARGET,	/* a = slot */
	STEP_SET_SEND,		/* a = off, b = len */
	STEP_CARRY,		/* a = off, b = len */
	STEP_MOVE,		/* a = dst, b = src, c = len */
	STEP_MEMCHR,		/* a = off, b = len, c = byte */
	STEP_CRC32C,		/* a = off, b = len, c = seed */
	STEP_LOAD,		/* a = off: ret is the byte there, or -1 for a NULL pointer */
	STEP_STORE,		/* a = off, b = byte; ret is 0, or -1 for a NULL pointer */
	STEP_LOAD_4K,		/* as LOAD, but asks for 4096 bytes, and gives the last */
	STEP_CARRY_TAIL,	/* carries what follows the last whole unit of a bytes, and cuts it off */
	STEP_XOR_ALL,		/* a: xors the first 64 bytes of the data with it */
	STEP_KEEP,		/* a = off, b = len */
	STEP_KEEP_LIST,		/* a = how many of keeps[] */
	STEP_CONTIG,		/* a = off */
	STEP_LOAD_BYTES,	/* a = off, b = len: into bytes[] */
	STEP_STORE_BYTES,	/* a = off, b = len: from there */
	STEP_NR,
};

#define NR_KEEPS	256
#define NR_BYTES	4096

struct keep {
	__u32	off;
	__u32	len;
};

struct step {
	__u32	op;
	__u32	pad;
	__u64	a, b, c;
	__s64	ret;
};

#endif /* TESTS_REMOTE_H */
