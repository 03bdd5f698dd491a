// SPDX-License-Identifier: GPL-2.0
/*
 * unplug_drive ID PATH [bio]: the drive is taken out of the machine while operations
 * are in flight. Each completes once, well or with ENODEV or EIO; later ones get
 * ENODEV; nothing hangs, and the region closes. Then the drive comes back.
 */
#include "common.h"

#define IN_FLIGHT	32

static struct region r;
static bool pending[IN_FLIGHT];
static unsigned int nr_good, nr_bad;

static struct unified_descriptor numbered(unsigned int nr)
{
	struct unified_descriptor d = desc_nvme(nr & 1 ? NVME_CMD_WRITE : NVME_CMD_READ, nr * 64 * KiB,
						64 * KiB, nr * 128);

	d.user_data = nr;
	return d;
}

static int again(unsigned int nr)
{
	int ret = submit(&r, numbered(nr));

	pending[nr] = !ret;
	return ret;
}

static unsigned int take(void)
{
	struct unified_completion c = reap(&r);

	CHECK(c.user_data < IN_FLIGHT);
	if (!pending[c.user_data])
		FAIL("operation %u completed twice", (unsigned int)c.user_data);
	pending[c.user_data] = false;
	if (c.res == 64 * (int)KiB)
		nr_good++;
	else if (c.res == -ENODEV || c.res == -EIO)
		nr_bad++;
	else
		FAIL("an operation got %s", strerrorname_np(-c.res));
	return c.user_data;
}

static unsigned int nr_pending(void)
{
	unsigned int n = 0;

	for (int i = 0; i < IN_FLIGHT; i++)
		n += pending[i];
	return n;
}

/* Keeps operations in flight until the drive refuses them. */
static void load_until_gone(pid_t unplug)
{
	uint64_t end = now_ns() + 2 * WAIT_NS * atoi(env("SLOW"));
	int status;

	while (waitpid(unplug, &status, WNOHANG) == 0) {
		CHECK(now_ns() < end);
		if (nr_pending())
			again(take());
		else
			usleep(1000);
	}
	CHECK_EQ(status, 0);
	while (nr_pending())
		take();
}

static pid_t start_unplug(const char *id)
{
	pid_t pid = fork();

	if (!pid) {
		usleep(300000);
		execlp("unplug", "unplug", id, NULL);
		_exit(127);
	}
	return pid;
}

/* Under another name, if the region has not let go of the old drive yet. */
static void comes_back(const char *id)
{
	char command[64], path[64];
	FILE *replug;

	snprintf(command, sizeof(command), "replug %s", id);
	replug = popen(command, "r");
	CHECK(replug && fscanf(replug, "%63s", path) == 1);
	CHECK_EQ(pclose(replug), 0);
	region_open(&r, path);
	CHECK_RES(run(&r, numbered(0)).res, 64 * KiB);
	region_close(&r);
}

int main(int argc, char **argv)
{
	struct unified_io_setup setup = SETUP_DEFAULT;
	int fd[2], slot;

	CHECK(argc >= 3);
	setup.flags = argc > 3 ? UNIFIED_IO_SETUP_BLOCK_LAYER : 0;
	region_setup(&r, argv[2], setup);
	for (int i = 0; i < IN_FLIGHT; i++)
		CHECK_RES(again(i), 0);
	load_until_gone(start_unplug(argv[1]));
	printf("%u went well, %u failed\n", nr_good, nr_bad);
	CHECK(nr_good > IN_FLIGHT);

	CHECK_RES(result(&r, numbered(0)), -ENODEV);
	CHECK_RES(result(&r, numbered(1)), -ENODEV);
	CHECK_EQ(region_info(&r).inflight, 0);

	/* what needs no drive still works */
	tcp_pair(fd);
	slot = attach(&r, fd[0]);
	CHECK_RES(run(&r, desc_send(slot, 0, 100)).res, 100);
	region_close(&r);
	close(fd[0]);
	close(fd[1]);
	comes_back(argv[1]);
	return 0;
}
