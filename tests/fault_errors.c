// SPDX-License-Identifier: GPL-2.0
/*
 * fault_errors PATH passthrough|bio: on a drive of which block BAD_READ cannot be read,
 * BAD_WRITE not written, and which cannot flush (fault/errors.sh), a chain stops at
 * the stage that fails, with EIO; what comes after it is well again.
 */
#include "common.h"

#define BAD_READ	2048
#define BAD_WRITE	4096
#define LEN		4096U
#define STEP		(LEN / 512)

static struct region r;
static int fd[2], slot;

static struct unified_descriptor with_send(struct unified_descriptor d)
{
	d.type |= UNIFIED_REGION_F_NETWORK;
	d.net.flags = UNIFIED_IO_NET_F_SEND;
	d.net.tx_slot = slot;
	return d;
}

static void nothing_sent(void)
{
	CHECK(recv(fd[1], &(char){ 0 }, 1, MSG_DONTWAIT) < 0);
}

static void good(void)
{
	CHECK_RES(run(&r, desc_nvme(NVME_CMD_WRITE, 0, LEN, BAD_READ - STEP)).res, LEN);
	CHECK_RES(run(&r, desc_nvme(NVME_CMD_READ, 0, LEN, BAD_WRITE)).res, LEN);
	CHECK_RES(run(&r, with_send(desc_nvme(NVME_CMD_READ, 0, LEN, BAD_READ - STEP))).res, LEN);
	recv_all(fd[1], r.data + LEN, LEN);
}

static void reads(void)
{
	struct unified_completion c = run(&r, with_send(desc_nvme(NVME_CMD_READ, 0, LEN, BAD_READ)));

	CHECK_RES(c.res, -EIO);
	CHECK_RES(c.recv, -EIO);
	CHECK_EQ(c.stage, UNIFIED_IO_STAGE_READ);
	nothing_sent();
	good();
}

static void writes(void)
{
	struct unified_descriptor d = with_send(desc_nvme(NVME_CMD_WRITE, 0, LEN, BAD_WRITE));
	struct unified_completion c;

	d.nvme.flags = UNIFIED_IO_NVME_F_FLUSH;
	c = run(&r, d);
	CHECK_RES(c.res, -EIO);
	CHECK_RES(c.nvme, -EIO);
	CHECK_EQ(c.stage, UNIFIED_IO_STAGE_WRITE);
	nothing_sent();
	good();
}

static void flushes(const char *path)
{
	struct unified_descriptor d = with_send(desc_nvme(NVME_CMD_WRITE, 0, LEN, BAD_READ - STEP));
	struct unified_completion c;

	CHECK_RES(run(&r, desc_nvme(NVME_CMD_FLUSH, 0, 0, 0)).res, -EIO);
	pattern_fill(r.data, LEN, 0, 77);
	d.nvme.flags = UNIFIED_IO_NVME_F_FLUSH;
	c = run(&r, d);
	CHECK_RES(c.res, -EIO);
	CHECK_RES(c.nvme, -EIO);
	CHECK_EQ(c.stage, UNIFIED_IO_STAGE_FLUSH);
	nothing_sent();
	drive_check(path, (BAD_READ - STEP) * 512, LEN, 0, 77);
	good();
}

/* The third block of a stream cannot be written: the stream ends with that, the first two are there. */
static void streams(const char *path)
{
	struct unified_descriptor d = desc_multishot(slot);
	struct unified_completion c;
	unsigned int nr_bad = 0;

	for (int i = 0; i < 4; i++)
		give_niov(&r, i * LEN, LEN);
	d.type |= UNIFIED_REGION_F_NVME;
	d.flags |= UNIFIED_IO_DESC_F_RECYCLE | UNIFIED_IO_DESC_F_CQE_SKIP | UNIFIED_IO_DESC_F_WAITALL;
	d.nvme.opcode = NVME_CMD_WRITE;
	d.nvme.slba = BAD_WRITE - 2 * STEP;
	CHECK_RES(submit(&r, d), 0);
	send_pattern(fd[1], 16 * LEN, 0, 78);
	do {
		c = reap(&r);
		CHECK_RES(c.res, -EIO);
		nr_bad++;
	} while (c.flags & UNIFIED_IO_CQE_F_MORE);
	CHECK_EQ(nr_bad, 2);
	drive_check(path, (BAD_WRITE - 2 * STEP) * 512, 2 * LEN, 0, 78);
	CHECK_EQ(region_info(&r).inflight, 0);
}

int main(int argc, char **argv)
{
	struct unified_io_setup setup = SETUP_DEFAULT;

	CHECK_EQ(argc, 3);
	if (!strcmp(argv[2], "bio"))
		setup.flags = UNIFIED_IO_SETUP_BLOCK_LAYER;
	region_setup(&r, argv[1], setup);
	tcp_pair(fd);
	slot = attach(&r, fd[0]);
	good();
	reads();
	writes();
	flushes(argv[1]);
	streams(argv[1]);
	region_close(&r);
	return 0;
}
