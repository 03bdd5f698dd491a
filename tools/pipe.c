// SPDX-License-Identifier: GPL-2.0
/* unified-io pipe: the command line, and the order in which a pipe is built. */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <linux/fs.h>
#include <unistd.h>

#include "drive.h"
#include "pipe.h"

static const char help_head[] =
	"usage: unified-io pipe [OPTION]... SOURCE [bpf:OBJECT[,sec=NAME]]... SINK\n\n"
	"Moves a stream from SOURCE to SINK through BPF programs, all in one memory region.\n"
	"Ends with the source. A signal (SIGINT, SIGTERM, SIGHUP, SIGQUIT) ends it with all accepted\n"
	"data stored, a second one at once.\n\n";

static const char help_tail[] =
	"\n"
	"  -F, --framing=HOW     where a record may end: raw (anywhere), line, or length (messages,\n"
	"                        each behind its length in 4 bytes, most significant first) (raw)\n"
	"  -S, --sync=HOW        none (flush the drive once, at the end), flush (behind each record),\n"
	"                        fua (write each record through) (none)\n"
	"  -b, --batch=SIZE      of a buffer, and so of a record at most; 4K to 1M (128K)\n"
	"  -d, --depth=N         buffers (64)\n"
	"      --fill            fill each buffer rather than store what has come\n"
	"      --region=SIZE     of the region (what the buffers take)\n"
	"      --small-pages     no 2 MiB pages\n"
	"      --numa-node=N     where to take the memory from\n"
	"      --cpus=LIST       where to run, such as 0-3,8\n"
	"  -s, --size=SIZE       how much will come: gives the progress an end\n"
	"  -p, --progress        show it, even if stderr is no terminal\n"
	"  -q, --quiet           no progress, no summary\n"
	"  -j, --json            the summary as JSON, on stdout (stderr if the sink is '-')\n"
	"  -f, --force           overwrite a drive that holds something\n"
	"      --configure       of zcrx: set the interface up for it (header split, RSS, steering,\n"
	"                        queues), and back in the end\n"
	"  -h, --help            this text\n\n"
	"Exit status: 0 done, or stopped by a signal; 1 failed; 2 wrong usage; 3 refused, the drive\n"
	"holds something, is in use or full; 4 no module, no rights; 5 the source's log is damaged.\n";

enum { OPTION_FILL = 256, OPTION_REGION, OPTION_SMALL, OPTION_NUMA, OPTION_CPUS,
       OPTION_CONFIGURE };

static const struct option long_options[] = {
	TOOL_OPTIONS,
	{ "framing", required_argument, NULL, 'F' },
	{ "sync", required_argument, NULL, 'S' },
	{ "batch", required_argument, NULL, 'b' },
	{ "depth", required_argument, NULL, 'd' },
	{ "fill", no_argument, NULL, OPTION_FILL },
	{ "region", required_argument, NULL, OPTION_REGION },
	{ "small-pages", no_argument, NULL, OPTION_SMALL },
	{ "numa-node", required_argument, NULL, OPTION_NUMA },
	{ "cpus", required_argument, NULL, OPTION_CPUS },
	{ "size", required_argument, NULL, 's' },
	{ "progress", no_argument, NULL, 'p' },
	{ "quiet", no_argument, NULL, 'q' },
	{ "json", no_argument, NULL, 'j' },
	{ "force", no_argument, NULL, 'f' },
	{ "configure", no_argument, NULL, OPTION_CONFIGURE },
	{ },
};

static unsigned int choice(const char *name, const char *text, const char *const *names)
{
	unsigned int i;

	for (i = 0; names[i]; i++)
		if (!strcmp(names[i], text))
			return i;
	die(EXIT_USAGE, "%s '%s': see --help for what there is", name, text);
}

static void take_option(struct pipe_options *options, int c)
{
	static const char *const framings[] = { "raw", "line", "length", NULL };
	static const char *const syncs[] = { "none", "flush", "fua", NULL };

	switch (c) {
	case 'F':
		options->framing = choice("--framing", optarg, framings);
		break;
	case 'S':
		options->sync = choice("--sync", optarg, syncs);
		break;
	case 'b':
		options->batch = size_arg("--batch", optarg, MIN_BATCH, MAX_BATCH);
		break;
	case 'd':
		options->depth = size_arg("--depth", optarg, 1, 4096);
		break;
	case OPTION_FILL:
		options->fill = true;
		break;
	case OPTION_REGION:
		options->region = size_arg("--region", optarg, UNIFIED_IO_MIN_REGION,
					   UNIFIED_IO_MAX_REGION);
		break;
	case OPTION_SMALL:
		options->small_pages = true;
		break;
	case OPTION_NUMA:
		options->numa_node = size_arg("--numa-node", optarg, 0, 1023);
		break;
	case OPTION_CPUS:
		options->cpus = optarg;
		break;
	case 's':
		options->expect = size_arg("--size", optarg, 0, INT64_MAX);
		break;
	case 'p':
		options->progress = true;
		break;
	case 'q':
		options->quiet = true;
		break;
	case 'j':
		options->json = true;
		break;
	case 'f':
		options->force = true;
		break;
	case OPTION_CONFIGURE:
		options->configure = true;
		break;
	}
}

