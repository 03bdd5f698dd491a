// SPDX-License-Identifier: GPL-2.0
/*
 * GET_INFO and debugfs say the same, and both say what was done: operations,
 * bytes, errors and copies per stage. debugfs also says whose region it is.
 */
#include <sched.h>
#include "bpf.h"

static struct region r;

static void check_stage(const char *name, unsigned int stage, uint64_t nr, uint64_t bytes, uint64_t errors,
			uint64_t copied)
{
	struct unified_io_stage_stat *s = &(struct unified_io_stage_stat){};
	struct unified_io_info info = region_info(&r);
	char key[32];

	*s = info.stage[stage];
	CHECK_EQ(s->ops, nr);
	CHECK_EQ(s->bytes, bytes);
	CHECK_EQ(s->errors, errors);
	CHECK_EQ(s->copied, copied);
	snprintf(key, sizeof(key), "%s_ops", name);
	CHECK_EQ(region_stat(&r, key), nr);
	snprintf(key, sizeof(key), "%s_bytes", name);
	CHECK_EQ(region_stat(&r, key), bytes);
	snprintf(key, sizeof(key), "%s_errors", name);
	CHECK_EQ(region_stat(&r, key), errors);
	snprintf(key, sizeof(key), "%s_copied", name);
	CHECK_EQ(region_stat(&r, key), copied);
}

static void check_totals(uint64_t submitted, uint64_t dropped, uint64_t moved)
{
	struct unified_io_info info = region_info(&r);

	CHECK_EQ(info.submitted, submitted);
	CHECK_EQ(info.completed, submitted);
	CHECK_EQ(info.dropped, dropped);
	CHECK_EQ(info.moved, moved);
	CHECK_EQ(info.inflight, 0);
	CHECK_EQ(region_stat(&r, "submitted"), submitted);
	CHECK_EQ(region_stat(&r, "completed"), submitted);
	CHECK_EQ(region_stat(&r, "dropped"), dropped);
	CHECK_EQ(region_stat(&r, "moved"), moved);
	CHECK_EQ(region_stat(&r, "inflight"), 0);
}

static void drive_and_network(void)
{
	int fd[2], slot;

	tcp_pair(fd);
	slot = attach(&r, fd[0]);
	CHECK_EQ(region_info(&r).nr_sockets, 1);
	CHECK_EQ(region_stat(&r, "nr_sockets"), 1);
	for (int i = 0; i < 3; i++)
		CHECK_RES(run(&r, desc_nvme(NVME_CMD_READ, 0, 8192, 0)).res, 8192);
	CHECK_RES(run(&r, desc_nvme(NVME_CMD_WRITE, 0, 4096, 0)).res, 4096);
	CHECK_RES(run(&r, desc_nvme(NVME_CMD_FLUSH, 0, 0, 0)).res, 0);
	send_all(fd[1], "hello", 5);
	CHECK_RES(run(&r, desc_recv(slot, 0, 4096)).res, 5);
	close(fd[1]);
	CHECK_RES(run(&r, desc_recv(slot, 0, 4096)).res, 0);
	detach(&r, slot);
	close(fd[0]);
	check_stage("read", UNIFIED_IO_STAGE_READ, 3, 3 * 8192, 0, 0);
	check_stage("write", UNIFIED_IO_STAGE_WRITE, 1, 4096, 0, 0);
	check_stage("flush", UNIFIED_IO_STAGE_FLUSH, 1, 0, 0, 0);
	check_stage("recv", UNIFIED_IO_STAGE_RECV, 2, 5, 0, 5);
	check_stage("send", UNIFIED_IO_STAGE_SEND, 0, 0, 0, 0);
	check_totals(7, 0, 0);
}

static void programs(void)
{
	struct bpf_link *link;
	struct ops *ops = ops_attach(&r, &link);

	CHECK_EQ(region_stat(&r, "struct_ops"), 1);
	ops->bss->verdict = UNIFIED_IO_BPF_DROP;
	ops->bss->steps[0] = (struct step){ .op = STEP_MOVE, .a = 0, .b = 10, .c = 100 };
	CHECK_OK(run(&r, desc_bpf(0, 4096)).res);
	ops->bss->verdict = -EBADMSG;
	ops->bss->steps[0].op = STEP_NONE;
	CHECK_RES(run(&r, desc_bpf(0, 4096)).res, -EBADMSG);
	check_stage("bpf", UNIFIED_IO_STAGE_BPF, 2, 4096, 1, 0);
	check_totals(9, 1, 100);
	bpf_link__destroy(link);
	ops__destroy(ops);
}

