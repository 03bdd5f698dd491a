// SPDX-License-Identifier: GPL-2.0
/*
 * drive_error PATH FIRST LAST: on a drive whose blocks FIRST to LAST cannot be
 * read or written, operations that touch them get EIO, also in the middle of one
 * that is split; the others, and those after them, work. Chains stop there.
 */
#include "common.h"

static struct region r;

static int io(uint8_t opcode, uint64_t slba, uint32_t blocks)
{
	return run(&r, desc_nvme(opcode, 0, blocks * 512, slba)).res;
}

static void stops_the_chain(uint64_t slba)
{
	struct unified_descriptor d = desc_nvme(NVME_CMD_READ, 0, 4096, slba);
	struct unified_completion c;
	int fd[2];

	tcp_pair(fd);
	d.type |= UNIFIED_REGION_F_NETWORK;
	d.net.flags = UNIFIED_IO_NET_F_SEND;
	d.net.tx_slot = attach(&r, fd[0]);
	c = run(&r, d);
	CHECK_RES(c.res, -EIO);
	CHECK_RES(c.recv, -EIO);
	CHECK_EQ(c.stage, UNIFIED_IO_STAGE_READ);
	CHECK(recv(fd[1], &(char){ 0 }, 1, MSG_DONTWAIT) < 0);
	detach(&r, d.net.tx_slot);
	close(fd[0]);
	close(fd[1]);
}

int main(int argc, char **argv)
{
	uint64_t first, last;

	CHECK_EQ(argc, 4);
	first = atoll(argv[2]);
	last = atoll(argv[3]);
	region_open(&r, argv[1]);
	for (int write = 0; write < 2; write++) {
		uint8_t opcode = write ? NVME_CMD_WRITE : NVME_CMD_READ;

		CHECK_RES(io(opcode, first - 8, 8), 4096);
		CHECK_RES(io(opcode, first, 8), -EIO);
		CHECK_RES(io(opcode, last, 1), -EIO);
		CHECK_RES(io(opcode, last + 1, 8), 4096);
		CHECK_RES(io(opcode, first > 4096 ? first - 4096 : 0, 6000), -EIO);
		CHECK_RES(io(opcode, last + 1, 6000), 6000 * 512);
	}
	stops_the_chain(first);
	CHECK_EQ(region_info(&r).stage[UNIFIED_IO_STAGE_READ].errors, 4);
	CHECK_EQ(region_info(&r).stage[UNIFIED_IO_STAGE_WRITE].errors, 3);
	region_close(&r);
	return 0;
}
