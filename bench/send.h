/* SPDX-License-Identifier: GPL-2.0 */
/* What the send loop (send.c) needs of a way to send. */
#ifndef BENCH_SEND_H
#define BENCH_SEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DEPTH_MAX	1024	/* enough for a slow round trip */

struct send_job {
	const char	*host;
	int		port;
	bool		udp;
	unsigned int	size;		/* of a message, bytes */
	unsigned int	depth;		/* buffers, used in turn; a power of two */
	unsigned int	batch;		/* messages between two looks at the clock */
};

/*
 * A way to send. A buffer is sent again only when the one before has let go of it. All
 * functions work on the contender's own socket, which is connected and blocks.
 */
struct contender {
	const char	*name;
	bool		(*fits)(const struct send_job *job);	/* or NULL: always */
	void		(*open)(const struct send_job *job, int sk);
	void		(*batch)(void);		/* sends job->batch messages */
	void		(*settle)(void);	/* waits until all buffers are free; or NULL */
	uint64_t	(*copied)(void);	/* bytes so far; or NULL: not told */
};

extern const struct contender contender_ours, contender_ours_each;
extern const struct contender contender_send, contender_sendfile;
extern const struct contender contender_send_zc;

#endif
