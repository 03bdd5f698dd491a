// SPDX-License-Identifier: GPL-2.0
/* unified-io info: UNIFIED_IO_QUERY, and GET_INFO of a small region on a drive. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "info.h"

static const char help[] =
	"usage: unified-io info [--json] [DRIVE]\n\n"
	"Tells what the loaded module can do on this kernel, what is missing and how to get\n"
	"it; with DRIVE, a block device, also how the module drives that. Writes nothing to it.\n\n"
	"  -j, --json     as JSON\n"
	"  -h, --help     this text\n";

/* What this module can always do it is not asked to help with. */
static const char always[] = "build and load a newer module";

const struct feature features[] = {
	{ UNIFIED_IO_FEAT_HUGE_MAP, "huge-map", "the region is mapped with 2 MiB pages",
	  "needs a newer kernel, such as 7.3; without it all works, on 4 KiB pages" },
	{ UNIFIED_IO_FEAT_NVME_PASSTHROUGH, "nvme-passthrough",
	  "commands straight to an NVMe namespace", always },
	{ UNIFIED_IO_FEAT_STRUCT_OPS, "struct-ops", "BPF programs of type unified_io_bpf_ops",
	  always },
	{ UNIFIED_IO_FEAT_XDP, "xdp", "ordinary XDP programs on the data", always },
	{ UNIFIED_IO_FEAT_SEND_ZC, "send-zerocopy", "sends point at the region's pages", always },
	{ UNIFIED_IO_FEAT_URING_CMD, "uring-cmd", "chains as io_uring commands",
	  "needs a kernel with CONFIG_IO_URING" },
	{ UNIFIED_IO_FEAT_URING_BUF, "uring-buffers",
	  "the data area as a fixed buffer of io_uring",
	  "needs a newer kernel, such as 7.3; only io_uring programs miss it" },
};

const size_t nr_features = ARRAY_SIZE(features);

const char *device_kind(uint64_t kind)
{
	static const char *const kinds[] = {
		[UNIFIED_IO_DEV_NONE] = "none",
		[UNIFIED_IO_DEV_NVME] = "nvme-passthrough",
		[UNIFIED_IO_DEV_BLOCK] = "block-layer",
	};

	return kind < ARRAY_SIZE(kinds) ? kinds[kind] : "unknown";
}

/* The smallest region that says all about the drive. */
static void ask_drive(const char *path, struct unified_io_info *info)
{
	struct unified_io_setup setup;
	struct unified_io io;

	unified_io_defaults(&setup);
	setup.sq_entries = 1;
	setup.cq_entries = 1;
	setup.region_size = UNIFIED_IO_MIN_REGION;
	setup.nvme_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (setup.nvme_fd < 0)
		die(EXIT_FAILED, "%s: %s", path, strerror(errno));
	must(UNIFIED_IO_CALL_OPEN, unified_io_open(&io, &setup), path);
	must(UNIFIED_IO_CALL_OPEN, unified_io_get_info(&io, info), path);
	close(setup.nvme_fd);
	unified_io_close(&io);
}

static struct json_object *features_json(const struct unified_io_query *query)
{
	struct json_object *list = json_object_new_array(), *entry;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(features); i++) {
		entry = json_object_new_object();
		json_add_string(entry, "name", features[i].name);
		json_add_bool(entry, "present", query->features & features[i].bit);
		json_add_string(entry, "what", features[i].what);
		if (!(query->features & features[i].bit))
			json_add_string(entry, "how", features[i].how);
		json_object_array_add(list, entry);
	}
	return list;
}

static struct json_object *limits_json(const struct unified_io_query *query)
{
	struct json_object *limits = json_object_new_object();

	json_add_u64(limits, "min_region", query->min_region);
	json_add_u64(limits, "max_region", query->max_region);
	json_add_u64(limits, "max_entries", query->max_entries);
	json_add_u64(limits, "max_sockets", query->max_sockets);
	json_add_u64(limits, "max_progs", query->max_progs);
	json_add_u64(limits, "max_len", query->max_len);
	json_add_u64(limits, "carry_max", query->carry_max);
	return limits;
}

static struct json_object *drive_json(const char *path, const struct unified_io_info *info)
{
	struct json_object *drive = json_object_new_object();

	json_add_string(drive, "path", path);
	json_add_string(drive, "driven_by", device_kind(info->device_kind));
	json_add_u64(drive, "size", info->device_size);
	json_add_u64(drive, "lba_size", info->lba_size);
	json_add_u64(drive, "nsid", info->nsid);
	json_add_u64(drive, "max_transfer", info->max_transfer);
	json_add_u64(drive, "dma_alignment", info->dma_alignment);
	json_add_u64(drive, "range_alignment", info->range_alignment);
	return drive;
}

static void show_json(const struct unified_io_query *query, const char *release, const char *path,
		      const struct unified_io_info *info)
{
	struct json_object *all = json_object_new_object();

	json_add_u64(all, "version", query->version);
	json_add_string(all, "kernel", release);
	json_object_object_add(all, "features", features_json(query));
	json_object_object_add(all, "limits", limits_json(query));
	if (path)
		json_object_object_add(all, "drive", drive_json(path, info));
	print_json(all);
}

static void show_drive(const char *path, const struct unified_io_info *info)
{
	printf("\n%s: %s in blocks of %u bytes\n", path, show_size(info->device_size),
	       info->lba_size);
	printf("  %-18s%s\n", "driven by", device_kind(info->device_kind));
	printf("  %-18s%s in one command\n", "transfer", show_size(info->max_transfer));
	printf("  %-18sof data %u, between ranges %u bytes\n", "alignment", info->dma_alignment,
	       info->range_alignment);
}

static void show(const struct unified_io_query *query, const char *release)
{
	size_t i;

	printf("unified_io_region, interface version %u, on Linux %s\n", query->version, release);
	for (i = 0; i < ARRAY_SIZE(features); i++) {
		bool present = query->features & features[i].bit;

		printf("  %-18s%-4s%s\n", features[i].name, present ? "yes" : "no",
		       features[i].what);
		if (!present)
			printf("  %-22s%s\n", "", features[i].how);
	}
	printf("  %-18s%s to %s\n", "region", show_size(query->min_region),
	       show_size(query->max_region));
	printf("  %-18sup to %u entries each; %u sockets, %u XDP programs a region\n", "rings",
	       query->max_entries, query->max_sockets, query->max_progs);
}

int info_main(int argc, char **argv)
{
	static const struct option options[] = {
		TOOL_OPTIONS,
		{ "json", no_argument, NULL, 'j' },
		{ },
	};
	struct unified_io_query query;
	struct unified_io_info info = { };
	bool json = false;
	struct utsname name;
	const char *drive;

	while (next_option(argc, argv, options, help) != -1)
		json = true;
	if (argc - optind > 1)
		die(EXIT_USAGE, "one drive at a time; see --help");
	drive = argv[optind];
	must(UNIFIED_IO_CALL_OPEN, unified_io_query_module(&query), UNIFIED_IO_DEVICE);
	if (drive)
		ask_drive(drive, &info);
	uname(&name);
	if (json) {
		show_json(&query, name.release, drive, &info);
		return EXIT_OK;
	}
	show(&query, name.release);
	if (drive)
		show_drive(drive, &info);
	return EXIT_OK;
}
