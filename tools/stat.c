// SPDX-License-Identifier: GPL-2.0
/* unified-io stat: what the regions of this machine are, and have done. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "rates.h"

static const char help[] =
	"usage: unified-io stat [OPTION]... [REGION]\n\n"
	"Tells of every region, or of REGION, whose it is, how large, on which drive, and what it\n"
	"has done: operations, bytes, errors and copies of each stage. Needs root.\n\n"
	"  -i, --interval=SECONDS  again and again, what was done in between, per second\n"
	"  -c, --count=NUMBER      that many times; without it until a signal\n"
	"  -l, --latency           with --interval: also how long the stages took\n"
	"  -j, --json              as JSON; with --interval an object a line\n"
	"  -h, --help              this text\n";

struct options {
	uint32_t region;
	double interval;
	uint64_t count;
	bool latency;
	bool json;
};

static void show_uses(const uint64_t *v)
{
	printf("  memory      %s, %s of it data; %s in 2 MiB pages, node %" PRIu64 "\n",
	       show_size(v[REGION_SIZE]), show_size(v[REGION_DATA_SIZE]),
	       show_size(v[REGION_HUGE_BYTES]), v[REGION_NUMA_NODE]);
	printf("  rings       SQ %" PRIu64 ", CQ %" PRIu64 ", Net IOV %" PRIu64 " (%" PRIu64 " held)\n",
	       v[REGION_SQ_ENTRIES], v[REGION_CQ_ENTRIES], v[REGION_NIOV_ENTRIES],
	       v[REGION_NIOV_HELD]);
	printf("  attached    %" PRIu64 " sockets, %" PRIu64 " XDP programs, %" PRIu64 " struct_ops\n",
	       v[REGION_NR_SOCKETS], v[REGION_NR_PROGS], v[REGION_STRUCT_OPS]);
}

static void show_stages(const struct region_stats *region)
{
	size_t i;

	printf("  %-6s %14s %14s %10s %14s\n", "stage", "operations", "bytes", "errors", "copied");
	for (i = 0; i < UNIFIED_IO_STAGE_NR; i++) {
		const uint64_t *v = region->stage[i];

		if (v[STAGE_OPS])
			printf("  %-6s %14" PRIu64 " %14s %10" PRIu64 " %14s\n", stage_names[i],
			       v[STAGE_OPS], show_size(v[STAGE_BYTES]), v[STAGE_ERRORS],
			       show_size(v[STAGE_COPIED]));
	}
}

static void show_bypass(const uint64_t *v)
{
	if (v[REGION_BYPASS_MODE] != UNIFIED_IO_BYPASS_NONE)
		printf("  bypass      %s: %s past the stages, %s of it copied\n",
		       bypass_name(v[REGION_BYPASS_MODE]), show_size(v[REGION_BYPASS_BYTES]),
		       show_size(v[REGION_BYPASS_COPIED]));
}

static void show_region(const struct region_stats *region, double time)
{
	const uint64_t *v = region->value;

	printf("region %u: %s, %.0f s old, ", region->id, show_owner(region),
	       time - region->created / 1e9);
	if (*region->device)
		printf("drive %s (%s)\n", region->device, device_kind(v[REGION_DEVICE_KIND]));
	else
		puts("no drive");
	show_uses(v);
	printf("  operations  %" PRIu64 " in flight, %" PRIu64 " submitted, %" PRIu64 " completed; ",
	       v[REGION_INFLIGHT], v[REGION_SUBMITTED], v[REGION_COMPLETED]);
	printf("%" PRIu64 " dropped, %" PRIu64 " replied, %" PRIu64 " read again\n",
	       v[REGION_DROPPED], v[REGION_REPLIED], v[REGION_RESUBMITTED]);
	printf("  copies      %.4f bytes a byte; %s moved by programs, %s carried\n",
	       copied_per_byte(region), show_size(v[REGION_MOVED]), show_size(v[REGION_CARRIED]));
	show_bypass(v);
	show_stages(region);
}

static void show(const struct regions *regions)
{
	size_t i;

	for (i = 0; i < regions->nr; i++)
		show_region(&regions->list[i], regions->time);
	if (!regions->nr)
		puts("no region");
}

static void add_values(struct json_object *object, const struct value_name *names,
		       const uint64_t *values, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++)
		json_add_u64(object, names[i].name, values[i]);
}

static struct json_object *stages_json(const struct region_stats *region)
{
	struct json_object *stages = json_object_new_object(), *stage;
	size_t i;

	for (i = 0; i < UNIFIED_IO_STAGE_NR; i++) {
		stage = json_object_new_object();
		add_values(stage, stage_values, region->stage[i], STAGE_NR_VALUES);
		json_object_object_add(stages, stage_names[i], stage);
	}
	return stages;
}

static struct json_object *latencies_json(const struct reading *reading,
					  const struct region_stats *region)
{
	struct json_object *object = json_object_new_object();
	const struct latency *latency;
	unsigned int i;

	for (i = 0; i < LATENCY_NR; i++) {
		latency = reading_latency(reading, region, i);
		if (latency)
			json_object_object_add(object, latency_name(i), latency_json(latency));
	}
	return object;
}

static struct json_object *region_json(const struct reading *reading,
				       const struct region_stats *region)
{
	struct json_object *object = json_object_new_object();

	json_add_u64(object, "region", region->id);
	json_add_u64(object, "pid", region->pid);
	json_add_string(object, "command", region->command);
	json_add_string(object, "device", region->device);
	json_add_u64(object, "created_ns", region->created);
	add_values(object, region_values, region->value, REGION_NR_VALUES);
	json_object_object_add(object, "stages", stages_json(region));
	if (reading->traced)
		json_object_object_add(object, "latency", latencies_json(reading, region));
	return object;
}

static struct json_object *reading_json(const struct reading *reading)
{
	struct json_object *all = json_object_new_object(), *list = json_object_new_array();
	size_t i;

	for (i = 0; i < reading->regions.nr; i++)
		json_object_array_add(list, region_json(reading, &reading->regions.list[i]));
	json_object_object_add(all, "uptime", json_object_new_double(reading->regions.time));
	json_object_object_add(all, "regions", list);
	return all;
}

static void show_line(struct json_object *object)
{
	puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
}

static void must_take(struct reading *reading, const struct options *options,
		      const struct latency_trace *trace)
{
	int err = reading_take(reading, options->region, trace);

	if (err)
		die(EXIT_DEVICE, "%s", regions_hint(err));
	if (options->region && !reading->regions.nr)
		die(EXIT_FAILED, "no region %u; 'unified-io stat' lists them", options->region);
}

static void watch(const struct options *options)
{
	struct latency_trace *trace = NULL;
	struct reading before, now;
	uint64_t i;

	must_take(&before, options, NULL);
	if (options->latency) {
		trace = latency_open(options->region);
		if (!trace)
			die(EXIT_DEVICE, "%s", latency_hint(errno));
	}
	for (i = 0; !options->count || i < options->count; i++) {
		pause_for(options->interval);
		must_take(&now, options, trace);
		if (options->json)
			show_line(reading_json(&now));
		else
			rates_print(stdout, &before, &now);
		fflush(stdout);
		reading_free(&before);
		before = now;
	}
	reading_free(&before);
	latency_close(trace);
}

static void once(const struct options *options)
{
	struct reading reading;

	must_take(&reading, options, NULL);
	if (options->json)
		print_json(reading_json(&reading));
	else
		show(&reading.regions);
	reading_free(&reading);
}

static void parse(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {
		TOOL_OPTIONS,
		{ "interval", required_argument, NULL, 'i' },
		{ "count", required_argument, NULL, 'c' },
		{ "latency", no_argument, NULL, 'l' },
		{ "json", no_argument, NULL, 'j' },
		{ },
	};
	int c;

	while ((c = next_option(argc, argv, known, help)) != -1) {
		switch (c) {
		case 'i':
			options->interval = seconds_arg("--interval", optarg);
			break;
		case 'c':
			options->count = size_arg("--count", optarg, 1, UINT32_MAX);
			break;
		case 'l':
			options->latency = true;
			break;
		case 'j':
			options->json = true;
		}
	}
	if ((options->count || options->latency) && !options->interval)
		die(EXIT_USAGE, "--count and --latency take an --interval; see --help");
	options->region = region_arg(argc, argv);
}

int stat_main(int argc, char **argv)
{
	struct options options = { };

	parse(argc, argv, &options);
	if (options.interval)
		watch(&options);
	else
		once(&options);
	return EXIT_OK;
}
