// SPDX-License-Identifier: GPL-2.0
/*
 * ingest PORT BLOCK_DEVICE - network -> BPF -> NVMe
 *
 * The idea: a whole stream is one submission. The process accepts a connection,
 * hands it to the region, gives it buffers and sleeps until the stream has
 * ended; the kernel receives into the buffers, runs ingest.bpf.c on what came
 * (it drops the lines that begin with '#' and puts a record header in front),
 * writes the record where the one before ended, and takes the buffer back.
 *
 *     lab/run --nvme 1 --load -- sh -c '
 *             build/user/samples/ingest 7000 /dev/nvme0n1 &
 *             sleep 1; (echo one; echo "#two"; echo three) | nc -N localhost 7000; wait
 *             build/user/tools/unified-io log cat /dev/nvme0n1'
 *
 * The records are those of <unified_io_log.h>; they overwrite the drive from
 * its first block.
 */
#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include <bpf/libbpf.h>
#include <linux/unified_io_region.h>
#include <unified_io.h>
#include <unified_io_log.h>

#include "common.h"
#include "ingest.skel.h"

#define BUFFER_LEN	(256U << 10)
#define NR_BUFFERS	32
#define REGION_SIZE	(16ULL << 20)

static struct ingest *load_program(const struct unified_io *io, struct bpf_link **link)
{
	struct ingest *skel = ingest__open();
	__u64 log_id;

	if (!skel)
		err(1, "ingest.bpf.o");
	if (getrandom(&log_id, sizeof(log_id), 0) != sizeof(log_id))
		err(1, "getrandom");
	skel->rodata->log_id = log_id;
	check(UNIFIED_IO_CALL_OPS, "bind", unified_io_bind_ops(io, skel->obj));
	check(UNIFIED_IO_CALL_OPS, "load", ingest__load(skel));
	check(UNIFIED_IO_CALL_OPS, "attach", unified_io_attach_ops(skel->obj, link));
	return skel;
}

static void submit_stream(struct unified_io *io, int slot)
{
	struct unified_descriptor *desc = unified_io_get_desc(io);

	unified_io_prep_recv_multishot(desc, slot, sizeof(struct unified_io_log_header),
				       UNIFIED_IO_DESC_F_RECYCLE | UNIFIED_IO_DESC_F_CQE_SKIP |
				       UNIFIED_IO_DESC_F_WAITALL | UNIFIED_IO_DESC_F_PAD);
	unified_io_then_bpf(desc, 0, 0);
	unified_io_then_write(desc, 0, 0);
	check(UNIFIED_IO_CALL_SUBMIT, "submit", unified_io_submit(io));
}

/* Waits for the stream's last completion; an arrival that failed posts one before it. */
static void await_end(struct unified_io *io, struct unified_completion *cqe)
{
	do
		check(UNIFIED_IO_CALL_SUBMIT, "wait", unified_io_wait(io, cqe, 0));
	while (cqe->flags & UNIFIED_IO_CQE_F_MORE);
	check(UNIFIED_IO_CALL_COMPLETION, "stream", cqe->res);
}

/* The records are on the drive for good after this. */
static void flush(struct unified_io *io)
{
	struct unified_completion cqe;

	unified_io_prep_flush(unified_io_get_desc(io));
	check(UNIFIED_IO_CALL_SUBMIT, "flush", unified_io_wait(io, &cqe, 0));
	check(UNIFIED_IO_CALL_COMPLETION, "flush", cqe.res);
}

static void report(const struct unified_io *io, const struct unified_completion *end,
		   __u64 dropped)
{
	struct unified_io_info info;
	__u64 copied = 0;
	int i;

	check(UNIFIED_IO_CALL_SUBMIT, "info", unified_io_get_info(io, &info));
	for (i = 0; i < UNIFIED_IO_STAGE_NR; i++)
		copied += info.stage[i].copied;
	printf("received %" PRIu64 " bytes, dropped %" PRIu64 " lines, wrote %" PRIu64
	       " bytes up to block %" PRIu64 "; copied %" PRIu64 " bytes, moved %" PRIu64 "\n",
	       (uint64_t)info.stage[UNIFIED_IO_STAGE_RECV].bytes, (uint64_t)dropped,
	       (uint64_t)info.stage[UNIFIED_IO_STAGE_WRITE].bytes, (uint64_t)end->slba,
	       (uint64_t)copied, (uint64_t)info.moved);
}

int main(int argc, char **argv)
{
	struct unified_completion end;
	struct bpf_link *link;
	struct unified_io io;
	struct ingest *skel;
	int listener, conn;

	if (argc != 3)
		errx(2, "usage: %s PORT BLOCK_DEVICE (which is overwritten)", argv[0]);
	listener = listen_on(argv[1]);
	open_region(&io, REGION_SIZE, argv[2], O_RDWR);
	skel = load_program(&io, &link);
	check(UNIFIED_IO_CALL_SUBMIT, "buffers",
	      unified_io_add_buffers(&io, 0, BUFFER_LEN, NR_BUFFERS));

	conn = accept_one(listener);
	submit_stream(&io, check(UNIFIED_IO_CALL_SOCKET, "attach",
				 unified_io_attach_socket(&io, conn)));
	close(conn);	/* the region keeps the socket */
	await_end(&io, &end);
	flush(&io);
	report(&io, &end, skel->bss->dropped_lines);

	bpf_link__destroy(link);
	ingest__destroy(skel);
	unified_io_close(&io);
	return 0;
}
