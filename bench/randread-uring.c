// SPDX-License-Identifier: GPL-2.0
/*
 * Random reads, io_uring with the same loop as ours, where fio carries the weight of its generality:
 * registered buffers and file; NVMe passthrough on a character device, READ_FIXED on a block device.
 */
#include <err.h>
#include <fcntl.h>
#include <liburing.h>
#include <linux/nvme_ioctl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "randread.h"

#define NVME_READ	0x02	/* NVM Command Set Specification, 3. */

static struct io_uring ring;
static char *memory;
static unsigned int lba;
static int nsid;	/* 0: not passthrough */

static int open_device(const struct randread *rr)
{
	struct stat st;
	int fd;

	if (stat(rr->device, &st))
		err(1, "%s", rr->device);
	fd = open(rr->device, S_ISCHR(st.st_mode) ? O_RDONLY : O_RDONLY | O_DIRECT);
	if (fd >= 0 && S_ISCHR(st.st_mode))
		nsid = ioctl(fd, NVME_IOCTL_ID);
	if (fd < 0 || nsid < 0)
		err(1, "%s", rr->device);
	return fd;
}

char *io_open(const struct randread *rr)
{
	struct io_uring_params p = { .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN };
	struct iovec iov = { .iov_len = (size_t)rr->depth * BLOCK };
	int fd = open_device(rr);

	lba = rr->lba;
	if (nsid)
		p.flags |= IORING_SETUP_SQE128 | IORING_SETUP_CQE32;
	if (posix_memalign(&iov.iov_base, 2 << 20, iov.iov_len))
		errx(1, "no memory");
	memory = iov.iov_base;
	memset(memory, 0, iov.iov_len);
	if (io_uring_queue_init_params(rr->depth, &ring, &p) || io_uring_register_ring_fd(&ring) != 1 ||
	    io_uring_register_files(&ring, &fd, 1) || io_uring_register_buffers(&ring, &iov, 1))
		errx(1, "io_uring");
	return memory;
}

static void prep_passthrough(struct io_uring_sqe *sqe, char *buf, uint64_t offset)
{
	struct nvme_uring_cmd *cmd = (struct nvme_uring_cmd *)sqe->cmd;

	memset(sqe, 0, 2 * sizeof(*sqe));
	sqe->opcode = IORING_OP_URING_CMD;
	sqe->cmd_op = NVME_URING_CMD_IO;
	sqe->uring_cmd_flags = IORING_URING_CMD_FIXED;
	cmd->opcode = NVME_READ;
	cmd->nsid = nsid;
	cmd->addr = (uintptr_t)buf;
	cmd->data_len = BLOCK;
	cmd->cdw10 = offset / lba;
	cmd->cdw11 = offset / lba >> 32;
	cmd->cdw12 = BLOCK / lba - 1;
}

void io_read(unsigned int slot, uint64_t offset)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);
	char *buf = memory + (size_t)slot * BLOCK;

	if (!sqe)
		errx(1, "the submission queue is full");
	if (nsid)
		prep_passthrough(sqe, buf, offset);
	else
		io_uring_prep_read_fixed(sqe, 0, buf, BLOCK, offset, 0);
	sqe->flags |= IOSQE_FIXED_FILE;
	io_uring_sqe_set_data64(sqe, slot);
}

unsigned int io_wait(unsigned int min, unsigned int *slots)
{
	int ret = io_uring_submit_and_wait(&ring, min);
	struct io_uring_cqe *cqe;
	unsigned int head, n = 0;

	if (ret < 0)
		errx(1, "io_uring_enter: %s", strerror(-ret));
	io_uring_for_each_cqe(&ring, head, cqe) {
		if (cqe->res != (nsid ? 0 : BLOCK))
			errx(1, "read: %d", cqe->res);
		slots[n++] = io_uring_cqe_get_data64(cqe);
	}
	io_uring_cq_advance(&ring, n);
	return n;
}

/* DMA goes to the registered buffers. */
uint64_t io_copied(void)
{
	return 0;
}
