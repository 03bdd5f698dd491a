// SPDX-License-Identifier: GPL-2.0
/*
 * kv [--port N] [--recover] BLOCK_DEVICE
 *	- request -> BPF query -> NVMe persist -> response
 *
 * The idea: a server whose process serves nothing. It accepts connections and
 * hands each to the region with one descriptor: receive again and again, run
 * kv.bpf.c, write, send. The program looks the keys up in a BPF hash map, and
 * answers a GET at once (verdict REPLY); a SET goes to the drive first, in a
 * log record that is the received buffer itself, and is answered when the drive
 * says that it is stable (FUA). The process wakes up when a connection comes or
 * ends. It speaks enough of RESP for redis-cli and redis-benchmark -t set,get:
 * keys up to 64 bytes, values up to 1 KiB.
 *
 *     lab/run --nvme 1 --load -- sh -c '
 *             build/user/samples/kv /dev/nvme0n1 &
 *             sleep 1; redis-cli set hello world; redis-cli get hello
 *             redis-benchmark -t set,get -n 20000 -r 1000 -P 8 -q; kill $!'
 *
 * With --recover the table is filled from the log: the process reads it through
 * the same program. Without it a new log is begun at the
 * drive's first block. The records are those of <unified_io_log.h>; connections
 * write at the same time, so after a crash a record can be missing before ones
 * that were answered: recovery looks past such a gap as far as the records in
 * flight can reach.
 */
#include <err.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include <bpf/libbpf.h>
#include <unified_io.h>

#include "common.h"
#include "kv.h"
#include "kv.skel.h"

#define NR_BUFFERS	144
#define MAX_CONNS	64	/* each holds one buffer while it waits, and more while it writes */
#define REGION_SIZE	(64ULL << 20)

static struct kv *load_program(const struct unified_io *io, const struct unified_io_info *info,
			       struct bpf_link **link)
{
	struct kv *skel = kv__open();

	if (!skel)
		err(1, "kv.bpf.o");
	skel->rodata->log_end = (info->device_size - KV_READ) / info->lba_size;
	check(UNIFIED_IO_CALL_OPS, "bind", unified_io_bind_ops(io, skel->obj));
	check(UNIFIED_IO_CALL_OPS, "load", kv__load(skel));
	check(UNIFIED_IO_CALL_OPS, "attach", unified_io_attach_ops(skel->obj, link));
	return skel;
}

/* One chain on a record's worth of buffer: its completion. */
static struct unified_completion run(struct unified_io *io)
{
	struct unified_completion cqe;

	check(UNIFIED_IO_CALL_SUBMIT, "log", unified_io_wait(io, &cqe, 0));
	check(UNIFIED_IO_CALL_COMPLETION, "log", cqe.res);
	return cqe;
}

/* Begin a new log: records of the one before do not have its number. */
static void format_log(struct unified_io *io, struct kv *skel)
{
	struct unified_descriptor *desc = unified_io_get_desc(io);

	if (getrandom(&skel->bss->log_id, sizeof(skel->bss->log_id), 0) < 0)
		err(1, "getrandom");
	unified_io_prep_buffer(desc, 0, KV_RECORD);
	unified_io_then_bpf(desc, 0, KV_FORMAT);
	unified_io_then_write(desc, 0, UNIFIED_IO_NVME_F_FUA);
	desc->flags = UNIFIED_IO_DESC_F_PAD;
	run(io);
}

/* Replay the records from @lba on. Returns how many blocks have been looked at. */
static __u64 replay(struct unified_io *io, __u64 lba, __u32 lba_size)
{
	struct unified_descriptor *desc = unified_io_get_desc(io);

	unified_io_prep_read(desc, 0, KV_READ, lba);
	unified_io_then_bpf(desc, 0, KV_REPLAY);
	return run(io).len / lba_size;
}

