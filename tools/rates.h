/* SPDX-License-Identifier: GPL-2.0 */
/* What happens between two readings of the regions. */
#ifndef RATES_H
#define RATES_H

#include <stdio.h>

#include "latency.h"
#include "regions.h"

struct reading {
	struct regions regions;
	bool traced;
	struct latency_entry *latencies;	/* if traced */
	size_t nr_latencies;
};

/* Of all regions or of @region; @trace may be NULL. Returns 0 or -errno, and then nothing. */
int reading_take(struct reading *reading, uint32_t region, const struct latency_trace *trace);
void reading_free(struct reading *reading);
/* Of one region and stage since tracing began, or NULL. */
const struct latency *reading_latency(const struct reading *reading,
				      const struct region_stats *region, unsigned int what);

/*
 * A table of regions and stages: what happened from @before to @now, per second, and
 * how long it took if both are traced.
 */
void rates_print(FILE *out, const struct reading *before, const struct reading *now);

#endif /* RATES_H */
