// SPDX-License-Identifier: GPL-2.0
/*
 * The mapping: PMD-mapped where QUERY says so, the data area alone shows the
 * same bytes, parts can be mapped, it survives close of the file, fork shares it,
 * and mprotect and madvise work or refuse as for any shared mapping.
 */
#include "common.h"

#define SIZE	(16 * MiB)

static uint64_t smaps_kib(const void *addr, const char *field)
{
	FILE *smaps = fopen("/proc/self/smaps", "r");
	unsigned long start, end;
	char line[512];
	bool inside = false;
	unsigned long long value;

	CHECK(smaps);
	while (fgets(line, sizeof(line), smaps)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			inside = (unsigned long)addr >= start && (unsigned long)addr < end;
		else if (inside && !strncmp(line, field, strlen(field)) &&
			 sscanf(line + strlen(field), ": %llu", &value) == 1)
			break;
	}
	CHECK(!feof(smaps));
	fclose(smaps);
	return value;
}

static void touch(volatile unsigned char *p, size_t len)
{
	for (size_t i = 0; i < len; i += 4096)
		p[i] = p[i];
}

static uint64_t features(void)
{
	struct unified_io_query query;
	int fd = device_open();

	CHECK_RES(uior(fd, UNIFIED_IO_QUERY, &query), 0);
	close(fd);
	return query.features;
}

static void whole(struct region *r, bool small)
{
	uint64_t huge;

	touch(r->map, SIZE);
	huge = smaps_kib(r->map, "FilePmdMapped") * KiB;
	printf("huge folios %llu, PMD-mapped %llu\n", (unsigned long long)region_info(r).huge_bytes,
	       (unsigned long long)huge);
	if (!small && (features() & UNIFIED_IO_FEAT_HUGE_MAP))
		CHECK_EQ(huge, SIZE);
	else
		CHECK_EQ(huge, 0);
}

static void data_alone(struct region *r, bool small)
{
	uint64_t size = r->setup.data_size;
	unsigned char *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, UNIFIED_IO_OFF_DATA);

	CHECK(data != MAP_FAILED);
	pattern_fill(r->data, size, 0, 1);
	pattern_check(data, size, 0, 1);
	pattern_fill(data, size, 0, 2);
	pattern_check(r->data, size, 0, 2);
	if (!small && (features() & UNIFIED_IO_FEAT_HUGE_MAP) && r->setup.data_offset % (2 * MiB) == 0)
		CHECK_EQ(smaps_kib(data, "FilePmdMapped") * KiB, size);
	CHECK(munmap(data, size) == 0);
}

static void parts(struct region *r)
{
	uint64_t off = 4 * MiB + 12288;
	unsigned char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, off);
	unsigned char *q = mmap(NULL, 4096, PROT_READ, MAP_SHARED, r->fd, SIZE - 4096);
	unsigned char *d = mmap(NULL, 4096, PROT_READ, MAP_SHARED, r->fd, UNIFIED_IO_OFF_DATA + 8192);

	CHECK(p != MAP_FAILED && q != MAP_FAILED && d != MAP_FAILED);
	CHECK(!memcmp(p, r->map + off, 8192));
	CHECK(!memcmp(q, r->map + SIZE - 4096, 4096));
	CHECK(!memcmp(d, r->data + 8192, 4096));
	memset(p, 0x99, 8192);
	check_filled(r->map + off, 8192, 0x99);
	/* unmapping a page in the middle of a huge one leaves the rest */
	CHECK(munmap(r->map + 8 * MiB, 4096) == 0);
	check_filled(p, 8192, 0x99);
	CHECK(((volatile unsigned char *)r->map)[8 * MiB + 4096] == r->data[8 * MiB + 4096 - r->ctl->data_offset]);
	munmap(p, 8192);
	munmap(q, 4096);
	munmap(d, 4096);
}

static void after_fork(struct region *r)
{
	pid_t pid = fork();

	if (!pid) {
		pattern_fill(r->data, 64 * KiB, 0, 3);
		/* the child may submit as well: the file is the same */
		CHECK_RES(submit(r, desc_bpf(0, 64 * KiB)), 0);
		_exit(0);
	}
	CHECK_EQ(child_status(pid), 0);
	CHECK_EQ(reap(r).res, 64 * KiB);
	pattern_check(r->data, 64 * KiB, 0, 3);
}

static void after_close(struct region *r)
{
	pattern_fill(r->data, 64 * KiB, 0, 4);
	close(r->fd);
	pattern_check(r->data, 64 * KiB, 0, 4);
	memset(r->data, 0, 64 * KiB);
	touch(r->map, 2 * MiB);
	CHECK(munmap(r->map, SIZE) == 0);
}

int main(void)
{
	for (int small = 0; small < 2; small++) {
		struct unified_io_setup setup = SETUP_DEFAULT;
		struct region r;

		setup.region_size = SIZE;
		setup.flags = small ? UNIFIED_IO_SETUP_SMALL_PAGES : 0;
		region_setup(&r, NULL, setup);
		whole(&r, small);
		data_alone(&r, small);
		after_fork(&r);
		parts(&r);
		after_close(&r);
	}
	return 0;
}
