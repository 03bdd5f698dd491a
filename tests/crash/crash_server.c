// SPDX-License-Identifier: GPL-2.0
/*
 * crash_server PORT DRIVE SEED CONNS AREA fua|flush|none [BASE]: stores the streams
 * of CONNS connections as logs of at most AREA bytes each, from byte BASE of the
 * drive on, and answers each arrival once it is on stable storage. 'none' answers when the drive has it in its cache:
 * a fault, for the checker to find.
 *
 * network -> BPF -> NVMe write -> answer is one submission for each connection.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <bpf/libbpf.h>
#include <unified_io.h>
#include <unified_io_log.h>

#include "../../samples/unified_io/common.h"
#include "crash.h"
#include "crash.skel.h"

#define REGION_SIZE	(16ULL << 20)
#define NR_BUFFERS	160

static __u8 durability(const char *name)
{
	if (!strcmp(name, "fua"))
		return UNIFIED_IO_NVME_F_FUA;
	if (!strcmp(name, "flush"))
		return UNIFIED_IO_NVME_F_FLUSH;
	if (strcmp(name, "none"))
		errx(2, "%s: fua, flush or none", name);
	return 0;
}

static void load_program(const struct unified_io *io, __u64 seed, __u64 base_block,
			 __u64 area_blocks)
{
	struct crash *skel = crash__open();
	struct bpf_link *link;

	if (!skel)
		err(1, "crash.bpf.o");
	skel->rodata->seed = seed;
	skel->rodata->base_block = base_block;
	skel->rodata->area_blocks = area_blocks;
	check(UNIFIED_IO_CALL_OPS, "bind", unified_io_bind_ops(io, skel->obj));
	check(UNIFIED_IO_CALL_OPS, "load", crash__load(skel));
	check(UNIFIED_IO_CALL_OPS, "attach", unified_io_attach_ops(skel->obj, &link));
}

static void serve(struct unified_io *io, int conn, __u32 nr, __u64 slba, __u8 nvme_flags)
{
	int slot = check(UNIFIED_IO_CALL_SOCKET, "attach", unified_io_attach_socket(io, conn));
	struct unified_descriptor *desc = unified_io_get_desc(io);

	close(conn);	/* the region keeps the socket */
	unified_io_prep_recv_multishot(desc, slot, CRASH_HEAD + sizeof(struct unified_io_log_header),
				       UNIFIED_IO_DESC_F_RECYCLE | UNIFIED_IO_DESC_F_CQE_SKIP |
				       UNIFIED_IO_DESC_F_PAD);
	unified_io_then_bpf(desc, 0, nr);
	unified_io_then_write(desc, slba, nvme_flags);
	unified_io_then_send(desc, slot);
	check(UNIFIED_IO_CALL_SUBMIT, "submit", unified_io_submit(io));
}

/* A log that is full ends its connection, which is no failure. */
static void await_ends(struct unified_io *io, unsigned int left)
{
	struct unified_completion cqe;

	while (left) {
		check(UNIFIED_IO_CALL_SUBMIT, "wait", unified_io_wait(io, &cqe, 0));
		if (cqe.flags & UNIFIED_IO_CQE_F_MORE)
			continue;
		unified_io_detach_socket(io, cqe.slot);
		if (cqe.res < 0 && cqe.res != -ENOSPC && cqe.res != -ECONNRESET && cqe.res != -EPIPE)
			errx(1, "connection %u: %s", cqe.slot, strerror(-cqe.res));
		left--;
	}
}

int main(int argc, char **argv)
{
	struct unified_io_info info;
	__u64 seed, base_block, area_blocks;
	struct unified_io io;
	__u8 nvme_flags;
	__u32 conns, i;
	int listener;

	if (argc != 7 && argc != 8)
		errx(2, "usage: %s PORT DRIVE SEED CONNS AREA fua|flush|none [BASE]", argv[0]);
	seed = strtoull(argv[3], NULL, 0);
	conns = strtoul(argv[4], NULL, 0);
	nvme_flags = durability(argv[6]);
	if (!conns || conns > CRASH_CONNS)
		errx(2, "%u connections: 1 to %u", conns, CRASH_CONNS);
	open_region(&io, REGION_SIZE, argv[2], O_RDWR);
	check(UNIFIED_IO_CALL_SUBMIT, "info", unified_io_get_info(&io, &info));
	area_blocks = strtoull(argv[5], NULL, 0) / info.lba_size;
	base_block = argc == 8 ? strtoull(argv[7], NULL, 0) / info.lba_size : 0;
	load_program(&io, seed, base_block, area_blocks);
	check(UNIFIED_IO_CALL_SUBMIT, "buffers", unified_io_add_buffers(&io, 0, CRASH_BUFFER, NR_BUFFERS));

	listener = listen_on(argv[1]);
	for (i = 0; i < conns; i++)
		serve(&io, accept_one(listener), i, base_block + i * area_blocks, nvme_flags);
	printf("serving %u connections\n", conns);
	fflush(stdout);
	await_ends(&io, conns);
	return 0;
}
