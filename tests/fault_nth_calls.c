// SPDX-License-Identifier: GPL-2.0
/*
 * fault_nth_calls setup|rest: faults in each call on the device (see fault_nth.h): open and SETUP with all that
 * it can be asked for, or mmap, poll and the other ioctls.
 */
#include <linux/capability.h>
#include <net/if.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include "bpf.h"
#include "fault_nth.h"

static int fd = -1;
static void *map;

static int open_call(void)
{
	fd = open(DEVICE, O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : 0;
}

static int open_after(int ret)
{
	if (!ret)
		close(fd);
	return ret;
}

/* SETUP: @wanted is what each try asks for. */
static struct unified_io_setup wanted;
static struct region made;

static void setup_before(void)
{
	made = (struct region){ .fd = device_open(), .drive_fd = -1, .setup = wanted };
}

static int setup_call(void)
{
	return uior(made.fd, UNIFIED_IO_SETUP, &made.setup);
}

/* A call that failed has changed nothing: the next one sets the same file up. */
static int setup_after(int ret)
{
	if (ret) {
		CHECK(!memcmp(&made.setup, &wanted, sizeof(wanted)));
		CHECK_RES(setup_call(), 0);
	}
	region_map(&made);
	CHECK_RES(run(&made, desc_bpf(0, 512)).res, 512);
	region_close(&made);
	return ret;
}

static void setup(const char *name, struct unified_io_setup with)
{
	struct sweep s = { name, "", setup_before, setup_call, setup_after };

	wanted = with;
	sweep(&s);
}

static void lock_capability(bool on)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	CHECK(syscall(SYS_capget, &header, data) == 0);
	if (on)
		data[0].effective |= 1U << CAP_IPC_LOCK;
	else
		data[0].effective &= ~(1U << CAP_IPC_LOCK);
	CHECK(syscall(SYS_capset, &header, data) == 0);
}

/* With room for four regions: what a try leaves charged is missed by one of the next. */
static void setup_charged(struct unified_io_setup with)
{
	struct rlimit limit = { 4 * with.region_size, 4 * with.region_size };

	CHECK(setrlimit(RLIMIT_MEMLOCK, &limit) == 0);
	lock_capability(false);
	setup("SETUP/charged", with);
	lock_capability(true);
}

static void setups(void)
{
	struct unified_io_setup plain = SETUP_DEFAULT, with;
	int drive = open(env("NVME0"), O_RDWR | O_CLOEXEC), event = eventfd(0, EFD_CLOEXEC);

	CHECK(drive >= 0 && event >= 0);
	plain.region_size = 2 * MiB;
	setup("SETUP", plain);
	with = plain;
	with.flags = UNIFIED_IO_SETUP_SMALL_PAGES;
	with.region_size = 1 * MiB;
	setup("SETUP/small pages", with);
	with = plain;
	with.flags = UNIFIED_IO_SETUP_EVENTFD;
	with.event_fd = event;
	setup("SETUP/eventfd", with);
	with = plain;
	with.flags = UNIFIED_IO_SETUP_NUMA_NODE;
	setup("SETUP/NUMA node", with);
	with = plain;
	with.net_ifindex = if_nametoindex("eth0");
	setup("SETUP/net_ifindex", with);
	with = plain;
	with.nvme_fd = drive;
	setup("SETUP/nvme", with);
	with.flags = UNIFIED_IO_SETUP_BLOCK_LAYER;
	setup("SETUP/nvme bio", with);
	setup_charged(plain);
	close(drive);
	close(event);
}

/* the region of all that follows */
static struct region r;

static int query_call(void)
{
	struct unified_io_query query;

	return uior(r.fd, UNIFIED_IO_QUERY, &query);
}

static int info_call(void)
{
	struct unified_io_info info;

	return uior(r.fd, UNIFIED_IO_GET_INFO, &info);
}

static uint64_t map_offset;
static size_t map_size;

static int mmap_call(void)
{
	map = mmap(NULL, map_size, PROT_READ | PROT_WRITE, MAP_SHARED, r.fd, map_offset);
	return map == MAP_FAILED ? -errno : 0;
}

static int mmap_after(int ret)
{
	if (!ret)
		munmap(map, map_size);
	return ret;
}

