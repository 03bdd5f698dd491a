/* SPDX-License-Identifier: GPL-2.0 */
/* What the subcommands of unified-io share. */
#ifndef TOOL_H
#define TOOL_H

#include <getopt.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "unified_io.h"

/* Exit statuses; the manual page lists them. */
enum {
	EXIT_OK,	/* done, or stopped by SIGINT or SIGTERM with all accepted data stored */
	EXIT_FAILED,	/* input, output or the kernel failed */
	EXIT_USAGE,	/* the command line is wrong */
	EXIT_REFUSED,	/* the drive holds something, is in use or full: --force, or another drive */
	EXIT_DEVICE,	/* no module, no rights, or a kernel that lacks something */
	EXIT_INVALID,	/* log: it is damaged, or ends without its last record */
	EXIT_COPIES,	/* doctor: all works, but not all without a copy */
};

/*
 * A subcommand. Gets its own name as argv[0]. Returns an exit status; may as well
 * end the program by die() and the like.
 */
struct subcommand {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;	/* one line of help */
};

int info_main(int argc, char **argv);
int pipe_main(int argc, char **argv);
int log_main(int argc, char **argv);
int doctor_main(int argc, char **argv);
int stat_main(int argc, char **argv);
int trace_main(int argc, char **argv);
int exporter_main(int argc, char **argv);
int top_main(int argc, char **argv);

/* "unified-io pipe": how messages begin; set by main(). */
extern const char *tool_name;

/* Say why, and end. */
void die(int status, const char *format, ...)
	__attribute__((format(printf, 2, 3), noreturn));
void warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Ends the program if @ret is a negative errno of the library, with its hint. Returns @ret. */
int must(enum unified_io_call call, int ret, const char *what);

/*
 * getopt_long() over @options, which begin with TOOL_OPTIONS. --help prints @help
 * and ends the program, so does an option that is wrong. Returns -1 at the end.
 */
#define TOOL_OPTIONS							\
	{ "help", no_argument, NULL, 'h' },				\
	{ "version", no_argument, NULL, 'V' }
int next_option(int argc, char **argv, const struct option *options, const char *help);

/* Numbers: 4096, 4K, 1M, 2GiB, 0x1000; powers of 1024. Return 0 or -EINVAL, -ERANGE. */
int parse_size(const char *text, uint64_t *size);
/* The argument of option or address part @name as a size from @min to @max, or the end. */
uint64_t size_arg(const char *name, const char *text, uint64_t min, uint64_t max);

/* The argument of option @name as seconds, such as 0.5: above 0, at most a day; or the end. */
double seconds_arg(const char *name, const char *text);
void pause_for(double seconds);
/* Seconds of CLOCK_BOOTTIME. */
double uptime(void);

/* "1.5 MiB", in one of a few static buffers. */
const char *show_size(uint64_t bytes);

/* How the module drives a drive: UNIFIED_IO_DEV_* in words. */
const char *device_kind(uint64_t kind);

/* Prints the object, and frees it. */
void print_json(struct json_object *object);
void json_add_u64(struct json_object *object, const char *name, uint64_t value);
void json_add_string(struct json_object *object, const char *name, const char *value);
void json_add_bool(struct json_object *object, const char *name, bool value);

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#endif /* TOOL_H */
