// SPDX-License-Identifier: GPL-2.0
/*
 * A region is charged to its owner: RLIMIT_MEMLOCK gives EPERM, a full memory
 * cgroup ENOMEM without an OOM kill, more than the machine has ENOMEM.
 */
#include <grp.h>
#include <sys/resource.h>
#include "common.h"

#define NOBODY	65534
#define CGROUP	"/sys/fs/cgroup/uior-limits"

static int setup_on(int fd, uint64_t size)
{
	struct unified_io_setup setup = SETUP_DEFAULT;

	setup.region_size = size;
	return uior(fd, UNIFIED_IO_SETUP, &setup);
}

static int try_setup(uint64_t size)
{
	int fd = device_open(), ret = setup_on(fd, size);

	close(fd);
	return ret;
}

static void as_nobody(void)
{
	struct rlimit limit = { 8 * MiB, 8 * MiB };
	int first, second;

	CHECK(setrlimit(RLIMIT_MEMLOCK, &limit) == 0);
	CHECK(setgroups(0, NULL) == 0 && setgid(NOBODY) == 0 && setuid(NOBODY) == 0);
	CHECK_RES(try_setup(8 * MiB + 4096), -EPERM);
	for (int i = 0; i < 20; i++)	/* closing gives it back, in time for the next */
		CHECK_RES(try_setup(8 * MiB), 0);

	/* the limit is the user's, not the file's */
	first = device_open();
	second = device_open();
	CHECK_RES(setup_on(first, 6 * MiB), 0);
	CHECK_RES(setup_on(second, 6 * MiB), -EPERM);
	CHECK_RES(setup_on(second, 2 * MiB), 0);
}

static void in_cgroup(void)
{
	CHECK(shell("echo %d >" CGROUP "/cgroup.procs", getpid()) == 0);
	CHECK_RES(try_setup(64 * MiB), -ENOMEM);
	CHECK_RES(try_setup(4 * MiB), 0);
}

static void in_child(void (*test)(void))
{
	pid_t pid = fork();

	if (!pid) {
		test();
		exit(0);
	}
	CHECK_EQ(child_status(pid), 0);
}

int main(void)
{
	struct stat before;

	/* the node is root's alone unless the administrator says otherwise */
	CHECK(stat(DEVICE, &before) == 0);
	CHECK_EQ(before.st_mode & 0777, 0600);
	CHECK_EQ(before.st_uid, 0);
	CHECK(chmod(DEVICE, 0666) == 0);
	in_child(as_nobody);
	CHECK(chmod(DEVICE, before.st_mode & 0777) == 0);

	CHECK(shell("echo +memory >/sys/fs/cgroup/cgroup.subtree_control; mkdir -p " CGROUP) == 0);
	CHECK(shell("echo 32M >" CGROUP "/memory.max") == 0);
	in_child(in_cgroup);
	CHECK(shell("grep -qx 'oom_kill 0' " CGROUP "/memory.events") == 0);
	CHECK(shell("grep -qx 'oom 0' " CGROUP "/memory.events") == 0);
	CHECK(rmdir(CGROUP) == 0);

	CHECK_RES(try_setup(UNIFIED_IO_MAX_REGION), -ENOMEM);
	CHECK_RES(try_setup(8ULL << 30), -ENOMEM);
	CHECK_RES(try_setup(4 * MiB), 0);
	return 0;
}
