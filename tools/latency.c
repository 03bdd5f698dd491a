// SPDX-License-Identifier: GPL-2.0
/* Reads what latency.bpf.c has counted. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "latency.h"
#include "latency.skel.h"
#include "regions.h"

_Static_assert(LATENCY_OPERATION == UNIFIED_IO_STAGE_NR, "operations come behind the stages");

struct latency_trace {
	struct latency_bpf *bpf;
};

struct latency_trace *latency_open(unsigned int only_region)
{
	struct latency_trace *trace = calloc(1, sizeof(*trace));
	int err = -ENOMEM;

	if (trace && (trace->bpf = latency_bpf__open())) {
		trace->bpf->rodata->only_region = only_region;
		err = latency_bpf__load(trace->bpf) ?: latency_bpf__attach(trace->bpf);
	}
	if (!err)
		return trace;
	latency_close(trace);
	errno = -err;
	return NULL;
}

void latency_close(struct latency_trace *trace)
{
	if (trace)
		latency_bpf__destroy(trace->bpf);
	free(trace);
}

const char *latency_hint(int err)
{
	switch (err) {
	case EPERM:
		return "tracing takes root, and a kernel that is not locked down";
	case EACCES:
		return "the verifier refused our program: its log is above";
	case ESRCH:
	case ENOENT:
		return "the module has no such tracepoints: build and load a newer one, with BTF";
	}
	return strerror(err);
}

bool latency_read(const struct latency_trace *trace, const struct region_stats *region,
		  unsigned int what, struct latency *latency)
{
	struct latency_key key = {
		.created = region->created,
		.region = region->id,
		.what = what,
	};

	return !bpf_map__lookup_elem(trace->bpf->maps.histograms, &key, sizeof(key), latency,
				     sizeof(*latency), 0);
}

static int by_key(const void *a, const void *b)
{
	const struct latency_key *x = a, *y = b;

	if (x->region != y->region)
		return x->region < y->region ? -1 : 1;
	if (x->created != y->created)
		return x->created < y->created ? -1 : 1;
	return (int)x->what - (int)y->what;
}

size_t latency_list(const struct latency_trace *trace, struct latency_entry **list)
{
	const struct bpf_map *map = trace->bpf->maps.histograms;
	struct latency_key key, *last = NULL;
	struct latency_entry *entries = NULL;
	size_t nr = 0;

	while (!bpf_map__get_next_key(map, last, &key, sizeof(key))) {
		last = &key;
		entries = reallocarray(entries, nr + 1, sizeof(*entries));
		if (!entries)
			die(EXIT_FAILED, "no memory for the latencies");
		entries[nr].key = key;
		if (!bpf_map__lookup_elem(map, &key, sizeof(key), &entries[nr].latency,
					  sizeof(entries[nr].latency), 0))
			nr++;
	}
	if (nr)
		qsort(entries, nr, sizeof(*entries), by_key);
	*list = entries;
	return nr;
}

void latency_forget(const struct latency_trace *trace, const struct regions *regions)
{
	struct latency_entry *list;
	size_t i, nr = latency_list(trace, &list);

	for (i = 0; i < nr; i++) {
		struct region_stats region = {
			.id = list[i].key.region,
			.created = list[i].key.created,
		};

		if (!regions_find(regions, &region))
			bpf_map__delete_elem(trace->bpf->maps.histograms, &list[i].key,
					     sizeof(list[i].key), 0);
	}
	free(list);
}

/* A program does not run while it runs already, on the same processor. */
static unsigned long long missed_by(const struct bpf_program *program)
{
	struct bpf_prog_info info = { };
	__u32 len = sizeof(info);

	return bpf_prog_get_info_by_fd(bpf_program__fd(program), &info, &len) ?
	       0 : info.recursion_misses;
}

unsigned long long latency_missed(const struct latency_trace *trace)
{
	struct bpf_program *program;
	unsigned long long missed = trace->bpf->bss->lost;

	bpf_object__for_each_program(program, trace->bpf->obj)
		missed += missed_by(program);
	return missed;
}

const char *latency_name(unsigned int what)
{
	return what < UNIFIED_IO_STAGE_NR ? stage_names[what] : "operation";
}

unsigned long long latency_count(const struct latency *latency)
{
	unsigned long long count = 0;
	size_t i;

	for (i = 0; i < LATENCY_CLASSES; i++)
		count += latency->count[i];
	return count;
}

long long latency_quantile(const struct latency *latency, double part)
{
	double wanted = latency_count(latency) * part;
	unsigned long long below = 0;
	size_t i;

	for (i = 0; i < LATENCY_CLASSES - 1; i++) {
		below += latency->count[i];
		if (below && below >= wanted)
			return 1LL << i;
	}
	return -1;
}

struct latency latency_since(const struct latency *before, const struct latency *now)
{
	struct latency diff = *now;
	size_t i;

	for (i = 0; i < LATENCY_CLASSES; i++)
		diff.count[i] -= before->count[i];
	diff.total_ns -= before->total_ns;
	return diff;
}

/* {"count": ..., "sum_ns": ..., "histogram": [{"le_us": 4, "count": 17}, ...]}; the last has le_us null. */
struct json_object *latency_json(const struct latency *latency)
{
	struct json_object *object = json_object_new_object(), *list = json_object_new_array();
	size_t i;

	json_add_u64(object, "count", latency_count(latency));
	json_add_u64(object, "sum_ns", latency->total_ns);
	for (i = 0; i < LATENCY_CLASSES; i++) {
		struct json_object *class = json_object_new_object();

		if (i < LATENCY_CLASSES - 1)
			json_add_u64(class, "le_us", 1ULL << i);
		else
			json_object_object_add(class, "le_us", NULL);
		json_add_u64(class, "count", latency->count[i]);
		json_object_array_add(list, class);
	}
	json_object_object_add(object, "histogram", list);
	return object;
}
