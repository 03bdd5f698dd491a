// SPDX-License-Identifier: GPL-2.0
/* The ends of a pipe, and its region. */
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "drive.h"
#include "intake.h"
#include "pipe.h"

static struct addrinfo *resolve(const struct address *address)
{
	struct addrinfo hints = {
		.ai_socktype = address->kind == ADDRESS_UDP_LISTEN ? SOCK_DGRAM : SOCK_STREAM,
		.ai_flags = address->kind == ADDRESS_TCP ? 0 : AI_PASSIVE,
	}, *found;
	int ret = getaddrinfo(address->host, address->port, &hints, &found);

	if (ret)
		die(EXIT_FAILED, "%s: %s", address->text, gai_strerror(ret));
	return found;
}

static int bind_to(const struct addrinfo *at)
{
	int fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, 0), one = 1, zero = 0, err;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
	if (!bind(fd, at->ai_addr, at->ai_addrlen))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

/* Without a host IPv6's any address comes first: it is IPv4's as well, if the machine has IPv6. */
static int bound(const struct address *address)
{
	struct addrinfo *list = resolve(address), *at;
	int fd = -EAFNOSUPPORT, family;

	for (family = 0; family < 2 && fd < 0; family++)
		for (at = list; at && fd < 0; at = at->ai_next)
			if ((at->ai_family == AF_INET6) == !family)
				fd = bind_to(at);
	freeaddrinfo(list);
	if (fd < 0)
		die(EXIT_FAILED, "%s: %s%s", address->text, strerror(-fd),
		    fd == -EADDRINUSE ? ": see ss -ltnup for who has the port" : "");
	return fd;
}

static int listen_on(const struct address *address)
{
	int fd;

	if (!is_listener(address) && address->kind != ADDRESS_UDP_LISTEN)
		return -1;
	fd = bound(address);
	if (address->kind == ADDRESS_TCP_LISTEN && listen(fd, 1))
		die(EXIT_FAILED, "%s: %s", address->text, strerror(errno));
	return fd;
}

static int open_file(const struct address *address, bool write)
{
	int fd;

	if (address->kind == ADDRESS_STDIO)
		return write ? STDOUT_FILENO : STDIN_FILENO;
	if (address->kind != ADDRESS_FILE)
		return -1;
	fd = open(address->path, write ? O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC :
		  O_RDONLY | O_CLOEXEC, 0666);
	if (fd < 0)
		die(EXIT_FAILED, "%s: %s", address->path, strerror(errno));
	return fd;
}

void open_listeners(struct pipe *pipe)
{
	pipe->source_fd = listen_on(&pipe->source);
	pipe->sink_fd = listen_on(&pipe->sink);
	if (is_file(&pipe->source))
		pipe->source_fd = open_file(&pipe->source, false);
	if (is_file(&pipe->sink))
		pipe->sink_fd = open_file(&pipe->sink, true);
}

/* Where the sink's log begins, or goes on. */
static void begin_log(struct pipe *pipe, const struct drive *drive)
{
	struct address *sink = &pipe->sink;

	pipe->tail = (struct log_cursor) { .any = true };
	if (sink->append)
		pipe->tail = drive_append(drive, sink, pipe->options.force);
	if (pipe->tail.any && !pipe->options.force)
		drive_refuse(drive, sink);
	else if (pipe->tail.any)
		drive_wipe(drive, sink->offset, pipe->log_end);
	if (pipe->tail.any) {
		pipe->tail = (struct log_cursor) { };
		if (getrandom(&pipe->tail.log_id, sizeof(pipe->tail.log_id), 0) < 0)
			die(EXIT_FAILED, "getrandom: %s", strerror(errno));
	}
	pipe->tail.at += sink->offset;
	pipe->log_id = pipe->tail.log_id;
}

static void open_sink_drive(struct pipe *pipe, const struct address *sink)
{
	struct drive drive;

	drive_open(&drive, sink->path, true);
	pipe->drive_fd = drive.fd;
	pipe->lba_size = drive.lba_size;
	pipe->log_end = sink->len ? sink->offset + sink->len : drive.size;
	pipe->log_end -= pipe->log_end % drive.lba_size;
	pipe->tail.at = sink->offset;
	if (sink->offset % drive.lba_size || pipe->log_end > drive.size || !has_room(pipe))
		die(EXIT_USAGE, "%s: offset has to be a multiple of %u, len at least that, and both within %llu bytes",
		    sink->text, drive.lba_size, (unsigned long long)drive.size);
	begin_log(pipe, &drive);
	if (!has_room(pipe))
		die(EXIT_REFUSED, "%s: %s", sink->text, LOG_FULL);
}

