// SPDX-License-Identifier: GPL-2.0
/*
 * Prometheus text format 0.0.4: each metric with its HELP and TYPE once, then its
 * value for every region. Sizes are in bytes, times in seconds.
 */
#include <inttypes.h>

#include "metrics.h"

#define PREFIX	"unified_io_"

static void put_head(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s %s\n", name, help, name, type);
}

/* In quotes, as a label's value stands; what could be odd in it is printable ASCII. */
static void put_label(FILE *out, const char *name, const char *value)
{
	fprintf(out, ",%s=\"", name);
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			fputc('\\', out);
		fputc(*value, out);
	}
	fputc('"', out);
}

static void put_regions(FILE *out, const struct regions *regions)
{
	size_t i;

	put_head(out, "regions", "gauge", "Regions on this machine.");
	fprintf(out, PREFIX "regions %zu\n", regions->nr);
	put_head(out, "region_info", "gauge", "Whose region it is, and on which drive.");
	for (i = 0; i < regions->nr; i++) {
		const struct region_stats *region = &regions->list[i];

		fprintf(out, PREFIX "region_info{region=\"%u\",pid=\"%u\"", region->id, region->pid);
		put_label(out, "command", region->command);
		put_label(out, "device", region->device);
		fputs("} 1\n", out);
	}
}

static void put_value(FILE *out, const struct regions *regions, enum region_value value)
{
	const struct value_name *name = &region_values[value];
	size_t i;

	if (!name->metric)
		return;
	put_head(out, name->metric, name->counter ? "counter" : "gauge", name->help);
	for (i = 0; i < regions->nr; i++)
		fprintf(out, PREFIX "%s{region=\"%u\"} %" PRIu64 "\n", name->metric,
			regions->list[i].id, regions->list[i].value[value]);
}

static void put_stages(FILE *out, const struct regions *regions, enum stage_value value)
{
	const struct value_name *name = &stage_values[value];
	size_t i, stage;

	put_head(out, name->metric, "counter", name->help);
	for (i = 0; i < regions->nr; i++)
		for (stage = 0; stage < UNIFIED_IO_STAGE_NR; stage++)
			fprintf(out, PREFIX "%s{region=\"%u\",stage=\"%s\"} %" PRIu64 "\n",
				name->metric, regions->list[i].id, stage_names[stage],
				regions->list[i].stage[stage][value]);
}

/* @labels without the last brace. */
static void put_histogram(FILE *out, const char *name, const char *labels,
			  const struct latency *latency)
{
	unsigned long long below = 0;
	size_t i;

	for (i = 0; i < LATENCY_CLASSES - 1; i++) {
		below += latency->count[i];
		fprintf(out, PREFIX "%s_bucket{%s,le=\"%.8g\"} %llu\n", name, labels,
			(1ULL << i) / 1e6, below);
	}
	below += latency->count[i];
	fprintf(out, PREFIX "%s_bucket{%s,le=\"+Inf\"} %llu\n", name, labels, below);
	fprintf(out, PREFIX "%s_sum{%s} %.9f\n", name, labels, latency->total_ns / 1e9);
	fprintf(out, PREFIX "%s_count{%s} %llu\n", name, labels, below);
}

static void put_stage_latencies(FILE *out, const struct regions *regions,
				const struct latency_trace *trace)
{
	struct latency latency;
	char labels[64];
	size_t i, stage;

	put_head(out, "stage_duration_seconds", "histogram", "How long the stage took.");
	for (i = 0; i < regions->nr; i++) {
		for (stage = 0; stage < UNIFIED_IO_STAGE_NR; stage++) {
			if (!latency_read(trace, &regions->list[i], stage, &latency))
				continue;
			snprintf(labels, sizeof(labels), "region=\"%u\",stage=\"%s\"",
				 regions->list[i].id, stage_names[stage]);
			put_histogram(out, "stage_duration_seconds", labels, &latency);
		}
	}
}

static void put_latencies(FILE *out, const struct regions *regions,
			  const struct latency_trace *trace)
{
	struct latency latency;
	char labels[32];
	size_t i;

	put_stage_latencies(out, regions, trace);
	put_head(out, "operation_duration_seconds", "histogram",
		 "How long operations took from submit to completion.");
	for (i = 0; i < regions->nr; i++) {
		if (!latency_read(trace, &regions->list[i], LATENCY_OPERATION, &latency))
			continue;
		snprintf(labels, sizeof(labels), "region=\"%u\"", regions->list[i].id);
		put_histogram(out, "operation_duration_seconds", labels, &latency);
	}
	put_head(out, "trace_missed_events_total", "counter",
		 "Events that the latencies above do not count.");
	fprintf(out, PREFIX "trace_missed_events_total %llu\n", latency_missed(trace));
}

void metrics_write(FILE *out, const struct regions *regions, const struct latency_trace *trace)
{
	size_t i;

	put_regions(out, regions);
	for (i = 0; i < REGION_NR_VALUES; i++)
		put_value(out, regions, i);
	for (i = 0; i < STAGE_NR_VALUES; i++)
		put_stages(out, regions, i);
	if (trace)
		put_latencies(out, regions, trace);
}
