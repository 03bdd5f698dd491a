// SPDX-License-Identifier: GPL-2.0
/*
 * A drive that has no free tag holds up nothing but what is for the drive: not who submits,
 * nor receives, be their runner a process or the kernel's worker. What waits for a tag is
 * not lost, and what comes later does not overtake it.
 */
#include "common.h"

#define RECV	1
#define WRITE	2
#define READ	3	/* and the reads after it */
#define LEN	(4 * KiB)
#define RECV_AT	(20 * MiB)	/* behind the reads, each of which has its buffer */
#define WRITE_AT (24 * MiB)
#define WRITES	4
#define MORE	4

static struct region r;
static int fd[2], other[2], slot, other_slot;
static unsigned int submitted, ended;	/* reads */
static bool in_order;			/* there is one tag */

static void submit_as(uint64_t user_data, struct unified_descriptor d)
{
	d.user_data = user_data;
	CHECK_RES(submit(&r, d), 0);
}

static struct unified_descriptor next_read(void)
{
	struct unified_descriptor d = desc_nvme(NVME_CMD_READ, (uint64_t)submitted * LEN, LEN, 0);

	d.user_data = READ + submitted++;
	return d;
}

/* More than there are tags. */
static void submit_reads(unsigned int nr)
{
	struct unified_io_enter out;

	for (unsigned int i = 0; i < nr; i++)
		queue(&r, next_read());
	CHECK_RES(enter(&r, nr, 0, 0, &out), 0);
	CHECK_EQ(out.submitted, nr);
}

static uint64_t reap_next(void)
{
	struct unified_completion c = reap(&r);

	CHECK_RES(c.res, LEN);
	if (c.user_data >= READ && in_order)
		CHECK_EQ(c.user_data, READ + ended);
	ended += c.user_data >= READ;
	return c.user_data;
}

/* The process drains the ready list while it waits. */
static void receive_in_process(void)
{
	submit_as(RECV, desc_recv(slot, RECV_AT, LEN));
	send_pattern(fd[1], LEN, 0, 1);
	while (reap_next() != RECV)
		;
	pattern_check(r.data + RECV_AT, LEN, 0, 1);
}

/* Nobody is in a call of the region: its worker has writes for the drive, then a receive. */
static void receive_in_worker(unsigned int block)
{
	uint64_t until = now_ns() + WAIT_NS;

	for (unsigned int i = 0; i < WRITES; i++) {
		struct unified_descriptor d = desc_recv(other_slot, WRITE_AT + i * LEN, LEN);

		d.type |= UNIFIED_REGION_F_NVME;
		d.flags = UNIFIED_IO_DESC_F_WAITALL;
		d.nvme.opcode = NVME_CMD_WRITE;
		d.nvme.slba = (MiB + i * LEN) / block;
		submit_as(WRITE, d);
	}
	submit_as(RECV, desc_recv(slot, RECV_AT, LEN));
	send_pattern(other[1], WRITES * LEN, 0, 2);
	usleep(10000);
	send_pattern(fd[1], LEN, LEN, 1);
	while (!nr_ready(&r))
		CHECK(now_ns() < until);
	while (reap_next() != RECV)
		;
	pattern_check(r.data + RECV_AT, LEN, LEN, 1);
}

/* The drive is slow now; @restore, a command, makes it fast for what is left, or there is one tag. */
static void without_tags(const char *drive, unsigned int nr, const char *restore)
{
	struct unified_io_setup setup = SETUP_DEFAULT;

	setup.sq_entries = setup.cq_entries = 4096;
	setup.region_size = 32 * MiB;
	region_setup(&r, drive, setup);
	tcp_pair(fd);
	tcp_pair(other);
	slot = attach(&r, fd[0]);
	other_slot = attach(&r, other[0]);
	in_order = !restore;
	submitted = ended = 0;
	submit_reads(nr);
	receive_in_process();
	receive_in_worker(drive_block(drive));
	CHECK(ended < nr / 2);
	if (restore)
		CHECK_RES(shell("%s", restore), 0);
	for (unsigned int i = 0; i < MORE; i++) {
		reap_next();
		CHECK_RES(submit(&r, next_read()), 0);
	}
	while (region_info(&r).inflight || nr_ready(&r))
		reap_next();
	CHECK_EQ(ended, submitted);
	detach(&r, slot);
	detach(&r, other_slot);
	for (int i = 0; i < 2; i++) {
		close(fd[i]);
		close(other[i]);
	}
	region_close(&r);
	drive_check(drive, MiB, WRITES * LEN, 0, 2);
}

#define THROTTLE(iops) \
	"qmp '{\"execute\": \"block_set_io_throttle\", \"arguments\": {\"id\": \"nvme0\", " \
	"\"bps\": 0, \"bps_rd\": 0, \"bps_wr\": 0, \"iops\": " #iops ", \"iops_rd\": 0, " \
	"\"iops_wr\": 0}}' >/dev/null"

int main(void)
{
	slow_drive_make(1);
	without_tags(SLOW_DRIVE, 8, NULL);
	slow_drive_remove();

	/* NVMe has some 1000 tags for each processor. */
	CHECK_RES(shell(THROTTLE(1)), 0);
	without_tags(env("NVME0"), 4000, THROTTLE(0));
	return 0;
}
