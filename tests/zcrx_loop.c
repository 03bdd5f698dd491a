// SPDX-License-Identifier: GPL-2.0
/*
 * NIC -> BPF -> NVMe without a return to the process: bpf/zcrx_loop.bpf.c takes what
 * io_uring receives from zc0, changes it, and submits the chains that write it, all
 * inside of one system call. What is on the drive is checked, and what was copied.
 *
 * zc0 is there, with tests/zcrx.sh's settings.
 */
#include <unified_io_zcrx.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <linux/io_uring.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "common.h"
#include "bpf/zcrx_loop.h"
#include "zcrx_loop.skel.h"

#define AREA		(4 * MiB)
#define SEED		7
#define MASK		0x5a5a5a5a5a5a5a5aULL	/* the same for each byte */
#define FAULTS		"/sys/kernel/debug/zcnic/zc0/"

struct sender {
	int fd;
	uint64_t len;
	uint32_t chunk;
	pthread_t thread;
};

static struct unified_io io;
static struct unified_io_info info;
static struct unified_io_zcrx *zc;
static struct zcrx_loop *skel;
static struct bpf_link *attached;
static __u32 other_region;	/* for the program to submit to; 0 for our own */

static void *send_it(void *arg)
{
	struct sender *s = arg;

	for (uint64_t done = 0; done < s->len; done += s->chunk)
		send_pattern(s->fd, s->len - done < s->chunk ? s->len - done : s->chunk, done,
			     SEED);
	shutdown(s->fd, SHUT_WR);
	return NULL;
}

static void load(uint64_t slots)
{
	skel = zcrx_loop__open();
	CHECK(skel);
	CHECK_RES(unified_io_zcrx_loop_init(zc, &skel->rodata->loop), 0);
	if (other_region)
		skel->rodata->loop.region_id = other_region;
	skel->rodata->slots = skel->rodata->loop.data + slots;
	skel->rodata->lba_size = info.lba_size;
	skel->rodata->align = info.range_alignment;
	skel->rodata->mask = MASK;
	skel->struct_ops.loop_ops->ring_fd = skel->rodata->loop.ring_fd;
	CHECK_RES(zcrx_loop__load(skel), 0);
	attached = bpf_map__attach_struct_ops(skel->maps.loop_ops);
	CHECK(attached);
}

/* The area is where large folios begin, the refill ring behind it, then the records. */
static void begin_as(enum unified_io_zcrx_mode mode, uint64_t area, int uring_fd)
{
	struct unified_io_zcrx_params params = {
		.mode = mode, .ifname = "zc0", .rxq = 3,
		.len = area, .entries = 64, .loop = true,
	};
	struct unified_io_setup setup;

	unified_io_defaults(&setup);
	setup.region_size = 16 * MiB;
	setup.nvme_fd = open(env("NVME0"), O_RDWR);
	setup.uring_fd = uring_fd;
	CHECK_RES(unified_io_open(&io, &setup), 0);
	close(setup.nvme_fd);
	CHECK_RES(unified_io_get_info(&io, &info), 0);
	params.addr = 4 * MiB - (io.region_size - io.data_size);
	CHECK_RES(unified_io_zcrx_open(&zc, &io, &params), 0);
	load(params.addr + area + unified_io_zcrx_refill_len(&params));
}

static void begin(int uring_fd)
{
	begin_as(UNIFIED_IO_ZCRX_DEVICE, AREA, uring_fd);
}

static void end(void)
{
	bpf_link__destroy(attached);
	zcrx_loop__destroy(skel);
	unified_io_zcrx_close(zc);
	unified_io_close(&io);
}

static int connected(struct sender *s, uint64_t len, uint32_t chunk)
{
	int fd[2];

	wire_tcp_pair(env("ZC_HERE"), fd);
	CHECK_RES(unified_io_zcrx_bound(zc, fd[0]), 0);
	*s = (struct sender){ .fd = fd[1], .len = len, .chunk = chunk };
	CHECK(pthread_create(&s->thread, NULL, send_it, s) == 0);
	skel->bss->fd = fd[0];
	return fd[0];
}

static void disconnected(struct sender *s, int fd)
{
	pthread_join(s->thread, NULL);
	close(s->fd);
	close(fd);
}

/* All of the stream, changed as the program does it, record by record. */
static void check_log(uint64_t len)
{
	static unsigned char buf[MiB];
	struct record_head head;
	uint64_t from = 0;

	for (uint64_t offset = 0; offset < len; offset += head.len, from += head.size) {
		drive_read(env("NVME0"), from, buf, info.lba_size);
		memcpy(&head, buf, sizeof(head));
		CHECK_EQ(head.magic, RECORD_MAGIC);
		CHECK_EQ(head.offset, offset);
		CHECK(head.size <= sizeof(buf) && head.len <= head.size - info.lba_size);
		drive_read(env("NVME0"), from, buf, head.size);
		pattern_check(buf + info.lba_size, head.len, offset, SEED ^ MASK);
	}
	CHECK_EQ(from, skel->bss->end);
}