static void mmap_before(void)
{
	CHECK_RES(mmap_call(), 0);
}

static int populate_call(void)
{
	return madvise(map, map_size, MADV_POPULATE_WRITE) ? -errno : 0;
}

/* A page fault that finds no memory is tried again. */
static int touch_call(void)
{
	for (size_t at = 0; at < map_size; at += 64 * KiB)
		*(volatile unsigned char *)(map + at);
	return 0;
}

static int touched_after(int ret)
{
	touch_call();
	return mmap_after(ret);
}

static void maps(void)
{
	static const struct {
		const char *name, *populate, *touch;
		uint64_t offset;
	} kinds[] = {
		{ "mmap/region", "populate/region", "page faults/region", UNIFIED_IO_OFF_REGION },
		{ "mmap/data", "populate/data", "page faults/data", UNIFIED_IO_OFF_DATA },
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		map_offset = kinds[i].offset;
		map_size = map_offset ? r.ctl->data_size : r.ctl->region_size;
		sweep(&(struct sweep){ kinds[i].name, "", NULL, mmap_call, mmap_after });
		/* page tables may be there from the time before */
		sweep(&(struct sweep){ kinds[i].populate, "", mmap_before, populate_call, touched_after, true });
		sweep(&(struct sweep){ kinds[i].touch, "", mmap_before, touch_call, mmap_after, true });
	}
}

static int poll_call(void)
{
	struct pollfd p = { .fd = r.fd, .events = POLLIN };

	return poll(&p, 1, 0) < 0 ? -errno : 0;
}

static int epoll_fd;

static void epoll_before(void)
{
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	CHECK(epoll_fd >= 0);
}

static int epoll_call(void)
{
	struct epoll_event event = { .events = EPOLLIN };

	return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, r.fd, &event) ? -errno : 0;
}

static int epoll_after(int ret)
{
	close(epoll_fd);
	return ret;
}

/* COMPLETE: a completion that could not be delivered is not lost. */
static struct unified_io_complete complete;

static void complete_before(void)
{
	CHECK_RES(submit(&r, desc_bpf(0, 512)), 0);
	wait_idle(&r);
	memset(&complete, 0, sizeof(complete));
}

static int complete_call(void)
{
	return uior(r.fd, UNIFIED_IO_COMPLETE, &complete);
}

static int complete_after(int ret)
{
	if (ret)
		CHECK_EQ(nr_ready(&r), 1);
	else
		CHECK_EQ(complete.count, 1);
	while (nr_ready(&r))
		reap(&r);
	return ret;
}

/* sockets; a call that failed has neither filled nor emptied a slot */
static int pair[2], slot;

static void socket_before(void)
{
	tcp_pair(pair);
}

static int attach_call(void)
{
	slot = try_attach(&r, pair[0], UNIFIED_IO_SLOT_ANY);
	return slot < 0 ? slot : 0;
}

static int detach_call(void)
{
	int ret = try_attach(&r, -1, slot);

	return ret < 0 ? ret : 0;
}

static int attach_after(int ret)
{
	CHECK_EQ(region_info(&r).nr_sockets, !ret);
	if (!ret)
		CHECK_RES(detach_call(), 0);
	close(pair[0]);
	close(pair[1]);
	return ret;
}

static void detach_before(void)
{
	socket_before();
	CHECK_RES(attach_call(), 0);
}

static int detach_after(int ret)
{
	CHECK_EQ(region_info(&r).nr_sockets, !!ret);
	if (ret)
		CHECK_RES(detach_call(), 0);
	close(pair[0]);
	close(pair[1]);
	return ret;
}

/* XDP programs */
static int pass, drop, prog_id;

static int attach_bpf_call(void)
{
	prog_id = attach_bpf(&r, pass, 0, 0);
	return prog_id < 0 ? prog_id : 0;
}

static int attach_bpf_after(int ret)
{
	CHECK_EQ(region_info(&r).nr_progs, !ret);
	if (!ret)
		CHECK_OK(attach_bpf(&r, -1, UNIFIED_IO_BPF_F_DETACH, prog_id));
	return ret;
}

static void attached_before(void)
{
	CHECK_RES(attach_bpf_call(), 0);
}

