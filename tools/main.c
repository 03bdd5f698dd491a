// SPDX-License-Identifier: GPL-2.0
/* unified-io: finds the subcommand. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

static const struct subcommand subcommands[] = {
	{ "pipe", pipe_main, "move a stream: network, BPF, drive, file, in any direction" },
	{ "log", log_main, "what a pipe has stored on a drive: list, read, verify, follow, export" },
	{ "stat", stat_main, "what the regions of this machine are, and have done" },
	{ "top", top_main, "the same live: rates, latencies, copies, what is in flight" },
	{ "trace", trace_main, "how long stages and operations take: histograms" },
	{ "exporter", exporter_main, "counters and latencies over HTTP, for Prometheus" },
	{ "info", info_main, "what the module, the kernel and a drive can do; what is missing" },
	{ "doctor", doctor_main, "does all of it work here, and without a copy? what to change" },
};

static void usage(FILE *out)
{
	size_t i;

	fprintf(out, "usage: unified-io COMMAND [OPTION]... [ARGUMENT]...\n\n"
		     "Moves data between network, BPF programs and NVMe drives in one memory region.\n\n");
	for (i = 0; i < ARRAY_SIZE(subcommands); i++)
		fprintf(out, "  %-10s%s\n", subcommands[i].name, subcommands[i].summary);
	fprintf(out, "\n'unified-io COMMAND --help' tells more. --version tells the version.\n");
}

static const struct subcommand *find(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(subcommands); i++)
		if (!strcmp(subcommands[i].name, name))
			return &subcommands[i];
	return NULL;
}

static int help(int argc, char **argv)
{
	const struct subcommand *command = argc > 1 ? find(argv[1]) : NULL;
	char *args[] = { argc > 1 ? argv[1] : NULL, "--help", NULL };

	if (command)
		return command->run(2, args);
	usage(stdout);
	return EXIT_OK;
}

int main(int argc, char **argv)
{
	const struct subcommand *command;
	static char name[64];

	if (argc < 2) {
		usage(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts("unified-io " VERSION);
		return EXIT_OK;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))
		return help(argc - 1, argv + 1);
	command = find(argv[1]);
	if (!command)
		die(EXIT_USAGE, "no command '%s': see unified-io --help", argv[1]);
	snprintf(name, sizeof(name), "unified-io %s", command->name);
	tool_name = name;
	return command->run(argc - 1, argv + 1);
}
