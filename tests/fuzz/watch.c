// SPDX-License-Identifier: GPL-2.0
/* What the kernel must not do: complain in its log, keep what is closed, answer with the wrong errno. */
#include "fuzz.h"

#include <regex.h>
#include <stdarg.h>

#define MODULE		"/sys/module/unified_io_region/"
#define SETTLE_NS	(10 * NSEC_PER_SEC)
#define MAX_TITLES	64
#define TITLE		160

unsigned int nr_findings;

static int kmsg;
static regex_t bad[128];
static unsigned int nr_bad;
static uint64_t users;
static char *complaint;			/* shared with the children; empty: none */
static char titles[MAX_TITLES][TITLE];

static void load_patterns(const char *path)
{
	FILE *file = fopen(path, "r");
	char line[256];

	if (!file)
		FAIL("%s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = 0;
		CHECK(nr_bad < ARRAY_SIZE(bad));
		CHECK(regcomp(&bad[nr_bad++], line, REG_EXTENDED | REG_NOSUB) == 0);
	}
	fclose(file);
}

/* The use count, when what calls_init() closed is gone. */
static uint64_t users_at_rest(void)
{
	uint64_t now = read_number(MODULE "refcnt"), before;

	do {
		before = now;
		usleep(300000 * slow);
		now = read_number(MODULE "refcnt");
	} while (now != before);
	return now;
}

void watch_init(const char *patterns)
{
	load_patterns(patterns);
	kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	CHECK(kmsg >= 0);
	CHECK(lseek(kmsg, 0, SEEK_END) == 0);
	users = users_at_rest();
	complaint = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(complaint != MAP_FAILED);
}

/* Numbers and addresses differ from time to time. */
static void make_title(char *to, const char *text)
{
	size_t n = 0;

	for (; *text && n < TITLE - 1; text++)
		if (!strchr("0123456789abcdefx", *text))
			to[n++] = *text;
	to[n] = 0;
}

static bool known(const char *text)
{
	char title[TITLE];
	unsigned int i;

	make_title(title, text);
	for (i = 0; i < MAX_TITLES && titles[i][0]; i++)
		if (!strcmp(titles[i], title))
			return true;
	if (i < MAX_TITLES)
		strcpy(titles[i], title);
	return false;
}

/* The first of its kind is told, with the program that ran. */
void finding(const char *fmt, ...)
{
	char text[512], program[PROG_TEXT] = "\n";
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	nr_findings++;
	if (known(text))
		return;
	if (running)
		prog_format(program, sizeof(program), running);
	printf("FINDING %s\nPROGRAM %s", text, program);
	fflush(stdout);
}

static bool is_bad(const char *line)
{
	for (unsigned int i = 0; i < nr_bad; i++)
		if (!regexec(&bad[i], line, 0, NULL, 0))
			return true;
	return false;
}

/* One record of /dev/kmsg: "priority,number,time,...;text\n", then lines about the device. */
static bool next_record(char *text, size_t size)
{
	ssize_t n;
	char *start;

	do
		n = read(kmsg, text, size - 1);
	while (n < 0 && errno == EPIPE);	/* some were overwritten */
	if (n < 0)
		return false;
	text[n] = 0;
	text[strcspn(text, "\n")] = 0;
	start = strchr(text, ';');
	if (start)
		memmove(text, start + 1, strlen(start + 1) + 1);
	return true;
}

/* The report is one finding, however many of its lines are bad. */
void watch_log(void)
{
	char text[8192], first[256] = "";

	while (next_record(text, sizeof(text)))
		if (is_bad(text) && (!first[0] || strstr(first, "cut here")))
			snprintf(first, sizeof(first), "%.250s", text);
	if (first[0])
		finding("kernel log: %s", first);
}

bool watch_settle(void)
{
	uint64_t end = now_ns() + SETTLE_NS * slow, now;

	while ((now = read_number(MODULE "refcnt")) != users) {
		if (now_ns() > end) {
			finding("the module's use count is %llu, was %llu", (unsigned long long)now,
				(unsigned long long)users);
			users = now;
			return false;
		}
		usleep(1000);
	}
	return true;
}

void complain(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(complaint, 512, fmt, args);
	va_end(args);
}

void watch_complaint(void)
{
	if (complaint[0])
		finding("%.500s", complaint);
	complaint[0] = 0;
}
