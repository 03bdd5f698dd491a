// SPDX-License-Identifier: GPL-2.0
/*
 * The whole ingest as one submission: a multishot receive with RECYCLE and
 * CQE_SKIP writes a stream to the drive, block after block, with few buffers and
 * no completion but the last; then the counters add up. With errors on the way
 * they are told, and the stream ends.
 */
#include "common.h"

#define BLOCK	4096U
#define BLOCKS	600U

static struct region r;
static int fd[2], slot;

static struct unified_descriptor ingest(uint64_t slba)
{
	struct unified_descriptor d = desc_multishot(slot);

	d.type |= UNIFIED_REGION_F_NVME;
	d.flags |= UNIFIED_IO_DESC_F_RECYCLE | UNIFIED_IO_DESC_F_CQE_SKIP | UNIFIED_IO_DESC_F_WAITALL;
	d.nvme.opcode = NVME_CMD_WRITE;
	d.nvme.slba = slba;
	return d;
}

/* Each case has a region of its own: buffers that were given stay given. */
static void start(unsigned int nr_buffers)
{
	region_open(&r, env("NVME0"));
	tcp_pair(fd);
	slot = attach(&r, fd[0]);
	for (unsigned int i = 0; i < nr_buffers; i++)
		give_niov(&r, i * BLOCK, BLOCK);
}

static pid_t send_stream(uint32_t len)
{
	pid_t pid = fork();

	if (!pid) {
		send_pattern(fd[1], len, 0, 6);
		CHECK(shutdown(fd[1], SHUT_WR) == 0);
		_exit(0);
	}
	return pid;
}

static void finish(pid_t pid)
{
	CHECK_EQ(child_status(pid), 0);
	close(fd[0]);
	close(fd[1]);
	region_close(&r);
}

static void whole_stream(unsigned int nr_buffers)
{
	struct unified_io_info info;
	const uint32_t len = BLOCKS * BLOCK;
	struct unified_completion c;
	pid_t pid;

	start(nr_buffers);
	CHECK_RES(submit(&r, ingest(8)), 0);
	pid = send_stream(len);
	c = reap(&r);
	CHECK_RES(c.res, 0);
	CHECK_EQ(c.flags & (UNIFIED_IO_CQE_F_MORE | UNIFIED_IO_CQE_F_BUFFER), 0);
	CHECK_EQ(c.slba, 8 + len / 512);
	CHECK_EQ(nr_ready(&r), 0);
	drive_check(env("NVME0"), 8 * 512, len, 0, 6);
	info = region_info(&r);
	CHECK_EQ(info.inflight, 0);
	CHECK_EQ(info.submitted, BLOCKS + 1);
	CHECK_EQ(info.completed, BLOCKS + 1);
	CHECK_EQ(info.stage[UNIFIED_IO_STAGE_RECV].bytes, len);
	CHECK_EQ(info.stage[UNIFIED_IO_STAGE_RECV].copied, len);
	CHECK_EQ(info.stage[UNIFIED_IO_STAGE_WRITE].bytes, len);
	CHECK_EQ(info.stage[UNIFIED_IO_STAGE_WRITE].copied, 0);
	finish(pid);
}

/* The end of the drive is reached on the way: one arrival fails, the stream ends with that. */
static void write_error(void)
{
	uint64_t blocks = drive_size(env("NVME0")) / 512;
	struct unified_completion c;
	bool ended = false;
	pid_t pid;

	start(4);
	CHECK_RES(submit(&r, ingest(blocks - 3 * BLOCK / 512)), 0);
	pid = send_stream(6 * BLOCK);
	while (!ended) {
		c = reap(&r);
		CHECK_RES(c.res, -ERANGE);
		ended = !(c.flags & UNIFIED_IO_CQE_F_MORE);
	}
	drive_check(env("NVME0"), (blocks - 3 * BLOCK / 512) * 512, 3 * BLOCK, 0, 6);
	finish(pid);
}

/* What is no whole number of blocks cannot be written without PAD. */
static void ragged_end(void)
{
	struct unified_completion c;
	pid_t pid;

	start(4);
	CHECK_RES(submit(&r, ingest(8)), 0);
	pid = send_stream(2 * BLOCK + 100);
	c = reap(&r);
	CHECK_RES(c.res, -EREMOTEIO);
	while (c.flags & UNIFIED_IO_CQE_F_MORE)
		c = reap(&r);
	finish(pid);
}

int main(void)
{
	whole_stream(16);
	whole_stream(2);
	whole_stream(1);
	write_error();
	ragged_end();
	return 0;
}