static void on_alarm(int nr)
{
}

static void interrupt_every(suseconds_t us)
{
	struct itimerval timer = { .it_interval.tv_usec = us, .it_value.tv_usec = us };

	signal(SIGALRM, on_alarm);
	CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
}

/* The program counts what arrives, the library what of it was copied. */
static void check_bypass(uint64_t len)
{
	bool device = unified_io_zcrx_mode(zc) == UNIFIED_IO_ZCRX_DEVICE;
	struct unified_io_info now;

	CHECK_RES(unified_io_get_info(&io, &now), 0);
	CHECK_EQ(now.bypass_mode, device ? UNIFIED_IO_BYPASS_ZCRX : UNIFIED_IO_BYPASS_ZCRX_NODEV);
	CHECK_EQ(now.bypass_bytes, len);
	CHECK_EQ(now.bypass_copied, device ? 0 : len);
	CHECK_EQ(unified_io_zcrx_copied(zc), device ? 0 : len);
}

/* @len bytes in pieces of @chunk. Returns how often the process ran meanwhile. */
static unsigned int transfer(uint64_t len, uint32_t chunk)
{
	unsigned int nr_calls = 1;
	struct sender s;
	int fd = connected(&s, len, chunk), ret;

	while ((ret = unified_io_zcrx_loop_run(zc)) == -EINTR)
		nr_calls++;
	CHECK_RES(ret, 0);
	disconnected(&s, fd);
	CHECK_RES(skel->bss->error, 0);
	CHECK_EQ(skel->bss->received, len);
	CHECK_EQ(skel->bss->written, len);
	check_bypass(len);
	check_log(len);
	printf("%llu bytes in pieces of %u: %u calls, %llu steps, %llu chains, %llu copied\n",
	       (unsigned long long)len, chunk, nr_calls,
	       (unsigned long long)skel->bss->nr_steps,
	       (unsigned long long)skel->bss->nr_chains, (unsigned long long)skel->bss->copied);
	return nr_calls;
}

/* The slower the kernel, the more there is for each step: it takes a longer stream then. */
static void one_call(void)
{
	bool many = false;

	for (uint64_t len = 32 * MiB; !many && len <= 256 * MiB; len *= 2) {
		begin(-1);
		CHECK_EQ(transfer(len, MiB), 1);
		many = skel->bss->nr_chains > 100 && skel->bss->nr_steps > 100;
		CHECK(skel->bss->copied < len / 1000);
		end();
	}
	CHECK(many);
}

static void odd_lengths(void)
{
	begin(-1);
	transfer(2 * MiB, 4099);
	CHECK(skel->bss->copied > 0);
	end();
}

/* No more than there are buffers: nobody empties the refill ring. */
static void without_nic(void)
{
	begin_as(UNIFIED_IO_ZCRX_NODEV, AREA, -1);
	transfer(MiB, 64 * KiB);
	end();
}

/* Several arrivals in a buffer are released at once: more of them than the refill ring has entries. */
static void full_refill(void)
{
	CHECK_EQ(shell("ip link set zc0 mtu 1500; echo 1 >" FAULTS "pack"), 0);
	begin_as(UNIFIED_IO_ZCRX_DEVICE, 256 * KiB, -1);
	transfer(8 * MiB, MiB);
	printf("%llu releases had to wait\n", (unsigned long long)skel->bss->nr_kept);
	CHECK(skel->bss->nr_kept > 0);
	end();
	CHECK_EQ(shell("ip link set zc0 mtu 9000; echo 0 >" FAULTS "pack"), 0);
}

static void interrupted(void)
{
	begin(-1);
	interrupt_every(20000);
	transfer(8 * MiB, MiB);
	interrupt_every(0);
	end();
}

/* What the drive cannot take ends the loop with the chain's own error. */
static void unfit(void)
{
	struct sender s;
	int fd;

	begin(-1);
	CHECK_EQ(shell("echo 3 >" FAULTS "skew"), 0);
	fd = connected(&s, 64 * KiB, 64 * KiB);
	CHECK_RES(unified_io_zcrx_loop_run(zc), 0);
	CHECK_RES(skel->bss->error, -EREMOTEIO);
	disconnected(&s, fd);
	CHECK_EQ(shell("echo 0 >" FAULTS "skew"), 0);
	end();
}

