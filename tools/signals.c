// SPDX-License-Identifier: GPL-2.0
/*
 * Signals of a pipe. The first is read, and ends the source; what has been accepted is
 * stored. The next ends the program, which may wait for a peer that never answers.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "pipe.h"

/* timeout(1) signals the process and then its group, and means one signal. */
#define SAME_US		50000

static sigset_t caught;

static void choose_signals(void)
{
	struct sigaction hangup;

	sigemptyset(&caught);
	sigaddset(&caught, SIGINT);
	sigaddset(&caught, SIGTERM);
	sigaddset(&caught, SIGQUIT);
	/* nohup ignores it, and means it */
	if (!sigaction(SIGHUP, NULL, &hangup) && hangup.sa_handler != SIG_IGN)
		sigaddset(&caught, SIGHUP);
}

void catch_signals(struct pipe *pipe)
{
	choose_signals();
	sigprocmask(SIG_BLOCK, &caught, NULL);
	signal(SIGPIPE, SIG_IGN);
	pipe->signal_fd = signalfd(-1, &caught, SFD_CLOEXEC | SFD_NONBLOCK);
	if (pipe->signal_fd < 0)
		die(EXIT_FAILED, "signalfd: %s", strerror(errno));
}

/* The NIC is made what it was. We are in a system call when this comes, or nearly always. */
static void leave(int nr)
{
	exit(128 + nr);
}

/* Also of those that a shell had ignored, for a job in the background. */
static void let_next_end(const struct pipe *pipe)
{
	struct sigaction next = { .sa_handler = pipe->source.configure ? leave : SIG_DFL };
	int nr;

	sigfillset(&next.sa_mask);
	for (nr = 1; nr < NSIG; nr++)
		if (sigismember(&caught, nr) == 1)
			sigaction(nr, &next, NULL);
	sigprocmask(SIG_UNBLOCK, &caught, NULL);
}

bool take_signal(struct pipe *pipe)
{
	struct signalfd_siginfo info;

	if (read(pipe->signal_fd, &info, sizeof(info)) != sizeof(info))
		return false;
	usleep(SAME_US);
	while (read(pipe->signal_fd, &info, sizeof(info)) == sizeof(info))
		;
	pipe->stopped = true;
	let_next_end(pipe);
	return true;
}

void hold_signals(sigset_t *before)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, before);
}
