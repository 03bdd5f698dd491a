// SPDX-License-Identifier: GPL-2.0
/* Programs: made up, changed, written down. */
#include "fuzz.h"

static uint64_t state;

void rnd_seed(uint64_t seed)
{
	state = seed;
}

/* splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators) */
uint64_t rnd(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

unsigned int rnd_below(unsigned int n)
{
	return rnd() % n;
}

static uint8_t random_op(void)
{
	unsigned int total = 0, i;

	for (i = 0; i < nr_call_types; i++)
		total += call_types[i].weight;
	total = rnd_below(total);
	for (i = 0; total >= call_types[i].weight; i++)
		total -= call_types[i].weight;
	return i;
}

static uint8_t op_named(const char *name)
{
	unsigned int i = 0;

	while (strcmp(call_types[i].name, name))
		i++;
	return i;
}

static struct call random_call(void)
{
	struct call c = { .op = random_op() };
	uint64_t bits[2] = { rnd(), rnd() };

	memcpy(c.arg, bits, sizeof(c.arg));
	/* Half of the bytes zero: the plainest value of most arguments. */
	for (int i = 0; i < NR_ARGS; i++)
		if (rnd() & 1)
			c.arg[i] = 0;
	if (rnd_below(4) == 0)
		c.who = rnd();
	return c;
}

static void insert(struct prog *p, unsigned int at, struct call c)
{
	if (p->nr == MAX_CALLS)
		return;
	memmove(&p->call[at + 1], &p->call[at], (p->nr - at) * sizeof(c));
	p->call[at] = c;
	p->nr++;
}

static void delete(struct prog *p, unsigned int at)
{
	memmove(&p->call[at], &p->call[at + 1], (--p->nr - at) * sizeof(p->call[0]));
}

/* Mostly: a region, and sockets in it. Anything after that. */
void prog_generate(struct prog *p)
{
	unsigned int nr = 6 + rnd_below(MAX_CALLS - 6);

	p->nr = 0;
	if (rnd_below(16)) {
		p->call[p->nr] = random_call();
		p->call[p->nr++].op = op_named("region");
	}
	if (rnd_below(2)) {
		p->call[p->nr] = random_call();
		p->call[p->nr++].op = op_named("sock_new");
	}
	while (p->nr < nr)
		p->call[p->nr++] = random_call();
}

static void mutate_byte(struct prog *p)
{
	struct call *c = &p->call[rnd_below(p->nr)];
	uint8_t *byte = &c->arg[rnd_below(NR_ARGS)];

	switch (rnd_below(4)) {
	case 0:
		*byte ^= 1 << rnd_below(8);
		break;
	case 1:
		*byte += rnd_below(2) ? 1 : -1;
		break;
	case 2:
		*byte = 0;
		break;
	default:
		*byte = rnd();
	}
}

static void graft(struct prog *p, const struct prog *other)
{
	unsigned int from = rnd_below(other->nr), nr = 1 + rnd_below(other->nr - from);
	unsigned int at = rnd_below(p->nr + 1);

	for (unsigned int i = 0; i < nr; i++)
		insert(p, at + i, other->call[from + i]);
}

void prog_mutate(struct prog *p, const struct prog *other)
{
	do {
		unsigned int at = rnd_below(p->nr);

		switch (rnd_below(12)) {
		case 0:
			insert(p, at, random_call());
			break;
		case 1:
			insert(p, p->nr, random_call());
			break;
		case 2:
			if (p->nr > 1)
				delete(p, at);
			break;
		case 3:
			insert(p, at, p->call[rnd_below(p->nr)]);
			break;
		case 4:
			graft(p, other);
			break;
		case 5:
			p->call[at].who = rnd();
			break;
		default:
			mutate_byte(p);
		}
	} while (rnd_below(8));
}

void prog_shrink(struct prog *p, bool (*wanted)(const struct prog *p))
{
	for (int i = p->nr - 1; i >= 0 && p->nr > 1; i--) {
		struct prog less = *p;

		delete(&less, i);
		if (wanted(&less))
			*p = less;
	}
}

/* text */

static bool parse_call(struct call *c, const char *text)
{
	uint8_t *to = (uint8_t *)c;

	for (size_t i = 0; i < sizeof(*c); i++)
		if (sscanf(text + 2 * i, "%2hhx", &to[i]) != 1)
			return false;
	return true;
}

bool prog_parse(struct prog *p, const char *line)
{
	p->nr = 0;
	for (line += strspn(line, " "); *line && *line != '\n'; line += strspn(line, " ")) {
		size_t len = strcspn(line, " \n");

		if (len != 2 * sizeof(struct call) || p->nr == MAX_CALLS || !parse_call(&p->call[p->nr++], line))
			return false;
		line += len;
	}
	return p->nr;
}

int prog_format(char *to, size_t size, const struct prog *p)
{
	size_t n = 0;

	for (unsigned int i = 0; i < p->nr; i++) {
		const uint8_t *from = (const uint8_t *)&p->call[i];

		n += snprintf(to + n, size - n, "%s", i ? " " : "");
		for (size_t j = 0; j < sizeof(p->call[i]); j++)
			n += snprintf(to + n, size - n, "%02x", from[j]);
	}
	n += snprintf(to + n, size - n, "\n");
	return n;
}

void prog_explain(const struct prog *p)
{
	for (unsigned int i = 0; i < p->nr; i++) {
		const struct call *c = &p->call[i];

		printf("%2u %-14s worker %u%s ", i, c->op < nr_call_types ? call_types[c->op].name : "nothing",
		       c->who % NR_WORKERS, c->who & WHO_ASYNC ? " async" : "");
		for (int j = 0; j < NR_ARGS; j++)
			printf(" %02x", c->arg[j]);
		printf("\n");
	}
}

/* lists of programs */

void corpus_add(struct corpus *corpus, const struct prog *p)
{
	corpus->prog = reallocarray(corpus->prog, corpus->nr + 1, sizeof(*p));
	CHECK(corpus->prog);
	corpus->prog[corpus->nr++] = *p;
}

void corpus_load(struct corpus *corpus, const char *path)
{
	FILE *file = fopen(path, "r");
	char line[PROG_TEXT + 2];
	struct prog p;

	if (!file)
		FAIL("%s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), file)) {
		if (line[0] == '#' || line[0] == '\n')
			continue;
		if (!prog_parse(&p, line))
			FAIL("%s: this is no program: %s", path, line);
		corpus_add(corpus, &p);
	}
	fclose(file);
}

void corpus_save(const struct corpus *corpus, const char *path)
{
	FILE *file = fopen(path, "w");
	char text[PROG_TEXT];

	if (!file)
		FAIL("%s: %s", path, strerror(errno));
	fprintf(file, "# SPDX-License-Identifier: GPL-2.0\n# Programs of tests/fuzz, one a line: see fuzz.h.\n");
	for (unsigned int i = 0; i < corpus->nr; i++) {
		prog_format(text, sizeof(text), &corpus->prog[i]);
		fputs(text, file);
	}
	CHECK(fclose(file) == 0);
}
