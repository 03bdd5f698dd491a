// SPDX-License-Identifier: GPL-2.0
/* unified-io top: what the regions of this machine do, again and again. */
#include <curses.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rates.h"

#define FIRST_LOOK	0.2	/* seconds until there is something to show */
#define CTRL_C		3	/* a key like others: the terminal is raw */

static const char help[] =
	"usage: unified-io top [OPTION]... [REGION]\n\n"
	"Shows what every region, or REGION, does: operations and bytes per second of each stage,\n"
	"what is copied, how long it takes, how much is in flight. Keys: q quits, the arrows\n"
	"scroll, space shows at once. Needs root.\n\n"
	"  -i, --interval=SECONDS  between two looks; 1 by default\n"
	"  -b, --batch=NUMBER      no screen: so many tables to standard output\n"
	"      --no-latency        without how long: operations are not traced\n"
	"  -h, --help              this text\n";

struct options {
	uint32_t region;
	double interval;
	uint64_t batch;
	bool no_latency;
};

struct top {
	const struct options *options;
	struct latency_trace *trace;
	char note[128];		/* why there are no latencies, or "" */
	struct reading before, now;
	int first;		/* line on top of the screen */
};

/* Returns 0 or -errno: the module may have gone. */
static int look(struct top *top)
{
	reading_free(&top->before);
	top->before = top->now;
	return reading_take(&top->now, top->options->region, top->trace);
}

static void batch(struct top *top)
{
	uint64_t i;
	int err;

	if (*top->note)
		warn("%s", top->note);
	for (i = 0; i < top->options->batch; i++) {
		pause_for(top->options->interval);
		err = look(top);
		if (err)
			die(EXIT_DEVICE, "%s", regions_hint(err));
		rates_print(stdout, &top->before, &top->now);
		fflush(stdout);
	}
}

static char *table(const struct top *top, int err)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	fprintf(out, "unified-io top: %zu regions, every %g s; q quits. %s\n\n", top->now.regions.nr,
		top->options->interval, top->note);
	if (err)
		fprintf(out, "%s\n", regions_hint(err));
	else
		rates_print(out, &top->before, &top->now);
	fclose(out);
	return text;
}

/* The text from line @first on, as far as the screen goes. */
static void draw(const char *text, int first)
{
	const char *line, *end;
	int y = -first;

	erase();
	for (line = text; *line; line = end + (*end == '\n')) {
		end = strchrnul(line, '\n');
		if (y >= 0)
			mvaddnstr(y, 0, line, end - line);
		y++;
	}
	refresh();
}

static int lines_of(const char *text)
{
	int nr = 0;

	while ((text = strchr(text, '\n'))) {
		text++;
		nr++;
	}
	return nr;
}

/* Until the interval's end. Returns false if it is time to quit. */
static bool show(struct top *top, const char *text)
{
	double until = uptime() + top->options->interval, left;
	int last = lines_of(text) - 1;

	while ((left = until - uptime()) > 0) {
		if (top->first > last)
			top->first = last;
		draw(text, top->first);
		timeout((int)(left * 1000) + 1);
		switch (getch()) {
		case 'q':
		case 'Q':
		case CTRL_C:
			return false;
		case ' ':
			return true;
		case KEY_UP:
			top->first -= top->first > 0;
			break;
		case KEY_DOWN:
			top->first++;
			break;
		case ERR:
			if (until - uptime() > 0.01)	/* no timeout: the terminal is gone */
				return false;
		}
	}
	return true;
}

static void watch(struct top *top)
{
	SCREEN *screen = newterm(NULL, stdout, stdin);
	bool going = true;
	char *text;

	if (!screen)
		die(EXIT_FAILED, "the terminal '%s' is not known: set TERM, or use --batch",
		    getenv("TERM") ?: "");
	raw();
	noecho();
	keypad(stdscr, TRUE);
	curs_set(0);
	pause_for(FIRST_LOOK);
	while (going) {
		text = table(top, look(top));
		going = text && show(top, text);
		free(text);
	}
	endwin();
	delscreen(screen);
}

static void run(const struct options *options)
{
	struct top top = { .options = options };
	struct regions regions;

	regions_must_read(&regions, options->region);
	regions_free(&regions);
	if (!options->no_latency)
		top.trace = latency_open(options->region);
	if (!options->no_latency && !top.trace)
		snprintf(top.note, sizeof(top.note), "No latencies: %s.", latency_hint(errno));
	look(&top);
	if (options->batch)
		batch(&top);
	else
		watch(&top);
	reading_free(&top.before);
	reading_free(&top.now);
	latency_close(top.trace);
}

int top_main(int argc, char **argv)
{
	enum { NO_LATENCY = 256 };
	static const struct option known[] = {
		TOOL_OPTIONS,
		{ "interval", required_argument, NULL, 'i' },
		{ "batch", required_argument, NULL, 'b' },
		{ "no-latency", no_argument, NULL, NO_LATENCY },
		{ },
	};
	struct options options = { .interval = 1 };
	int c;

	while ((c = next_option(argc, argv, known, help)) != -1) {
		switch (c) {
		case 'i':
			options.interval = seconds_arg("--interval", optarg);
			break;
		case 'b':
			options.batch = size_arg("--batch", optarg, 1, UINT32_MAX);
			break;
		case NO_LATENCY:
			options.no_latency = true;
		}
	}
	options.region = region_arg(argc, argv);
	if (!options.batch && !(isatty(STDIN_FILENO) && isatty(STDOUT_FILENO)))
		die(EXIT_USAGE, "no terminal: use --batch; see --help");
	run(&options);
	return EXIT_OK;
}