static void take_options(struct pipe_options *options, int argc, char **argv)
{
	char help[8192];
	int c;

	*options = (struct pipe_options) {
		.batch = 128 << 10,
		.depth = 64,
		.numa_node = -1,
		.progress = isatty(STDERR_FILENO),
	};
	snprintf(help, sizeof(help), "%s%s%s", help_head, address_help, help_tail);
	while ((c = next_option(argc, argv, long_options, help)) != -1)
		take_option(options, c);
	if (options->quiet)
		options->progress = false;
	if (options->batch % MIN_BATCH)
		die(EXIT_USAGE, "--batch has to be a multiple of %u", MIN_BATCH);
	if ((uint64_t)options->batch * options->depth > MAX_IN_FLIGHT)
		die(EXIT_USAGE, "--batch times --depth may be up to %s", show_size(MAX_IN_FLIGHT));
}

static void take_addresses(struct pipe *pipe, int nr, char **args)
{
	int i;

	if (nr < 2)
		die(EXIT_USAGE,
		    "want a source and a sink, such as tcp-listen:9000 nvme:/dev/nvme0n1; see --help");
	if (nr - 2 > MAX_PROGRAMS)
		die(EXIT_USAGE, "at most %d BPF objects", MAX_PROGRAMS);
	address_parse(&pipe->source, args[0]);
	pipe->source.configure |= pipe->options.configure;
	address_parse(&pipe->sink, args[nr - 1]);
	for (i = 1; i < nr - 1; i++) {
		address_parse(&pipe->programs[pipe->nr_programs], args[i]);
		if (pipe->programs[pipe->nr_programs++].kind != ADDRESS_BPF)
			die(EXIT_USAGE, "%s: only BPF objects stand between source and sink", args[i]);
	}
}

static void check_addresses(const struct pipe *pipe)
{
	const struct address *source = &pipe->source, *sink = &pipe->sink;

	if (source->kind == ADDRESS_BPF || sink->kind == ADDRESS_BPF)
		die(EXIT_USAGE, "%s is neither source nor sink: BPF objects stand between them",
		    source->kind == ADDRESS_BPF ? source->text : sink->text);
	if (pipe->options.configure && source->kind != ADDRESS_ZCRX)
		die(EXIT_USAGE, "--configure is for a source zcrx:INTERFACE");
	if (source->kind == ADDRESS_XDP && pipe->options.framing)
		die(EXIT_USAGE, "%s: --framing is for streams: packets stay whole anyway", source->text);
	if (sink->kind == ADDRESS_UDP_LISTEN || is_nic(sink))
		die(EXIT_USAGE, "%s is a source, not a sink", sink->text);
	if (source->kind == ADDRESS_DRIVE && sink->kind == ADDRESS_DRIVE)
		die(EXIT_USAGE, "a region has one drive: use two pipes, the first to '-' or tcp-listen:PORT");
	if (source->append)
		die(EXIT_USAGE, "%s: append is for a sink", source->text);
}

/* "0-3,8" */
static void run_on(const char *list)
{
	const char *at = list;
	char *end;
	cpu_set_t set;
	long first, last;

	CPU_ZERO(&set);
	do {
		first = last = strtol(at, &end, 10);
		if (end != at && *end == '-')
			last = strtol(end + 1, &end, 10);
		if (end == at || first < 0 || last < first || last >= CPU_SETSIZE)
			die(EXIT_USAGE, "--cpus '%s': want a list such as 0-3,8", list);
		for (; first <= last; first++)
			CPU_SET(first, &set);
		at = end + 1;
	} while (*end == ',');
	if (*end || sched_setaffinity(0, sizeof(set), &set))
		die(EXIT_USAGE, "--cpus '%s': %s", list,
		    *end ? "want a list such as 0-3,8" : strerror(errno));
}

static void guess_size(struct pipe *pipe)
{
	struct stat stat;

	if (!pipe->options.expect && pipe->source.kind == ADDRESS_FILE &&
	    !fstat(pipe->source_fd, &stat) && S_ISREG(stat.st_mode))
		pipe->options.expect = stat.st_size;
}

/* All is open: to the end of the source. */
static int run(struct pipe *pipe)
{
	int result;

	progress_begin(pipe);
	if (pipe->source.kind == ADDRESS_ZCRX)
		result = run_zcrx(pipe);
	else if (pipe->source.kind == ADDRESS_XDP)
		result = run_xdp(pipe);
	else
		result = is_socket(&pipe->source) ? run_stream(pipe) : run_feed(pipe);
	if (pipe->sink.kind == ADDRESS_DRIVE && !result) {
		result = end_log(pipe);
		ioctl(pipe->drive_fd, BLKFLSBUF);	/* the page cache knows nothing of it */
	}
	progress_end(pipe, result);
	return result;
}

int pipe_main(int argc, char **argv)
{
	static struct pipe pipe;
	struct unified_io_query query;
	int result = 0;

	take_options(&pipe.options, argc, argv);
	take_addresses(&pipe, argc - optind, argv + optind);
	check_addresses(&pipe);
	must(UNIFIED_IO_CALL_OPEN, unified_io_query_module(&query), UNIFIED_IO_DEVICE);
	if (pipe.options.cpus)
		run_on(pipe.options.cpus);
	catch_signals(&pipe);
	open_listeners(&pipe);
	configure(&pipe);
	open_drive(&pipe);
	open_region(&pipe);
	load_programs(&pipe);
	if (pipe.source.kind == ADDRESS_ZCRX)
		open_zcrx(&pipe);
	if (pipe.source.kind == ADDRESS_XDP)
		open_xdp(&pipe);
	guess_size(&pipe);
	if (open_peers(&pipe))
		result = run(&pipe);
	unload_programs(&pipe);
	close_zcrx();
	unified_io_close(&pipe.io);
	result = configure_undo() ?: result;
	if (result == -EBADMSG)
		return EXIT_INVALID;
	return result ? EXIT_FAILED : EXIT_OK;
}
