// SPDX-License-Identifier: GPL-2.0
/* What happened between two readings of the regions, as stat --interval and top show it. */
#include <string.h>

#include "regions.h"

/* What @now has more than @before, which is NULL for a region that is new. */
static struct region_stats difference(const struct region_stats *before,
				      const struct region_stats *now)
{
	struct region_stats diff = *now;
	size_t i, stage;

	for (i = 0; before && i < REGION_NR_VALUES; i++)
		if (region_values[i].counter)
			diff.value[i] -= before->value[i];
	for (stage = 0; before && stage < UNIFIED_IO_STAGE_NR; stage++)
		for (i = 0; i < STAGE_NR_VALUES; i++)
			diff.stage[stage][i] -= before->stage[stage][i];
	return diff;
}

static void put_rates(FILE *out, const char *what, const uint64_t *stage, double seconds)
{
	char bytes[24];

	snprintf(bytes, sizeof(bytes), "%s/s", show_size(stage[STAGE_BYTES] / seconds));
	fprintf(out, "  %-6s %12.0f %14s %10.2f %10.2f", what, stage[STAGE_OPS] / seconds, bytes,
		stage[STAGE_ERRORS] / seconds,
		stage[STAGE_BYTES] ? (double)stage[STAGE_COPIED] / stage[STAGE_BYTES] : 0);
}

static void put_region(FILE *out, const struct region_stats *before,
		       const struct region_stats *now, double seconds)
{
	struct region_stats diff = difference(before, now);
	size_t i;

	fprintf(out, "region %u: %s%s%s, %llu in flight, %.0f ops/s, %.4f bytes copied a byte\n",
		now->id, show_owner(now), *now->device ? ", " : "", now->device,
		(unsigned long long)now->value[REGION_INFLIGHT],
		diff.value[REGION_COMPLETED] / seconds, copied_per_byte(&diff));
	for (i = 0; i < UNIFIED_IO_STAGE_NR; i++) {
		if (!now->stage[i][STAGE_OPS])
			continue;
		put_rates(out, stage_names[i], diff.stage[i], seconds);
		fputc('\n', out);
	}
}

void rates_print(FILE *out, const struct regions *before, const struct regions *now)
{
	double seconds = now->time - before->time;
	size_t i;

	fprintf(out, "  %-6s %12s %14s %10s %10s\n", "stage", "ops/s", "bytes/s", "errors/s",
		"copied/B");
	for (i = 0; i < now->nr; i++)
		put_region(out, regions_find(before, &now->list[i]), &now->list[i], seconds);
	if (!now->nr)
		fputs("no region\n", out);
}
