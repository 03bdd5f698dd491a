// SPDX-License-Identifier: GPL-2.0
/*
 * crash_check SEED CONNS AREA ACKS <DRIVE: are the records that the file ACKS says
 * were acknowledged ('ack CONN OFFSET' lines of crash_client) in the logs that the
 * drive begins with? Reads the drive as any other program would, without the module.
 *
 * Exit status: 0 if they are, 1 if not, 2 if there was nothing to check.
 */
#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "logs.h"

static void read_acks(struct logs *logs, const char *path)
{
	FILE *file = fopen(path, "r");
	unsigned int conn;
	uint64_t offset;
	char line[128];

	if (!file)
		err(2, "%s", path);
	while (fgets(line, sizeof(line), file))	/* the VM may have died in the last one */
		if (sscanf(line, "ack %u %" SCNu64 "\n", &conn, &offset) == 2 && conn < logs->conns &&
		    line[strcspn(line, "\n")] && offset > logs->acked[conn])
			logs->acked[conn] = offset;
	fclose(file);
}

static void read_drive(struct logs *logs)
{
	uint64_t size = logs->conns * logs->area, at = 0;
	ssize_t n;

	for (; at < size; at += n) {
		n = read(STDIN_FILENO, logs->bytes + at, size - at);
		if (n < 0)
			err(2, "stdin");
		if (!n)
			errx(2, "the drive is smaller than its logs");
	}
}

int main(int argc, char **argv)
{
	struct tally tally = {};
	struct logs logs;

	if (argc != 5)
		errx(2, "usage: %s SEED CONNS AREA ACKS <DRIVE", argv[0]);
	logs_init(&logs, argv + 1);
	read_acks(&logs, argv[4]);
	read_drive(&logs);
	logs_check(&logs, &tally);
	printf("records %" PRIu64 " bytes %" PRIu64 " acknowledged %" PRIu64 " torn %" PRIu64
	       " lost %" PRIu64 " wrong %" PRIu64 "\n", tally.records, tally.bytes, tally.acked,
	       tally.torn, tally.lost, tally.wrong);
	if (tally.lost || tally.wrong)
		return 1;
	return tally.acked ? 0 : 2;
}
