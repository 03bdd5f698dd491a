// SPDX-License-Identifier: GPL-2.0
/* What is around a region: drives, sockets, the files in which the kernel tells of itself. */
#include "common.h"

#include <arpa/inet.h>
#include <linux/fs.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdarg.h>

/* drives */

static int drive_open(const char *path, int mode)
{
	int fd = open(path, mode | O_DIRECT | O_CLOEXEC);

	CHECK(fd >= 0);
	return fd;
}

static void *aligned(size_t len)
{
	void *buf = aligned_alloc(4096, (len + 4095) / 4096 * 4096);

	CHECK(buf);
	return buf;
}

void drive_read(const char *path, uint64_t offset, void *buf, size_t len)
{
	int fd = drive_open(path, O_RDONLY);
	void *direct = aligned(len);

	CHECK_EQ(pread(fd, direct, len, offset), (ssize_t)len);
	memcpy(buf, direct, len);
	free(direct);
	close(fd);
}

void drive_write(const char *path, uint64_t offset, const void *buf, size_t len)
{
	int fd = drive_open(path, O_RDWR);
	void *direct = aligned(len);

	memcpy(direct, buf, len);
	CHECK_EQ(pwrite(fd, direct, len, offset), (ssize_t)len);
	free(direct);
	close(fd);
}

void drive_fill(const char *path, uint64_t offset, size_t len, uint64_t seed)
{
	void *buf = malloc(len);

	CHECK(buf);
	pattern_fill(buf, len, offset, seed);
	drive_write(path, offset, buf, len);
	free(buf);
}

void drive_check(const char *path, uint64_t offset, size_t len, uint64_t stream_offset, uint64_t seed)
{
	void *buf = malloc(len);

	CHECK(buf);
	drive_read(path, offset, buf, len);
	pattern_check(buf, len, stream_offset, seed);
	free(buf);
}

unsigned int drive_block(const char *path)
{
	int fd = drive_open(path, O_RDONLY), size;

	CHECK(ioctl(fd, BLKSSZGET, &size) == 0);
	close(fd);
	return size;
}

uint64_t drive_size(const char *path)
{
	int fd = drive_open(path, O_RDONLY);
	uint64_t size;

	CHECK(ioctl(fd, BLKGETSIZE64, &size) == 0);
	close(fd);
	return size;
}

#define SLOW_CONFIG	"/sys/kernel/config/nullb/slow"

void slow_drive_make(unsigned int tags)
{
	need_module("null_blk");
	CHECK_RES(shell("mountpoint -q /sys/kernel/config || mount -t configfs none /sys/kernel/config"), 0);
	CHECK_RES(shell("mkdir " SLOW_CONFIG " && cd " SLOW_CONFIG " && echo 64 >size && echo 2 >irqmode &&"
			" echo 1 >memory_backed && echo %llu >completion_nsec && echo %u >hw_queue_depth &&"
			" echo 1 >power &&"
			/* Its own, of 5 s, is less than it takes on a slow kernel. */
			" echo 60000 >/sys/block/slow/queue/io_timeout",
			atoi(env("SLOW")) * NSEC_PER_SEC / 2, tags), 0);
}

void slow_drive_remove(void)
{
	CHECK_RES(shell("rmdir " SLOW_CONFIG), 0);
}

/* sockets */

static int inet_listener(int type, uint32_t addr, struct sockaddr_in *at)
{
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(*at);

	*at = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(addr) };
	CHECK(bind(fd, (struct sockaddr *)at, sizeof(*at)) == 0);
	CHECK(type != SOCK_STREAM || listen(fd, 1) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)at, &len) == 0);
	return fd;
}

static void connect_to(int fd, const struct sockaddr_in *at)
{
	CHECK(connect(fd, (const struct sockaddr *)at, sizeof(*at)) == 0);
}

