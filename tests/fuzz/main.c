// SPDX-License-Identifier: GPL-2.0
/* The fuzzer's command line and its loop. */
#include "fuzz.h"

#include <getopt.h>

#define BATCH		32	/* programs between two looks at what is left of them */
#define PROGRESS_NS	(10 * NSEC_PER_SEC)
#define MAX_TRIES	20	/* of a program that may need luck to fail */

static const char help[] =
	"fuzz [OPTION]...: a coverage-guided fuzzer of /dev/unified_io_region; run by tests/fuzz/run\n"
	"  --time SECONDS    how long (60)\n"
	"  --seed N          of the random numbers\n"
	"  --corpus FILE     programs to begin with\n"
	"  --save FILE       where to put those that reach something new, at the end\n"
	"  --replay FILE     run the programs of the file, nothing else; --times N of each\n"
	"  --minimize FILE   take calls out of the file's program as long as it still fails\n"
	"  --explain FILE    print the programs\n"
	"  --bad-log FILE    patterns of lines that the kernel log must not have\n"
	"  --journal FILE    write each program there before it is run\n"
	"  --blocks N        how many blocks the module has, for the report\n";

static struct {
	unsigned int seconds, times, blocks;
	uint64_t seed;
	const char *corpus, *save, *replay, *minimize, *explain, *bad_log, *journal;
} opt = { .seconds = 60, .times = 1, .bad_log = "lab/kernel-log-bad" };

static struct corpus corpus;
static struct prog batch[BATCH];
static unsigned int nr_batch;
static uint64_t nr_execs, start_ns, progress_ns;

/* Somebody in the batch left something: run them again, one by one. */
static void blame(void)
{
	for (unsigned int i = 0; i < nr_batch; i++) {
		exec_prog(&batch[i]);
		if (!watch_settle())
			return;
	}
}

static void settle(void)
{
	if (!watch_settle())
		blame();
	nr_batch = 0;
}

static void execute(const struct prog *p)
{
	exec_prog(p);
	nr_execs++;
	batch[nr_batch++] = *p;
	if (nr_batch == BATCH)
		settle();
}

static void report(const char *what)
{
	double seconds = (now_ns() - start_ns) / 1e9;

	printf("%s %.0f s: %llu executions, %.1f/s, %u edges, %u blocks", what, seconds,
	       (unsigned long long)nr_execs, nr_execs / seconds, cover_edges(), cover_pcs());
	if (opt.blocks)
		printf(" of %u", opt.blocks);
	printf(", corpus %u, %u findings\n", corpus.nr, nr_findings);
	fflush(stdout);
}

static bool time_is_up(void)
{
	uint64_t now = now_ns();

	if (now - progress_ns >= PROGRESS_NS) {
		report("fuzz:");
		progress_ns = now;
	}
	return now - start_ns >= opt.seconds * NSEC_PER_SEC;
}

static bool still_fresh(const struct prog *p)
{
	execute(p);
	return cover_has_fresh();
}

static void fuzz_one(void)
{
	unsigned int blocks = cover_pcs();
	struct prog p;

	if (corpus.nr && rnd_below(10)) {
		p = corpus.prog[rnd_below(corpus.nr)];
		prog_mutate(&p, &corpus.prog[rnd_below(corpus.nr)]);
	} else {
		prog_generate(&p);
	}
	execute(&p);
	if (!cover_new())
		return;
	/* A new way between known blocks may be chance: not worth the time. */
	if (cover_pcs() > blocks)
		prog_shrink(&p, still_fresh);
	corpus_add(&corpus, &p);
}

static void seed_corpus(void)
{
	struct corpus from = {};

	if (opt.corpus)
		corpus_load(&from, opt.corpus);
	for (unsigned int i = 0; i < from.nr && !time_is_up(); i++) {
		execute(&from.prog[i]);
		cover_new();
		corpus_add(&corpus, &from.prog[i]);
	}
	free(from.prog);
}

