// SPDX-License-Identifier: GPL-2.0
/* Messages, numbers, JSON. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tool.h"

const char *tool_name = "unified-io";

static void message(const char *format, va_list args)
{
	fflush(stdout);
	fprintf(stderr, "%s: ", tool_name);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

void warn(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	message(format, args);
	va_end(args);
}

void die(int status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	message(format, args);
	va_end(args);
	exit(status);
}

int must(enum unified_io_call call, int ret, const char *what)
{
	const char *error, *hint;

	if (ret >= 0)
		return ret;
	error = strerror(-ret);
	hint = unified_io_hint(call, ret);
	die(call == UNIFIED_IO_CALL_OPEN ? EXIT_DEVICE : EXIT_FAILED, "%s: %s%s%s", what, error,
	    strcmp(hint, error) ? ": " : "", strcmp(hint, error) ? hint : "");
}

/* The letters of the options, as getopt() wants them. */
static const char *letters(const struct option *options)
{
	static char text[2 * 26 * 2 + 1];
	size_t at = 0;

	for (; options->name && at + 2 < sizeof(text); options++) {
		if (options->val > 'z')
			continue;
		text[at++] = (char)options->val;
		if (options->has_arg)
			text[at++] = ':';
	}
	text[at] = '\0';
	return text;
}

int next_option(int argc, char **argv, const struct option *options, const char *help)
{
	int c = getopt_long(argc, argv, letters(options), options, NULL);

	switch (c) {
	case 'h':
		fputs(help, stdout);
		exit(EXIT_OK);
	case 'V':
		puts("unified-io " VERSION);
		exit(EXIT_OK);
	case '?':
		fprintf(stderr, "Try '%s --help'.\n", tool_name);
		exit(EXIT_USAGE);
	}
	return c;
}

/* The power of two that a suffix stands for, or -1. */
static int suffix_shift(const char *suffix)
{
	static const char letters[] = "KMGT";
	const char *at;

	if (!*suffix)
		return 0;
	at = strchr(letters, *suffix & ~0x20);
	if (!at || !*at)
		return -1;
	if (suffix[1] && strcmp(suffix + 1, "B") && strcmp(suffix + 1, "iB"))
		return -1;
	return 10 * (int)(at - letters + 1);
}

int parse_size(const char *text, uint64_t *size)
{
	unsigned long long number;
	char *end;
	int shift;

	errno = 0;
	number = strtoull(text, &end, 0);
	shift = suffix_shift(end);
	if (end == text || *text == '-' || shift < 0)
		return -EINVAL;
	if (errno || number > UINT64_MAX >> shift)
		return -ERANGE;
	*size = number << shift;
	return 0;
}

uint64_t size_arg(const char *name, const char *text, uint64_t min, uint64_t max)
{
	uint64_t size;

	if (parse_size(text, &size) == -EINVAL)
		die(EXIT_USAGE, "%s '%s': want a number such as 4096, 4K, 1M or 2G", name, text);
	if (parse_size(text, &size) || size < min || size > max)
		die(EXIT_USAGE, "%s '%s': want %llu to %llu", name, text, (unsigned long long)min,
		    (unsigned long long)max);
	return size;
}

double seconds_arg(const char *name, const char *text)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || *end || !(seconds >= 0.001 && seconds <= 86400))
		die(EXIT_USAGE, "%s '%s': want seconds, 0.001 to 86400", name, text);
	return seconds;
}

void pause_for(double seconds)
{
	struct timespec left = { .tv_sec = seconds };

	left.tv_nsec = (seconds - left.tv_sec) * 1e9;
	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

double uptime(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

const char *show_size(uint64_t bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };
	static char buffers[4][16];
	static unsigned int next;
	char *buffer = buffers[next++ % ARRAY_SIZE(buffers)];
	double value = bytes;
	size_t unit = 0;

	for (; value >= 1024 && unit < ARRAY_SIZE(units) - 1; value /= 1024)
		unit++;
	snprintf(buffer, sizeof(buffers[0]), unit && value != (uint64_t)value ? "%.1f %s" : "%.0f %s",
		 value, units[unit]);
	return buffer;
}

void print_json(struct json_object *object)
{
	puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY |
					    JSON_C_TO_STRING_SPACED |
					    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
}

void json_add_u64(struct json_object *object, const char *name, uint64_t value)
{
	json_object_object_add(object, name, json_object_new_uint64(value));
}

void json_add_string(struct json_object *object, const char *name, const char *value)
{
	json_object_object_add(object, name, json_object_new_string(value));
}

void json_add_bool(struct json_object *object, const char *name, bool value)
{
	json_object_object_add(object, name, json_object_new_boolean(value));
}
