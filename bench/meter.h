/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Time, CPU time and context switches of the guest and of the process between two points; with
 * BENCH_COUNT in the environment, also the process's system calls, the counting of which costs time.
 */
#ifndef BENCH_METER_H
#define BENCH_METER_H

struct meter {
	double	seconds;
	double	guest_cpu;	/* user, nice, system, irq and softirq of all processors, seconds */
	double	cpu;		/* of this process alone, seconds */
	double	guest_switches;
	double	switches;	/* of this process alone */
	double	calls;		/* ditto; 0 when not counted */
};

void meter_start(struct meter *m);
void meter_stop(struct meter *m);
/* The members of a JSON object, without its braces. */
void meter_print(const struct meter *m);

#endif
