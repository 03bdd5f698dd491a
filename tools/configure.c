// SPDX-License-Identifier: GPL-2.0
/* The NIC of a pipe is made fit for zero-copy receive, and what it was when the pipe ends. */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "pipe.h"
#include "unified_io_zcrx.h"

static struct unified_io_zcrx_config *config;

static void say_lines(char *text)
{
	char *line;

	while ((line = strsep(&text, "\n")))
		if (*line)
			warn("  %s", line);
}

int configure_undo(void)
{
	struct unified_io_zcrx_config *undo = config;
	char text[1024];
	int err;

	hold_signals(NULL);
	config = NULL;
	if (!undo)
		return 0;
	err = unified_io_zcrx_undo(undo, text, sizeof(text));
	if (err)
		warn("the NIC is not all that it was before:");
	say_lines(text);
	return err;
}

static void undo_at_exit(void)
{
	configure_undo();
}

/* Of the listener, which may have been given by name. */
static uint16_t port_of(int fd)
{
	struct sockaddr_in6 name = { 0 };
	socklen_t len = sizeof(name);

	/* both families have it at the same place */
	return getsockname(fd, (void *)&name, &len) ? 0 : ntohs(name.sin6_port);
}

void configure(struct pipe *pipe)
{
	const struct address *source = &pipe->source;
	char text[1024];
	int err;

	if (!source->configure)
		return;
	err = unified_io_zcrx_configure(&config, source->path, source->queue,
					port_of(pipe->source_fd), text, sizeof(text));
	if (err) {
		config = NULL;
		warn("%s: cannot configure the interface:", source->text);
		say_lines(text);
		die(err == -EPERM || err == -EOPNOTSUPP ? EXIT_DEVICE : EXIT_FAILED, "%s: %s",
		    source->text, strerror(-err));
	}
	atexit(undo_at_exit);
}
