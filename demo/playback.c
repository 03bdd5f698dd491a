// SPDX-License-Identifier: GPL-2.0
/*
 * playback DRIVE: NVMe -> BPF -> network. Accepts one connection and sends the
 * log that is on the drive, through restore.bpf.c.
 *
 * First a walk over the record headers tells where the records are; that is
 * also what a recovery would do. Then each record is one chain: read it, check
 * and restore it, send it.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common.h"
#include "../tools/record.h"
#include "restore.skel.h"

#define MAX_DEPTH	128	/* chains in flight; the SQ has more entries */

struct extent {
	uint64_t at;
	uint32_t size;
};

struct index {
	struct extent *extents;
	size_t nr;
	uint32_t largest;
	struct log_cursor cursor;	/* where the log ends */
};

static void index_add(struct index *index, const struct unified_io_log_header *header)
{
	uint32_t size = le32toh(header->size);

	if (!(index->nr & (index->nr - 1))) {
		index->extents = reallocarray(index->extents, index->nr ? index->nr * 2 : 1,
					      sizeof(*index->extents));
		if (!index->extents)
			err(1, "index");
	}
	index->extents[index->nr++] = (struct extent) { index->cursor.at, size };
	if (size > index->largest)
		index->largest = size;
	record_advance(&index->cursor, header);
}

/* O_DIRECT, so that nothing that the page cache may hold of the drive is read. */
static void walk_log(struct index *index, const char *drive)
{
	static union {
		struct unified_io_log_header header;
		char bytes[4096];
	} block __attribute__((aligned(4096)));
	const char *why = NULL;
	bool end = false;
	int fd = open(drive, O_RDONLY | O_DIRECT | O_CLOEXEC);

	if (fd < 0)
		err(1, "%s", drive);
	*index = (struct index) { .cursor.any = true };
	while (!end) {
		if (pread(fd, &block, sizeof(block), index->cursor.at) < (ssize_t)sizeof(block.header))
			err(1, "%s", drive);
		why = record_check_header(&index->cursor, &block.header);
		if (why)
			errx(1, "%s: record %zu: %s", drive, index->nr, why);
		end = le32toh(block.header.flags) & UNIFIED_IO_LOG_END;
		index_add(index, &block.header);
	}
	close(fd);
}

static struct restore *load_restore(struct unified_io *io, uint64_t log_id, struct bpf_link **link)
{
	struct restore *restore = restore__open();

	if (!restore)
		err(1, "open the program");
	restore->rodata->log_id = log_id;
	must(UNIFIED_IO_CALL_OPS, unified_io_bind_ops(io, restore->obj), "bind the program");
	must(UNIFIED_IO_CALL_OPS, restore__load(restore), "load the program");
	must(UNIFIED_IO_CALL_OPS, unified_io_attach_ops(restore->obj, link), "attach the program");
	return restore;
}

static void queue_record(struct unified_io *io, int slot, const struct index *index, size_t i,
			 uint32_t buffer, uint32_t lba_size)
{
	struct unified_descriptor *desc = unified_io_get_desc(io);
	const struct extent *extent = &index->extents[i];

	unified_io_prep_read(desc, (uint64_t)buffer * index->largest, extent->size,
			     extent->at / lba_size);
	unified_io_then_bpf(desc, 0, i);
	unified_io_then_send(desc, slot);
	desc->user_data = buffer;
}

/* Keeps all buffers busy. The kernel sends in the order of submission, whichever read ends first. */
static void send_all(struct unified_io *io, int slot, const struct index *index)
{
	uint32_t free[MAX_DEPTH], nr_free, depth = io->data_size / index->largest;
	struct unified_completion cqe;
	struct unified_io_info info;
	size_t queued = 0, done = 0;
	uint64_t sent = 0;

	get_info(io, &info);
	if (depth > MAX_DEPTH)
		depth = MAX_DEPTH;
	for (nr_free = 0; nr_free < depth; nr_free++)
		free[nr_free] = nr_free;
	while (done < index->nr) {
		while (queued < index->nr && nr_free)
			queue_record(io, slot, index, queued++, free[--nr_free], info.lba_size);
		must(UNIFIED_IO_CALL_COMPLETION, unified_io_wait(io, &cqe, 0), "wait");
		must(UNIFIED_IO_CALL_COMPLETION, cqe.res, "a record");
		free[nr_free++] = cqe.user_data;
		sent += cqe.send;
		done++;
		if (!(done % 64) || done == index->nr)
			progress_show(sent, "%.1f MiB out, %zu of %zu records", MIB(sent), done,
				      index->nr);
	}
}

static void summary(const struct unified_io *io, double seconds, uint64_t lines)
{
	struct unified_io_info info;
	const struct unified_io_stage_stat *sends = &info.stage[UNIFIED_IO_STAGE_SEND];

	get_info(io, &info);
	printf("sent      %.1f MiB in %.2f s: %.1f MiB/s, emulated; %lu levels restored\n",
	       MIB(sends->bytes), seconds, MIB(sends->bytes) / seconds, lines);
	printf("copied    %.4f bytes a byte sent: %.1f MiB\n",
	       (double)sends->copied / sends->bytes, MIB(sends->copied));
}

int main(int argc, char **argv)
{
	struct restore *restore;
	struct options options;
	struct bpf_link *link;
	struct unified_io io;
	struct index index;
	int slot;

	parse_options(&options, argc, argv);
	walk_log(&index, options.drive);
	open_region(&io, &options);
	restore = load_restore(&io, index.cursor.log_id, &link);
	slot = accept_client(&io, &options);
	options.expect = index.cursor.offset;
	progress_begin(&options);
	send_all(&io, slot, &index);
	summary(&io, progress_end(), restore->bss->restored_lines);
	bpf_link__destroy(link);
	restore__destroy(restore);
	unified_io_close(&io);
	free(index.extents);
	return 0;
}
