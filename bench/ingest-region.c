// SPDX-License-Identifier: GPL-2.0
/*
 * Ours: one submission for the whole stream. The kernel receives into the buffers of the Net IOV
 * ring, runs the program and writes what it keeps, takes each buffer back itself and posts one
 * completion, at the end.
 */
#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <bpf/libbpf.h>
#include <unified_io.h>

#include "ingest.h"
#include "ingest.skel.h"

static struct unified_io io;

static unsigned int power_of_two(unsigned int n)
{
	unsigned int p = 1;

	while (p < n)
		p *= 2;
	return p;
}

static void open_region(const struct ingest *in)
{
	struct unified_io_setup setup;
	int ret;

	unified_io_defaults(&setup);
	setup.sq_entries = 1;
	setup.cq_entries = power_of_two(in->depth + 1);	/* the stream, and its arrivals */
	setup.niov_entries = power_of_two(in->depth);
	setup.region_size = (in->depth * in->batch + (4 << 20)) & ~((2UL << 20) - 1);
	setup.nvme_fd = open(in->device, O_RDWR);
	if (setup.nvme_fd < 0)
		err(1, "%s", in->device);
	ret = unified_io_open(&io, &setup);
	if (ret)
		errx(1, "region: %s", unified_io_hint(UNIFIED_IO_CALL_OPEN, ret));
	close(setup.nvme_fd);
	if (unified_io_add_buffers(&io, 0, in->batch, in->depth))
		errx(1, "%u buffers of %zu bytes do not fit", in->depth, in->batch);
}

static void attach_program(const struct ingest *in)
{
	struct ingest_bpf *skel = ingest_bpf__open();

	if (!skel)
		err(1, "BPF");
	skel->bss->record_size = in->record;
	skel->bss->stamp = in->stamp;
	if (unified_io_bind_ops(&io, skel->obj) || ingest_bpf__load(skel) || ingest_bpf__attach(skel))
		errx(1, "cannot attach the program");
}

void ingest_prepare(struct ingest *in)
{
	open_region(in);
	attach_program(in);
}

static void account(struct ingest *in)
{
	struct unified_io_info info;

	if (unified_io_get_info(&io, &info))
		errx(1, "no information");
	in->in = info.stage[UNIFIED_IO_STAGE_RECV].bytes;
	in->out = info.stage[UNIFIED_IO_STAGE_WRITE].bytes;
	in->writes = info.stage[UNIFIED_IO_STAGE_WRITE].ops;
	in->moved = info.moved;
	for (int i = 0; i < UNIFIED_IO_STAGE_NR; i++)
		in->copied += info.stage[i].copied;
}

void ingest_stream(struct ingest *in)
{
	int slot = unified_io_attach_socket(&io, in->sk), ret;
	struct unified_descriptor *desc = unified_io_get_desc(&io);
	struct unified_completion cqe;

	if (slot < 0)
		errx(1, "socket: %s", unified_io_hint(UNIFIED_IO_CALL_SOCKET, slot));
	unified_io_prep_recv_multishot(desc, slot, 0, UNIFIED_IO_DESC_F_WAITALL |
				       UNIFIED_IO_DESC_F_RECYCLE | UNIFIED_IO_DESC_F_CQE_SKIP);
	unified_io_then_bpf(desc, 0, 0);
	unified_io_then_write(desc, in->offset / in->lba, 0);
	ret = unified_io_wait(&io, &cqe, 0);
	if (ret)
		errx(1, "wait: %s", unified_io_hint(UNIFIED_IO_CALL_SUBMIT, ret));
	if (cqe.res)
		errx(1, "stream: %s", unified_io_hint(UNIFIED_IO_CALL_COMPLETION, cqe.res));
	account(in);
}
