// SPDX-License-Identifier: GPL-2.0
/* How far a pipe is, as pv shows it; and what it did, in the end. */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "pipe.h"

#define BAR_WIDTH	20
#define SHOW_MS		250	/* on a terminal */
#define LINE_MS		1000	/* elsewhere */

struct totals {
	uint64_t in, out, copied, copied_in, moved, dropped, records;
	double seconds;
};

static struct {
	bool terminal;
	double begun;
	double shown;
	uint64_t shown_in;
} progress;

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

void progress_begin(const struct pipe *pipe)
{
	(void)pipe;
	progress.terminal = isatty(STDERR_FILENO);
	progress.begun = now();
	progress.shown = progress.begun;
	progress.shown_in = 0;
}

int progress_timeout(const struct pipe *pipe)
{
	if (!pipe->options.progress)
		return -1;
	return progress.terminal ? SHOW_MS : LINE_MS;
}

static uint64_t source_bytes(const struct pipe *pipe, const struct unified_io_info *info)
{
	if (is_file(&pipe->source) || is_nic(&pipe->source))
		return pipe->bytes_read;
	return info->stage[is_socket(&pipe->source) ? UNIFIED_IO_STAGE_RECV :
						      UNIFIED_IO_STAGE_READ].bytes;
}

static void sum(const struct pipe *pipe, struct totals *totals)
{
	const struct unified_io_stage_stat *sink;
	struct unified_io_info info;
	int i;

	must(UNIFIED_IO_CALL_OPEN, unified_io_get_info(&pipe->io, &info), "the region");
	sink = &info.stage[pipe->sink.kind == ADDRESS_DRIVE ? UNIFIED_IO_STAGE_WRITE :
							      UNIFIED_IO_STAGE_SEND];
	*totals = (struct totals) {
		.in = source_bytes(pipe, &info),
		.out = is_file(&pipe->sink) ? pipe->bytes_written : sink->bytes,
		.copied = pipe->copied + pipe->copied_in,
		.copied_in = pipe->copied_in + info.stage[UNIFIED_IO_STAGE_RECV].copied,
		.moved = info.moved,
		.dropped = info.dropped,
		.records = pipe->sink.kind == ADDRESS_DRIVE ? sink->ops : 0,
		.seconds = now() - progress.begun,
	};
	for (i = 0; i < UNIFIED_IO_STAGE_NR; i++)
		totals->copied += info.stage[i].copied;
}

static void put_time(double seconds)
{
	unsigned int whole = seconds;

	fprintf(stderr, "%u:%02u:%02u", whole / 3600, whole / 60 % 60, whole % 60);
}

static void put_bar(uint64_t done, uint64_t expect, double seconds)
{
	unsigned int i, percent = done >= expect ? 100 : done * 100 / expect;

	fputs(" [", stderr);
	for (i = 0; i < BAR_WIDTH; i++)
		fputc(i * 100 < percent * BAR_WIDTH ? '=' : ' ', stderr);
	fprintf(stderr, "] %3u%%", percent);
	if (!done || done >= expect)
		return;
	fputs(" ETA ", stderr);
	put_time(seconds * (expect - done) / done);
}

static void put_mode(const struct pipe *pipe, const struct totals *totals)
{
	if (pipe->mode)
		fprintf(stderr, ", mode %s, %s copied receiving", pipe->mode,
			show_size(totals->copied_in));
}

static void put_line(const struct pipe *pipe, const struct totals *totals, double rate)
{
	if (progress.terminal)
		fputs("\r\033[K", stderr);
	fprintf(stderr, "%s ", show_size(totals->in));
	put_time(totals->seconds);
	fprintf(stderr, " [%s/s]", show_size(rate));
	if (pipe->options.expect)
		put_bar(totals->in, pipe->options.expect, totals->seconds);
	fprintf(stderr, ", %s out, %.2f bytes copied a byte", show_size(totals->out),
		totals->in ? (double)totals->copied / totals->in : 0);
	put_mode(pipe, totals);
	if (!progress.terminal)
		fputc('\n', stderr);
}

void progress_show(const struct pipe *pipe)
{
	double time = now(), passed = time - progress.shown;
	struct totals totals;

	if (!pipe->options.progress || passed * 1000 < progress_timeout(pipe))
		return;
	sum(pipe, &totals);
	put_line(pipe, &totals, (totals.in - progress.shown_in) / passed);
	progress.shown = time;
	progress.shown_in = totals.in;
}

static void say_json(const struct pipe *pipe, const struct totals *totals, int result)
{
	struct json_object *all = json_object_new_object();
	char id[20];

	json_add_string(all, "source", pipe->source.text);
	json_add_string(all, "sink", pipe->sink.text);
	json_add_string(all, "end", result ? strerror(-result) : pipe->stopped ? "signal" : "eof");
	json_add_u64(all, "bytes_in", totals->in);
	json_add_u64(all, "bytes_out", totals->out);
	if (pipe->mode)
		json_add_string(all, "mode", pipe->mode);
	if (pipe->source.kind == ADDRESS_XDP) {
		json_add_u64(all, "packets", pipe->packets);
		json_add_u64(all, "packets_lost", pipe->packets_lost);
	}
	json_add_u64(all, "bytes_copied", totals->copied);
	json_add_u64(all, "bytes_copied_receiving", totals->copied_in);
	json_add_u64(all, "bytes_moved", totals->moved);
	json_add_u64(all, "dropped", totals->dropped);
	json_object_object_add(all, "seconds", json_object_new_double(totals->seconds));
	if (pipe->sink.kind == ADDRESS_DRIVE) {
		snprintf(id, sizeof(id), "%016llx", (unsigned long long)pipe->log_id);
		json_add_string(all, "log_id", id);
		json_add_u64(all, "records", totals->records);
		json_add_u64(all, "log_records", pipe->tail.seq);
		json_add_u64(all, "log_bytes", pipe->tail.offset);
		json_add_u64(all, "log_end", pipe->tail.at);
	}
	/* where the sink is stdout, that is not ours */
	fprintf(pipe->sink.kind == ADDRESS_STDIO ? stderr : stdout, "%s\n",
		json_object_to_json_string_ext(all, JSON_C_TO_STRING_PRETTY |
					       JSON_C_TO_STRING_SPACED |
					       JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(all);
}

void progress_end(const struct pipe *pipe, int result)
{
	struct totals totals;

	sum(pipe, &totals);
	if (pipe->options.progress && progress.terminal)
		fputs("\r\033[K", stderr);
	if (pipe->options.json) {
		say_json(pipe, &totals, result);
		return;
	}
	if (pipe->options.quiet)
		return;
	fprintf(stderr, "%s in, %s out", show_size(totals.in), show_size(totals.out));
	if (pipe->sink.kind == ADDRESS_DRIVE)
		fprintf(stderr, " in %llu records", (unsigned long long)totals.records);
	fputs(" in ", stderr);
	put_time(totals.seconds);
	fprintf(stderr, " [%s/s], %.4f bytes copied a byte",
		show_size(totals.seconds > 0 ? totals.in / totals.seconds : 0),
		totals.in ? (double)totals.copied / totals.in : 0);
	put_mode(pipe, &totals);
	if (pipe->source.kind == ADDRESS_XDP)
		fprintf(stderr, ", %llu packets, %llu lost", (unsigned long long)pipe->packets,
			(unsigned long long)pipe->packets_lost);
	fputs(pipe->stopped ? ", stopped by a signal\n" : "\n", stderr);
}
