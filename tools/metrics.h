/* SPDX-License-Identifier: GPL-2.0 */
#ifndef METRICS_H
#define METRICS_H

#include <stdio.h>

#include "latency.h"
#include "regions.h"

/* The regions as Prometheus reads them, text format 0.0.4. @trace may be NULL: no latencies. */
void metrics_write(FILE *out, const struct regions *regions, const struct latency_trace *trace);

#endif /* METRICS_H */
