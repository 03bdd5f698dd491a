// SPDX-License-Identifier: GPL-2.0
/*
 * A program that has a region and operations in flight executes another: with
 * O_CLOEXEC the region ends with the old program; without, the new one finds all of
 * it behind the file descriptor, the operations included.
 */
#include "common.h"

#define LEN	4096

static struct region r;

static void arrives(int peer, uint64_t seed)
{
	send_pattern(peer, LEN, 0, seed);
	CHECK_RES(reap(&r).res, LEN);
	pattern_check(r.data, LEN, 0, seed);
}

/* The new program: maps what it was handed. */
static int executed(int fd, int peer, uint64_t region_size)
{
	r.fd = fd;
	r.drive_fd = -1;
	r.setup.region_size = region_size;
	r.setup.cq_entries = 64;
	region_map(&r);
	pattern_check(r.data + LEN, LEN, 0, 5);
	CHECK_EQ(region_info(&r).inflight, 1);
	arrives(peer, 6);
	CHECK_RES(submit(&r, desc_recv(0, 0, LEN)), 0);
	arrives(peer, 7);
	region_close(&r);
	return 0;
}

/* In a child: a region with a receive in flight, then another program. */
static void execute(bool keep, char *const argv[], int peer, int sock)
{
	char fd[12], peer_fd[12], size[24];
	char *keep_argv[] = { argv[0], fd, peer_fd, size, NULL };

	region_open(&r, NULL);
	pattern_fill(r.data + LEN, LEN, 0, 5);
	CHECK_EQ(attach(&r, sock), 0);
	CHECK_RES(submit(&r, desc_recv(0, 0, LEN)), 0);
	if (!keep)
		execlp("sleep", "sleep", "20", NULL);
	snprintf(fd, sizeof(fd), "%d", r.fd);
	snprintf(peer_fd, sizeof(peer_fd), "%d", peer);
	snprintf(size, sizeof(size), "%llu", (unsigned long long)r.setup.region_size);
	CHECK(fcntl(r.fd, F_SETFD, 0) == 0 && fcntl(peer, F_SETFD, 0) == 0);
	execvp("/proc/self/exe", keep_argv);
	_exit(127);
}

static pid_t start(bool keep, char *const argv[], int fd[2])
{
	pid_t pid;

	tcp_pair(fd);
	pid = fork();
	if (!pid)
		execute(keep, argv, fd[1], fd[0]);
	close(fd[0]);
	return pid;
}

int main(int argc, char **argv)
{
	char c;
	int fd[2];
	pid_t pid;

	if (argc == 4)
		return executed(atoi(argv[1]), atoi(argv[2]), atoll(argv[3]));
	CHECK_EQ(child_status(start(true, argv, fd)), 0);
	close(fd[1]);

	/* The last reference to the socket was the region's. */
	pid = start(false, argv, fd);
	recv(fd[1], &c, 1, 0);
	CHECK_EQ(waitpid(pid, NULL, WNOHANG), 0);
	kill(pid, SIGKILL);
	child_status(pid);
	close(fd[1]);
	return 0;
}
