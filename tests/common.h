/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests share. They speak to the device through the uapi header alone,
 * so that it is the kernel's interface that is tested and not the library.
 *
 * A test ends with status 0 (passed), 1 (a check failed, and said which), or 77
 * (this kernel lacks a feature or a module; only need() and need_module() decide
 * that).
 */
#ifndef TESTS_COMMON_H
#define TESTS_COMMON_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/unified_io_region.h>

#define DEVICE		"/dev/unified_io_region"
#define KiB		1024ULL
#define MiB		(1024 * KiB)
#define NSEC_PER_SEC	1000000000ULL
#define WAIT_NS		(20 * NSEC_PER_SEC)	/* longer than anything takes: a hang */
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* checks */
void fail(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4), noreturn));
void check_eq(const char *file, int line, const char *what, long long got, long long want);
void check_ok(const char *file, int line, const char *what, int got);
void check_res(const char *file, int line, const char *what, int got, int want);

#define FAIL(...)		fail(__FILE__, __LINE__, __VA_ARGS__)
#define CHECK(cond)		do { if (!(cond)) FAIL("%s (errno %s)", #cond, strerrorname_np(errno)); } while (0)
#define CHECK_EQ(got, want)	check_eq(__FILE__, __LINE__, #got, (long long)(got), (long long)(want))
/* for a result where a negative number is an errno */
#define CHECK_RES(got, want)	check_res(__FILE__, __LINE__, #got, got, want)
#define CHECK_OK(got)		check_ok(__FILE__, __LINE__, #got, got)

void need(uint64_t features);
void need_module(const char *name);	/* loads it */
const char *env(const char *name);
uint64_t now_ns(void);

/* a region, set up and mapped */
struct region {
	int fd;
	int drive_fd;
	struct unified_io_setup setup;
	void *map;
	struct unified_io_control *ctl;
	struct unified_descriptor *sq;
	struct unified_completion *cq;
	struct unified_net_iov *niov;
	unsigned char *data;
};

#define SETUP_DEFAULT	{ .sq_entries = 64, .cq_entries = 64, .region_size = 4 * MiB, .nvme_fd = -1, .uring_fd = -1 }

int uior(int fd, unsigned long cmd, void *arg);	/* ioctl; 0 or -errno */
int device_open(void);
void region_open(struct region *r, const char *drive); /* SETUP_DEFAULT; NULL for no drive */
void region_setup(struct region *r, const char *drive, struct unified_io_setup setup);
void region_map(struct region *r);
void region_close(struct region *r);
struct unified_io_info region_info(struct region *r);

/* descriptors */
struct unified_descriptor desc_nvme(uint8_t opcode, uint64_t addr, uint32_t len, uint64_t slba);
struct unified_descriptor desc_recv(unsigned int slot, uint64_t addr, uint32_t len);
struct unified_descriptor desc_send(unsigned int slot, uint64_t addr, uint32_t len);
struct unified_descriptor desc_multishot(unsigned int slot);
struct unified_descriptor desc_bpf(uint64_t addr, uint32_t len);

/* operations */
int submit(struct region *r, struct unified_descriptor d);	/* by value; 0 or -errno */
void queue(struct region *r, struct unified_descriptor d);	/* into the SQ */
int enter(struct region *r, unsigned int to_submit, unsigned int min_complete, uint64_t timeout_ns,
	  struct unified_io_enter *out);
unsigned int nr_ready(struct region *r);			/* completions in the CQ */
struct unified_completion reap(struct region *r);		/* waits, consumes */
struct unified_completion run(struct region *r, struct unified_descriptor d);
int result(struct region *r, struct unified_descriptor d);	/* of SUBMIT or else of the completion */
void give_niov(struct region *r, uint64_t addr, uint32_t len);
void wait_idle(struct region *r);				/* nothing in flight */

/* data: each 8-byte word at offset o of a stream is o ^ seed */
void pattern_fill(void *buf, size_t len, uint64_t offset, uint64_t seed);
void pattern_check(const void *buf, size_t len, uint64_t offset, uint64_t seed);
void check_filled(const void *buf, size_t len, unsigned char byte);

/* drives, through their own block device */
void drive_fill(const char *path, uint64_t offset, size_t len, uint64_t seed);
void drive_check(const char *path, uint64_t offset, size_t len, uint64_t stream_offset, uint64_t seed);
void drive_read(const char *path, uint64_t offset, void *buf, size_t len);
void drive_write(const char *path, uint64_t offset, const void *buf, size_t len);
unsigned int drive_block(const char *path);
uint64_t drive_size(const char *path);
#define SLOW_DRIVE	"/dev/slow"	/* half a second a command; on a slow kernel, longer */
void slow_drive_make(unsigned int tags);
void slow_drive_remove(void);

/* sockets: pairs are connected; [0] goes to the region, [1] stays with the test */
void tcp_pair(int fd[2]);
void udp_pair(int fd[2]);
/* [0] here, at this address of a wire, [1] in the namespace 'peer' */
void wire_tcp_pair(const char *address, int fd[2]);
void wire_udp_pair(const char *address, int fd[2]);
int udp_bound(uint16_t *port);
int packet_socket(const char *ifname);
int in_netns(const char *name);	/* enter; returns what to give to leave_netns */
void leave_netns(int fd);
int attach(struct region *r, int fd);	/* CHECKs; the slot */
int try_attach(struct region *r, int fd, uint32_t slot);
void detach(struct region *r, unsigned int slot);
void send_all(int fd, const void *buf, size_t len);
void recv_all(int fd, void *buf, size_t len);
void send_pattern(int fd, size_t len, uint64_t offset, uint64_t seed);
void recv_pattern(int fd, size_t len, uint64_t offset, uint64_t seed);

/* files and processes */
uint64_t read_number(const char *path);
uint64_t vmstat(const char *name);
uint64_t region_stat(struct region *r, const char *name);	/* from debugfs */
int shell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int child_status(pid_t pid);
void on_processor(int nr);

#endif /* TESTS_COMMON_H */
