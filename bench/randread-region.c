// SPDX-License-Identifier: GPL-2.0
/* Random reads, ours: a batch of descriptors and the wait for completions are one ENTER. */
#include <err.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <unified_io.h>

#include "randread.h"

static struct unified_io io;
static unsigned int lba;

char *io_open(const struct randread *rr)
{
	struct unified_io_setup setup;
	int ret;

	lba = rr->lba;
	unified_io_defaults(&setup);
	setup.sq_entries = 64;
	setup.cq_entries = 64;
	setup.region_size = 4 << 20;
	setup.nvme_fd = open(rr->device, O_RDONLY);
	if (setup.nvme_fd < 0)
		err(1, "%s", rr->device);
	if (rr->depth > setup.sq_entries)
		errx(2, "depth over %u", setup.sq_entries);
	ret = unified_io_open(&io, &setup);
	if (ret)
		errx(1, "region: %s", unified_io_hint(UNIFIED_IO_CALL_OPEN, ret));
	close(setup.nvme_fd);
	return (char *)io.data;
}

void io_read(unsigned int slot, uint64_t offset)
{
	struct unified_descriptor *desc = unified_io_get_desc(&io);

	unified_io_prep_read(desc, (uint64_t)slot * BLOCK, BLOCK, offset / lba);
	desc->user_data = slot;
}

unsigned int io_wait(unsigned int min, unsigned int *slots)
{
	int ret = unified_io_submit_and_wait(&io, min, 0);
	const struct unified_completion *cqe;
	unsigned int n = 0;

	if (ret < 0)
		errx(1, "%s", unified_io_hint(UNIFIED_IO_CALL_SUBMIT, ret));
	while ((cqe = unified_io_peek(&io))) {
		if (cqe->res != BLOCK)
			errx(1, "read: %s", strerror(-cqe->res));
		slots[n++] = cqe->user_data;
		unified_io_consume(&io, 1);
	}
	return n;
}

uint64_t io_copied(void)
{
	struct unified_io_info info;
	uint64_t copied = 0;

	if (unified_io_get_info(&io, &info))
		errx(1, "no information");
	for (int i = 0; i < UNIFIED_IO_STAGE_NR; i++)
		copied += info.stage[i].copied;
	return copied;
}
