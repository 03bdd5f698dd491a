// SPDX-License-Identifier: GPL-2.0
/*
 * compress PORT BLOCK_DEVICE - network -> LZ4 -> NVMe
 *
 * The idea: a program of the BPF stage replaces the data by others. Each arrival of up to
 * 64 KiB is compressed, by the kernel's LZ4, into the headroom of its buffer
 * (compress.bpf.c), and that is what is written. The drive then holds LZ4 frames, one
 * after the other, so it is an .lz4 file as it stands:
 *
 *     lab/run --nvme 1 --load -- sh -c '
 *             build/user/samples/compress 7000 /dev/nvme0n1 &
 *             sleep 2; seq 100000 | nc -N localhost 7000; wait'
 *
 * It ends with the length of that file: 'head -c LENGTH DEVICE | lz4 -d' has the stream.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "common.h"
#include "compress.h"
#include "compress.skel.h"

#define BUFFER_LEN	(HEADROOM + BLOCK_LEN)
#define NR_BUFFERS	64

static struct compress *load_program(const struct unified_io *io, struct bpf_link **link)
{
	struct compress *skel = compress__open();

	if (!skel)
		err(1, "compress.bpf.o");
	check(UNIFIED_IO_CALL_OPS, "bind", unified_io_bind_ops(io, skel->obj));
	if (compress__load(skel))
		errx(1, "the program was not loaded: needs a kernel with CONFIG_LZ4_COMPRESS");
	check(UNIFIED_IO_CALL_OPS, "attach", unified_io_attach_ops(skel->obj, link));
	return skel;
}

static void submit_stream(struct unified_io *io, int slot)
{
	struct unified_descriptor *desc = unified_io_get_desc(io);

	unified_io_prep_recv_multishot(desc, slot, HEADROOM, UNIFIED_IO_DESC_F_RECYCLE |
				       UNIFIED_IO_DESC_F_CQE_SKIP | UNIFIED_IO_DESC_F_WAITALL);
	unified_io_then_bpf(desc, 0, 0);
	unified_io_then_write(desc, 0, 0);
	check(UNIFIED_IO_CALL_SUBMIT, "submit", unified_io_submit(io));
}

/* The last completion; an arrival that failed posts one before it. Returns the block behind the last one written. */
static __u64 await_end(struct unified_io *io)
{
	struct unified_completion cqe;

	do
		check(UNIFIED_IO_CALL_SUBMIT, "wait", unified_io_wait(io, &cqe, 0));
	while (cqe.flags & UNIFIED_IO_CQE_F_MORE);
	check(UNIFIED_IO_CALL_COMPLETION, "chain", cqe.res);
	return cqe.slba;
}

int main(int argc, char **argv)
{
	struct unified_io_info info;
	struct compress *skel;
	struct bpf_link *link;
	struct unified_io io;
	int listener, conn;
	__u64 end;

	if (argc != 3)
		errx(2, "usage: %s PORT BLOCK_DEVICE (which is overwritten)", argv[0]);
	listener = listen_on(argv[1]);
	open_region(&io, 16ULL << 20, argv[2], O_RDWR);
	skel = load_program(&io, &link);
	check(UNIFIED_IO_CALL_SUBMIT, "buffers",
	      unified_io_add_buffers(&io, 0, BUFFER_LEN, NR_BUFFERS));

	conn = accept_one(listener);
	submit_stream(&io, check(UNIFIED_IO_CALL_SOCKET, "attach",
				 unified_io_attach_socket(&io, conn)));
	close(conn);	/* the region keeps the socket */
	end = await_end(&io);
	unified_io_prep_flush(unified_io_get_desc(&io));
	await_end(&io);

	check(UNIFIED_IO_CALL_SUBMIT, "info", unified_io_get_info(&io, &info));
	printf("%llu bytes became %llu on the drive\n", info.stage[UNIFIED_IO_STAGE_RECV].bytes,
	       end * info.lba_size);
	bpf_link__destroy(link);
	compress__destroy(skel);
	unified_io_close(&io);
	return 0;
}
