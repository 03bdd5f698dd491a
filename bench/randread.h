/* SPDX-License-Identifier: GPL-2.0 */
/* What the random read loop (randread.c) needs of an interface to the drive. */
#ifndef BENCH_RANDREAD_H
#define BENCH_RANDREAD_H

#include <stdint.h>

#define BLOCK	4096

struct randread {
	const char	*device;
	unsigned int	lba;		/* bytes in a logical block */
	unsigned int	depth;
	unsigned int	batch;		/* completions to wait for at once */
	double		seconds;
	uint64_t	bytes;		/* of the drive, to read from */
	int		check;		/* each block begins with its number */
};

/* Returns memory for rr->depth blocks that reads go to. */
char *io_open(const struct randread *rr);
/* Queues a read of the block at @offset into the slot's block of memory. */
void io_read(unsigned int slot, uint64_t offset);
/* Submits what is queued and waits for at least @min reads. Returns how many have ended, and their slots. */
unsigned int io_wait(unsigned int min, unsigned int *slots);
/* Bytes that the CPU copied so far, as far as the interface counts them. */
uint64_t io_copied(void);

#endif
