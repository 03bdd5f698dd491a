/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the BPF programs take for a line of the log; loggen.c makes them.
 *
 *   2026-03-14T09:26:53.589793Z INFO  10.7.0.21 web-03 perlop[1093]: message
 *   0                          27     34
 *
 * A line with a head has at least HEAD_LEN bytes, and blanks around its level.
 * Everything else (the lines of a stack trace, empty lines) goes by unchanged.
 * In the words of demo/expect, which does the same with grep and sed.
 */
#ifndef LINES_H
#define LINES_H

#define LEVEL_AT	28	/* five bytes, blanks around them */
#define ADDRESS_AT	34	/* digits and dots, up to a blank */
#define HEAD_LEN	50

/* A level, or the tag that takes its place, as a number: compared at once. */
#define LEVEL(a, b, c, d)	((__u32)(a) | (b) << 8 | (c) << 16 | (__u32)(d) << 24)
#define LEVEL_DEBUG		LEVEL('D', 'E', 'B', 'U')
#define LEVEL_INFO		LEVEL('I', 'N', 'F', 'O')
#define LEVEL_WARN		LEVEL('W', 'A', 'R', 'N')
#define LEVEL_ERROR		LEVEL('E', 'R', 'R', 'O')
#define LEVEL_TAG		LEVEL('p', 'r', 'i', '=')

#endif /* LINES_H */
