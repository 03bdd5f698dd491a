// SPDX-License-Identifier: GPL-2.0
#include <err.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common.h"

int check(enum unified_io_call call, const char *what, int ret)
{
	if (ret < 0)
		errx(1, "%s: %s (%s)", what, strerror(-ret), unified_io_hint(call, ret));
	return ret;
}

void open_region(struct unified_io *io, __u64 size, const char *path, int mode)
{
	struct unified_io_setup setup;

	unified_io_defaults(&setup);
	setup.region_size = size;
	setup.nvme_fd = open(path, mode);
	if (setup.nvme_fd < 0)
		err(1, "%s", path);
	check(UNIFIED_IO_CALL_OPEN, "region", unified_io_open(io, &setup));
	close(setup.nvme_fd);	/* the region keeps the file */
}

int listen_on(const char *port)
{
	struct addrinfo hints = {
		.ai_family = AF_INET6,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE,
	}, *addr;
	int fd, one = 1, ret;

	ret = getaddrinfo(NULL, port, &hints, &addr);
	if (ret)
		errx(1, "port %s: %s", port, gai_strerror(ret));
	fd = socket(addr->ai_family, addr->ai_socktype, 0);
	if (fd < 0)
		err(1, "socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, addr->ai_addr, addr->ai_addrlen) || listen(fd, SOMAXCONN))
		err(1, "port %s", port);
	freeaddrinfo(addr);
	return fd;
}

int accept_one(int listener)
{
	int fd = accept(listener, NULL, NULL), one = 1;

	if (fd < 0)
		err(1, "accept");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}
