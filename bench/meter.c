// SPDX-License-Identifier: GPL-2.0
#include <err.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "meter.h"

static void read_guest(struct meter *m)
{
	double user, nice, system, irq, softirq;
	FILE *f = fopen("/proc/stat", "r");
	char line[4096];

	if (!f || fscanf(f, "cpu %lf %lf %lf %*f %*f %lf %lf", &user, &nice, &system, &irq, &softirq) != 5)
		err(1, "/proc/stat");
	m->guest_cpu = (user + nice + system + irq + softirq) / sysconf(_SC_CLK_TCK);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "ctxt %lf", &m->guest_switches) == 1)
			break;
	fclose(f);
}

static int open_counter(void)
{
	FILE *f = fopen("/sys/kernel/tracing/events/raw_syscalls/sys_enter/id", "r");
	struct perf_event_attr attr = { .type = PERF_TYPE_TRACEPOINT, .size = sizeof(attr) };
	int fd;

	if (!f || fscanf(f, "%llu", &attr.config) != 1)
		err(1, "tracefs");
	fclose(f);
	fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
	if (fd < 0)
		err(1, "perf_event_open");
	return fd;
}

static double count_calls(void)
{
	static int fd = -1;
	uint64_t calls;

	if (!getenv("BENCH_COUNT"))
		return 0;
	if (fd < 0)
		fd = open_counter();
	if (read(fd, &calls, sizeof(calls)) != sizeof(calls))
		err(1, "perf event");
	return calls;
}

static void read_all(struct meter *m)
{
	struct timespec ts;
	struct rusage ru;

	read_guest(m);
	getrusage(RUSAGE_SELF, &ru);
	m->cpu = ru.ru_utime.tv_sec + ru.ru_stime.tv_sec +
		 (ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6;
	m->switches = ru.ru_nvcsw + ru.ru_nivcsw;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	m->seconds = ts.tv_sec + ts.tv_nsec / 1e9;
}

void meter_start(struct meter *m)
{
	read_all(m);
	m->calls = count_calls();
}

void meter_stop(struct meter *m)
{
	struct meter then = *m;

	m->calls = count_calls();
	read_all(m);
	m->seconds -= then.seconds;
	m->guest_cpu -= then.guest_cpu;
	m->cpu -= then.cpu;
	m->guest_switches -= then.guest_switches;
	m->switches -= then.switches;
	m->calls -= then.calls;
}

void meter_print(const struct meter *m)
{
	printf("\"seconds\": %.6f, \"guest_cpu\": %.3f, \"cpu\": %.6f, \"guest_switches\": %.0f, \"switches\": %.0f, \"calls\": %.0f",
	       m->seconds, m->guest_cpu, m->cpu, m->guest_switches, m->switches,
	       m->calls);
}
