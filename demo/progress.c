// SPDX-License-Identifier: GPL-2.0
/* A progress bar, or lines where nobody watches. */
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "common.h"

#define BAR_WIDTH 24

static struct {
	bool bar;
	uint64_t expect;
	uint64_t next;		/* without a bar: show when so much is done */
	double begun;		/* when the first byte was seen; 0: not yet */
	double last;		/* when bytes were seen to have come */
	uint64_t bytes;
} progress;

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

void progress_begin(const struct options *options)
{
	progress.bar = options->bar;
	progress.expect = options->expect;
	progress.next = 0;
	progress.begun = 0;
	progress.bytes = 0;
	setvbuf(stdout, NULL, _IOLBF, 0);
}

static void put_bar(unsigned int percent)
{
	char bar[BAR_WIDTH + 1];
	unsigned int i;

	for (i = 0; i < BAR_WIDTH; i++)
		bar[i] = i * 100 < percent * BAR_WIDTH ? '#' : '.';
	bar[BAR_WIDTH] = 0;
	printf("\r\033[K[%s] ", bar);
}

/* Is it time for another line? At each tenth, or at each 32 MiB if the whole is not known. */
static bool due(uint64_t bytes)
{
	uint64_t step = progress.expect ? progress.expect / 10 : 32 << 20;

	if (progress.bar)
		return true;
	if (bytes < progress.next)
		return false;
	progress.next = bytes - bytes % step + step;
	return true;
}

void progress_show(uint64_t bytes, const char *format, ...)
{
	unsigned int percent = progress.expect ? bytes * 100 / progress.expect : 0;
	double seconds;
	va_list args;

	if (bytes != progress.bytes)
		progress.last = now();
	if (!progress.begun && bytes)
		progress.begun = now();
	progress.bytes = bytes;
	if (!progress.begun || !due(bytes))
		return;
	seconds = now() - progress.begun;
	if (progress.bar && progress.expect)
		put_bar(percent);
	else if (progress.bar)
		fputs("\r\033[K", stdout);
	if (progress.expect)
		printf("%3u%% ", percent);
	if (seconds > 0.1)
		printf("%.1f MiB/s (emulated), ", MIB(bytes) / seconds);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	if (progress.bar)
		fflush(stdout);
	else
		putchar('\n');
}

double progress_end(void)
{
	if (progress.bar)
		putchar('\n');
	return progress.last - progress.begun;
}
