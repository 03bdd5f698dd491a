// SPDX-License-Identifier: GPL-2.0
/*
 * The data area, mapped at its own offset, is memory like any other to programs that
 * know nothing of regions: each way to hand memory to the kernel does its I/O there,
 * on a region of large and of small pages. tests/umem.c has AF_XDP.
 */
#include <liburing.h>
#include <netinet/in.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <time.h>
#include <linux/errqueue.h>

#include "common.h"

#define LEN	(1 * MiB)

static struct region r;
static unsigned char *mem;		/* the data area */

/* What was written from the one half is read into the other. */
static void by_o_direct(int fd)
{
	pattern_fill(mem, LEN, 0, 1);
	CHECK_EQ(pwrite(fd, mem, LEN, 0), LEN);
	memset(mem + LEN, 0, LEN);
	CHECK_EQ(pread(fd, mem + LEN, LEN, 0), LEN);
	pattern_check(mem + LEN, LEN, 0, 1);
}

static int one(struct io_uring *ring)
{
	struct io_uring_cqe *cqe;
	int res;

	CHECK(io_uring_submit_and_wait(ring, 1) == 1);
	CHECK(io_uring_wait_cqe(ring, &cqe) == 0);
	res = cqe->res;
	io_uring_cqe_seen(ring, cqe);
	return res;
}

static void by_fixed_buffer(int fd)
{
	struct iovec whole = { mem, 2 * LEN };
	struct io_uring ring;

	CHECK_RES(io_uring_queue_init(8, &ring, 0), 0);
	CHECK_RES(io_uring_register_buffers(&ring, &whole, 1), 0);
	pattern_fill(mem, LEN, 0, 2);
	io_uring_prep_write_fixed(io_uring_get_sqe(&ring), fd, mem, LEN, 0, 0);
	CHECK_RES(one(&ring), LEN);
	memset(mem + LEN, 0, LEN);
	io_uring_prep_read_fixed(io_uring_get_sqe(&ring), fd, mem + LEN, LEN, 0, 0);
	CHECK_RES(one(&ring), LEN);
	pattern_check(mem + LEN, LEN, 0, 2);
	io_uring_queue_exit(&ring);
}

static void files(void)
{
	int fd = open(env("NVME0"), O_RDWR | O_DIRECT);

	CHECK(fd >= 0);
	by_o_direct(fd);
	by_fixed_buffer(fd);
	close(fd);
	fd = open("/run/ext4/file", O_RDWR | O_CREAT | O_DIRECT, 0600);
	CHECK(fd >= 0);
	by_o_direct(fd);
	by_fixed_buffer(fd);
	close(fd);
}

/* Pages of the region go through a pipe into a stream, from which the region gets them back. */
static void by_vmsplice(void)
{
	struct iovec iov = { mem, 64 * KiB };
	int fd[2], p[2];

	tcp_pair(fd);
	CHECK(pipe(p) == 0);
	pattern_fill(mem, iov.iov_len, 0, 3);
	CHECK_EQ(vmsplice(p[1], &iov, 1, 0), (ssize_t)iov.iov_len);
	CHECK_EQ(splice(p[0], NULL, fd[0], NULL, iov.iov_len, 0), (ssize_t)iov.iov_len);
	recv_all(fd[1], mem + LEN, iov.iov_len);
	pattern_check(mem + LEN, iov.iov_len, 0, 3);
	for (int i = 0; i < 2; i++) {
		close(fd[i]);
		close(p[i]);
	}
}

/* The kernel says when it is done with messages; then the pages are ours. Returns the last one's number. */
static uint32_t wait_zerocopy(int fd)
{
	struct pollfd p = { .fd = fd };
	char control[256];
	struct msghdr msg = { .msg_control = control, .msg_controllen = sizeof(control) };
	struct sock_extended_err *report;
	struct cmsghdr *cmsg;

	CHECK(poll(&p, 1, WAIT_NS / 1000000) == 1);
	CHECK(recvmsg(fd, &msg, MSG_ERRQUEUE) == 0);
	cmsg = CMSG_FIRSTHDR(&msg);
	CHECK(cmsg && cmsg->cmsg_level == SOL_IP && cmsg->cmsg_type == IP_RECVERR);
	report = (void *)CMSG_DATA(cmsg);
	CHECK_EQ(report->ee_origin, SO_EE_ORIGIN_ZEROCOPY);
	CHECK_EQ(report->ee_code, 0);	/* it has not copied */
	return report->ee_data;
}

