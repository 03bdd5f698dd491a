// SPDX-License-Identifier: GPL-2.0
/* unified-io doctor: from the module to a small real run, what works and what is copied. */
#include <linux/capability.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "doctor.h"
#include "info.h"

static const char help[] =
	"usage: unified-io doctor [--json] [--queue=N] [INTERFACE] [DRIVE]\n\n"
	"Checks this machine from end to end, does a small real run, and says what to change so\n"
	"that nothing is copied. DRIVE (with a '/') is only read. One queue of INTERFACE is taken\n"
	"for a moment.\n\n"
	"      --queue=N  of the interface: for zero-copy receive and AF_XDP (0)\n"
	"  -j, --json     as JSON\n"
	"  -h, --help     this text\n\n"
	"Exit status: 0 all is well; 1 something does not work; 4 the module is not there; 6 all\n"
	"works, but not without a copy.\n";

enum { OPTION_QUEUE = 256 };

static const char *const state_names[] = {
	[STATE_OK] = "ok",
	[STATE_NOTE] = "note",
	[STATE_COPIES] = "copies",
	[STATE_FAILS] = "fails",
};

void found(struct doctor *doctor, const char *name, enum state state, const char *how,
	   const char *format, ...)
{
	struct json_object *finding;
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (state > doctor->worst)
		doctor->worst = state;
	if (!doctor->json) {
		printf("%-16s%-8s%s\n", name, state_names[state], text);
		if (how)
			printf("%-24s%s\n", "", how);
		return;
	}
	finding = json_object_new_object();
	json_add_string(finding, "name", name);
	json_add_string(finding, "state", state_names[state]);
	json_add_string(finding, "text", text);
	if (how)
		json_add_string(finding, "how", how);
	json_object_array_add(doctor->findings, finding);
}

/* The first line of a file, or false. */
static bool read_line(const char *path, char *line, int size)
{
	FILE *file = fopen(path, "r");
	bool good = file && fgets(line, size, file);

	if (file)
		fclose(file);
	if (good)
		line[strcspn(line, "\n")] = '\0';
	return good;
}

void look_at_iommu(struct doctor *doctor, const char *name, const char *device)
{
	char path[256], type[32], text[64];

	snprintf(path, sizeof(path), "%s/iommu_group/type", device);
	snprintf(text, sizeof(text), "%s IOMMU", name);
	if (!read_line(path, type, sizeof(type)))
		found(doctor, text, STATE_OK, NULL, "no translation of DMA");
	else if (!strcmp(type, "DMA"))
		found(doctor, text, STATE_NOTE, "boot with iommu.strict=0, or iommu=pt",
		      "strict: each transfer waits for the translation of its pages to be undone");
	else
		found(doctor, text, STATE_OK, NULL, "%s", type);
}

static void look_at_features(struct doctor *doctor)
{
	struct unified_io_query query;
	size_t i;

	must(UNIFIED_IO_CALL_OPEN, unified_io_query_module(&query), UNIFIED_IO_DEVICE);
	found(doctor, "module", STATE_OK, NULL, "interface version %u", query.version);
	for (i = 0; i < nr_features; i++) {
		bool present = query.features & features[i].bit;

		found(doctor, features[i].name, present ? STATE_OK : STATE_NOTE,
		      present ? NULL : features[i].how, "%s", features[i].what);
	}
}

static unsigned long long capabilities(void)
{
	unsigned long long caps = 0;
	char line[256];
	FILE *file = fopen("/proc/self/status", "r");

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "CapEff: %llx", &caps) == 1)
			break;
	if (file)
		fclose(file);
	return caps;
}

static void look_at_rights(struct doctor *doctor)
{
	static const struct {
		int bit;
		const char *name;
	} wanted[] = {
		{ CAP_BPF, "CAP_BPF" }, { CAP_SYS_ADMIN, "CAP_SYS_ADMIN" },
		{ CAP_NET_ADMIN, "CAP_NET_ADMIN" }, { CAP_NET_RAW, "CAP_NET_RAW" },
	};
	unsigned long long have = capabilities();
	char missing[128] = "";
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wanted); i++) {
		if (have & 1ULL << wanted[i].bit)
			continue;
		strcat(missing, " ");
		strcat(missing, wanted[i].name);
	}
	found(doctor, "rights", *missing ? STATE_FAILS : STATE_OK, *missing ? "run as root" : NULL,
	      "%s%s", *missing ? "for BPF programs and NICs there is no" : "all that is needed", missing);
}

