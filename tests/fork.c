// SPDX-License-Identifier: GPL-2.0
/*
 * A region after fork: parent and child share it, both submit and consume, and it
 * lives until the last of them has let go.
 */
#include "common.h"

#define EACH 200

static struct region r;

/* No two in flight read into the same bytes: DMA debugging takes exception to that. */
static struct unified_descriptor nth(int i, uint64_t tag)
{
	struct unified_descriptor d = desc_nvme(NVME_CMD_READ, (2 * i + tag) % 128 * 4096, 4096, 0);

	d.user_data = tag;
	return d;
}

/* By value, so that the two need no lock between them. */
static void submit_many(uint64_t tag)
{
	for (int i = 0; i < EACH; i++) {
		struct unified_descriptor d = nth(i, tag);
		int ret;

		while ((ret = submit(&r, d)) == -EBUSY)
			usleep(1000);
		CHECK_RES(ret, 0);
	}
}

static void both_submit(void)
{
	int seen[2] = {};
	pid_t pid = fork();

	if (!pid) {
		submit_many(0);
		_exit(0);
	}
	for (int i = 0; i < EACH; i++) {
		struct unified_descriptor d = nth(i, 1);
		struct unified_io_complete out;
		int ret;

		while ((ret = submit(&r, d)) == -EBUSY) {
			CHECK_RES(uior(r.fd, UNIFIED_IO_COMPLETE, &out), 0);
			for (unsigned int c = 0; c < out.count; c++)
				seen[out.cqe[c].user_data]++;
		}
		CHECK_RES(ret, 0);
	}
	while (seen[0] + seen[1] < 2 * EACH) {
		struct unified_io_complete out;

		CHECK_RES(uior(r.fd, UNIFIED_IO_COMPLETE, &out), 0);
		for (unsigned int c = 0; c < out.count; c++) {
			CHECK_RES(out.cqe[c].res, 4096);
			seen[out.cqe[c].user_data]++;
		}
	}
	CHECK_EQ(child_status(pid), 0);
	CHECK_EQ(seen[0], EACH);
	CHECK_EQ(seen[1], EACH);
}

/* The parent closes and unmaps; the child, which has both, goes on. */
static void child_outlives(void)
{
	int go[2];
	pid_t pid;

	CHECK(pipe(go) == 0);
	pid = fork();
	if (!pid) {
		char c;

		close(go[1]);
		CHECK_EQ(read(go[0], &c, 1), 0);
		CHECK_RES(run(&r, desc_nvme(NVME_CMD_READ, 0, 4096, 0)).res, 4096);
		pattern_check(r.data, 4096, 0, 9);
		_exit(0);
	}
	region_close(&r);
	close(go[1]);
	CHECK_EQ(child_status(pid), 0);
}

int main(void)
{
	region_open(&r, env("NVME0"));
	drive_fill(env("NVME0"), 0, 4096, 9);
	both_submit();
	child_outlives();
	return 0;
}
