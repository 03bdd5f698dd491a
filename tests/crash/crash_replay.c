// SPDX-License-Identifier: GPL-2.0
/*
 * crash_replay SEED CONNS AREA CUTS LOG: cuts the power CUTS times, at random
 * points of a log of all writes and flushes of a drive (QEMU's blklogwrites, the
 * format of dm-log-writes), and checks what a drive with a volatile write cache may
 * hold then.
 *
 * What was written before the last flush is there. Of each write since then, and of
 * those that follow up to the next flush, so that they can have been under way:
 * all, nothing, or any of its sectors. What had been acknowledged tell the client's
 * writes to the ledger, which lie in the log among the others.
 *
 * Exit status: 0 if nothing acknowledged is lost and no torn record is taken for
 * whole, 1 if not, 2 if the log is not fit to tell.
 */
#include <endian.h>
#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "logs.h"

#define LOG_MAGIC	0x6a736677736872ULL
#define LOG_FLUSH	1
#define LOG_DISCARD	4
#define SECTOR		512	/* what a drive writes whole or not at all */

struct log_super {
	uint64_t magic, version, nr_entries;
	uint32_t sector_size;
};

struct log_entry {
	uint64_t sector, nr_sectors, flags, data_len;
};

struct event {
	bool flush;
	uint64_t at, len;	/* on the drive */
	const uint8_t *data;
};

static struct event *events;
static uint64_t nr_events;
static uint64_t nr_dropped, nr_torn, nr_kept;	/* writes, when the power went */
static struct logs logs;

static const uint8_t *map_log(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY);
	const void *map;
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		err(2, "%s", path);
	map = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		err(2, "%s", path);
	close(fd);
	*size = st.st_size;
	return map;
}

static void read_log(const char *path)
{
	size_t size, at;
	const uint8_t *map = map_log(path, &size);
	const struct log_super *super = (const void *)map;
	uint32_t sector = le32toh(super->sector_size);

	if (size < sizeof(*super) || le64toh(super->magic) != LOG_MAGIC || sector < SECTOR)
		errx(2, "%s: no log of writes", path);
	nr_events = le64toh(super->nr_entries);
	events = calloc(nr_events, sizeof(*events));
	at = sector;
	for (uint64_t i = 0; i < nr_events; i++) {
		const struct log_entry *entry = (const void *)(map + at);
		struct event *event = &events[i];

		if (at + sector > size)
			errx(2, "%s: ends in entry %" PRIu64, path, i);
		if (le64toh(entry->flags) & LOG_DISCARD)
			errx(2, "%s: nobody here discards", path);
		event->flush = le64toh(entry->flags) & LOG_FLUSH;
		event->at = le64toh(entry->sector) * sector;
		event->len = le64toh(entry->nr_sectors) * sector;
		event->data = map + at + sector;
		at += sector + event->len;
		if (at > size)
			errx(2, "%s: ends in entry %" PRIu64, path, i);
	}
}

/* Bytes of the event that are in the logs, and not behind them. */
static uint64_t len_in_logs(const struct event *event)
{
	uint64_t end = logs.conns * logs.area;

	if (event->at >= end)
		return 0;
	return event->at + event->len > end ? end - event->at : event->len;
}

static void note_acks(const struct event *event)
{
	uint64_t at;

	for (at = len_in_logs(event); at + CRASH_LEDGER <= event->len; at += CRASH_LEDGER) {
		const struct crash_ledger *ledger = (const void *)(event->data + at);

		if (ledger->magic == CRASH_MAGIC && ledger->seed == logs.seed && ledger->conn < logs.conns &&
		    ledger->offset > logs.acked[ledger->conn])
			logs.acked[ledger->conn] = ledger->offset;
	}
}

static void apply(const struct event *event)
{
	memcpy(logs.bytes + event->at, event->data, len_in_logs(event));
}

/* What the drive held before the volatile writes of a cut. */
static struct undo {
	uint64_t at;
	uint8_t bytes[SECTOR];
} *undos;
static uint64_t nr_undos, max_undos;

