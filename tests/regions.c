// SPDX-License-Identifier: GPL-2.0
/*
 * Many regions at once, in several processes: ids differ, each has its own data,
 * rings and counters, and one that fails or fills up does not touch the others.
 */
#include "common.h"

#define REGIONS	100

static struct region regions[REGIONS];

static void ids_differ(void)
{
	for (int i = 0; i < REGIONS; i++)
		for (int j = 0; j < i; j++)
			CHECK(regions[i].setup.region_id != regions[j].setup.region_id);
}

static void all_work(uint64_t first_lba)
{
	for (int i = 0; i < REGIONS; i++) {
		pattern_fill(regions[i].data, 4096, 0, i);
		CHECK_RES(submit(&regions[i], desc_nvme(NVME_CMD_WRITE, 0, 4096, first_lba + i * 8)), 0);
	}
	for (int i = 0; i < REGIONS; i++) {
		CHECK_RES(reap(&regions[i]).res, 4096);
		pattern_check(regions[i].data, 4096, 0, i);
		drive_check(env("NVME0"), (first_lba + i * 8) * 512, 4096, 0, i);
	}
}

/* The first region is filled up with waiting receives, which bother nobody else. */
static void one_is_full(void)
{
	int fd[2], slot, n = 0;

	udp_pair(fd);
	slot = attach(&regions[0], fd[0]);
	while (submit(&regions[0], desc_recv(slot, 0, 4096)) == 0)
		n++;
	CHECK_EQ(n, regions[0].setup.cq_entries);
	for (int i = 1; i < REGIONS; i++)
		CHECK_RES(run(&regions[i], desc_bpf(0, 4096)).res, 4096);
	close(fd[0]);
	close(fd[1]);
}

static void other_process(void)
{
	pid_t pid = fork();

	if (!pid) {
		struct region r;

		region_open(&r, env("NVME0"));
		for (int i = 0; i < REGIONS; i++)
			CHECK(r.setup.region_id != regions[i].setup.region_id);
		CHECK_RES(run(&r, desc_nvme(NVME_CMD_READ, 0, 4096, 0)).res, 4096);
		_exit(0);
	}
	CHECK_EQ(child_status(pid), 0);
}

int main(void)
{
	struct unified_io_setup setup = SETUP_DEFAULT;

	setup.region_size = UNIFIED_IO_MIN_REGION;
	for (int i = 0; i < REGIONS; i++)
		region_setup(&regions[i], env("NVME0"), setup);
	ids_differ();
	all_work(0);
	other_process();
	one_is_full();
	for (int i = 0; i < REGIONS; i += 2)
		region_close(&regions[i]);
	for (int i = 1; i < REGIONS; i += 2)
		CHECK_EQ(region_info(&regions[i]).submitted, 2);
	for (int i = 1; i < REGIONS; i += 2)
		region_close(&regions[i]);
	return 0;
}
