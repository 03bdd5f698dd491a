// SPDX-License-Identifier: GPL-2.0
/* unified-io log: what is in a log, wherever it lies. Needs no module. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "address.h"
#include "logread.h"
#include "tool.h"

static const char help[] =
	"usage: unified-io log ls|cat|verify|tail|export [OPTION]... LOG [FILE]\n\n"
	"Reads a log that 'unified-io pipe' stored. LOG is a drive (/dev/nvme0n1, or\n"
	"nvme:/dev/nvme0n1,offset=1G), a copy of one in a file, or '-' for stdin.\n\n"
	"  ls        the records: number, position on the drive, bytes, position in the stream\n"
	"  cat       the payload to stdout; on stderr where the log ends and why\n"
	"  verify    checks every record; says which is the first bad one\n"
	"  tail      the payload of the last records; with --follow, also of those to come\n"
	"  export    the payload to FILE, with --index a list of the records beside it\n\n"
	"  -n, --lines=N     tail: how many records (10)\n"
	"  -f, --follow      tail: wait for more, until the writer is done\n"
	"  -i, --index=PATH  export: where to put the records as JSON\n"
	"  -j, --json        ls, verify: as JSON\n"
	"  -h, --help        this text\n\n"
	"Exit status: 0 the log is whole; 1 input or output failed; 2 wrong usage; 5 it is damaged,\n"
	"or ends without its last record (its writer is at work, or was interrupted).\n";

#define FOLLOW_US	200000

struct log_options {
	const char *path;
	const char *file;	/* export: where to */
	const char *index;
	uint64_t records;
	bool follow;
	bool json;
	struct log_reader *reader;
};

static struct log_reader *open_log(const char *path)
{
	struct address log;

	if (!strpbrk(path, ":,"))
		return log_open(path, 0, 0);
	address_parse(&log, path);
	if (!log.path)
		die(EXIT_USAGE, "%s: want a drive or a file", path);
	return log_open(log.path, log.offset, log.len);
}

static const char *flags_of(const struct unified_io_log_header *header)
{
	static const char *const names[] = { "", "end", "cont", "end,cont" };

	return names[le32toh(header->flags) & 3];
}

static struct json_object *record_json(const struct log_reader *reader,
				       const struct unified_io_log_header *header)
{
	struct json_object *record = json_object_new_object();

	json_add_u64(record, "seq", le64toh(header->seq));
	json_add_u64(record, "position", log_position(reader));
	json_add_u64(record, "size", le32toh(header->size));
	json_add_u64(record, "offset", le64toh(header->offset));
	json_add_u64(record, "len", le32toh(header->len));
	json_add_u64(record, "source", le64toh(header->source));
	json_add_bool(record, "end", le32toh(header->flags) & UNIFIED_IO_LOG_END);
	json_add_bool(record, "continued", le32toh(header->flags) & UNIFIED_IO_LOG_CONT);
	return record;
}

static struct json_object *summary_json(const struct log_reader *reader)
{
	const struct log_cursor *cursor = log_cursor(reader);
	struct json_object *log = json_object_new_object();
	char id[20];

	snprintf(id, sizeof(id), "%016" PRIx64, cursor->log_id);
	json_add_string(log, "log_id", id);
	json_add_u64(log, "records", cursor->seq);
	json_add_u64(log, "bytes", cursor->offset);
	json_add_u64(log, "source_bytes", cursor->source);
	json_add_u64(log, "size", cursor->at);
	json_add_bool(log, "complete", !log_why(reader));
	if (log_why(reader))
		json_add_string(log, "why", log_why(reader));
	return log;
}

static int status(const struct log_reader *reader)
{
	return log_why(reader) ? EXIT_INVALID : EXIT_OK;
}

static void put_summary(FILE *out, const struct log_reader *reader)
{
	const struct log_cursor *cursor = log_cursor(reader);

	fprintf(out, "log %016" PRIx64 ": %" PRIu64 " records, %" PRIu64
		" bytes of payload for %" PRIu64 " bytes of source, %" PRIu64
		" bytes on the drive; ", cursor->log_id, cursor->seq, cursor->offset,
		cursor->source, cursor->at);
	if (log_why(reader))
		fprintf(out, "NOT complete: record %" PRIu64 ": %s\n", cursor->seq,
			log_why(reader));
	else
		fprintf(out, "complete: the last record says so\n");
}

static void put(FILE *out, const struct unified_io_log_header *header)
{
	size_t len = le32toh(header->len);

	if (fwrite(header + 1, 1, len, out) != len)
		die(EXIT_FAILED, "output: %s", strerror(errno));
}

static void flush(FILE *out)
{
	if (fflush(out) || ferror(out))
		die(EXIT_FAILED, "output: %s", strerror(errno));
}