/* Look for records until there cannot be another. */
static void recover_log(struct unified_io *io, const struct kv *skel, __u32 lba_size)
{
	__u64 in_flight = NR_BUFFERS * (KV_RECORD / lba_size);
	__u64 lba = 0;

	while (lba < skel->rodata->log_end && lba <= skel->bss->recovered_end + in_flight) {
		lba += replay(io, lba, lba_size);
		if (!skel->bss->recovered_records)
			errx(1, "no log on the drive: start without --recover");
	}
	printf("recovered %" PRIu64 " records, %" PRIu64 " blocks\n",
	       (uint64_t)skel->bss->recovered_records, (uint64_t)skel->bss->recovered_end);
}

/* The region serves this connection from here on. Returns 1, or 0 if it cannot. */
static int serve(struct unified_io *io, int conn)
{
	struct unified_descriptor *desc;
	int slot = unified_io_attach_socket(io, conn);

	close(conn);	/* the region keeps the socket */
	if (slot < 0) {
		warnx("connection: %s", unified_io_hint(UNIFIED_IO_CALL_SOCKET, slot));
		return 0;
	}
	desc = unified_io_get_desc(io);
	unified_io_prep_recv_multishot(desc, slot, KV_HEADROOM,
				       UNIFIED_IO_DESC_F_RECYCLE | UNIFIED_IO_DESC_F_CQE_SKIP |
				       UNIFIED_IO_DESC_F_PAD);
	unified_io_then_bpf(desc, 0, KV_SERVE);
	unified_io_then_write(desc, 0, UNIFIED_IO_NVME_F_FUA);
	unified_io_then_send(desc, slot);
	check(UNIFIED_IO_CALL_SUBMIT, "submit", unified_io_submit(io));
	return 1;
}

/* Returns how many connections have ended. An arrival that failed ends its stream. */
static int reap(struct unified_io *io)
{
	const struct unified_completion *cqe;
	int ended = 0;

	while ((cqe = unified_io_peek(io))) {
		if (!(cqe->flags & UNIFIED_IO_CQE_F_MORE)) {
			if (cqe->res < 0)
				warnx("connection %u: %s", cqe->slot, strerror(-cqe->res));
			unified_io_detach_socket(io, cqe->slot);
			ended++;
		}
		unified_io_consume(io, 1);
	}
	return ended;
}

static void serve_all(struct unified_io *io, int listener)
{
	struct pollfd fds[] = {
		{ .fd = io->fd, .events = POLLIN },
		{ .fd = listener, .events = POLLIN },
	};
	int conns = 0;

	for (;;) {
		fds[1].fd = conns < MAX_CONNS ? listener : -1;
		if (poll(fds, 2, -1) < 0)
			err(1, "poll");
		if (fds[0].revents)
			conns -= reap(io);
		if (fds[1].fd >= 0 && fds[1].revents)
			conns += serve(io, accept_one(listener));
		if (unified_io_needs_enter(io))
			check(UNIFIED_IO_CALL_SUBMIT, "submit", unified_io_submit(io));
	}
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "port", required_argument, NULL, 'p' },
		{ "recover", no_argument, NULL, 'r' },
		{}
	};
	struct unified_io_info info;
	const char *port = "6379";
	struct bpf_link *link;
	struct unified_io io;
	bool recover = false;
	struct kv *skel;
	int c, listener;

	while ((c = getopt_long(argc, argv, "p:r", options, NULL)) != -1) {
		if (c == 'p')
			port = optarg;
		else if (c == 'r')
			recover = true;
		else
			return 2;
	}
	if (optind != argc - 1)
		errx(2, "usage: %s [--port N] [--recover] BLOCK_DEVICE", argv[0]);
	listener = listen_on(port);
	open_region(&io, REGION_SIZE, argv[optind], O_RDWR);
	check(UNIFIED_IO_CALL_SUBMIT, "info", unified_io_get_info(&io, &info));
	skel = load_program(&io, &info, &link);
	if (recover)
		recover_log(&io, skel, info.lba_size);
	else
		format_log(&io, skel);
	check(UNIFIED_IO_CALL_SUBMIT, "buffers",
	      unified_io_add_buffers(&io, 0, KV_BUFFER, NR_BUFFERS));
	printf("serving on port %s\n", port);
	fflush(stdout);
	serve_all(&io, listener);
}
