// SPDX-License-Identifier: GPL-2.0
/*
 * unified_io_test [BLOCK_DEVICE] - a chain without any library
 *
 * Sets a region up, maps it, reads the first 4 KiB of the drive into it through
 * the BPF stage, and shows what came. Needs nothing but the uapi header. No
 * program is attached, so the BPF stage passes the data on and says so in the
 * completion; attach one (UNIFIED_IO_ATTACH_BPF, or unified_io_bpf_ops) and the
 * same descriptor runs it.
 *
 *     lab/run --nvme 1 --load -- build/user/samples/unified_io_test
 *
 * Exit status: 0 if the data came, 1 if the chain failed, 2 if the region could
 * not be set up.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/unified_io_region.h>

#define REGION_SIZE	(4UL << 20)
#define READ_LEN	4096

static int fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	return 2;
}

static int set_up(int fd, const char *drive)
{
	struct unified_io_setup setup = {
		.sq_entries = 64,
		.cq_entries = 128,
		.region_size = REGION_SIZE,
		.uring_fd = -1,
		.net_ifindex = 0,
		.net_rxq = 0,
	};
	int err;

	setup.nvme_fd = open(drive, O_RDONLY);
	if (setup.nvme_fd < 0)
		return fail(drive);
	err = ioctl(fd, UNIFIED_IO_SETUP, &setup);
	if (err)
		fail("UNIFIED_IO_SETUP");
	close(setup.nvme_fd);	/* the region keeps the file */
	return err;
}

static int submit(int fd)
{
	struct unified_io_submit submit = {
		.desc = {
			.addr = 0,
			.len = READ_LEN,
			.type = UNIFIED_REGION_F_NVME | UNIFIED_REGION_F_BPF,
			.user_data = 42,
			.nvme = { .opcode = NVME_CMD_READ, .nsid = 1, .slba = 0 },
		},
	};

	return ioctl(fd, UNIFIED_IO_SUBMIT, &submit);
}

static void show(const struct unified_completion *cqe, const unsigned char *data)
{
	int i;

	printf("user_data %llu: result %d, verdict %d%s, %u bytes at %llu, copied %u\n",
	       (unsigned long long)cqe->user_data, cqe->res, cqe->verdict,
	       cqe->flags & UNIFIED_IO_CQE_F_NO_PROG ? " (no program attached)" : "",
	       cqe->len, (unsigned long long)cqe->addr, cqe->copied);
	printf("data:");
	for (i = 0; i < 16; i++)
		printf(" %02x", data[cqe->addr + i]);
	putchar('\n');
}

int main(int argc, char **argv)
{
	struct unified_io_complete complete;
	struct unified_io_control *control;
	void *region;
	int fd;

	fd = open("/dev/unified_io_region", O_RDWR);
	if (fd < 0)
		return fail("/dev/unified_io_region");
	if (set_up(fd, argc > 1 ? argv[1] : "/dev/nvme0n1"))
		return 2;
	region = mmap(NULL, REGION_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (region == MAP_FAILED)
		return fail("mmap");
	control = region;

	if (submit(fd))
		return fail("UNIFIED_IO_SUBMIT");
	if (ioctl(fd, UNIFIED_IO_COMPLETE, &complete))
		return fail("UNIFIED_IO_COMPLETE");
	if (complete.count != 1) {
		fprintf(stderr, "%u completions instead of 1\n", complete.count);
		return 1;
	}
	if (complete.cqe[0].res < 0) {
		fprintf(stderr, "the chain failed: %s\n", strerror(-complete.cqe[0].res));
		return 1;
	}
	show(&complete.cqe[0], (unsigned char *)region + control->data_offset);
	return complete.cqe[0].res == READ_LEN ? 0 : 1;
}