static int replace_bpf_call(void)
{
	int ret = attach_bpf(&r, drop, UNIFIED_IO_BPF_F_REPLACE, prog_id);

	if (ret < 0)
		return ret;
	prog_id = ret;
	return 0;
}

/* Which program is attached now? */
static int replace_bpf_after(int ret)
{
	CHECK_EQ(run(&r, desc_bpf(0, 512)).verdict, ret ? UNIFIED_IO_BPF_PASS : UNIFIED_IO_BPF_DROP);
	CHECK_OK(attach_bpf(&r, -1, UNIFIED_IO_BPF_F_DETACH, prog_id));
	return ret;
}

static int detach_bpf_call(void)
{
	int ret = attach_bpf(&r, -1, UNIFIED_IO_BPF_F_DETACH, prog_id);

	return ret < 0 ? ret : 0;
}

static int detach_bpf_after(int ret)
{
	CHECK_EQ(region_info(&r).nr_progs, !!ret);
	if (ret)
		CHECK_RES(detach_bpf_call(), 0);
	return ret;
}

static void xdp_calls(void)
{
	struct xdp *xdp = xdp_load();

	pass = bpf_program__fd(xdp->progs.pass);
	drop = bpf_program__fd(xdp->progs.drop);
	sweep(&(struct sweep){ "ATTACH_BPF", "", NULL, attach_bpf_call, attach_bpf_after });
	sweep(&(struct sweep){ "ATTACH_BPF/replace", "", attached_before, replace_bpf_call, replace_bpf_after });
	sweep(&(struct sweep){ "ATTACH_BPF/detach", "", attached_before, detach_bpf_call, detach_bpf_after });
	xdp__destroy(xdp);
}

/* struct_ops programs; only the first attachment makes the map ready, and is not swept */
static struct ops *ops[2];
static struct bpf_link *ops_link;

static int ops_call(void)
{
	ops_link = bpf_map__attach_struct_ops(ops[0]->maps.remote_ops);
	return ops_link ? 0 : -errno;
}

static int ops_after(int ret)
{
	CHECK_EQ(region_info(&r).struct_ops, !ret);
	if (!ret)
		bpf_link__destroy(ops_link);
	return ret;
}

static int update_call(void)
{
	static int turn;

	return bpf_link__update_map(ops_link, ops[turn++ & 1]->maps.remote_ops);
}

static int update_after(int ret)
{
	CHECK_RES(run(&r, desc_bpf(0, 512)).res, 512);
	return ret;
}

static void ops_calls(void)
{
	for (int i = 0; i < 2; i++)
		ops[i] = ops_load(r.setup.region_id);
	sweep(&(struct sweep){ "struct_ops/attach", "", NULL, ops_call, ops_after });
	CHECK_RES(ops_call(), 0);
	sweep(&(struct sweep){ "struct_ops/update", "", NULL, update_call, update_after });
	bpf_link__destroy(ops_link);
	for (int i = 0; i < 2; i++)
		ops__destroy(ops[i]);
}

static void others(void)
{
	region_open(&r, NULL);
	sweep(&(struct sweep){ "QUERY", "", NULL, query_call, NULL });
	sweep(&(struct sweep){ "GET_INFO", "", NULL, info_call, NULL });
	maps();
	sweep(&(struct sweep){ "poll", "", NULL, poll_call, NULL });
	sweep(&(struct sweep){ "epoll_ctl", "", epoll_before, epoll_call, epoll_after });
	sweep(&(struct sweep){ "COMPLETE", "", complete_before, complete_call, complete_after });
	sweep(&(struct sweep){ "ATTACH_SOCKET", "", socket_before, attach_call, attach_after });
	sweep(&(struct sweep){ "ATTACH_SOCKET/detach", "", detach_before, detach_call, detach_after });
	xdp_calls();
	ops_calls();
	region_close(&r);
}

int main(int argc, char **argv)
{
	CHECK_EQ(argc, 2);
	sweep_init();
	if (!strcmp(argv[1], "setup")) {
		sweep(&(struct sweep){ "open", "", NULL, open_call, open_after });
		setups();
	} else {
		others();
	}
	region_close(&good);
	return 0;
}