/* A region of the size that programs begin with. */
static void look_at_memlock(struct doctor *doctor)
{
	struct unified_io_setup setup;
	struct rlimit limit;

	unified_io_defaults(&setup);
	if (capabilities() & 1ULL << CAP_IPC_LOCK) {
		found(doctor, "locked memory", STATE_OK, NULL, "no limit (CAP_IPC_LOCK)");
		return;
	}
	getrlimit(RLIMIT_MEMLOCK, &limit);
	if (limit.rlim_cur >= setup.region_size)
		found(doctor, "locked memory", STATE_OK, NULL, "up to %s",
		      show_size(limit.rlim_cur));
	else
		found(doctor, "locked memory", STATE_FAILS,
		      "ulimit -l unlimited; for a service LimitMEMLOCK=infinity",
		      "up to %s: a region of %s takes more",
		      show_size(limit.rlim_cur), show_size(setup.region_size));
}

static void look_at_sysctls(struct doctor *doctor)
{
	char value[32];

	if (read_line("/proc/sys/kernel/io_uring_disabled", value, sizeof(value)) && *value != '0')
		found(doctor, "io_uring", STATE_COPIES, "sysctl kernel.io_uring_disabled=0",
		      "is disabled: no zero-copy receive from TCP");
	else
		found(doctor, "io_uring", STATE_OK, NULL, "is enabled");
	if (read_line("/proc/sys/net/core/bpf_jit_enable", value, sizeof(value)) && *value == '0')
		found(doctor, "BPF JIT", STATE_NOTE, "sysctl net.core.bpf_jit_enable=1",
		      "is off: programs are interpreted");
	else
		found(doctor, "BPF JIT", STATE_OK, NULL, "is on");
}

static int verdict(const struct doctor *doctor)
{
	static const char *const texts[] = {
		[STATE_OK] = "all is well", [STATE_NOTE] = "all is well",
		[STATE_COPIES] = "all works, but not all without a copy",
		[STATE_FAILS] = "not all works",
	};
	struct json_object *all;

	if (doctor->json) {
		all = json_object_new_object();
		json_add_string(all, "state", state_names[doctor->worst]);
		json_object_object_add(all, "findings", doctor->findings);
		print_json(all);
	} else {
		printf("\n%s\n", texts[doctor->worst]);
	}
	if (doctor->worst == STATE_FAILS)
		return EXIT_FAILED;
	return doctor->worst == STATE_COPIES ? EXIT_COPIES : EXIT_OK;
}

static void take_options(struct doctor *doctor, int argc, char **argv)
{
	static const struct option options[] = {
		TOOL_OPTIONS,
		{ "json", no_argument, NULL, 'j' },
		{ "queue", required_argument, NULL, OPTION_QUEUE },
		{ },
	};
	const char **what;
	int c;

	while ((c = next_option(argc, argv, options, help)) != -1) {
		if (c == OPTION_QUEUE)
			doctor->queue = size_arg("--queue", optarg, 0, UINT16_MAX);
		else
			doctor->json = true;
	}
	for (; optind < argc; optind++) {
		what = strchr(argv[optind], '/') ? &doctor->drive : &doctor->ifname;
		if (*what)
			die(EXIT_USAGE, "one interface and one drive at a time; see --help");
		*what = argv[optind];
	}
}

int doctor_main(int argc, char **argv)
{
	struct doctor doctor = { .findings = json_object_new_array() };

	take_options(&doctor, argc, argv);
	look_at_features(&doctor);
	look_at_rights(&doctor);
	look_at_memlock(&doctor);
	look_at_sysctls(&doctor);
	run_all(&doctor);
	return verdict(&doctor);
}