/* The log's id, which its first record tells, is what the program checks the others by. */
static void open_source_drive(struct pipe *pipe, const struct address *source)
{
	struct drive drive;
	struct log_reader *reader;

	drive_open(&drive, source->path, false);
	pipe->drive_fd = drive.fd;
	pipe->lba_size = drive.lba_size;
	reader = log_open(source->path, source->offset, source->len);
	if (!log_next_header(reader))
		die(EXIT_INVALID, "%s: no log there: %s", source->text, log_why(reader));
	pipe->log_id = log_cursor(reader)->log_id;
	log_close(reader);
	pipe->reader = log_open(source->path, source->offset, source->len);
}

void open_drive(struct pipe *pipe)
{
	pipe->drive_fd = -1;
	if (pipe->sink.kind == ADDRESS_DRIVE)
		open_sink_drive(pipe, &pipe->sink);
	else if (pipe->source.kind == ADDRESS_DRIVE)
		open_source_drive(pipe, &pipe->source);
}

static uint32_t power_of_two(uint32_t at_least)
{
	uint32_t value = 1;

	while (value < at_least)
		value *= 2;
	return value;
}

void open_region(struct pipe *pipe)
{
	struct pipe_options *options = &pipe->options;
	uint64_t buffers = (uint64_t)options->depth * options->batch;
	struct unified_io_setup setup;

	if (is_nic(&pipe->source))
		buffers = intake_memory(pipe);
	unified_io_defaults(&setup);
	/* where the module receives into the area, in buffers of 64 KiB */
	if (is_nic(&pipe->source))
		setup.niov_entries = power_of_two(intake_area(pipe) >> 16);
	setup.sq_entries = power_of_two(options->depth);
	setup.cq_entries = 2 * power_of_two(options->depth + 2);
	/* there is more on its way than there are buffers */
	if (is_nic(&pipe->source)) {
		setup.sq_entries = setup.sq_entries < MIN_SQ ? MIN_SQ : setup.sq_entries;
		setup.cq_entries = setup.cq_entries < MIN_CQ ? MIN_CQ : setup.cq_entries;
	}
	/* the rings, and then up to the border of a large page */
	setup.region_size = options->region ?: (buffers + (4ULL << 20)) & ~((2ULL << 20) - 1);
	setup.nvme_fd = pipe->drive_fd;
	if (options->small_pages)
		setup.flags |= UNIFIED_IO_SETUP_SMALL_PAGES;
	if (options->numa_node >= 0) {
		setup.flags |= UNIFIED_IO_SETUP_NUMA_NODE;
		setup.numa_node = options->numa_node;
	}
	must(UNIFIED_IO_CALL_OPEN, unified_io_open(&pipe->io, &setup), "the region");
	if (pipe->io.data_size < buffers)
		die(EXIT_USAGE, "--region %s has no room for %u buffers of %s: make it larger, or give --depth",
		    show_size(setup.region_size), options->depth, show_size(options->batch));
}

/* False if a signal came before a peer. One that is there has sent what TCP has acknowledged for us. */
static bool wait_peer(const struct pipe *pipe, int listener)
{
	struct pollfd fds[] = {
		{ .fd = listener, .events = POLLIN },
		{ .fd = pipe->signal_fd, .events = POLLIN },
	};

	while (poll(fds, 2, -1) < 0 && errno == EINTR)
		;
	return fds[0].revents;
}

static bool accept_peer(const struct pipe *pipe, const struct address *address, int *fd)
{
	int listener = *fd;

	if (!wait_peer(pipe, listener))
		return false;
	*fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (*fd < 0)
		die(EXIT_FAILED, "%s: %s", address->text, strerror(errno));
	close(listener);
	return true;
}

static int connect_to(const struct address *address)
{
	struct addrinfo *list = resolve(address), *at;
	int fd = -1;

	for (at = list; at && fd < 0; at = at->ai_next) {
		fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, 0);
		if (fd < 0 || !connect(fd, at->ai_addr, at->ai_addrlen))
			continue;
		close(fd);
		fd = -1;
	}
	freeaddrinfo(list);
	if (fd < 0)
		die(EXIT_FAILED, "%s: %s%s", address->text, strerror(errno),
		    errno == ECONNREFUSED ? ": nobody listens there" : "");
	return fd;
}

static bool open_peer(struct pipe *pipe, const struct address *address, int *fd, int *slot)
{
	int one = 1;

	*slot = -1;
	if (is_listener(address) && !accept_peer(pipe, address, fd))
		return false;
	if (!is_socket(address))
		return true;
	if (address->kind == ADDRESS_TCP)
		*fd = connect_to(address);
	setsockopt(*fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	/* A peer that is gone without a word ends the pipe, too. */
	setsockopt(*fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	*slot = must(UNIFIED_IO_CALL_SOCKET, unified_io_attach_socket(&pipe->io, *fd),
		     address->text);
	return true;
}

bool open_peers(struct pipe *pipe)
{
	return open_peer(pipe, &pipe->sink, &pipe->sink_fd, &pipe->sink_slot) &&
	       open_peer(pipe, &pipe->source, &pipe->source_fd, &pipe->source_slot);
}
