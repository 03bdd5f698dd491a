/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Latencies of stages and of whole operations, in classes. latency.bpf.c counts
 * them, by the module's tracepoints; latency.c reads the counts.
 */
#ifndef LATENCY_H
#define LATENCY_H

/* Class i: above 2^(i-1) and up to 2^i microseconds; the first from 0, the last without end. */
#define LATENCY_CLASSES		28

/* Of what: a stage, UNIFIED_IO_STAGE_*, or from submit to completion. */
#define LATENCY_OPERATION	6
#define LATENCY_NR		7

struct latency_key {
	unsigned long long created;	/* with @region, which region; see struct region_stats */
	unsigned int region;
	unsigned int what;
};

struct latency {
	unsigned long long count[LATENCY_CLASSES];
	unsigned long long total_ns;
};

#ifndef __bpf__
#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

struct regions;
struct region_stats;
struct latency_trace;

/* The latencies of one stage of one region. */
struct latency_entry {
	struct latency_key key;
	struct latency latency;
};

/*
 * Begins to count, of all regions or of the one with this number. Takes root, and
 * keeps the module loaded. Returns NULL with errno set.
 */
struct latency_trace *latency_open(unsigned int only_region);
void latency_close(struct latency_trace *trace);
/* What to do about an errno of it. */
const char *latency_hint(int err);
/* Of what has been counted that of the region; false if there is nothing. */
bool latency_read(const struct latency_trace *trace, const struct region_stats *region,
		  unsigned int what, struct latency *latency);
/* All that has been counted, by region and stage; the caller frees. Returns how many. */
size_t latency_list(const struct latency_trace *trace, struct latency_entry **list);
/* Drops what was counted of regions that are no more. */
void latency_forget(const struct latency_trace *trace, const struct regions *regions);
/* Events that could not be counted. */
unsigned long long latency_missed(const struct latency_trace *trace);

/* "recv" to "send", or "operation". */
const char *latency_name(unsigned int what);
unsigned long long latency_count(const struct latency *latency);
/* So many microseconds were enough for this part, 0 to 1, of them; -1 if more than a class has. */
long long latency_quantile(const struct latency *latency, double part);
/* What @now has more than @before. */
struct latency latency_since(const struct latency *before, const struct latency *now);
struct json_object *latency_json(const struct latency *latency);
#endif

#endif /* LATENCY_H */
