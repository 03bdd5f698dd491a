/* SPDX-License-Identifier: GPL-2.0 */
/* Do the logs on a drive hold what was acknowledged, and nothing that was not sent? */
#ifndef LOGS_H
#define LOGS_H

#include <stdint.h>

#include "crash.h"

/* The drive's bytes that hold the logs: @conns areas of @area bytes. */
struct logs {
	uint64_t seed, area;
	unsigned int conns;
	uint8_t *bytes;
	uint8_t *expected[CRASH_CONNS];	/* the streams */
	uint64_t acked[CRASH_CONNS];	/* bytes of each that were acknowledged */
};

struct tally {
	uint64_t logs, records, bytes, acked;	/* looked at; acknowledged bytes among them */
	uint64_t lost;		/* logs that end before what was acknowledged */
	uint64_t wrong;		/* records accepted whose payload was never sent */
	uint64_t torn;		/* logs that end in a record that the checksum told */
};

void logs_init(struct logs *logs, char **argv);	/* SEED CONNS AREA */
void logs_check(const struct logs *logs, struct tally *tally);

#endif /* LOGS_H */