static void tcp_accept(int fd[2], int listener)
{
	int one = 1;

	fd[0] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	CHECK(fd[0] >= 0);
	close(listener);
	setsockopt(fd[0], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd[1], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

void tcp_pair(int fd[2])
{
	struct sockaddr_in at;
	int listener = inet_listener(SOCK_STREAM, INADDR_LOOPBACK, &at);

	fd[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	connect_to(fd[1], &at);
	tcp_accept(fd, listener);
}

void wire_tcp_pair(const char *address, int fd[2])
{
	struct sockaddr_in at;
	int listener = inet_listener(SOCK_STREAM, ntohl(inet_addr(address)), &at);
	int here = in_netns("peer");

	fd[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	leave_netns(here);
	connect_to(fd[1], &at);
	tcp_accept(fd, listener);
}

void udp_pair(int fd[2])
{
	struct sockaddr_in at[2];

	for (int i = 0; i < 2; i++)
		fd[i] = inet_listener(SOCK_DGRAM, INADDR_LOOPBACK, &at[i]);
	for (int i = 0; i < 2; i++)
		connect_to(fd[i], &at[!i]);
}

void wire_udp_pair(const char *address, int fd[2])
{
	struct sockaddr_in at[2];
	socklen_t len = sizeof(at[1]);
	int here;

	fd[0] = inet_listener(SOCK_DGRAM, ntohl(inet_addr(address)), &at[0]);
	here = in_netns("peer");
	fd[1] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	leave_netns(here);
	connect_to(fd[1], &at[0]);
	CHECK(getsockname(fd[1], (struct sockaddr *)&at[1], &len) == 0);
	connect_to(fd[0], &at[1]);
}

int udp_bound(uint16_t *port)
{
	struct sockaddr_in at;
	int fd = inet_listener(SOCK_DGRAM, INADDR_LOOPBACK, &at);

	*port = ntohs(at.sin_port);
	return fd;
}

int packet_socket(const char *ifname)
{
	struct sockaddr_ll at = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = if_nametoindex(ifname),
	};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	CHECK(fd >= 0);
	CHECK(at.sll_ifindex > 0);
	CHECK(bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0);
	return fd;
}

int in_netns(const char *name)
{
	int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), there;
	char path[64];

	snprintf(path, sizeof(path), "/run/netns/%s", name);
	there = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(here >= 0 && there >= 0);
	CHECK(setns(there, CLONE_NEWNET) == 0);
	close(there);
	return here;
}

void leave_netns(int fd)
{
	CHECK(setns(fd, CLONE_NEWNET) == 0);
	close(fd);
}

int try_attach(struct region *r, int fd, uint32_t slot)
{
	struct unified_io_attach_socket arg = { .fd = fd, .slot = slot };
	int ret = uior(r->fd, UNIFIED_IO_ATTACH_SOCKET, &arg);

	return ret < 0 ? ret : (int)arg.slot;
}

int attach(struct region *r, int fd)
{
	int slot = try_attach(r, fd, UNIFIED_IO_SLOT_ANY);

	CHECK_OK(slot);
	return slot;
}

void detach(struct region *r, unsigned int slot)
{
	CHECK_RES(try_attach(r, -1, slot), (int)slot);
}

void send_all(int fd, const void *buf, size_t len)
{
	while (len) {
		ssize_t n = send(fd, buf, len, MSG_NOSIGNAL);

		CHECK(n > 0);
		buf += n;
		len -= n;
	}
}

void recv_all(int fd, void *buf, size_t len)
{
	struct timeval limit = { .tv_sec = WAIT_NS / NSEC_PER_SEC };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	while (len) {
		ssize_t n = recv(fd, buf, len, 0);

		/* With a limit of time, work for io_uring ends the wait. */
		if (n < 0 && errno == EINTR)
			continue;
		CHECK(n > 0);
		buf += n;
		len -= n;
	}
}

void send_pattern(int fd, size_t len, uint64_t offset, uint64_t seed)
{
	void *buf = malloc(len);

	CHECK(buf);
	pattern_fill(buf, len, offset, seed);
	send_all(fd, buf, len);
	free(buf);
}

void recv_pattern(int fd, size_t len, uint64_t offset, uint64_t seed)
{
	void *buf = malloc(len);

	CHECK(buf);
	recv_all(fd, buf, len);
	pattern_check(buf, len, offset, seed);
	free(buf);
}

/* files and processes */

/* The number in the line "name number" of a file. */
static uint64_t named_number(const char *path, const char *name)
{
	FILE *file = fopen(path, "r");
	char line[128], key[64];
	unsigned long long value;

	if (!file)
		FAIL("%s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%63s %llu", key, &value) == 2 && !strcmp(key, name)) {
			fclose(file);
			return value;
		}
	}
	FAIL("%s has no %s", path, name);
}

uint64_t read_number(const char *path)
{
	FILE *file = fopen(path, "r");
	unsigned long long value;

	CHECK(file && fscanf(file, "%llu", &value) == 1);
	fclose(file);
	return value;
}

uint64_t vmstat(const char *name)
{
	return named_number("/proc/vmstat", name);
}

uint64_t region_stat(struct region *r, const char *name)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/kernel/debug/unified_io_region/%u/stats", r->setup.region_id);
	return named_number(path, name);
}

int shell(const char *fmt, ...)
{
	char command[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(command, sizeof(command), fmt, args);
	va_end(args);
	return system(command);
}

int child_status(pid_t pid)
{
	int status;

	CHECK(waitpid(pid, &status, 0) == pid);
	return status;
}

void on_processor(int nr)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(nr, &set);
	CHECK_OK(sched_setaffinity(0, sizeof(set), &set));
}