static void by_zerocopy_send(void)
{
	uint32_t sent, nr;
	int fd[2], one = 1;

	wire_tcp_pair(env("GATHER_HERE"), fd);
	CHECK(setsockopt(fd[0], SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)) == 0);
	pattern_fill(mem, 64 * KiB, 0, 4);
	/* what io_uring has left for the task can make one stop early */
	for (sent = 0, nr = 0; sent < 64 * KiB; nr++) {
		ssize_t n = send(fd[0], mem + sent, 64 * KiB - sent, MSG_ZEROCOPY);

		CHECK(n > 0);
		sent += n;
	}
	recv_all(fd[1], mem + LEN, 64 * KiB);
	pattern_check(mem + LEN, 64 * KiB, 0, 4);
	while (wait_zerocopy(fd[0]) != nr - 1)
		;
	close(fd[0]);
	close(fd[1]);
}

/* A file by way of the socket, without its bytes ever being the process's, into the region. */
static void by_sendfile(void)
{
	int file = memfd_create("file", 0), fd[2];
	off_t off = 0;

	tcp_pair(fd);
	pattern_fill(mem, 64 * KiB, 0, 5);
	CHECK_EQ(write(file, mem, 64 * KiB), 64 * KiB);
	CHECK_EQ(sendfile(fd[0], file, &off, 64 * KiB), 64 * KiB);
	recv_all(fd[1], mem + LEN, 64 * KiB);
	pattern_check(mem + LEN, 64 * KiB, 0, 5);
	close(file);
	close(fd[0]);
	close(fd[1]);
}

/* Another process reads and writes it. */
static void by_process_vm(void)
{
	pid_t parent = getpid(), pid;

	pattern_fill(mem, LEN, 0, 6);
	pid = fork();
	if (!pid) {
		unsigned char *own = malloc(LEN);
		struct iovec here = { own, LEN }, there = { mem, LEN };

		CHECK(own);
		CHECK_EQ(process_vm_readv(parent, &here, 1, &there, 1, 0), LEN);
		pattern_check(own, LEN, 0, 6);
		pattern_fill(own, LEN, 0, 7);
		there.iov_base = mem + LEN;
		CHECK_EQ(process_vm_writev(parent, &here, 1, &there, 1, 0), LEN);
		exit(0);
	}
	CHECK_EQ(child_status(pid), 0);
	pattern_check(mem + LEN, LEN, 0, 7);
}

static void each_way(unsigned int flags)
{
	struct unified_io_setup setup = SETUP_DEFAULT;

	setup.region_size = 8 * MiB;
	setup.flags = flags;
	region_setup(&r, NULL, setup);
	mem = mmap(NULL, 2 * LEN, PROT_READ | PROT_WRITE, MAP_SHARED, r.fd, UNIFIED_IO_OFF_DATA);
	CHECK(mem != MAP_FAILED);
	files();
	by_vmsplice();
	by_zerocopy_send();
	by_sendfile();
	by_process_vm();
	/* it was the region's memory all the time */
	pattern_check(r.data + LEN, LEN, 0, 7);
	CHECK(munmap(mem, 2 * LEN) == 0);
	region_close(&r);
}

/* A program that opens the device itself has a region of its own, or none before SETUP. */
static void needs_setup(void)
{
	int fd = device_open();

	CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, UNIFIED_IO_OFF_DATA) == MAP_FAILED);
	CHECK_EQ(errno, ENXIO);
	close(fd);
}

int main(void)
{
	/* the first of two partitions; PARTITION is the second */
	CHECK_EQ(shell("p=%s; mkfs.ext4 -q -F \"${p%%2}1\" && mkdir -p /run/ext4 && mount \"${p%%2}1\" /run/ext4",
		       env("PARTITION")), 0);
	needs_setup();
	each_way(0);
	each_way(UNIFIED_IO_SETUP_SMALL_PAGES);
	CHECK_EQ(shell("umount /run/ext4"), 0);
	return 0;
}
