// SPDX-License-Identifier: GPL-2.0
/* Reads /sys/kernel/debug/unified_io_region. What it says of processes is made printable here. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "regions.h"

#define REGIONS_DIR	"/sys/kernel/debug/unified_io_region"

const struct value_name region_values[REGION_NR_VALUES] = {
	[REGION_DEVICE_KIND] = { "device_kind", NULL, NULL, false },
	[REGION_SIZE] = { "region_size", "region_bytes", "Size of the region.", false },
	[REGION_DATA_SIZE] = { "data_size", "data_bytes", "Size of its data area.", false },
	[REGION_HUGE_BYTES] = { "huge_bytes", "huge_bytes", "How much of it is 2 MiB pages.", false },
	[REGION_NUMA_NODE] = { "numa_node", NULL, NULL, false },
	[REGION_SQ_ENTRIES] = { "sq_entries", "sq_entries", "Size of the submission queue.", false },
	[REGION_CQ_ENTRIES] = { "cq_entries", "cq_entries", "Size of the completion queue.", false },
	[REGION_NIOV_ENTRIES] = { "niov_entries", "niov_entries", "Size of the Net IOV ring.",
				  false },
	[REGION_NR_SOCKETS] = { "nr_sockets", "sockets", "Socket slots in use.", false },
	[REGION_NR_PROGS] = { "nr_progs", "xdp_programs", "XDP programs attached.", false },
	[REGION_STRUCT_OPS] = { "struct_ops", "struct_ops", "Programs unified_io_bpf_ops attached.",
				false },
	[REGION_INFLIGHT] = { "inflight", "inflight_operations",
			      "Completion queue slots held by operations in flight.", false },
	[REGION_NIOV_HELD] = { "niov_held", "niov_held",
			       "Net IOVs that the kernel keeps for the next arrival.", false },
	[REGION_SUBMITTED] = { "submitted", "operations_submitted_total",
			       "Operations accepted, arrivals of multishot receives included.", true },
	[REGION_COMPLETED] = { "completed", "operations_completed_total", "Operations completed.",
			       true },
	[REGION_DROPPED] = { "dropped", "operations_dropped_total",
			     "Operations that ended with verdict drop.", true },
	[REGION_REPLIED] = { "replied", "operations_replied_total",
			     "Operations that ended with verdict reply.", true },
	[REGION_RESUBMITTED] = { "resubmitted", "dependent_reads_total",
				 "Reads that a BPF program asked for.", true },
	[REGION_MOVED] = { "moved", "moved_bytes_total",
			   "Bytes that BPF programs moved inside of buffers.", true },
	[REGION_CARRIED] = { "carried", "carried_bytes_total",
			     "Bytes carried from one receive to the next.", true },
	[REGION_BYPASS_MODE] = { "bypass_mode", NULL, NULL, false },
	[REGION_BYPASS_BYTES] = { "bypass_bytes", "bypass_bytes_total",
				  "Payload in or out by ZCRX or AF_XDP, as the process says.", true },
	[REGION_BYPASS_COPIED] = { "bypass_copied", "bypass_copied_bytes_total",
				   "Of that, what the processor copied.", true },
};

const struct value_name stage_values[STAGE_NR_VALUES] = {
	[STAGE_OPS] = { "ops", "stage_operations_total", "Times that the stage ended.", true },
	[STAGE_BYTES] = { "bytes", "stage_bytes_total", "Payload that went through the stage.", true },
	[STAGE_ERRORS] = { "errors", "stage_errors_total",
			   "Times that the stage ended with an error.", true },
	[STAGE_COPIED] = { "copied", "stage_copied_bytes_total",
			   "Payload that the processor copied in the stage.", true },
};

const char *const stage_names[UNIFIED_IO_STAGE_NR] = {
	[UNIFIED_IO_STAGE_RECV] = "recv",
	[UNIFIED_IO_STAGE_READ] = "read",
	[UNIFIED_IO_STAGE_BPF] = "bpf",
	[UNIFIED_IO_STAGE_WRITE] = "write",
	[UNIFIED_IO_STAGE_FLUSH] = "flush",
	[UNIFIED_IO_STAGE_SEND] = "send",
};

/* "recv_ops" and the like. */
static void take_stage(struct region_stats *region, const char *name, uint64_t value)
{
	const char *rest = strchr(name, '_');
	size_t stage, i;

	for (stage = 0; rest && stage < UNIFIED_IO_STAGE_NR; stage++) {
		if (strncmp(name, stage_names[stage], rest - name) ||
		    stage_names[stage][rest - name])
			continue;
		for (i = 0; i < STAGE_NR_VALUES; i++)
			if (!strcmp(rest + 1, stage_values[i].name))
				region->stage[stage][i] = value;
	}
}

/* A line's name and value; what is unknown is of a newer module. */
static void take(struct region_stats *region, const char *name, const char *text)
{
	uint64_t value = strtoull(text, NULL, 10);
	size_t i;

	if (!strcmp(name, "device"))
		snprintf(region->device, sizeof(region->device), "%s", text);
	else if (!strcmp(name, "pid"))
		region->pid = value;
	else if (!strcmp(name, "created_ns"))
		region->created = value;
	else
		take_stage(region, name, value);
	for (i = 0; i < REGION_NR_VALUES; i++)
		if (!strcmp(name, region_values[i].name))
			region->value[i] = value;
}

