/* SPDX-License-Identifier: GPL-2.0 */
/* What compress and its program agree on. */
#ifndef COMPRESS_H
#define COMPRESS_H

#define BLOCK_LEN	(64U << 10)	/* of text in an LZ4 block */
/* In front of it there is room for the block that it becomes, and what stands around that. */
#define HEADROOM	(72U << 10)

#endif /* COMPRESS_H */
