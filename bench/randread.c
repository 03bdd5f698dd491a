// SPDX-License-Identifier: GPL-2.0
/* Random 4 KiB reads at a constant queue depth for a time; the same loop for every interface. */
#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "meter.h"
#include "randread.h"

static const struct option options[] = {
	{ "device", required_argument, NULL, 'd' },
	{ "lba", required_argument, NULL, 'l' },
	{ "depth", required_argument, NULL, 'n' },
	{ "batch", required_argument, NULL, 'b' },
	{ "seconds", required_argument, NULL, 's' },
	{ "bytes", required_argument, NULL, 'B' },
	{ "check", no_argument, NULL, 'c' },
	{ }
};

static void parse(struct randread *rr, int argc, char **argv)
{
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (opt) {
		case 'd': rr->device = optarg; break;
		case 'l': rr->lba = atoi(optarg); break;
		case 'n': rr->depth = atoi(optarg); break;
		case 'b': rr->batch = atoi(optarg); break;
		case 's': rr->seconds = atof(optarg); break;
		case 'B': rr->bytes = atoll(optarg); break;
		case 'c': rr->check = 1; break;
		default: exit(2);
		}
	if (!rr->device || !rr->bytes || !rr->depth || rr->batch > rr->depth)
		errx(2, "--device, --bytes, --depth and a --batch not above it are needed");
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* xorshift64 */
static uint64_t next_block(const struct randread *rr)
{
	static uint64_t x = 88172645463325252;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x % (rr->bytes / BLOCK);
}

struct reads {
	const struct randread *rr;
	char		*memory;
	uint64_t	*block;		/* by slot: the one being read */
	unsigned int	*slots;
	uint64_t	nr;
};

static void start(struct reads *r, unsigned int slot)
{
	r->block[slot] = next_block(r->rr);
	io_read(slot, r->block[slot] * BLOCK);
}

static void finish(struct reads *r, unsigned int slot)
{
	uint64_t *at = (uint64_t *)(r->memory + (size_t)slot * BLOCK);

	r->nr++;
	if (!r->rr->check)
		return;
	if (*at != r->block[slot])
		errx(1, "wanted block %llu, got %llu", (unsigned long long)r->block[slot],
		     (unsigned long long)*at);
	*at = ~0ULL;
}

static void run(struct reads *r)
{
	const struct randread *rr = r->rr;
	unsigned int inflight = 0, n, rounds = 0;
	double until = now() + rr->seconds;
	int more = 1;

	for (; inflight < rr->depth; inflight++)
		start(r, inflight);
	while (inflight) {
		n = io_wait(rr->batch < inflight ? rr->batch : inflight, r->slots);
		for (unsigned int i = 0; i < n; i++) {
			finish(r, r->slots[i]);
			if (more)
				start(r, r->slots[i]);
			else
				inflight--;
		}
		if (more && !(++rounds & 63))
			more = now() < until;
	}
}

int main(int argc, char **argv)
{
	struct randread rr = { .lba = 512, .depth = 1, .batch = 1, .seconds = 3 };
	struct reads r = { .rr = &rr };
	struct meter m;

	parse(&rr, argc, argv);
	r.memory = io_open(&rr);
	r.block = calloc(rr.depth, sizeof(*r.block));
	r.slots = calloc(rr.depth, sizeof(*r.slots));
	meter_start(&m);
	run(&r);
	meter_stop(&m);
	printf("{\"reads\": %llu, \"copied\": %llu, ", (unsigned long long)r.nr,
	       (unsigned long long)io_copied());
	meter_print(&m);
	puts("}");
	return 0;
}