static int read_stats(struct region_stats *region)
{
	char path[sizeof(REGIONS_DIR) + 24], name[64], text[64];
	FILE *file;

	snprintf(path, sizeof(path), REGIONS_DIR "/%u/stats", region->id);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	while (fscanf(file, "%63s %63s", name, text) == 2)
		take(region, name, text);
	fclose(file);
	return region->created ? 0 : -ENOENT;	/* it went away, or is of an older module */
}

/* A process may call itself anything. */
static void read_command(struct region_stats *region)
{
	char path[32], *at;
	FILE *file = NULL;

	strcpy(region->command, "-");
	snprintf(path, sizeof(path), "/proc/%u/comm", region->pid);
	if (region->pid)
		file = fopen(path, "re");
	if (!file)
		return;
	at = region->command;
	at[fread(at, 1, sizeof(region->command) - 1, file)] = '\0';
	fclose(file);
	if (*at && at[strlen(at) - 1] == '\n')
		at[strlen(at) - 1] = '\0';
	for (; *at; at++)
		if (!isascii((unsigned char)*at) || !isprint((unsigned char)*at))
			*at = '?';
}

static int by_id(const void *a, const void *b)
{
	const struct region_stats *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static void add(struct regions *regions, uint32_t id)
{
	struct region_stats region = { .id = id };
	struct region_stats *list;

	if (read_stats(&region))	/* closed in between */
		return;
	read_command(&region);
	list = reallocarray(regions->list, regions->nr + 1, sizeof(*list));
	if (!list)
		die(EXIT_FAILED, "no memory for the list of regions");
	regions->list = list;
	list[regions->nr++] = region;
}

int regions_read(struct regions *regions, uint32_t id)
{
	struct dirent *entry;
	DIR *dir;

	*regions = (struct regions) { .time = uptime() };
	dir = opendir(REGIONS_DIR);
	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		uint32_t found = strtoul(entry->d_name, NULL, 10);

		if (found && (!id || found == id))
			add(regions, found);
	}
	closedir(dir);
	if (regions->nr)
		qsort(regions->list, regions->nr, sizeof(*regions->list), by_id);
	return 0;
}

const char *regions_hint(int err)
{
	if (err == -EACCES)
		return "/sys/kernel/debug is root's: run as root";
	if (access("/sys/module/unified_io_region", F_OK))
		return "the module is not loaded: modprobe unified_io_region, or insmod it";
	if (err == -ENOENT)
		return "debugfs is not there: mount -t debugfs none /sys/kernel/debug";
	return strerror(-err);
}

void regions_must_read(struct regions *regions, uint32_t id)
{
	int err = regions_read(regions, id);

	if (err)
		die(EXIT_DEVICE, "%s", regions_hint(err));
	if (id && !regions->nr)
		die(EXIT_FAILED, "no region %u; 'unified-io stat' lists them", id);
}

void regions_free(struct regions *regions)
{
	free(regions->list);
	*regions = (struct regions) { };
}

const struct region_stats *regions_find(const struct regions *regions,
					const struct region_stats *region)
{
	size_t i;

	for (i = 0; i < regions->nr; i++)
		if (regions->list[i].id == region->id &&
		    regions->list[i].created == region->created)
			return &regions->list[i];
	return NULL;
}

uint32_t region_arg(int argc, char **argv)
{
	if (argc - optind > 1)
		die(EXIT_USAGE, "one region, or none for all; see --help");
	return argv[optind] ? size_arg("region", argv[optind], 1, INT32_MAX) : 0;
}

double copied_per_byte(const struct region_stats *region)
{
	uint64_t in, out, copied = region->value[REGION_BYPASS_COPIED];
	size_t i;

	for (i = 0; i < UNIFIED_IO_STAGE_NR; i++)
		copied += region->stage[i][STAGE_COPIED];
	in = region->stage[UNIFIED_IO_STAGE_RECV][STAGE_BYTES] +
	     region->stage[UNIFIED_IO_STAGE_READ][STAGE_BYTES] + region->value[REGION_BYPASS_BYTES];
	out = region->stage[UNIFIED_IO_STAGE_WRITE][STAGE_BYTES] +
	      region->stage[UNIFIED_IO_STAGE_SEND][STAGE_BYTES];
	if (!in)
		in = out;
	return in ? (double)copied / in : 0;
}

const char *bypass_name(uint64_t mode)
{
	static const char *const names[] = {
		[UNIFIED_IO_BYPASS_NONE] = "none",
		[UNIFIED_IO_BYPASS_ZCRX] = "zcrx",
		[UNIFIED_IO_BYPASS_ZCRX_NODEV] = "zcrx-nodev",
		[UNIFIED_IO_BYPASS_XSK] = "xdp",
		[UNIFIED_IO_BYPASS_XSK_COPY] = "xdp-copy",
	};

	return mode < ARRAY_SIZE(names) ? names[mode] : "unknown";
}

const char *show_owner(const struct region_stats *region)
{
	static char text[sizeof(region->command) + 24];

	snprintf(text, sizeof(text), "%s (pid %u)", region->command, region->pid);
	return region->pid ? text : "a process that is gone";
}