static int list(struct log_options *options)
{
	struct json_object *records = json_object_new_array(), *log;
	const struct unified_io_log_header *header;

	if (!options->json)
		printf("%10s %14s %10s %14s %10s  %s\n", "record", "position", "size", "offset",
		       "len", "flags");
	while ((header = log_next_header(options->reader))) {
		if (options->json) {
			json_object_array_add(records, record_json(options->reader, header));
			continue;
		}
		printf("%10" PRIu64 " %14" PRIu64 " %10u %14" PRIu64 " %10u  %s\n",
		       (uint64_t)le64toh(header->seq), log_position(options->reader),
		       le32toh(header->size), (uint64_t)le64toh(header->offset),
		       le32toh(header->len), flags_of(header));
	}
	if (options->json) {
		log = summary_json(options->reader);
		json_object_object_add(log, "list", records);
		print_json(log);
	}
	flush(stdout);
	return status(options->reader);
}

static int cat(struct log_options *options)
{
	const struct unified_io_log_header *header;

	while ((header = log_next(options->reader)))
		put(stdout, header);
	flush(stdout);
	put_summary(stderr, options->reader);
	return status(options->reader);
}

static int verify(struct log_options *options)
{
	while (log_next(options->reader))
		;
	if (options->json)
		print_json(summary_json(options->reader));
	else
		put_summary(stdout, options->reader);
	flush(stdout);
	return status(options->reader);
}

static int follow(struct log_options *options)
{
	const struct unified_io_log_header *header;

	for (;;) {
		while ((header = log_next(options->reader)))
			put(stdout, header);
		flush(stdout);
		if (!log_why(options->reader) || !options->follow)
			return status(options->reader);
		usleep(FOLLOW_US);
		log_again(options->reader);
	}
}

/* The headers tell how many records there are; then from the N-th last on. */
static int tail(struct log_options *options)
{
	const struct unified_io_log_header *header;
	uint64_t nr = 0, last;

	if (!strcmp(options->path, "-"))
		die(EXIT_USAGE, "tail wants a log that it can go back in, not stdin");
	while ((header = log_next_header(options->reader)))
		nr += header->len != 0;
	last = nr > options->records ? nr - options->records : 0;
	log_close(options->reader);
	options->reader = open_log(options->path);
	for (nr = 0; nr < last; nr += header->len != 0) {
		header = log_next_header(options->reader);
		if (!header)
			break;
	}
	return follow(options);
}

static void write_index(const char *path, struct json_object *log)
{
	if (json_object_to_file_ext(path, log, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED))
		die(EXIT_FAILED, "%s: %s", path, json_util_get_last_err());
}

static int export(struct log_options *options)
{
	struct json_object *records = json_object_new_array(), *log;
	const struct unified_io_log_header *header;
	FILE *out = fopen(options->file, "w");

	if (!out)
		die(EXIT_FAILED, "%s: %s", options->file, strerror(errno));
	while ((header = log_next(options->reader))) {
		put(out, header);
		if (options->index)
			json_object_array_add(records, record_json(options->reader, header));
	}
	flush(out);
	if (fclose(out))
		die(EXIT_FAILED, "%s: %s", options->file, strerror(errno));
	if (options->index) {
		log = summary_json(options->reader);
		json_object_object_add(log, "list", records);
		write_index(options->index, log);
	}
	put_summary(stderr, options->reader);
	return status(options->reader);
}

static const struct action {
	const char *name;
	int (*run)(struct log_options *options);
	int nr_args;
} actions[] = {
	{ "ls", list, 1 },
	{ "cat", cat, 1 },
	{ "verify", verify, 1 },
	{ "tail", tail, 1 },
	{ "export", export, 2 },
};

static const struct action *find(const char *name)
{
	size_t i;

	for (i = 0; name && i < ARRAY_SIZE(actions); i++)
		if (!strcmp(actions[i].name, name))
			return &actions[i];
	die(EXIT_USAGE, "want ls, cat, verify, tail or export; see --help");
}

static void take_options(struct log_options *options, int argc, char **argv)
{
	static const struct option long_options[] = {
		TOOL_OPTIONS,
		{ "lines", required_argument, NULL, 'n' },
		{ "follow", no_argument, NULL, 'f' },
		{ "index", required_argument, NULL, 'i' },
		{ "json", no_argument, NULL, 'j' },
		{ },
	};
	int c;

	*options = (struct log_options) { .records = 10 };
	while ((c = next_option(argc, argv, long_options, help)) != -1) {
		switch (c) {
		case 'n':
			options->records = size_arg("--lines", optarg, 0, INT64_MAX);
			break;
		case 'f':
			options->follow = true;
			break;
		case 'i':
			options->index = optarg;
			break;
		case 'j':
			options->json = true;
			break;
		}
	}
}

int log_main(int argc, char **argv)
{
	struct log_options options;
	const struct action *action;
	int result;

	take_options(&options, argc, argv);
	action = find(argv[optind]);
	if (argc - optind - 1 != action->nr_args)
		die(EXIT_USAGE, action->nr_args == 1 ? "%s: want one log" : "%s: want a log and a file",
		    action->name);
	options.path = argv[optind + 1];
	options.file = argv[optind + 2];
	options.reader = open_log(options.path);
	result = action->run(&options);
	log_close(options.reader);
	return result;
}
