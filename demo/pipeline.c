// SPDX-License-Identifier: GPL-2.0
/*
 * pipeline DRIVE: network -> BPF -> NVMe. Accepts one connection and stores
 * what comes on the drive, as a log, through the filter of filter.bpf.c.
 *
 * The whole stream is one submission. The kernel receives into the buffers,
 * runs the program on each, writes it and takes the buffer back; this process
 * wakes up only to draw the progress.
 */
#include <err.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/resource.h>

#include "common.h"
#include "filter.h"
#include "filter.skel.h"
#include "unified_io_log.h"

#define PROGRESS_MS 250

static struct filter *load_filter(struct unified_io *io, struct bpf_link **link)
{
	struct filter *filter = filter__open();
	uint64_t log_id;

	if (!filter)
		err(1, "open the filter");
	if (getrandom(&log_id, sizeof(log_id), 0) != sizeof(log_id))
		err(1, "getrandom");
	filter->rodata->log_id = log_id;
	must(UNIFIED_IO_CALL_OPS, unified_io_bind_ops(io, filter->obj), "bind the filter");
	must(UNIFIED_IO_CALL_OPS, filter__load(filter), "load the filter");
	must(UNIFIED_IO_CALL_OPS, unified_io_attach_ops(filter->obj, link), "attach the filter");
	return filter;
}

static void submit_stream(struct unified_io *io, int slot, uint32_t buffer)
{
	struct unified_descriptor *desc = unified_io_get_desc(io);
	uint64_t nr = io->data_size / buffer;

	if (nr > io->niov_mask + 1)
		nr = io->niov_mask + 1;
	must(UNIFIED_IO_CALL_SUBMIT, unified_io_add_buffers(io, 0, buffer, nr), "buffers");
	unified_io_prep_recv_multishot(desc, slot, sizeof(struct unified_io_log_header),
				       UNIFIED_IO_DESC_F_WAITALL | UNIFIED_IO_DESC_F_PAD |
				       UNIFIED_IO_DESC_F_RECYCLE | UNIFIED_IO_DESC_F_CQE_SKIP);
	unified_io_then_bpf(desc, 0, 0);
	unified_io_then_write(desc, 0, 0);
	must(UNIFIED_IO_CALL_SUBMIT, unified_io_submit(io), "submit");
}

/* Bytes that the CPU copied, in all stages together. */
static uint64_t copied(const struct unified_io_info *info)
{
	uint64_t sum = 0;
	int i;

	for (i = 0; i < UNIFIED_IO_STAGE_NR; i++)
		sum += info->stage[i].copied;
	return sum;
}

static void show(const struct unified_io *io, const struct filter_stats *stats)
{
	struct unified_io_info info;
	double in;

	get_info(io, &info);
	in = info.stage[UNIFIED_IO_STAGE_RECV].bytes;
	progress_show(in, "%.1f MiB in, %.1f dropped, %.1f stored, %.3f bytes copied a byte, %.3f moved",
		      MIB(in), MIB(stats->dropped_bytes), MIB(info.stage[UNIFIED_IO_STAGE_WRITE].bytes),
		      in ? copied(&info) / in : 0, in ? info.moved / in : 0);
}

/* Draws until the submission completes, or one of its arrivals fails. */
static void run_stream(struct unified_io *io, const struct filter_stats *stats)
{
	struct pollfd pollfd = { .fd = io->fd, .events = POLLIN };
	struct unified_completion cqe;
	int ready, failed = 0;

	do {
		do {
			ready = poll(&pollfd, 1, PROGRESS_MS);
			show(io, stats);
		} while (!ready);
		must(UNIFIED_IO_CALL_COMPLETION, unified_io_wait(io, &cqe, 0), "wait");
		if (cqe.res < 0)
			failed = cqe.res;
	} while (cqe.flags & UNIFIED_IO_CQE_F_MORE);
	must(UNIFIED_IO_CALL_COMPLETION, failed, "the stream");
}

static void flush_drive(struct unified_io *io)
{
	struct unified_completion cqe;

	unified_io_prep_flush(unified_io_get_desc(io));
	must(UNIFIED_IO_CALL_COMPLETION, unified_io_wait(io, &cqe, 0), "wait");
	must(UNIFIED_IO_CALL_COMPLETION, cqe.res, "flush");
}

static void summary(const struct unified_io *io, const struct filter_stats *stats, double seconds)
{
	struct unified_io_info info;
	struct rusage usage;
	double in;

	get_info(io, &info);
	getrusage(RUSAGE_SELF, &usage);
	in = info.stage[UNIFIED_IO_STAGE_RECV].bytes;
	printf("received  %.1f MiB in %.2f s: %.1f MiB/s, emulated\n", MIB(in), seconds,
	       MIB(in) / seconds);
	printf("dropped   %.1f MiB in %" PRIu64 " lines; kept %" PRIu64 " lines\n",
	       MIB(stats->dropped_bytes), (uint64_t)stats->dropped_lines,
	       (uint64_t)stats->kept_lines);
	printf("stored    %.1f MiB in %llu records\n", MIB(info.stage[UNIFIED_IO_STAGE_WRITE].bytes),
	       (unsigned long long)info.stage[UNIFIED_IO_STAGE_WRITE].ops);
	printf("copied    %.4f bytes a byte received: %.1f MiB from the socket, of which %.1f MiB carried; %.1f MiB elsewhere\n",
	       copied(&info) / in, MIB(info.stage[UNIFIED_IO_STAGE_RECV].copied), MIB(info.carried),
	       MIB(copied(&info) - info.stage[UNIFIED_IO_STAGE_RECV].copied));
	printf("moved     %.4f bytes a byte received, by the program itself: %.1f MiB\n",
	       info.moved / in, MIB(info.moved));
	printf("process   %ld voluntary context switches in all, most of them to draw the progress\n",
	       usage.ru_nvcsw);
}

int main(int argc, char **argv)
{
	struct options options;
	struct filter *filter;
	struct bpf_link *link;
	struct unified_io io;
	double seconds;
	int slot;

	parse_options(&options, argc, argv);
	open_region(&io, &options);
	filter = load_filter(&io, &link);
	slot = accept_client(&io, &options);
	progress_begin(&options);
	submit_stream(&io, slot, options.buffer);
	run_stream(&io, &filter->bss->stats);
	seconds = progress_end();
	flush_drive(&io);
	summary(&io, &filter->bss->stats, seconds);
	bpf_link__destroy(link);
	filter__destroy(filter);
	unified_io_close(&io);
	return 0;
}