/* Refused descriptors by value are no operations; through the ring they complete. */
static void refused(void)
{
	CHECK_RES(submit(&r, desc_bpf(0, 0)), -EMSGSIZE);
	check_totals(9, 1, 100);
	queue(&r, desc_bpf(0, 0));
	CHECK_RES(enter(&r, 1, 1, WAIT_NS, NULL), 0);
	CHECK_RES(reap(&r).res, -EMSGSIZE);
	check_totals(10, 1, 100);
}

/* What the program says of itself is shown, whatever it is; nothing comes of it. */
static void bypass(void)
{
	struct unified_io_info info = region_info(&r);

	CHECK_EQ(info.bypass_mode, UNIFIED_IO_BYPASS_NONE);
	CHECK_EQ(info.bypass_bytes | info.bypass_copied, 0);
	r.ctl->bypass_mode = 0xdeadbeef;
	r.ctl->bypass_bytes = ~0ULL;
	r.ctl->bypass_copied = ~1ULL;
	CHECK_RES(run(&r, desc_nvme(NVME_CMD_FLUSH, 0, 0, 0)).res, 0);
	info = region_info(&r);
	CHECK_EQ(info.bypass_mode, 0xdeadbeef);
	CHECK_EQ(info.bypass_bytes, ~0ULL);
	CHECK_EQ(info.bypass_copied, ~1ULL);
	CHECK_EQ(region_stat(&r, "bypass_mode"), 0xdeadbeef);
	CHECK_EQ(region_stat(&r, "bypass_bytes"), ~0ULL);
	CHECK_EQ(region_stat(&r, "bypass_copied"), ~1ULL);
	check_stage("flush", UNIFIED_IO_STAGE_FLUSH, 2, 0, 0, 0);
	check_totals(11, 1, 100);
}

/* Each processor counts for itself: an operation on every one, and none is missed. */
static void every_processor(void)
{
	long nr = sysconf(_SC_NPROCESSORS_ONLN);
	cpu_set_t before;

	CHECK(nr > 1);
	CHECK_OK(sched_getaffinity(0, sizeof(before), &before));
	for (int cpu = 0; cpu < nr; cpu++) {
		on_processor(cpu);
		queue(&r, desc_bpf(0, 0));
		CHECK_RES(enter(&r, 1, 1, WAIT_NS, NULL), 0);
		CHECK_RES(reap(&r).res, -EMSGSIZE);
	}
	CHECK_OK(sched_setaffinity(0, sizeof(before), &before));
	check_totals(11 + nr, 1, 100);
}

static uint64_t boot_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

static void identity(uint64_t before)
{
	uint64_t created = region_stat(&r, "created_ns");

	CHECK_EQ(region_stat(&r, "pid"), getpid());
	CHECK(created >= before && created <= boot_ns());
	CHECK_EQ(shell("grep -qx 'device %s' /sys/kernel/debug/unified_io_region/%u/stats",
		       strrchr(env("NVME0"), '/') + 1, r.setup.region_id), 0);
	CHECK_EQ(region_stat(&r, "device_kind"), UNIFIED_IO_DEV_NVME);
	CHECK_EQ(region_stat(&r, "data_size"), r.setup.data_size);
	CHECK_EQ(region_stat(&r, "sq_entries"), r.setup.sq_entries);
	CHECK_EQ(region_stat(&r, "cq_entries"), r.setup.cq_entries);
	CHECK_EQ(region_stat(&r, "niov_entries"), r.setup.cq_entries);
}

/* The process that set the region up has gone, and left the file to another. */
static void orphan(void)
{
	struct region child = { .fd = device_open() };
	struct unified_io_setup setup = SETUP_DEFAULT;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (!pid)
		_exit(-uior(child.fd, UNIFIED_IO_SETUP, &setup));
	CHECK_EQ(child_status(pid), 0);
	child.setup.region_id = region_info(&child).region_id;
	CHECK_EQ(region_stat(&child, "pid"), 0);
	CHECK(shell("grep -q '^device ' /sys/kernel/debug/unified_io_region/%u/stats",
		    child.setup.region_id));
	close(child.fd);
}

static bool dir_there(unsigned int id)
{
	char path[80];

	snprintf(path, sizeof(path), "/sys/kernel/debug/unified_io_region/%u", id);
	return access(path, F_OK) == 0;
}

int main(void)
{
	uint64_t before = boot_ns();
	unsigned int id;

	region_open(&r, env("NVME0"));
	id = r.setup.region_id;
	identity(before);
	orphan();
	check_totals(0, 0, 0);
	drive_and_network();
	programs();
	refused();
	bypass();
	every_processor();
	CHECK(dir_there(id));
	region_close(&r);
	CHECK(!dir_there(id));
	return 0;
}
