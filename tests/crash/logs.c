// SPDX-License-Identifier: GPL-2.0
#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../tools/record.h"
#include "logs.h"
#include "stream.h"

void logs_init(struct logs *logs, char **argv)
{
	unsigned int i;

	*logs = (struct logs){
		.seed = strtoull(argv[0], NULL, 0),
		.conns = strtoul(argv[1], NULL, 0),
		.area = strtoull(argv[2], NULL, 0),
	};
	if (!logs->conns || logs->conns > CRASH_CONNS || !logs->area || logs->area % CRASH_LEDGER)
		errx(2, "connections: 1 to %u; area: a multiple of %u", CRASH_CONNS, CRASH_LEDGER);
	logs->bytes = calloc(logs->conns, logs->area);
	for (i = 0; i < logs->conns; i++) {
		logs->expected[i] = malloc(logs->area);
		if (!logs->bytes || !logs->expected[i])
			err(2, "memory for the logs");
		stream_fill(logs->expected[i], logs->area, crash_log_id(logs->seed, i), 0);
	}
}

/* Returns why the log ends here, or NULL having stepped over a record. */
static const char *next_record(const uint8_t *log, uint64_t area, struct log_cursor *cursor)
{
	const struct unified_io_log_header *header = (const void *)(log + cursor->at);
	const char *why;

	if (cursor->at + sizeof(*header) > area)
		return "the area ends";
	why = record_check_header(cursor, header);
	if (why)
		return why;
	if (cursor->at + le32toh(header->size) > area)
		return "torn (longer than the area)";
	why = record_check_data(header);
	if (!why)
		record_advance(cursor, header);
	return why;
}

static void check_log(const struct logs *logs, unsigned int conn, struct tally *tally)
{
	struct log_cursor cursor = { .log_id = crash_log_id(logs->seed, conn) };
	const uint8_t *log = logs->bytes + conn * logs->area, *record = log;
	uint64_t before = 0;
	const char *why;

	for (; !(why = next_record(log, logs->area, &cursor)); record = log + cursor.at) {
		if (memcmp(record + sizeof(struct unified_io_log_header), logs->expected[conn] + before,
			   cursor.offset - before)) {
			printf("log %u: record %" PRIu64 " is taken for whole, and was never sent\n",
			       conn, cursor.seq - 1);
			tally->wrong++;
		}
		before = cursor.offset;
	}
	if (cursor.offset < logs->acked[conn]) {
		printf("log %u: %" PRIu64 " bytes acknowledged, and only %" PRIu64 " there: record %" PRIu64
		       ": %s\n", conn, logs->acked[conn], cursor.offset, cursor.seq, why);
		tally->lost++;
	}
	tally->logs++;
	tally->records += cursor.seq;
	tally->bytes += cursor.offset;
	tally->acked += logs->acked[conn];
	tally->torn += !strncmp(why, "torn", 4);
}

void logs_check(const struct logs *logs, struct tally *tally)
{
	unsigned int i;

	for (i = 0; i < logs->conns; i++)
		check_log(logs, i, tally);
}
