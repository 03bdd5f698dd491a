// SPDX-License-Identifier: GPL-2.0
/*
 * fault_load PATH passthrough|bio ERRORS AFTER COMMAND: reads and writes are in flight
 * on the drive while a shell runs COMMAND, which does something to it. Each
 * operation completes once: well, with the right data, or with one of ERRORS
 * (EIO,ENODEV; - for none). When COMMAND has ended all of them are tried again, and
 * end as AFTER says: 'good', or an error. What was written is on the drive.
 */
#include "common.h"

#define IN_FLIGHT	32	/* even ones read what the odd one behind them writes */
#define LEN		(64 * KiB)
#define SEED		0x5eed

static struct region r;
static const char *errors;
static uint32_t block;
static bool pending[IN_FLIGHT];
static unsigned int nr_good, nr_bad;

/* On the drive, and in the pattern. */
static uint64_t position(unsigned int nr)
{
	return nr / 2 * LEN;
}

static int start(unsigned int nr)
{
	struct unified_descriptor d = desc_nvme(nr & 1 ? NVME_CMD_WRITE : NVME_CMD_READ, nr * LEN, LEN,
						position(nr) / block);
	int ret;

	d.user_data = nr;
	if (!(nr & 1))
		memset(r.data + d.addr, 0xee, LEN);
	ret = submit(&r, d);
	pending[nr] = !ret;
	return ret;
}

static void check_result(unsigned int nr, int res)
{
	if (res == LEN) {
		nr_good++;
		pattern_check(r.data + nr * LEN, LEN, position(nr), SEED);
		return;
	}
	nr_bad++;
	if (res >= 0 || !strstr(errors, strerrorname_np(-res)))
		FAIL("operation %u got %d (%s), and not one of %s", nr, res,
		     res < 0 ? strerrorname_np(-res) : "short", errors);
}

static unsigned int take(void)
{
	struct unified_completion c = reap(&r);
	unsigned int nr = c.user_data;

	CHECK(nr < IN_FLIGHT);
	if (!pending[nr])
		FAIL("operation %u completed twice", nr);
	pending[nr] = false;
	check_result(nr, c.res);
	return nr;
}

static void start_again(unsigned int nr)
{
	int ret = start(nr);

	if (ret)
		check_result(nr, ret);
}

static unsigned int nr_pending(void)
{
	unsigned int n = 0;

	for (int i = 0; i < IN_FLIGHT; i++)
		n += pending[i];
	return n;
}

static pid_t start_command(const char *command)
{
	pid_t pid = fork();

	if (!pid)
		_exit(WEXITSTATUS(shell("%s", command)));
	return pid;
}

/* Keeps operations in flight until COMMAND has ended. */
static void load_during(const char *command)
{
	pid_t pid = start_command(command);
	int status;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (nr_pending() == IN_FLIGHT)
			start_again(take());
		else
			for (int i = 0; i < IN_FLIGHT; i++)
				if (!pending[i])
					start_again(i);
	}
	CHECK_EQ(status, 0);
	while (nr_pending())
		take();
}

static void check_after(const char *after, const char *path)
{
	int good = !strcmp(after, "good");

	for (unsigned int nr = 0; nr < IN_FLIGHT; nr++) {
		int ret = start(nr);

		if (!ret) {
			ret = reap(&r).res;
			pending[nr] = false;
		}
		if (good)
			CHECK_RES(ret, LEN);
		else if (ret >= 0 || strcmp(after, strerrorname_np(-ret)))
			FAIL("afterwards operation %u got %d, not %s", nr, ret, after);
	}
	CHECK_EQ(region_info(&r).inflight, 0);
	for (unsigned int nr = 0; good && nr < IN_FLIGHT; nr += 2)
		drive_check(path, position(nr), LEN, position(nr), SEED);
}

int main(int argc, char **argv)
{
	struct unified_io_setup setup = SETUP_DEFAULT;
	struct unified_io_info info;

	CHECK_EQ(argc, 6);
	errors = argv[3];
	if (!strcmp(argv[2], "bio"))
		setup.flags = UNIFIED_IO_SETUP_BLOCK_LAYER;
	drive_fill(argv[1], 0, position(IN_FLIGHT), SEED);
	region_setup(&r, argv[1], setup);
	block = region_info(&r).lba_size;
	for (unsigned int nr = 1; nr < IN_FLIGHT; nr += 2)
		pattern_fill(r.data + nr * LEN, LEN, position(nr), SEED);
	for (unsigned int nr = 0; nr < IN_FLIGHT; nr++)
		CHECK_RES(start(nr), 0);
	load_during(argv[5]);
	info = region_info(&r);
	CHECK_EQ(info.submitted, info.completed);
	printf("%s: %u went well, %u failed\n", argv[5], nr_good, nr_bad);
	CHECK(nr_good >= IN_FLIGHT);
	check_after(argv[4], argv[1]);
	region_close(&r);
	return 0;
}
