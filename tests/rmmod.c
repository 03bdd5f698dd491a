// SPDX-License-Identifier: GPL-2.0
/*
 * rmmod FILE: the module cannot be unloaded as long as anything uses it - an open
 * file, a region, a mapping, a BPF program - and can as soon as nothing does.
 */
#include <sys/syscall.h>
#include "bpf.h"

#define MODULE "unified_io_region"

static int unload(void)
{
	return syscall(SYS_delete_module, MODULE, O_NONBLOCK) ? -errno : 0;
}

static void refused(void)
{
	CHECK_RES(unload(), -EWOULDBLOCK);
}

static void reload(const char *path)
{
	uint64_t end = now_ns() + WAIT_NS;
	int fd = open(path, O_RDONLY), ret;

	CHECK(fd >= 0);
	while ((ret = unload()) && now_ns() < end)
		usleep(10000);
	CHECK_RES(ret, 0);
	CHECK(access(DEVICE, F_OK) < 0);
	CHECK(access("/sys/kernel/debug/unified_io_region", F_OK) < 0);
	CHECK(syscall(SYS_finit_module, fd, "", 0) == 0);
	CHECK(access(DEVICE, F_OK) == 0);
	close(fd);
}

int main(int argc, char **argv)
{
	struct region r;
	struct ops *ops;
	int fd, sock[2];

	CHECK_EQ(argc, 2);
	fd = device_open();
	refused();
	close(fd);
	reload(argv[1]);

	region_open(&r, env("NVME0"));
	refused();
	close(r.fd);
	refused();		/* the mapping */
	munmap(r.map, r.setup.region_size);
	close(r.drive_fd);
	reload(argv[1]);

	/* closed with work in flight: goes when that has ended */
	region_open(&r, env("NVME0"));
	tcp_pair(sock);
	attach(&r, sock[0]);
	for (int i = 0; i < 16; i++) {
		CHECK_RES(submit(&r, desc_recv(0, 0, 4096)), 0);
		CHECK_RES(submit(&r, desc_nvme(NVME_CMD_READ, i * 128 * KiB, 128 * KiB, 0)), 0);
	}
	refused();
	region_close(&r);
	reload(argv[1]);

	ops = ops_load(1);
	refused();
	ops__destroy(ops);
	reload(argv[1]);
	return 0;
}
