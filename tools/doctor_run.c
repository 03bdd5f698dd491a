// SPDX-License-Identifier: GPL-2.0
/* unified-io doctor: a small real run, of each stage. */
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "doctor.h"
#include "framing.h"
#include "pipe.skel.h"

#define LIMIT_NS	10000000000ULL
#define LEN		1000U

/* Runs a chain; false, having said so, if it does not do all of @want bytes. */
static bool chain(struct doctor *doctor, struct unified_io *io, const char *name,
		  const struct unified_descriptor *desc, struct unified_completion *cqe, int want)
{
	int err = unified_io_submit_one(io, desc) ?: unified_io_wait(io, cqe, LIMIT_NS);

	if (err)
		found(doctor, name, STATE_FAILS, unified_io_hint(UNIFIED_IO_CALL_SUBMIT, err), "%s",
		      strerror(-err));
	else if (cqe->res < 0)
		found(doctor, name, STATE_FAILS, unified_io_hint(UNIFIED_IO_CALL_COMPLETION, cqe->res),
		      "%s", strerror(-cqe->res));
	else if (cqe->res != want)
		found(doctor, name, STATE_FAILS, NULL, "%d bytes instead of %d", cqe->res, want);
	return !err && cqe->res == want;
}

/* The pipe's own program 'split' is told how long the data are, and says so. */
static void run_bpf(struct doctor *doctor, struct unified_io *io)
{
	struct pipe_bpf *bpf = pipe_bpf__open();
	struct unified_completion cqe;
	struct unified_descriptor desc;
	struct bpf_link *link = NULL;
	int err = bpf ? unified_io_bind_ops(io, bpf->obj) : -errno;

	if (!err) {
		bpf_map__set_autocreate(bpf->maps.unframe_ops, false);
		bpf_map__set_autocreate(bpf->maps.frame_ops, false);
		bpf_map__set_autocreate(bpf->maps.settle_ops, false);
		err = pipe_bpf__load(bpf);
	}
	if (!err) {
		link = bpf_map__attach_struct_ops(bpf->maps.split_ops);
		err = link ? 0 : -errno;
	}
	unified_io_prep_buffer(&desc, 0, 4096);
	unified_io_then_bpf(&desc, 0, LEN);
	if (err)
		found(doctor, "run: BPF", STATE_FAILS, unified_io_hint(UNIFIED_IO_CALL_OPS, err), "%s",
		      strerror(-err));
	else if (chain(doctor, io, "run: BPF", &desc, &cqe, LEN))
		found(doctor, "run: BPF", STATE_OK, NULL, "a program was loaded, and ran in place");
	bpf_link__destroy(link);
	pipe_bpf__destroy(bpf);
}

/* The first block, as read() has it. */
static void run_read(struct doctor *doctor, struct unified_io *io,
		     const struct unified_io_info *info)
{
	int fd = open(doctor->drive, O_RDONLY | O_CLOEXEC);
	struct unified_descriptor desc;
	struct unified_completion cqe;
	void *want = malloc(info->lba_size);

	unified_io_prep_read(&desc, 0, info->lba_size, 0);
	if (!want || fd < 0 || pread(fd, want, info->lba_size, 0) != (ssize_t)info->lba_size)
		found(doctor, "run: read", STATE_FAILS, NULL, "%s: %s", doctor->drive,
		      strerror(errno));
	else if (!chain(doctor, io, "run: read", &desc, &cqe, (int)info->lba_size))
		;
	else if (memcmp(want, io->data, info->lba_size))
		found(doctor, "run: read", STATE_FAILS, "is somebody writing to it?",
		      "the first block is not what read() has");
	else
		found(doctor, "run: read", cqe.copied ? STATE_COPIES : STATE_OK, NULL,
		      "the first block, as read() has it; %u bytes copied", cqe.copied);
	free(want);
	if (fd >= 0)
		close(fd);
}

/* [0] has what is sent to [1]. */
static int connect_loopback(int fd[2])
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), err = 0;

	fd[0] = -1;
	fd[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(listener, (void *)&at, sizeof(at)) || listen(listener, 1) ||
	    getsockname(listener, (void *)&at, &len) || connect(fd[1], (void *)&at, sizeof(at)))
		err = -errno;
	if (!err)
		fd[0] = accept(listener, NULL, NULL);
	if (!err && fd[0] < 0)
		err = -errno;
	close(listener);
	return err;
}

static void run_receive(struct doctor *doctor, struct unified_io *io)
{
	struct unified_descriptor desc;
	struct unified_completion cqe;
	unsigned char data[LEN];
	int fd[2], slot, err = connect_loopback(fd);

	memset(data, 'x', sizeof(data));
	if (!err && send(fd[1], data, LEN, 0) != (ssize_t)LEN)
		err = -errno;
	slot = err ?: unified_io_attach_socket(io, fd[0]);
	if (slot < 0) {
		found(doctor, "run: receive", STATE_FAILS,
		      err ? "ip link set lo up" : unified_io_hint(UNIFIED_IO_CALL_SOCKET, slot),
		      "%s", strerror(-slot));
	} else {
		unified_io_prep_recv(&desc, slot, 0, LEN);
		desc.flags |= UNIFIED_IO_DESC_F_WAITALL;
		if (chain(doctor, io, "run: receive", &desc, &cqe, LEN))
			found(doctor, "run: receive",
			      memcmp(io->data, data, LEN) ? STATE_FAILS : STATE_OK, NULL,
			      "over loopback, where each byte is copied once: %u of %u", cqe.copied, LEN);
	}
	close(fd[0]);
	close(fd[1]);
}

static void look_at_pages(struct doctor *doctor, const struct unified_io_info *info)
{
	if (info->huge_bytes == info->region_size)
		found(doctor, "huge pages", STATE_OK, NULL, "all of a region of %s",
		      show_size(info->region_size));
	else
		found(doctor, "huge pages", STATE_NOTE, "echo 1 >/proc/sys/vm/compact_memory; free -m",
		      "%s of a region of %s: memory is in pieces", show_size(info->huge_bytes),
		      show_size(info->region_size));
}

void run_all(struct doctor *doctor)
{
	struct unified_io_setup setup;
	struct unified_io_info info;
	struct unified_io io;
	int err;

	unified_io_defaults(&setup);
	setup.nvme_fd = doctor->drive ? open(doctor->drive, O_RDONLY | O_CLOEXEC) : -1;
	if (doctor->drive && setup.nvme_fd < 0) {
		found(doctor, "drive", STATE_FAILS, NULL, "%s: %s", doctor->drive, strerror(errno));
		doctor->drive = NULL;
	}
	err = unified_io_open(&io, &setup) ?: unified_io_get_info(&io, &info);
	if (setup.nvme_fd >= 0)
		close(setup.nvme_fd);
	if (err) {
		found(doctor, "run: region", STATE_FAILS, unified_io_hint(UNIFIED_IO_CALL_OPEN, err),
		      "%s", strerror(-err));
		return;
	}
	look_at_pages(doctor, &info);
	if (doctor->drive)
		look_at_drive(doctor, &info);
	if (doctor->ifname)
		look_at_nic(doctor, &io);
	found(doctor, "run: region", STATE_OK, NULL, "%s", show_size(info.region_size));
	run_bpf(doctor, &io);
	run_receive(doctor, &io);
	if (doctor->drive)
		run_read(doctor, &io, &info);
	unified_io_close(&io);
}
