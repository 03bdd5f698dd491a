// SPDX-License-Identifier: GPL-2.0
/* What happened between two readings of the regions, as stat --interval and top show it. */
#include <stdlib.h>
#include <string.h>

#include "rates.h"

int reading_take(struct reading *reading, uint32_t region, const struct latency_trace *trace)
{
	int err;

	*reading = (struct reading) { .traced = trace };
	err = regions_read(&reading->regions, region);
	if (!err && trace) {
		latency_forget(trace, &reading->regions);
		reading->nr_latencies = latency_list(trace, &reading->latencies);
	}
	return err;
}

void reading_free(struct reading *reading)
{
	regions_free(&reading->regions);
	free(reading->latencies);
	*reading = (struct reading) { };
}

const struct latency *reading_latency(const struct reading *reading,
				      const struct region_stats *region, unsigned int what)
{
	size_t i;

	for (i = 0; i < reading->nr_latencies; i++) {
		const struct latency_key *key = &reading->latencies[i].key;

		if (key->region == region->id && key->created == region->created &&
		    key->what == what)
			return &reading->latencies[i].latency;
	}
	return NULL;
}

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

static void put_quantile(FILE *out, const struct latency *latency, double part)
{
	long long us = latency_quantile(latency, part);
	char text[24];

	snprintf(text, sizeof(text), us < 0 ? "more" : "<= %lld us", us);
	fprintf(out, " %14s", text);
}

static void put_latency(FILE *out, const struct reading *before, const struct reading *now,
			const struct region_stats *region, unsigned int what)
{
	const struct latency *was = reading_latency(before, region, what);
	const struct latency *is = reading_latency(now, region, what);
	struct latency diff = { };

	if (is)
		diff = was ? latency_since(was, is) : *is;
	if (!latency_count(&diff)) {
		fprintf(out, " %14s %14s", "-", "-");
		return;
	}
	put_quantile(out, &diff, 0.5);
	put_quantile(out, &diff, 0.99);
}

static void put_rates(FILE *out, const char *what, const uint64_t *stage, double seconds)
{
	char bytes[24];

	snprintf(bytes, sizeof(bytes), "%s/s", show_size(stage[STAGE_BYTES] / seconds));
	fprintf(out, "  %-9s %12.0f %14s %10.2f %10.2f", what, stage[STAGE_OPS] / seconds, bytes,
		stage[STAGE_ERRORS] / seconds,
		stage[STAGE_BYTES] ? (double)stage[STAGE_COPIED] / stage[STAGE_BYTES] : 0);
}

/* What got past the stages; there are no operations of it, nor errors. */
static void put_bypass(FILE *out, const struct region_stats *diff, double seconds)
{
	uint64_t bytes = diff->value[REGION_BYPASS_BYTES];
	char rate[24];

	if (diff->value[REGION_BYPASS_MODE] == UNIFIED_IO_BYPASS_NONE)
		return;
	snprintf(rate, sizeof(rate), "%s/s", show_size(bytes / seconds));
	fprintf(out, "  %-9s %12s %14s %10s %10.2f\n", "bypass", "", rate, "",
		bytes ? (double)diff->value[REGION_BYPASS_COPIED] / bytes : 0);
}

static void put_region(FILE *out, const struct reading *before, const struct reading *now,
		       const struct region_stats *region)
{
	struct region_stats diff = difference(regions_find(&before->regions, region), region);
	double seconds = now->regions.time - before->regions.time;
	size_t i;

	fprintf(out, "region %u: %s%s%s, %llu in flight\n", region->id, show_owner(region),
		*region->device ? ", " : "", region->device,
		(unsigned long long)region->value[REGION_INFLIGHT]);
	put_bypass(out, &diff, seconds);
	for (i = 0; i < UNIFIED_IO_STAGE_NR; i++) {
		if (!region->stage[i][STAGE_OPS])
			continue;
		put_rates(out, stage_names[i], diff.stage[i], seconds);
		if (now->traced)
			put_latency(out, before, now, region, i);
		fputc('\n', out);
	}
	fprintf(out, "  %-9s %12.0f %14s %10s %10.2f", latency_name(LATENCY_OPERATION),
		diff.value[REGION_COMPLETED] / seconds, "", "", copied_per_byte(&diff));
	if (now->traced)
		put_latency(out, before, now, region, LATENCY_OPERATION);
	fputc('\n', out);
}

void rates_print(FILE *out, const struct reading *before, const struct reading *now)
{
	size_t i;

	fprintf(out, "  %-9s %12s %14s %10s %10s", "stage", "ops/s", "bytes/s", "errors/s",
		"copied/B");
	if (now->traced)
		fprintf(out, " %14s %14s", "median", "99%");
	fputc('\n', out);
	for (i = 0; i < now->regions.nr; i++)
		put_region(out, before, now, &now->regions.list[i]);
	if (!now->regions.nr)
		fputs("no region\n", out);
}
