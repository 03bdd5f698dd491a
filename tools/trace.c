// SPDX-License-Identifier: GPL-2.0
/* unified-io trace: how long stages and whole operations take. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "latency.h"
#include "regions.h"

static const char help[] =
	"usage: unified-io trace [OPTION]... [REGION]\n\n"
	"Measures how long each stage of the chains takes, and whole operations from submit to\n"
	"completion, of every region or of REGION, until SIGINT or SIGTERM; then shows how many\n"
	"took how long. Needs root.\n\n"
	"  -s, --seconds=NUMBER  so long at most\n"
	"  -j, --json            as JSON\n"
	"  -h, --help            this text\n";

struct options {
	uint32_t region;
	double seconds;
	bool json;
};

/* What was counted of one region, and what is known of that. */
struct traced {
	const struct latency_entry *entries;
	size_t nr;
	const struct region_stats *region;	/* NULL: closed meanwhile */
};

static void wait_for_end(const sigset_t *signals, double seconds)
{
	struct timespec limit = { .tv_sec = seconds };

	limit.tv_nsec = (seconds - limit.tv_sec) * 1e9;
	while (sigtimedwait(signals, NULL, seconds ? &limit : NULL) < 0 && errno == EINTR)
		;
}

/* The entries of the region that the first one is of. */
static struct traced next_region(const struct latency_entry *entries, size_t nr,
				 const struct regions *regions)
{
	const struct latency_key *key = &entries->key;
	struct region_stats region = { .id = key->region, .created = key->created };
	struct traced traced = { .entries = entries, .region = regions_find(regions, &region) };

	while (traced.nr < nr && entries[traced.nr].key.region == key->region &&
	       entries[traced.nr].key.created == key->created)
		traced.nr++;
	return traced;
}

static bool any_in(const struct traced *traced, size_t class)
{
	size_t i;

	for (i = 0; i < traced->nr; i++)
		if (traced->entries[i].latency.count[class])
			return true;
	return false;
}

static void put_class(const struct traced *traced, size_t class)
{
	size_t i;

	if (class < LATENCY_CLASSES - 1)
		printf("  <= %10llu us", 1ULL << class);
	else
		printf("  %-16s", "more");
	for (i = 0; i < traced->nr; i++)
		printf(" %12llu", traced->entries[i].latency.count[class]);
	putchar('\n');
}

static void put_classes(const struct traced *traced)
{
	size_t class = 0, last = LATENCY_CLASSES;

	while (!any_in(traced, class) && class < LATENCY_CLASSES - 1)
		class++;
	while (last > class && !any_in(traced, last - 1))
		last--;
	for (; class < last; class++)
		put_class(traced, class);
}

static void put_quantile(const struct traced *traced, const char *what, double part)
{
	char text[24];
	size_t i;

	printf("  %-16s", what);
	for (i = 0; i < traced->nr; i++) {
		long long us = latency_quantile(&traced->entries[i].latency, part);

		snprintf(text, sizeof(text), us < 0 ? "more" : "<= %lld us", us);
		printf(" %12s", text);
	}
	putchar('\n');
}

static void put_means(const struct traced *traced)
{
	char text[24];
	size_t i;

	printf("  %-16s", "mean");
	for (i = 0; i < traced->nr; i++) {
		const struct latency *latency = &traced->entries[i].latency;

		snprintf(text, sizeof(text), "%.1f us",
			 latency->total_ns / 1e3 / latency_count(latency));
		printf(" %12s", text);
	}
	putchar('\n');
}

static void show(const struct traced *traced)
{
	size_t i;

	printf("region %u: %s\n  %-16s", traced->entries->key.region,
	       traced->region ? show_owner(traced->region) : "closed", "");
	for (i = 0; i < traced->nr; i++)
		printf(" %12s", latency_name(traced->entries[i].key.what));
	putchar('\n');
	put_classes(traced);
	put_means(traced);
	put_quantile(traced, "median", 0.5);
	put_quantile(traced, "99%", 0.99);
}

static struct json_object *traced_json(const struct traced *traced)
{
	struct json_object *object = json_object_new_object();
	struct json_object *latency = json_object_new_object();
	size_t i;

	json_add_u64(object, "region", traced->entries->key.region);
	json_add_u64(object, "created_ns", traced->entries->key.created);
	json_add_bool(object, "closed", !traced->region);
	if (traced->region) {
		json_add_u64(object, "pid", traced->region->pid);
		json_add_string(object, "command", traced->region->command);
	}
	for (i = 0; i < traced->nr; i++)
		json_object_object_add(latency, latency_name(traced->entries[i].key.what),
				       latency_json(&traced->entries[i].latency));
	json_object_object_add(object, "latency", latency);
	return object;
}

static void report(const struct latency_trace *trace, const struct regions *regions, bool json)
{
	struct json_object *all = json_object_new_object(), *list = json_object_new_array();
	struct latency_entry *entries;
	size_t nr = latency_list(trace, &entries), i;
	struct traced traced;

	for (i = 0; i < nr; i += traced.nr) {
		traced = next_region(entries + i, nr - i, regions);
		if (json)
			json_object_array_add(list, traced_json(&traced));
		else
			show(&traced);
	}
	json_add_u64(all, "missed", latency_missed(trace));
	json_object_object_add(all, "regions", list);
	if (json)
		print_json(json_object_get(all));
	else if (!nr)
		puts("no operation went by");
	json_object_put(all);
	if (!json && latency_missed(trace))
		warn("%llu events were missed", latency_missed(trace));
	free(entries);
}

static void trace(const struct options *options)
{
	struct latency_trace *trace;
	struct regions regions;
	sigset_t signals;

	regions_must_read(&regions, options->region);
	regions_free(&regions);
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	trace = latency_open(options->region);
	if (!trace)
		die(EXIT_DEVICE, "%s", latency_hint(errno));
	warn("tracing; SIGINT (^C) ends it");
	wait_for_end(&signals, options->seconds);
	regions_must_read(&regions, 0);
	report(trace, &regions, options->json);
	regions_free(&regions);
	latency_close(trace);
}

int trace_main(int argc, char **argv)
{
	static const struct option known[] = {
		TOOL_OPTIONS,
		{ "seconds", required_argument, NULL, 's' },
		{ "json", no_argument, NULL, 'j' },
		{ },
	};
	struct options options = { };
	int c;

	while ((c = next_option(argc, argv, known, help)) != -1) {
		if (c == 's')
			options.seconds = seconds_arg("--seconds", optarg);
		else
			options.json = true;
	}
	options.region = region_arg(argc, argv);
	trace(&options);
	return EXIT_OK;
}