/* The program's first submission fails, and with that the loop ends. */
static void refuses(int uring_fd, int err)
{
	struct sender s;
	int fd;

	begin(uring_fd);
	fd = connected(&s, 64 * KiB, 64 * KiB);
	CHECK_RES(unified_io_zcrx_loop_run(zc), 0);
	CHECK_RES(skel->bss->error, err);
	disconnected(&s, fd);
	end();
}

/* The id of a region of another process, which keeps it until @fd is closed. */
static __u32 region_elsewhere(int fd[2], pid_t *pid)
{
	struct unified_io theirs;
	__u32 id;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0);
	*pid = fork();
	CHECK(*pid >= 0);
	if (!*pid) {
		close(fd[0]);
		if (unified_io_open(&theirs, NULL) || write(fd[1], &theirs.ctrl->region_id, sizeof(id)) != sizeof(id))
			_exit(1);
		_exit(read(fd[1], &id, 1) != 0);
	}
	close(fd[1]);
	CHECK_EQ(read(fd[0], &id, sizeof(id)), (ssize_t)sizeof(id));
	return id;
}

/* A program has its process's rights, and a region that is bound to another ring refuses it. */
static void not_ours(void)
{
	struct io_uring_params params = { 0 };
	int ring = syscall(__NR_io_uring_setup, 8, &params), fd[2], status;
	pid_t pid;

	CHECK(ring >= 0);
	refuses(ring, -EXDEV);
	close(ring);
	other_region = region_elsewhere(fd, &pid);
	refuses(-1, -EPERM);
	close(fd[0]);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	other_region = 1U << 30;
	refuses(-1, -ENOENT);
	other_region = 0;
}

/* Nothing is lent that the program could not use. */
static void refused(void)
{
	struct unified_io_zcrx_params params = {
		.mode = UNIFIED_IO_ZCRX_NODEV, .len = AREA, .entries = 64,
	};
	struct unified_io_loop loop;

	CHECK_RES(unified_io_open(&io, NULL), 0);
	CHECK_RES(unified_io_zcrx_open(&zc, &io, &params), 0);
	CHECK_RES(unified_io_zcrx_loop_init(zc, &loop), -EINVAL);
	CHECK_RES(unified_io_zcrx_loop_run(zc), 0);
	unified_io_zcrx_close(zc);
	params.loop = true;
	CHECK_RES(unified_io_zcrx_open(&zc, &io, &params), 0);
	CHECK_RES(unified_io_zcrx_loop_init(zc, &loop), 0);
	CHECK_RES(unified_io_zcrx_loop_init(zc, &loop), -EBUSY);
	unified_io_zcrx_close(zc);
	params.len = io.data_size & ~4095ULL;
	CHECK_RES(unified_io_zcrx_open(&zc, &io, &params), -ERANGE);
	params.mode = UNIFIED_IO_ZCRX_SOCKET;
	params.len = AREA;
	CHECK_RES(unified_io_zcrx_open(&zc, &io, &params), 0);
	CHECK_RES(unified_io_zcrx_loop_init(zc, &loop), -EOPNOTSUPP);
	unified_io_zcrx_close(zc);
	unified_io_close(&io);
}

static void *take_away(void *arg)
{
	while (!__atomic_load_n(&skel->bss->nr_steps, __ATOMIC_RELAXED))
		usleep(1000);
	bpf_link__destroy(attached);
	attached = NULL;
	return NULL;
}

/* The program goes away under the loop that waits. */
static void detached(void)
{
	pthread_t thread;
	int fd[2], ret;

	begin(-1);
	wire_tcp_pair(env("ZC_HERE"), fd);
	skel->bss->fd = fd[0];
	interrupt_every(100000);
	CHECK(pthread_create(&thread, NULL, take_away, NULL) == 0);
	while ((ret = unified_io_zcrx_loop_run(zc)) == -EINTR)
		;
	interrupt_every(0);
	CHECK(!ret || ret == -EFAULT);
	pthread_join(thread, NULL);
	close(fd[0]);
	close(fd[1]);
	end();
}

/* An old kernel has no such programs. */
static void probe(void)
{
	struct btf *btf = btf__load_vmlinux_btf();

	CHECK(btf);
	if (btf__find_by_name_kind(btf, "io_uring_bpf_ops", BTF_KIND_STRUCT) < 0) {
		printf("this kernel has no io_uring_bpf_ops\n");
		exit(77);
	}
	btf__free(btf);
}

int main(void)
{
	probe();
	refused();
	one_call();
	odd_lengths();
	without_nic();
	full_refill();
	interrupted();
	unfit();
	not_ours();
	detached();
	return 0;
}
