// SPDX-License-Identifier: GPL-2.0
/*
 * Faults in what leads to the region but for its own rings (see fault_nth.h):
 * io_uring's commands, CANCEL, a dma-buf and its importer.
 */
#include <drm/drm.h>
#include "fault_nth.h"
#include "uring_cmd.h"

#define LEN	(64 * KiB)
#define BATCH	2U
#define INDEX	1U	/* in the ring's table of fixed buffers */

static struct region r;
static struct io_uring ring;
static struct unified_descriptor desc;

static void prep(unsigned int op, uint64_t arg)
{
	prep_uring_cmd(&ring, r.fd, op, arg, 0, 0);
}

static int uring_call(void)
{
	int ret = io_uring_submit_and_wait(&ring, 1);

	return ret < 0 ? ret : 0;
}

/* The command's result, also where the call failed and has left it in the ring. */
static int uring_result(void)
{
	struct io_uring_cqe *cqe;
	int res;

	while (io_uring_peek_cqe(&ring, &cqe))
		CHECK(io_uring_submit_and_wait(&ring, 1) >= 0);
	res = cqe->res;
	io_uring_cqe_seen(&ring, cqe);
	CHECK_EQ(io_uring_cq_ready(&ring), 0);
	return res;
}

static int command(unsigned int op, uint64_t arg)
{
	prep(op, arg);
	CHECK_RES(uring_call(), 0);
	return uring_result();
}

/* one chain */

static void op_before(void)
{
	prep(UNIFIED_IO_URING_OP, (uintptr_t)&desc);
}

static int op_after(int ret)
{
	int res = uring_result();

	CHECK(res < 0 || res == (int)desc.len);
	CHECK_EQ(region_info(&r).inflight, 0);
	return res < 0 ? res : 0;
}

/* a batch from the SQ, with completions in the CQ: as many as the command says */

static void batch_before(void)
{
	for (unsigned int i = 0; i < BATCH; i++)
		queue(&r, desc);
	prep(UNIFIED_IO_URING_ENTER, BATCH);
}

static int batch_after(int ret)
{
	int res = uring_result(), taken = BATCH - (r.ctl->sq_tail - r.ctl->sq_head);
	int worst = res < 0 ? res : 0;

	CHECK_EQ(taken, res < 0 ? 0 : res);
	while (taken--) {
		struct unified_completion c = reap(&r);

		CHECK(c.res < 0 || c.res == (int)desc.len);
		if (c.res < 0)
			worst = c.res;
	}
	CHECK_EQ(nr_ready(&r), 0);
	r.ctl->sq_tail = r.ctl->sq_head;
	return worst;
}

/* the data area as a fixed buffer; what failed has neither filled nor emptied the slot */

static void reg_before(void)
{
	prep(UNIFIED_IO_URING_REG_BUF, INDEX);
}

static int reg_after(int ret)
{
	int res = uring_result();

	if (res)
		CHECK_RES(command(UNIFIED_IO_URING_REG_BUF, INDEX), 0);
	CHECK_RES(command(UNIFIED_IO_URING_UNREG_BUF, INDEX), 0);
	return res;
}

static void uring(void)
{
	need(UNIFIED_IO_FEAT_URING_CMD | UNIFIED_IO_FEAT_URING_BUF);
	CHECK(io_uring_queue_init(8, &ring, 0) == 0);
	CHECK(io_uring_register_buffers_sparse(&ring, 4) == 0);
	desc = desc_nvme(NVME_CMD_READ, 0, LEN, 4096);
	sweep(&(struct sweep){ "io_uring: OP, read", "EIO EAGAIN", op_before, uring_call, op_after });
	sweep(&(struct sweep){ "io_uring: ENTER", "EIO EAGAIN", batch_before, uring_call, batch_after });
	sweep(&(struct sweep){ "io_uring: REG_BUF", "EAGAIN", reg_before, uring_call, reg_after });
	io_uring_queue_exit(&ring);
}

static int cancel_call(void)
{
	static uint64_t nobody = 12345;
	int ret = uior(r.fd, UNIFIED_IO_CANCEL, &nobody);

	return ret == -ENOENT ? 0 : ret;
}

/* a dma-buf, and vgem for its importer: the first card, the machine has no other */

static struct unified_io_export whole;
static int export_fd, card;
static struct drm_prime_handle prime;

static int export_call(void)
{
	export_fd = ioctl(r.fd, UNIFIED_IO_EXPORT, &whole);
	return export_fd < 0 ? -errno : 0;
}

static int export_after(int ret)
{
	if (!ret)
		close(export_fd);
	return ret;
}

/* A call that fails may leave the importer with a handle that nobody is told of: it ends with its file. */
static void import_before(void)
{
	card = open("/dev/dri/card0", O_RDWR | O_CLOEXEC);
	CHECK(card >= 0);
	CHECK_RES(export_call(), 0);
	prime = (struct drm_prime_handle){ .fd = export_fd };
}

static int import_call(void)
{
	return ioctl(card, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime) ? -errno : 0;
}

static int import_after(int ret)
{
	close(export_fd);
	close(card);
	return ret;
}

static void dmabuf(void)
{
	need_module("vgem");
	whole.len = r.ctl->data_size;
	sweep(&(struct sweep){ "EXPORT", "", NULL, export_call, export_after });
	sweep(&(struct sweep){ "EXPORT/import", "", import_before, import_call, import_after });
}

int main(void)
{
	sweep_init();
	region_open(&r, env("NVME0"));
	uring();
	sweep(&(struct sweep){ "CANCEL", "", NULL, cancel_call, NULL });
	dmabuf();
	region_close(&r);
	region_close(&good);
	return 0;
}
