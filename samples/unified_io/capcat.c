// SPDX-License-Identifier: GPL-2.0
/*
 * capcat <DRIVE >FILE.pcapng - what capture has left on a drive, as a file
 *
 * The blocks on the drive are those of the file; this finds where they end: with the
 * first write that does not close with the same capture's id and its own offset.
 */
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "pcapng.h"

#define MAX_WRITE	(1U << 20)

static unsigned char buf[MAX_WRITE];
static __u32 have;	/* bytes of the write so far */

static bool read_to(__u32 len)
{
	if (len > sizeof(buf) || (len > have && fread(buf + have, len - have, 1, stdin) != 1))
		return false;
	have = len;
	return true;
}

/* The next block behind those that there are, or NULL. */
static const struct unified_io_pcapng_block *next_block(void)
{
	const struct unified_io_pcapng_block *block = (const void *)(buf + have);
	__u32 from = have;

	if (!read_to(from + sizeof(*block)) || block->len < sizeof(*block) + sizeof(__u32) ||
	    block->len % sizeof(__u32) || block->len > sizeof(buf) - from ||
	    !read_to(from + block->len) ||
	    memcmp(buf + have - sizeof(__u32), &block->len, sizeof(__u32)))
		return NULL;
	return block;
}

/* A whole write, of the capture @id and at @offset of it. */
static bool next_write(__u64 *id, __u64 offset)
{
	const struct unified_io_pcapng_block *block;
	struct pcapng_write_end end;
	__u64 its_id, its_offset;

	have = 0;
	do {
		block = next_block();
		if (!block || (!offset && block == (void *)buf && block->type != UNIFIED_IO_PCAPNG_SECTION))
			return false;
	} while (block->type != PCAPNG_WRITE_END);
	if (block->len < sizeof(end) + sizeof(__u32))
		return false;
	memcpy(&end, block, sizeof(end));
	its_id = end.capture_id[0] | (__u64)end.capture_id[1] << 32;
	its_offset = end.offset[0] | (__u64)end.offset[1] << 32;
	if (!offset)
		*id = its_id;
	return its_id == *id && its_offset == offset;
}

int main(int argc, char **argv)
{
	__u64 id = 0, offset = 0;

	if (argc != 1)
		errx(2, "usage: %s <DRIVE >FILE.pcapng", argv[0]);
	for (; next_write(&id, offset); offset += have)
		if (fwrite(buf, have, 1, stdout) != 1)
			err(2, "stdout");
	if (fclose(stdout))
		err(2, "stdout");
	if (!offset)
		errx(1, "there is no capture");
	return 0;
}
