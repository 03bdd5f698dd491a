// SPDX-License-Identifier: GPL-2.0
/* Options, region, socket. */
#include <err.h>
#include <fcntl.h>
#include <getopt.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common.h"

static const struct option long_options[] = {
	{ "address", required_argument, NULL, 'a' },
	{ "port", required_argument, NULL, 'p' },
	{ "region", required_argument, NULL, 'r' },
	{ "buffer", required_argument, NULL, 'b' },
	{ "expect", required_argument, NULL, 'e' },
	{ "bar", no_argument, NULL, 'B' },
	{ "help", no_argument, NULL, 'h' },
	{ }
};

static void usage(const char *program, int status)
{
	fprintf(status ? stderr : stdout,
		"usage: %s [OPTION]... DRIVE\n"
		"  -a, --address=ADDRESS  to listen on (any)\n"
		"  -p, --port=PORT        (9000)\n"
		"  -r, --region=MIB       size of the region (64)\n"
		"  -b, --buffer=KIB       size of a buffer (128)\n"
		"  -e, --expect=BYTES     how much will come: gives the progress a measure\n"
		"  -B, --bar              draw a bar even if stdout is no terminal\n",
		program);
	exit(status);
}

void parse_options(struct options *options, int argc, char **argv)
{
	int c;

	*options = (struct options) {
		.port = "9000",
		.region = 64ULL << 20,
		.buffer = 128U << 10,
		.bar = isatty(STDOUT_FILENO),
	};
	while ((c = getopt_long(argc, argv, "a:p:r:b:e:Bh", long_options, NULL)) != -1) {
		switch (c) {
		case 'a':
			options->address = optarg;
			break;
		case 'p':
			options->port = optarg;
			break;
		case 'r':
			options->region = strtoull(optarg, NULL, 0) << 20;
			break;
		case 'b':
			options->buffer = strtoul(optarg, NULL, 0) << 10;
			break;
		case 'e':
			options->expect = strtoull(optarg, NULL, 0);
			break;
		case 'B':
			options->bar = true;
			break;
		default:
			usage(argv[0], c == 'h' ? 0 : 2);
		}
	}
	if (optind != argc - 1 || !options->buffer)
		usage(argv[0], 2);
	options->drive = argv[optind];
}

int must(enum unified_io_call call, int ret, const char *what)
{
	if (ret < 0)
		errx(1, "%s: %s (%s)", what, strerror(-ret), unified_io_hint(call, ret));
	return ret;
}

void open_region(struct unified_io *io, const struct options *options)
{
	struct unified_io_setup setup;

	unified_io_defaults(&setup);
	setup.region_size = options->region;
	setup.nvme_fd = open(options->drive, O_RDWR | O_CLOEXEC);
	if (setup.nvme_fd < 0)
		err(1, "%s", options->drive);
	must(UNIFIED_IO_CALL_OPEN, unified_io_open(io, &setup), "setup");
	close(setup.nvme_fd);
}

void get_info(const struct unified_io *io, struct unified_io_info *info)
{
	must(UNIFIED_IO_CALL_OPEN, unified_io_get_info(io, info), "get info");
}

static int listen_on(const struct options *options)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE }, *address;
	int one = 1, fd, ret = getaddrinfo(options->address, options->port, &hints, &address);

	if (ret)
		errx(1, "%s: %s", options->port, gai_strerror(ret));
	fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(fd, address->ai_addr, address->ai_addrlen) || listen(fd, 1))
		err(1, "listen on port %s", options->port);
	freeaddrinfo(address);
	return fd;
}

int accept_client(struct unified_io *io, const struct options *options)
{
	int listener = listen_on(options), fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC), slot;

	if (fd < 0)
		err(1, "accept");
	slot = must(UNIFIED_IO_CALL_SOCKET, unified_io_attach_socket(io, fd), "attach the socket");
	close(fd);
	close(listener);
	return slot;
}
