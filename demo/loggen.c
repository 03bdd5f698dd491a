// SPDX-License-Identifier: GPL-2.0
/*
 * loggen SIZE <NAMES >LOG: a log of SIZE bytes or a little more, made from the
 * text of the files that stdin names, a line each. The same files in the same
 * order give the same log.
 *
 *   2026-03-14T09:26:53.589793Z INFO  10.7.0.21 web-03 perlop[1093]: message
 *
 * The level is five bytes wide, so it stands at a fixed place, as in the logs
 * of most loggers. The component is the file that the message comes from. One
 * message is one line of text, so some are empty; now and then one is a whole
 * passage of several KiB, seldom one of 8 to 128 KiB (more than the kernel
 * carries from one receive to the next). Stack traces stand below some errors:
 * lines of their own without a head. The last line has no newline.
 */
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static uint64_t random_state = 0x9e3779b97f4a7c15;

/* xorshift64*; reproducible, which is all that is asked of it */
static uint32_t below(uint32_t n)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (random_state * 0x2545f4914f6cdd1d >> 32) * n >> 32;
}

static const char *level(void)
{
	uint32_t percent = below(100);

	return percent < 45 ? "DEBUG" : percent < 85 ? "INFO " :
	       percent < 96 ? "WARN " : "ERROR";
}

/* stdout, in large pieces */
static char out[1 << 20];
static size_t out_len;
static uint64_t out_total;

static void flush(void)
{
	size_t done;
	ssize_t n;

	for (done = 0; done < out_len; done += n) {
		n = write(STDOUT_FILENO, out + done, out_len - done);
		if (n < 0)
			err(1, "stdout");
	}
	out_len = 0;
}

static void put(const char *text, size_t len)
{
	if (len > sizeof(out) - out_len)
		flush();
	memcpy(out + out_len, text, len);
	out_len += len;
	out_total += len;
}

static void put_string(const char *text)
{
	put(text, strlen(text));
}

/* @n in decimal, with @digits digits at least; printf takes five times as long. */
static void put_number(uint32_t n, int digits)
{
	char text[10], *p = text + sizeof(text);

	do {
		*--p = '0' + n % 10;
		n /= 10;
	} while (n || text + sizeof(text) - p < digits);
	put(p, text + sizeof(text) - p);
}

/* The part before the fraction changes once in a second: format it when it does. */
static void put_timestamp(void)
{
	static uint64_t usec = 1773480413ULL * 1000000;
	static time_t shown;
	static char text[32];
	time_t now;

	usec += below(400);
	now = usec / 1000000;
	if (now != shown) {
		strftime(text, sizeof(text), "%FT%T.", gmtime(&now));
		shown = now;
	}
	put_string(text);
	put_number(usec % 1000000, 6);
	put_string("Z ");
}

static void put_address(void)
{
	put_string(" 10.");
	put_number(below(16), 1);
	put_string(".");
	put_number(below(256), 1);
	put_string(".");
	put_number(1 + below(254), 1);
}

static void put_head(const char *level, const char *component)
{
	static const char * const host[] = {
		" web-01 ", " web-02 ", " web-03 ", " db-1 ", " db-2 ", " cache-7 ", " mail ",
		" gateway-eu-1 "
	};

	put_timestamp();
	put_string(level);
	put_address();
	put_string(host[below(sizeof(host) / sizeof(*host))]);
	put_string(component);
	put_string("[");
	put_number(300 + below(30000), 1);
	put_string("]: ");
}

/* How much of the text becomes one message: a line, or a passage. */
static size_t message_len(const char *text, size_t size)
{
	const char *newline = memchr(text, '\n', size);
	uint32_t kind = below(20000);
	size_t len = size;

	if (newline)
		len = newline - text;
	if (kind < 2)
		len = 8192 + below(120 << 10);
	else if (kind < 60)
		len = 1024 + below(7 << 10);
	return len < size ? len : size;
}

static void put_trace(const char *component)
{
	uint32_t n = 1 + below(6);

	while (n--) {
		put_string("\n    at ");
		put_string(component);
		put_string("+");
		put_number(below(100000), 1);
	}
}

static void blank(char *text, size_t len, char what)
{
	char *p, *end = text + len;

	for (p = text; (p = memchr(p, what, end - p)); )
		*p = ' ';
}

/* Turns one file's text into lines; each begins with the newline of the one before. */
static void put_text(const char *component, char *text, size_t size, uint64_t want)
{
	while (size && out_total < want) {
		size_t len = message_len(text, size);
		const char *lev = level();

		if (out_total)
			put_string("\n");
		put_head(lev, component);
		blank(text, len, '\n');
		put(text, len);
		if (lev[0] == 'E' && !below(4))
			put_trace(component);
		len += len < size;	/* the newline in the text */
		text += len;
		size -= len;
	}
}

/* The file's name without its suffix, of a length that a log would show. */
static void name_component(char name[24], const char *path)
{
	const char *base = strrchr(path, '/');

	snprintf(name, 24, "%.23s", base ? base + 1 : path);
	name[strcspn(name, ". []")] = 0;
}

static void put_file(const char *path, uint64_t want)
{
	static char text[4 << 20];	/* longer files are cut */
	char component[24];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t size = read(fd, text, sizeof(text));

	if (size < 0)
		err(1, "%s", path);
	close(fd);
	name_component(component, path);
	blank(text, size, 0);
	put_text(component, text, size, want);
}

/* Puts files until there is enough, from the first one again if need be. */
static void put_files(FILE *names, uint64_t want)
{
	char path[4096];

	while (out_total < want) {
		if (!fgets(path, sizeof(path), names)) {
			if (!out_total || fseek(names, 0, SEEK_SET))
				errx(1, "not enough text");
			continue;
		}
		path[strcspn(path, "\n")] = 0;
		put_file(path, want);
	}
}

int main(int argc, char **argv)
{
	if (argc != 2)
		errx(2, "usage: %s SIZE <NAMES >LOG", argv[0]);
	put_files(stdin, strtoull(argv[1], NULL, 0));
	put_string("\n");
	put_head("INFO ", "loggen");
	put_string("end of the log, without a newline");
	flush();
	return 0;
}
