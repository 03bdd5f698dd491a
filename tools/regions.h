/* SPDX-License-Identifier: GPL-2.0 */
/* The regions of this machine, as the module tells of them in debugfs. */
#ifndef REGIONS_H
#define REGIONS_H

#include <stdint.h>

#include "tool.h"

enum region_value {
	REGION_DEVICE_KIND,
	REGION_SIZE,
	REGION_DATA_SIZE,
	REGION_HUGE_BYTES,
	REGION_NUMA_NODE,
	REGION_SQ_ENTRIES,
	REGION_CQ_ENTRIES,
	REGION_NIOV_ENTRIES,
	REGION_NR_SOCKETS,
	REGION_NR_PROGS,
	REGION_STRUCT_OPS,
	REGION_INFLIGHT,
	REGION_NIOV_HELD,
	REGION_SUBMITTED,
	REGION_COMPLETED,
	REGION_DROPPED,
	REGION_REPLIED,
	REGION_RESUBMITTED,
	REGION_MOVED,
	REGION_CARRIED,
	REGION_BYPASS_MODE,
	REGION_BYPASS_BYTES,
	REGION_BYPASS_COPIED,
	REGION_NR_VALUES,
};

enum stage_value {
	STAGE_OPS,
	STAGE_BYTES,
	STAGE_ERRORS,
	STAGE_COPIED,
	STAGE_NR_VALUES,
};

/*
 * What a value is called: in debugfs and JSON by @name, in Prometheus by @metric,
 * which is NULL for what is no number there. @help is its description there.
 */
struct value_name {
	const char *name;
	const char *metric;
	const char *help;
	bool counter;		/* only grows */
};

extern const struct value_name region_values[REGION_NR_VALUES];
extern const struct value_name stage_values[STAGE_NR_VALUES];
extern const char *const stage_names[UNIFIED_IO_STAGE_NR];

struct region_stats {
	uint32_t id;
	uint32_t pid;		/* who set it up; 0 if gone */
	uint64_t created;	/* ns of CLOCK_BOOTTIME; with @id it is unique */
	char command[32];	/* of @pid, printable ASCII; "-" if gone */
	char device[64];	/* "" if none */
	uint64_t value[REGION_NR_VALUES];
	uint64_t stage[UNIFIED_IO_STAGE_NR][STAGE_NR_VALUES];
};

struct regions {
	struct region_stats *list;	/* by id */
	size_t nr;
	double time;			/* when it was read; see uptime() */
};

/*
 * Reads all regions, or only the one with the number @id if that is not 0; the caller
 * frees. Returns 0 or -errno; there may be none.
 */
int regions_read(struct regions *regions, uint32_t id);
/* What to do about an errno of it. */
const char *regions_hint(int err);
/* Ends the program if that cannot be, or there is no @id. */
void regions_must_read(struct regions *regions, uint32_t id);
void regions_free(struct regions *regions);
/* The same region as @region in an earlier reading, or NULL. */
const struct region_stats *regions_find(const struct regions *regions,
					const struct region_stats *region);
/* The argument REGION of a command line: 0 without one, or the end. */
uint32_t region_arg(int argc, char **argv);

/*
 * Bytes that the processor copied for each that came in, or went out if none came in.
 * What got past the stages, in or out, counts as what came in.
 */
double copied_per_byte(const struct region_stats *region);
/* A word for a value of REGION_BYPASS_MODE, which the region's process may set to anything. */
const char *bypass_name(uint64_t mode);
/* "name (pid N)", in a static buffer. */
const char *show_owner(const struct region_stats *region);

#endif /* REGIONS_H */
