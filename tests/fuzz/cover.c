// SPDX-License-Identifier: GPL-2.0
/*
 * Coverage: which ways through the module the calls of a program took. Each
 * thread of the program that makes calls has a trace of KCOV; they are made once
 * and inherited. An *edge* is two blocks of the module, one after the other in
 * one call. KCOV sees what runs in the thread that made the call: neither what
 * runs in a workqueue, nor in an interrupt.
 */
#include "fuzz.h"

#include <linux/kcov.h>

#define TRACE_WORDS	(32 << 10)
#define EDGE_BITS	20
#define MAX_FRESH	4096
#define NR_PCS		(16 << 10)

static int trace_fd[NR_TRACES];
static uint64_t *trace[NR_TRACES];
static bool have_kcov;

static uint8_t edges[1 << EDGE_BITS];
static unsigned int nr_edges;
static uint64_t pcs[NR_PCS];		/* a hash table of those that were seen; 0: free */
static unsigned int nr_pcs;
static uint32_t fresh[MAX_FRESH];
static unsigned int nr_fresh;

bool cover_init(void)
{
	for (int i = 0; i < NR_TRACES; i++) {
		trace_fd[i] = open("/sys/kernel/debug/kcov", O_RDWR | O_CLOEXEC);
		if (trace_fd[i] < 0 && i == 0)
			return false;
		CHECK(trace_fd[i] >= 0);
		CHECK(ioctl(trace_fd[i], KCOV_INIT_TRACE, TRACE_WORDS) == 0);
		trace[i] = mmap(NULL, TRACE_WORDS * sizeof(uint64_t), PROT_READ | PROT_WRITE,
				MAP_SHARED, trace_fd[i], 0);
		CHECK(trace[i] != MAP_FAILED);
	}
	return have_kcov = true;
}

void cover_enable(unsigned int i)
{
	if (have_kcov && ioctl(trace_fd[i], KCOV_ENABLE, KCOV_TRACE_PC))
		complain("KCOV_ENABLE: %s", strerror(errno));
}

/* A zero keeps the last block of one call and the first of the next apart. */
void cover_call_end(unsigned int i)
{
	uint64_t n;

	if (!have_kcov)
		return;
	n = __atomic_load_n(&trace[i][0], __ATOMIC_RELAXED);
	if (n + 1 < TRACE_WORDS) {
		trace[i][n + 1] = 0;
		__atomic_store_n(&trace[i][0], n + 1, __ATOMIC_RELAXED);
	}
}

void cover_reset(void)
{
	for (int i = 0; have_kcov && i < NR_TRACES; i++)
		__atomic_store_n(&trace[i][0], 0, __ATOMIC_RELAXED);
}

static uint32_t hash(uint64_t a, uint64_t b, unsigned int bits)
{
	return ((a * 0x9e3779b97f4a7c15 ^ b) * 0xff51afd7ed558ccd) >> (64 - bits);
}

static void see_pc(uint64_t pc)
{
	uint32_t at = hash(pc, 0, 14);

	while (pcs[at] && pcs[at] != pc)
		at = (at + 1) % NR_PCS;
	if (!pcs[at] && nr_pcs < NR_PCS / 2) {
		pcs[at] = pc;
		nr_pcs++;
	}
}

static void each_edge(void (*see)(uint32_t edge, uint64_t pc))
{
	for (int i = 0; have_kcov && i < NR_TRACES; i++) {
		uint64_t n = trace[i][0], last = 0;

		for (uint64_t j = 1; j <= n && j < TRACE_WORDS; j++) {
			uint64_t pc = trace[i][j];

			if (pc)
				see(hash(pc, last, EDGE_BITS), pc);
			last = pc;
		}
	}
}

static void see_new(uint32_t edge, uint64_t pc)
{
	see_pc(pc);
	if (edges[edge])
		return;
	edges[edge] = 1;
	nr_edges++;
	if (nr_fresh < MAX_FRESH)
		fresh[nr_fresh++] = edge;
}

unsigned int cover_new(void)
{
	unsigned int before = nr_edges;

	nr_fresh = 0;
	each_edge(see_new);
	return nr_edges - before;
}

static uint8_t seen[1 << EDGE_BITS];

static void see_again(uint32_t edge, uint64_t pc)
{
	seen[edge] = 1;
}

bool cover_has_fresh(void)
{
	memset(seen, 0, sizeof(seen));
	each_edge(see_again);
	for (unsigned int i = 0; i < nr_fresh; i++)
		if (!seen[fresh[i]])
			return false;
	return true;
}

unsigned int cover_edges(void)
{
	return nr_edges;
}

unsigned int cover_pcs(void)
{
	return nr_pcs;
}

static int shorter(const void *a, const void *b)
{
	const struct prog *p = a, *q = b;

	return (int)p->nr - (int)q->nr;
}

/* Once more from nothing, the short ones first: what adds nothing then is left out. */
void cover_minimize(struct corpus *corpus)
{
	unsigned int kept = 0;

	memset(edges, 0, sizeof(edges));
	nr_edges = 0;
	qsort(corpus->prog, corpus->nr, sizeof(corpus->prog[0]), shorter);
	for (unsigned int i = 0; i < corpus->nr; i++) {
		exec_prog(&corpus->prog[i]);
		if (cover_new())
			corpus->prog[kept++] = corpus->prog[i];
	}
	corpus->nr = kept;
}
