/* SPDX-License-Identifier: GPL-2.0 */
/* Time, CPU time of the whole guest and of the process, and context switches between two points. */
#ifndef BENCH_METER_H
#define BENCH_METER_H

struct meter {
	double	seconds;
	double	guest_cpu;	/* user, nice, system, irq and softirq of all processors, seconds */
	double	cpu;		/* of this process alone, seconds */
	double	guest_switches;
	double	switches;	/* of this process alone */
};

void meter_start(struct meter *m);
void meter_stop(struct meter *m);
/* The members of a JSON object, without its braces. */
void meter_print(const struct meter *m);

#endif
