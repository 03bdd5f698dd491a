/* SPDX-License-Identifier: GPL-2.0 */
/* What 'info' knows, for 'doctor'. */
#ifndef INFO_H
#define INFO_H

#include "tool.h"

/* UNIFIED_IO_FEAT_@bit, and how to get it. */
struct feature {
	__u64 bit;
	const char *name;
	const char *what;
	const char *how;
};

extern const struct feature features[];
extern const size_t nr_features;

#endif /* INFO_H */
