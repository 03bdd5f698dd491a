/* SPDX-License-Identifier: GPL-2.0 */
/* What the filter counts; the pipeline reads it through the BPF skeleton. */
#ifndef FILTER_H
#define FILTER_H

struct filter_stats {
	__u64 kept_lines;
	__u64 dropped_lines;
	__u64 dropped_bytes;
};

#endif /* FILTER_H */
