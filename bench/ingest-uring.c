// SPDX-License-Identifier: GPL-2.0
/*
 * Rival (b): io_uring with registered buffers and files. One receive is always under way while the
 * writes of the batches before it run, as NVMe passthrough that gathers the kept records out of the
 * registered buffer. One system call submits what there is and waits for what comes next.
 */
#include <err.h>
#include <fcntl.h>
#include <liburing.h>
#include <linux/nvme_ioctl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "ingest.h"

#define NVME_WRITE	0x01	/* NVM Command Set Specification, 3. */

enum { FILE_SOCKET, FILE_DRIVE };

struct batch {
	char		*buf;
	struct iovec	*iov;
	size_t		bytes;		/* being written */
	struct batch	*next;		/* free ones */
};

static struct io_uring ring;
static struct batch *batches, *free_batches, *receiving;
static unsigned int nr_writing;
static int drive, nsid, eof;

static void prepare_batches(struct ingest *in)
{
	struct iovec all = { .iov_len = in->depth * in->batch };

	all.iov_base = ingest_alloc(all.iov_len);
	batches = calloc(in->depth, sizeof(*batches));
	for (unsigned int i = 0; i < in->depth; i++) {
		batches[i].buf = (char *)all.iov_base + i * in->batch;
		batches[i].iov = calloc(in->batch / in->record, sizeof(struct iovec));
		batches[i].next = free_batches;
		free_batches = batches + i;
	}
	if (io_uring_register_buffers(&ring, &all, 1))
		errx(1, "io_uring_register_buffers");
}

void ingest_prepare(struct ingest *in)
{
	struct io_uring_params p = {
		.flags = IORING_SETUP_SQE128 | IORING_SETUP_CQE32 | IORING_SETUP_SINGLE_ISSUER |
			 IORING_SETUP_DEFER_TASKRUN,
	};
	int ret = io_uring_queue_init_params(in->depth + 2, &ring, &p);

	if (ret)
		errx(1, "io_uring: %s", strerror(-ret));
	drive = open(in->device, O_RDWR);
	nsid = drive < 0 ? -1 : ioctl(drive, NVME_IOCTL_ID);
	if (nsid < 0)
		err(1, "%s", in->device);
	prepare_batches(in);
	io_uring_register_ring_fd(&ring);
}

static struct io_uring_sqe *get_sqe(void)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

	if (!sqe)
		errx(1, "the submission queue is full");
	return sqe;
}

static void arm_receive(struct ingest *in)
{
	struct io_uring_sqe *sqe;

	if (receiving || eof || !free_batches)
		return;
	receiving = free_batches;
	free_batches = receiving->next;
	sqe = get_sqe();
	io_uring_prep_recv(sqe, FILE_SOCKET, receiving->buf, in->batch, MSG_WAITALL);
	io_uring_sqe_set_flags(sqe, IOSQE_FIXED_FILE);
	io_uring_sqe_set_data(sqe, NULL);
}

static void write_batch(struct ingest *in, struct batch *b, unsigned int n)
{
	struct io_uring_sqe *sqe = get_sqe();
	uint64_t lba = (in->offset + in->out) / in->lba;
	struct nvme_uring_cmd *cmd;

	b->bytes = iov_bytes(b->iov, n);
	memset(sqe, 0, 2 * sizeof(*sqe));
	sqe->opcode = IORING_OP_URING_CMD;
	sqe->flags = IOSQE_FIXED_FILE;
	sqe->fd = FILE_DRIVE;
	sqe->cmd_op = n > 1 ? NVME_URING_CMD_IO_VEC : NVME_URING_CMD_IO;
	sqe->uring_cmd_flags = IORING_URING_CMD_FIXED;
	io_uring_sqe_set_data(sqe, b);
	cmd = (struct nvme_uring_cmd *)sqe->cmd;
	cmd->opcode = NVME_WRITE;
	cmd->nsid = nsid;
	cmd->addr = n > 1 ? (uintptr_t)b->iov : (uintptr_t)b->iov->iov_base;
	cmd->data_len = n > 1 ? n : b->bytes;
	cmd->cdw10 = lba;
	cmd->cdw11 = lba >> 32;
	cmd->cdw12 = b->bytes / in->lba - 1;
	in->out += b->bytes;
	in->writes++;
	nr_writing++;
}

static void free_batch(struct batch *b)
{
	b->next = free_batches;
	free_batches = b;
}

static void received(struct ingest *in, int res)
{
	struct batch *b = receiving;
	unsigned int n;

	if (res < 0)
		errx(1, "recv: %s", strerror(-res));
	receiving = NULL;
	eof = res < (int)in->batch;
	in->in += res;
	in->copied += res;
	n = ingest_filter(in, b->buf, res, b->iov);
	if (n)
		write_batch(in, b, n);
	else
		free_batch(b);
}

static void written(struct batch *b, int res)
{
	if (res)
		errx(1, "NVMe write: %d", res);
	nr_writing--;
	free_batch(b);
}

static void reap(struct ingest *in)
{
	struct io_uring_cqe *cqe;
	unsigned int head, n = 0;

	io_uring_for_each_cqe(&ring, head, cqe) {
		struct batch *b = io_uring_cqe_get_data(cqe);

		n++;
		if (b)
			written(b, cqe->res);
		else
			received(in, cqe->res);
	}
	io_uring_cq_advance(&ring, n);
}

void ingest_stream(struct ingest *in)
{
	int files[] = { [FILE_SOCKET] = in->sk, [FILE_DRIVE] = drive };

	if (io_uring_register_files(&ring, files, 2))
		errx(1, "io_uring_register_files");
	while (arm_receive(in), receiving || nr_writing) {
		int ret = io_uring_submit_and_wait(&ring, 1);

		if (ret < 0)
			errx(1, "io_uring_enter: %s", strerror(-ret));
		reap(in);
	}
}
