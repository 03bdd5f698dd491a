// SPDX-License-Identifier: GPL-2.0
/*
 * serve PORT BLOCK_DEVICE FIRST_LBA BYTES - NVMe read -> BPF -> network send
 *
 * The idea: reading, looking at the data and sending are one chain. The process
 * keeps DEPTH chains in flight, each with a buffer of its own; serve.bpf.c
 * masks the digits while the data lie in the region, and the network card sends
 * them from there. A buffer is free again when its chain completes, which is
 * when the network stack has let go of its pages; sends to one socket happen in
 * the order of submission, so the client sees the blocks in order.
 *
 *     lab/run --nvme 1 --load -- sh -c '
 *             printf "card 1234-5678\n%4082s\n" end >/dev/nvme0n1
 *             build/user/samples/serve 7001 /dev/nvme0n1 0 4096 &
 *             sleep 1; nc -d localhost 7001 | tr -s " "'
 *
 * BYTES is a multiple of the drive's block.
 */
#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <bpf/libbpf.h>
#include <unified_io.h>

#include "common.h"
#include "serve.skel.h"

#define CHUNK		(128U << 10)
#define DEPTH		16
#define REGION_SIZE	(8ULL << 20)

/* What is left to submit, and how many chains are on their way. */
struct range {
	__u64 lba;
	__u64 bytes;
	unsigned int in_flight;
};

static struct serve *load_program(const struct unified_io *io, struct bpf_link **link)
{
	struct serve *skel = serve__open();

	if (!skel)
		err(1, "serve.bpf.o");
	check(UNIFIED_IO_CALL_OPS, "bind", unified_io_bind_ops(io, skel->obj));
	check(UNIFIED_IO_CALL_OPS, "load", serve__load(skel));
	check(UNIFIED_IO_CALL_OPS, "attach", unified_io_attach_ops(skel->obj, link));
	return skel;
}

/* One chain on buffer @nr, which its completion names again. */
static void submit_chunk(struct unified_io *io, struct range *range, unsigned int nr, int slot,
			 __u32 lba_size)
{
	__u32 len = range->bytes < CHUNK ? range->bytes : CHUNK;
	struct unified_descriptor *desc = unified_io_get_desc(io);

	unified_io_prep_read(desc, (__u64)nr * CHUNK, len, range->lba);
	unified_io_then_bpf(desc, 0, 0);
	unified_io_then_send(desc, slot);
	desc->user_data = nr;
	range->lba += len / lba_size;
	range->bytes -= len;
	range->in_flight++;
}

/* Keeps all buffers busy until the range is sent. Returns the bytes sent. */
static __u64 serve_range(struct unified_io *io, struct range range, int slot, __u32 lba_size)
{
	struct unified_completion cqe;
	unsigned int nr;
	__u64 sent = 0;

	for (nr = 0; nr < DEPTH && range.bytes; nr++)
		submit_chunk(io, &range, nr, slot, lba_size);
	while (range.in_flight) {
		check(UNIFIED_IO_CALL_SUBMIT, "wait", unified_io_wait(io, &cqe, 0));
		check(UNIFIED_IO_CALL_COMPLETION, "chain", cqe.res);
		range.in_flight--;
		sent += cqe.send;
		if (range.bytes)
			submit_chunk(io, &range, cqe.user_data, slot, lba_size);
	}
	return sent;
}

int main(int argc, char **argv)
{
	struct unified_io_info info;
	struct bpf_link *link;
	struct range range = {};
	struct unified_io io;
	struct serve *skel;
	int listener, conn, slot;
	__u64 sent;

	if (argc != 5)
		errx(2, "usage: %s PORT BLOCK_DEVICE FIRST_LBA BYTES", argv[0]);
	range.lba = strtoull(argv[3], NULL, 0);
	range.bytes = strtoull(argv[4], NULL, 0);
	listener = listen_on(argv[1]);
	open_region(&io, REGION_SIZE, argv[2], O_RDONLY);
	skel = load_program(&io, &link);
	check(UNIFIED_IO_CALL_SUBMIT, "info", unified_io_get_info(&io, &info));
	if (range.bytes % info.lba_size)
		errx(2, "BYTES must be a multiple of %u", info.lba_size);

	conn = accept_one(listener);
	slot = check(UNIFIED_IO_CALL_SOCKET, "attach", unified_io_attach_socket(&io, conn));
	close(conn);	/* the region keeps the socket */
	sent = serve_range(&io, range, slot, info.lba_size);
	check(UNIFIED_IO_CALL_SUBMIT, "info", unified_io_get_info(&io, &info));
	printf("sent %" PRIu64 " bytes; copied %" PRIu64 " on the way out\n", (uint64_t)sent,
	       (uint64_t)info.stage[UNIFIED_IO_STAGE_SEND].copied);

	bpf_link__destroy(link);
	serve__destroy(skel);
	unified_io_close(&io);
	return 0;
}
