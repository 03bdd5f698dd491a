// SPDX-License-Identifier: GPL-2.0
/*
 * records make FILE RECORD-SIZE BYTES
 *	writes a stream of records; no two blocks of it are equal
 * records verify FILE RECORD-SIZE BYTES STAMP DEVICE OFFSET
 *	compares the drive from OFFSET with what a filter must have made of the first BYTES of FILE,
 *	and prints the bytes compared and their checksum
 * records number DEVICE BYTES
 *	writes its number at the head of every 4 KiB block
 */
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "randread.h"
#include "record.h"

#define CHUNK	(1UL << 20)	/* read from the drive at once; a multiple of every record size */

/* splitmix64, whose every output differs from all others */
static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

static void fill(char *at, size_t size, uint64_t seq)
{
	struct record head = {
		.magic = RECORD_MAGIC,
		.size = size,
		.seq = seq,
		.kind = mix(~seq) % RECORD_KINDS,
	};
	uint64_t *word = (uint64_t *)at, x = mix(seq);

	for (size_t i = 0; i < size / sizeof(*word); i++)
		word[i] = x += 0x9e3779b97f4a7c15;
	memcpy(at, &head, sizeof(head));
}

static char *map(const char *path, int flags, size_t bytes)
{
	int fd = open(path, flags, 0600);
	char *at;

	if (fd < 0)
		err(1, "%s", path);
	if ((flags & O_CREAT) && ftruncate(fd, bytes))
		err(1, "%s", path);
	at = mmap(NULL, bytes, PROT_READ | (flags & O_CREAT ? PROT_WRITE : 0), MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		err(1, "%s", path);
	close(fd);
	return at;
}

static int make(const char *path, size_t size, size_t bytes)
{
	char *at = map(path, O_CREAT | O_RDWR, bytes);

	for (size_t off = 0; off + size <= bytes; off += size)
		fill(at + off, size, off / size);
	return 0;
}

struct drive {
	int	fd;
	off_t	off;
	char	*buf;
	size_t	at;	/* next byte in buf; CHUNK when it is used up */
};

static const char *next(struct drive *d, size_t size)
{
	if (d->at == CHUNK) {
		if (pread(d->fd, d->buf, CHUNK, d->off) != CHUNK)
			err(1, "reading the drive at %lld", (long long)d->off);
		d->off += CHUNK;
		d->at = 0;
	}
	d->at += size;
	return d->buf + d->at - size;
}

static void check(const char *got, const char *sent, size_t size, uint32_t stamp)
{
	struct record want;

	memcpy(&want, sent, sizeof(want));
	record_filter(&want, stamp);
	if (memcmp(got, &want, sizeof(want)) ||
	    memcmp(got + sizeof(want), sent + sizeof(want), size - sizeof(want)))
		errx(1, "record %llu is not on the drive as it should be", (unsigned long long)want.seq);
}

static uint64_t checksum(uint64_t sum, const char *at, size_t size)
{
	for (size_t i = 0; i < size / sizeof(sum); i++)
		sum = (sum << 1 | sum >> 63) ^ ((const uint64_t *)at)[i];
	return sum;
}

static int verify(char **arg)
{
	size_t size = atol(arg[1]), bytes = atol(arg[2]), kept = 0;
	struct drive d = { .fd = open(arg[4], O_RDONLY | O_DIRECT), .off = atoll(arg[5]), .at = CHUNK };
	const char *sent = map(arg[0], O_RDONLY, bytes);
	uint64_t sum = 0;

	if (d.fd < 0)
		err(1, "%s", arg[4]);
	if (posix_memalign((void **)&d.buf, 4096, CHUNK))
		errx(1, "no memory");
	for (size_t off = 0; off + size <= bytes; off += size) {
		const char *got;

		if (((struct record *)(sent + off))->kind == RECORD_DROP)
			continue;
		got = next(&d, size);
		check(got, sent + off, size, atoi(arg[3]));
		sum = checksum(sum, got, size);
		kept += size;
	}
	printf("{\"bytes\": %zu, \"checksum\": \"%016llx\"}\n", kept, (unsigned long long)sum);
	return 0;
}

static int number(const char *device, size_t bytes)
{
	int fd = open(device, O_WRONLY | O_DIRECT);
	char *buf;

	if (fd < 0 || posix_memalign((void **)&buf, BLOCK, CHUNK))
		err(1, "%s", device);
	memset(buf, 0, CHUNK);
	for (size_t off = 0; off + CHUNK <= bytes; off += CHUNK) {
		for (size_t i = 0; i < CHUNK; i += BLOCK)
			*(uint64_t *)(buf + i) = (off + i) / BLOCK;
		if (pwrite(fd, buf, CHUNK, off) != CHUNK)
			err(1, "writing the drive at %zu", off);
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[1], "make"))
		return make(argv[2], atol(argv[3]), atol(argv[4]));
	if (argc == 8 && !strcmp(argv[1], "verify"))
		return verify(argv + 2);
	if (argc == 4 && !strcmp(argv[1], "number"))
		return number(argv[2], atol(argv[3]));
	errx(2, "usage: records number DEVICE BYTES | records make FILE SIZE BYTES | records verify FILE SIZE BYTES STAMP DEVICE OFFSET");
}
