/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fuzzer of the device. A *program* is a short list of calls; a *call* is 16
 * bytes, of which any value means something, so that programs can be mutated
 * byte by byte. As text a program is one line: a call is 32 hex digits, calls
 * are separated by blanks.
 *
 * A program runs in a child of its own, which is killed at its end: whatever
 * state it makes of files, mappings and sockets, the kernel has to get rid of.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include "../common.h"

/* programs (prog.c) */

#define NR_ARGS		14
#define MAX_CALLS	24

struct call {
	uint8_t op;		/* index in call_types[] */
	uint8_t who;		/* WHO_*, and which worker in the low bits */
	uint8_t arg[NR_ARGS];
};

#define WHO_ASYNC	0x80	/* do not wait for it */

struct prog {
	unsigned int nr;
	struct call call[MAX_CALLS];
};

void rnd_seed(uint64_t seed);
uint64_t rnd(void);
unsigned int rnd_below(unsigned int n);
void prog_generate(struct prog *p);
void prog_mutate(struct prog *p, const struct prog *other);
bool prog_parse(struct prog *p, const char *line);
int prog_format(char *to, size_t size, const struct prog *p);
void prog_explain(const struct prog *p);

#define PROG_TEXT	(MAX_CALLS * (2 * sizeof(struct call) + 1) + 2)

/* Takes calls out one by one as long as @wanted still says yes. */
void prog_shrink(struct prog *p, bool (*wanted)(const struct prog *p));

/* a list of programs, read from a file of lines */
struct corpus {
	unsigned int nr;
	struct prog *prog;
};

void corpus_add(struct corpus *corpus, const struct prog *p);
void corpus_load(struct corpus *corpus, const char *path);
void corpus_save(const struct corpus *corpus, const char *path);

/* what a call can be (calls*.c) */

struct call_type {
	const char *name;
	unsigned int weight;	/* how often it is generated */
	void (*run)(const uint8_t *arg);
};

extern const struct call_type call_types[];
extern const unsigned int nr_call_types;

/* an element of the table: mostly one of the first @good */
#define PICK(table, good, byte) \
	(table)[(byte) < 224 ? (byte) % (good) : (byte) % ARRAY_SIZE(table)]

uint64_t wild(uint8_t byte);		/* a number that somebody may have forgotten */
int call_ioctl(int fd, unsigned long cmd, void *arg, size_t size, uint8_t place);

#define NR_REGIONS	4
#define NR_SOCKS	16

struct fuzz_region {
	int fd;
	bool hostile;			/* its rings are being written to at random */
	struct unified_io_setup setup;
	void *map;			/* all of it; stays until the end of the program */
	size_t map_len;
};

struct fuzz_sock {
	int here, there;		/* here: what the region may get; -1 for none */
};

/* The child's own state. Its threads race on it, which may kill it: so what. */
struct world {
	struct fuzz_region region[NR_REGIONS];
	struct fuzz_sock sock[NR_SOCKS];
	unsigned int nr_socks;
};

extern struct world world;

struct fuzz_region *region_of(uint8_t byte);
struct unified_io_control *control_of(struct fuzz_region *r);
void world_init(void);			/* in the child */
void world_check(void);			/* at the end of its program */

void calls_init(void);			/* in the parent, once: what all programs share */
void bpf_calls_init(void);
void bpf_calls_reset(void);
void drive_restore(void);
int drive_of(uint8_t byte);
int uring_fd_of(uint8_t byte);		/* -1 without a ring */
void fill_desc(struct unified_descriptor *d, const struct fuzz_region *r, const uint8_t *arg);

void call_sock_new(const uint8_t *arg);
void call_sock_send(const uint8_t *arg);
void call_sock_drain(const uint8_t *arg);
void call_sock_end(const uint8_t *arg);
void call_sock_option(const uint8_t *arg);
void call_attach_socket(const uint8_t *arg);
void call_mmap(const uint8_t *arg);
void call_mapping(const uint8_t *arg);
void call_touch(const uint8_t *arg);
void call_direct_io(const uint8_t *arg);
void call_bpf_steps(const uint8_t *arg);
void call_struct_ops(const uint8_t *arg);
void call_attach_bpf(const uint8_t *arg);
void call_drive_gone(const uint8_t *arg);
void call_uring_new(const uint8_t *arg);
void call_uring_cmd(const uint8_t *arg);
void call_uring_desc(const uint8_t *arg);
void call_uring_wait(const uint8_t *arg);
void call_uring_other(const uint8_t *arg);
void call_uring_close(const uint8_t *arg);
void call_cancel(const uint8_t *arg);
void call_export(const uint8_t *arg);
void call_race(const uint8_t *arg);
void call_poke(const uint8_t *arg);
void call_niov(const uint8_t *arg);
void call_consume(const uint8_t *arg);

/* running (exec.c) */

#define NR_WORKERS	3	/* threads of the child that make calls */
#define NR_FORKS	2	/* children of the child */
#define NR_TRACES	(NR_WORKERS + NR_FORKS)

void exec_init(int journal);
void exec_prog(const struct prog *p);	/* findings are told to finding() */
extern const struct prog *running;	/* now, or the last */
void call_fork(const uint8_t *arg);
void call_kill(const uint8_t *arg);
extern unsigned int slow;		/* factor of this kernel */

/* coverage (cover.c) */

bool cover_init(void);			/* false: this kernel has no KCOV */
void cover_enable(unsigned int trace);	/* in the thread to be traced */
void cover_call_end(unsigned int trace);
void cover_reset(void);
unsigned int cover_new(void);		/* edges that the program was the first to reach; they count from now on */
bool cover_has_fresh(void);		/* does the program reach those that cover_new() found last? */
unsigned int cover_edges(void), cover_pcs(void);
void cover_minimize(struct corpus *corpus);

/* what is wrong (watch.c) */

void watch_init(const char *patterns);
void watch_log(void);			/* reads what is new in the kernel log */
bool watch_settle(void);		/* everything that the programs had is gone */
void complain(const char *fmt, ...) __attribute__((format(printf, 1, 2))); /* from a child */
void watch_complaint(void);
void finding(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
extern unsigned int nr_findings;

#endif /* FUZZ_H */