static void fuzz(void)
{
	printf("seed %llu\n", (unsigned long long)opt.seed);
	rnd_seed(opt.seed);
	seed_corpus();
	while (!time_is_up())
		fuzz_one();
	settle();
	report("fuzz: end,");
	if (opt.save) {
		cover_minimize(&corpus);
		corpus_save(&corpus, opt.save);
		printf("%u programs to %s\n", corpus.nr, opt.save);
	}
}

static void replay(const char *path)
{
	corpus_load(&corpus, path);
	for (unsigned int i = 0; i < corpus.nr; i++) {
		for (unsigned int j = 0; j < opt.times; j++)
			execute(&corpus.prog[i]);
		cover_new();
	}
	settle();
	report("replay:");
}

static bool still_fails(const struct prog *p)
{
	unsigned int before = nr_findings;

	for (int i = 0; i < MAX_TRIES && nr_findings == before; i++) {
		exec_prog(p);
		watch_settle();
	}
	return nr_findings != before;
}

/* If a program ends the VM, the last line of the journal is what is left of it: go on with that. */
static void minimize(const char *path)
{
	char text[PROG_TEXT];
	struct prog p;

	corpus_load(&corpus, path);
	p = corpus.prog[corpus.nr - 1];
	if (!still_fails(&p)) {
		printf("it does not fail\n");
		exit(0);
	}
	prog_shrink(&p, still_fails);
	prog_format(text, sizeof(text), &p);
	printf("MINIMAL %s", text);
	prog_explain(&p);
}

static void explain(const char *path)
{
	corpus_load(&corpus, path);
	for (unsigned int i = 0; i < corpus.nr; i++) {
		printf("program %u\n", i);
		prog_explain(&corpus.prog[i]);
	}
}

static void options(int argc, char **argv)
{
	enum { TIME, SEED, CORPUS, SAVE, REPLAY, TIMES, MINIMIZE, EXPLAIN, BAD_LOG, JOURNAL, BLOCKS, HELP };
	static const struct option longopts[] = {
		{ "time", 1, 0, TIME }, { "seed", 1, 0, SEED }, { "corpus", 1, 0, CORPUS }, { "save", 1, 0, SAVE },
		{ "replay", 1, 0, REPLAY }, { "times", 1, 0, TIMES }, { "minimize", 1, 0, MINIMIZE },
		{ "explain", 1, 0, EXPLAIN }, { "bad-log", 1, 0, BAD_LOG }, { "journal", 1, 0, JOURNAL },
		{ "blocks", 1, 0, BLOCKS }, { "help", 0, 0, HELP }, {},
	};
	int o;

	while ((o = getopt_long(argc, argv, "", longopts, NULL)) >= 0) {
		switch (o) {
		case TIME: opt.seconds = atoi(optarg); break;
		case SEED: opt.seed = strtoull(optarg, NULL, 0); break;
		case CORPUS: opt.corpus = optarg; break;
		case SAVE: opt.save = optarg; break;
		case REPLAY: opt.replay = optarg; break;
		case TIMES: opt.times = atoi(optarg); break;
		case MINIMIZE: opt.minimize = optarg; break;
		case EXPLAIN: opt.explain = optarg; break;
		case BAD_LOG: opt.bad_log = optarg; break;
		case JOURNAL: opt.journal = optarg; break;
		case BLOCKS: opt.blocks = atoi(optarg); break;
		case HELP: fputs(help, stdout); exit(0);
		default: fputs(help, stderr); exit(2);
		}
	}
}

int main(int argc, char **argv)
{
	int journal = -1;

	opt.seed = now_ns();
	options(argc, argv);
	if (opt.explain) {
		explain(opt.explain);
		return 0;
	}
	if (opt.journal) {
		journal = open(opt.journal, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		CHECK(journal >= 0);
	}
	exec_init(journal);
	calls_init();
	watch_init(opt.bad_log);
	if (!cover_init() && !opt.minimize && !opt.replay)
		FAIL("no KCOV here: the programs would be at random");
	start_ns = progress_ns = now_ns();
	if (opt.minimize)
		minimize(opt.minimize);
	else if (opt.replay)
		replay(opt.replay);
	else
		fuzz();
	return nr_findings ? 1 : 0;
}
