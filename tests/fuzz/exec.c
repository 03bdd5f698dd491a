// SPDX-License-Identifier: GPL-2.0
/*
 * One program, in a child with a process group of its own. The child's main
 * thread hands call after call to its workers, which make them side by side where
 * a call does not return in time, or the program says not to wait. A call
 * 'fork' makes a process that runs the calls after it instead of this one.
 *
 * At the end the group is killed. That it then ends, soon, is the first thing
 * that the kernel has to do right.
 */
#include "fuzz.h"

#include <sched.h>
#include <semaphore.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define CALL_NS		(10 * 1000000ULL)	/* how long a call is waited for */
#define PROG_NS		(2 * NSEC_PER_SEC)	/* then the program is killed */
#define EXIT_NS		(20 * NSEC_PER_SEC)	/* then it has to be dead */

struct worker {
	sem_t go, done;
	bool started;
	const struct call *call;	/* in the program, so that call_fork() sees the calls after it */
};

unsigned int slow = 1;
const struct prog *running;

static struct worker workers[NR_WORKERS];
static unsigned int *nr_forks;		/* shared with the program's processes */
static pid_t forks[NR_FORKS];
static bool forked;
static int journal = -1;

void exec_init(int fd)
{
	const char *factor = getenv("SLOW");

	slow = factor ? atoi(factor) : 1;
	journal = fd;
	nr_forks = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(nr_forks != MAP_FAILED);
	/* The processes of a program that outlive the first one come to us. */
	CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
}

/* the child */

static void make_call(const struct call *c, unsigned int trace)
{
	if (c->op < nr_call_types)
		call_types[c->op].run(c->arg);
	cover_call_end(trace);
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;

	cover_enable(w - workers);
	for (;;) {
		if (sem_wait(&w->go))
			continue;
		make_call(w->call, w - workers);
		sem_post(&w->done);
	}
	return NULL;
}

static void worker_start(struct worker *w)
{
	pthread_t thread;

	sem_init(&w->go, 0, 0);
	sem_init(&w->done, 0, 1);
	CHECK(pthread_create(&thread, NULL, worker_main, w) == 0);
	w->started = true;
}

/* Until the worker has nothing to do; false if that takes too long. */
static bool worker_wait(struct worker *w)
{
	uint64_t end = now_ns() + CALL_NS * slow;
	struct timespec until = { .tv_sec = end / NSEC_PER_SEC, .tv_nsec = end % NSEC_PER_SEC };
	int ret;

	while ((ret = sem_clockwait(&w->done, CLOCK_MONOTONIC, &until)) && errno == EINTR)
		;
	return ret == 0;
}

/* The worker that the call names, or another if that is still in an earlier call; NULL if all are. */
static struct worker *idle_worker(unsigned int first)
{
	for (unsigned int i = 0; i < NR_WORKERS; i++) {
		struct worker *w = &workers[(first + i) % NR_WORKERS];

		if (!w->started)
			worker_start(w);
		if (sem_trywait(&w->done) == 0)
			return w;
	}
	return worker_wait(&workers[first]) ? &workers[first] : NULL;
}

static bool dispatch(const struct call *c)
{
	struct worker *w = idle_worker((c->who & ~WHO_ASYNC) % NR_WORKERS);

	if (!w)
		return false;
	w->call = c;
	sem_post(&w->go);
	if (!(c->who & WHO_ASYNC) && worker_wait(w))
		sem_post(&w->done);
	return true;
}

static bool is_fork(const struct call *c)
{
	return c->op < nr_call_types && call_types[c->op].run == call_fork;
}

/* How many calls after a 'fork' are the new process's. */
static unsigned int fork_calls(const struct call *c)
{
	unsigned int nr = 1 + c->arg[0] % 4, left = running->call + running->nr - c - 1;

	return nr < left ? nr : left;
}

static void run_forked(const struct call *c)
{
	unsigned int slot = __atomic_fetch_add(nr_forks, 1, __ATOMIC_RELAXED), nr = fork_calls(c);

	if (slot >= NR_FORKS)
		_exit(0);
	forked = true;
	cover_enable(NR_WORKERS + slot);
	for (unsigned int i = 1; i <= nr; i++)
		make_call(&c[i], NR_WORKERS + slot);
	if (c->arg[1] & 1)
		pause();		/* to be killed, with all that it holds */
	_exit(0);
}

/* The argument is in the program: what follows it there is for the new process. */
void call_fork(const uint8_t *arg)
{
	const struct call *c = (const void *)(arg - offsetof(struct call, arg));
	pid_t pid;

	if (forked)
		return;
	pid = fork();
	if (!pid)
		run_forked(c);
	if (pid > 0)
		forks[c->arg[2] % NR_FORKS] = pid;
}

void call_kill(const uint8_t *arg)
{
	pid_t pid = forks[arg[0] % NR_FORKS];

	if (arg[1] > 224)
		kill(0, SIGKILL);	/* all of the program */
	else if (pid > 0)
		kill(pid, SIGKILL);
}

static void child(const struct prog *p)
{
	setpgid(0, 0);
	signal(SIGPIPE, SIG_IGN);
	dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);	/* a call that a program has made impossible */
	world_init();
	for (unsigned int i = 0; i < p->nr; i++) {
		if (!dispatch(&p->call[i]))
			break;
		if (is_fork(&p->call[i]))
			i += fork_calls(&p->call[i]);
	}
	for (int i = 0; i < NR_WORKERS; i++)
		if (workers[i].started && !worker_wait(&workers[i]))
			break;
	world_check();
	_exit(0);
}

/* the parent */

static void write_journal(const struct prog *p)
{
	char text[PROG_TEXT];
	int len = prog_format(text, sizeof(text), p);

	if (journal >= 0)
		CHECK_EQ(write(journal, text, len), len);
}

static void wait_end(pid_t pid)
{
	int fd = syscall(SYS_pidfd_open, pid, 0);
	struct pollfd ready = { .fd = fd, .events = POLLIN };

	CHECK(fd >= 0);
	poll(&ready, 1, PROG_NS / 1000000 * slow);
	close(fd);
}

/* Every process of the program is gone. */
static void reap_all(void)
{
	uint64_t end = now_ns() + EXIT_NS * slow;
	pid_t pid;

	while ((pid = waitpid(-1, NULL, WNOHANG)) >= 0) {
		if (pid > 0)
			continue;
		if (now_ns() > end) {
			finding("a process of the program cannot be killed");
			printf("this cannot be mended: the end\n");
			exit(1);
		}
		usleep(500);
	}
}

void exec_prog(const struct prog *p)
{
	pid_t pid;

	running = p;
	write_journal(p);
	*nr_forks = 0;
	cover_reset();
	bpf_calls_reset();
	drive_restore();
	fflush(NULL);
	pid = fork();
	CHECK(pid >= 0);
	if (!pid)
		child(p);
	setpgid(pid, pid);
	wait_end(pid);
	kill(-pid, SIGKILL);
	reap_all();
	watch_complaint();
	watch_log();
}