static void apply_sector(const struct event *event, uint64_t at)
{
	uint8_t *target = logs.bytes + event->at + at;

	if (nr_undos == max_undos) {
		max_undos = max_undos * 2 + 1024;
		undos = realloc(undos, max_undos * sizeof(*undos));
		if (!undos)
			err(2, "memory");
	}
	undos[nr_undos].at = event->at + at;
	memcpy(undos[nr_undos++].bytes, target, SECTOR);
	memcpy(target, event->data + at, SECTOR);
}

/* @keep and @tear in percent: of the writes, that reach the medium; of those, that do so in part. */
static void apply_some(const struct event *event, int keep, int tear)
{
	bool torn = rand() % 100 < tear;
	uint64_t len = len_in_logs(event), at, n = 0;

	if (rand() % 100 < keep)
		for (at = 0; at < len; at += SECTOR)
			if (!torn || rand() % 2) {
				apply_sector(event, at);
				n += SECTOR;
			}
	nr_kept += len && n == len;
	nr_torn += n && n < len;
	nr_dropped += len && !n;
}

static void undo_all(void)
{
	while (nr_undos) {
		nr_undos--;
		memcpy(logs.bytes + undos[nr_undos].at, undos[nr_undos].bytes, SECTOR);
	}
}

static int ascending(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static uint64_t *random_cuts(uint64_t nr)
{
	uint64_t *cuts = calloc(nr, sizeof(*cuts)), i;

	for (i = 0; i < nr; i++)
		cuts[i] = ((uint64_t)rand() << 31 | rand()) % (nr_events + 1);
	qsort(cuts, nr, sizeof(*cuts), ascending);
	return cuts;
}

/* The power goes in front of event @cut; those before @stable are on the medium. */
static void cut_power(uint64_t cut, uint64_t stable, struct tally *tally)
{
	static const int rates[] = { 0, 50, 90, 100 };
	int keep = rates[rand() % 4], tear = rates[rand() % 4];
	uint64_t lost = tally->lost, wrong = tally->wrong, i;

	for (i = stable; i < nr_events && !(i >= cut && events[i].flush); i++)
		if (!events[i].flush)
			apply_some(&events[i], keep, tear);
	logs_check(&logs, tally);
	if (tally->lost > lost || tally->wrong > wrong)
		printf("... when the power went before event %" PRIu64 " of %" PRIu64 ", the last flush %"
		       PRIu64 " before it\n", cut, nr_events, cut - stable);
	undo_all();
}

static void cut_all(uint64_t nr_cuts, struct tally *tally)
{
	uint64_t *cuts = random_cuts(nr_cuts), stable = 0, flush, seen = 0, i;

	for (i = 0; i < nr_cuts; i++) {
		for (flush = stable; seen < cuts[i]; seen++) {
			note_acks(&events[seen]);
			if (events[seen].flush)
				flush = seen + 1;
		}
		for (; stable < flush; stable++)
			apply(&events[stable]);
		cut_power(cuts[i], stable, tally);
	}
	free(cuts);
}

int main(int argc, char **argv)
{
	struct tally tally = {};
	uint64_t nr_cuts;

	if (argc != 6)
		errx(2, "usage: %s SEED CONNS AREA CUTS LOG", argv[0]);
	logs_init(&logs, argv + 1);
	nr_cuts = strtoull(argv[4], NULL, 0);
	srand(logs.seed);
	read_log(argv[5]);
	cut_all(nr_cuts, &tally);
	printf("cuts %" PRIu64 " of %" PRIu64 " events; volatile writes kept %" PRIu64 ", torn %" PRIu64
	       ", dropped %" PRIu64 "\n", nr_cuts, nr_events, nr_kept, nr_torn, nr_dropped);
	printf("records %" PRIu64 " bytes %" PRIu64 " acknowledged %" PRIu64 " torn %" PRIu64 " lost %" PRIu64
	       " wrong %" PRIu64 "\n", tally.records, tally.bytes, tally.acked, tally.torn, tally.lost,
	       tally.wrong);
	if (tally.lost || tally.wrong)
		return 1;
	return tally.acked && nr_torn && nr_dropped ? 0 : 2;
}
