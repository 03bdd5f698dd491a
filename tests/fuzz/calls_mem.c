// SPDX-License-Identifier: GPL-2.0
/*
 * Calls on memory: the rings, written to as a program does and as none should,
 * in step and while the kernel reads them; and the mappings.
 */
#include "fuzz.h"

#include <linux/dma-buf.h>
#include <linux/mman.h>
#include <sys/syscall.h>

#define NR_MAPS		4
#define MAX_RACERS	2
#define RACE_NS		(50 * 1000000ULL)

static struct {
	void *at;
	size_t len;
} maps[NR_MAPS];

/* the rings */

static void publish(uint32_t *index)
{
	__atomic_store_n(index, *index + 1, __ATOMIC_RELEASE);
}

void call_niov(const uint8_t *a)
{
	static const uint32_t lens[] = { 65536, 4096, 512, 8192, 100, 0, 1, ~0U, 1 << 30 };
	struct fuzz_region *r = region_of(a[0]);
	struct unified_io_control *ctl = control_of(r);
	struct unified_net_iov *niov;

	if (!ctl || r->hostile || !r->setup.niov_entries)
		return;
	for (int i = 0; i <= a[1] % 8; i++) {
		niov = r->map + ctl->niov_offset % r->map_len;
		niov += ctl->niov_tail & (r->setup.niov_entries - 1);
		if ((void *)(niov + 1) > r->map + r->map_len)
			return;
		*niov = (struct unified_net_iov){
			.addr = a[2] < 224 ? (a[2] + i) % 16 * 65536ULL : wild(a[2]),
			.len = PICK(lens, 4, a[3]), .resv = a[4] < 250 ? 0 : a[4],
		};
		publish(&ctl->niov_tail);
	}
}

void call_consume(const uint8_t *a)
{
	struct fuzz_region *r = region_of(a[0]);
	struct unified_io_control *ctl = control_of(r);

	if (ctl)
		__atomic_store_n(&ctl->cq_head, ctl->cq_tail - (a[1] & 3), __ATOMIC_RELEASE);
}

/* Where it hurts: an index, a constant that is the kernel's, a descriptor, a Net IOV, anything. */
static uint32_t *target(struct fuzz_region *r, uint8_t where, uint8_t word)
{
	static const uint16_t indices[] = {
		offsetof(struct unified_io_control, sq_tail), offsetof(struct unified_io_control, cq_head),
		offsetof(struct unified_io_control, niov_tail), offsetof(struct unified_io_control, sq_head),
		offsetof(struct unified_io_control, cq_tail), offsetof(struct unified_io_control, niov_head),
		offsetof(struct unified_io_control, flags), offsetof(struct unified_io_control, sq_entries),
		offsetof(struct unified_io_control, data_offset), offsetof(struct unified_io_control, cq_offset),
	};

	if (where < 128)
		return r->map + indices[where % ARRAY_SIZE(indices)];
	if (where < 240)	/* the rings, in a region of small rings */
		return r->map + sizeof(struct unified_io_control) + ((where - 128) * 64 + word % 16 * 4);
	return r->map + word * 1024;
}

void call_poke(const uint8_t *a)
{
	struct fuzz_region *r = region_of(a[0]);
	uint32_t *at;

	if (!r->map)
		return;
	r->hostile = true;
	at = target(r, a[1], a[2]);
	switch (a[3] & 3) {
	case 0:
		*at += 1 + a[4];
		break;
	case 1:
		*at ^= 1U << (a[4] & 31);
		break;
	default:
		*at = wild(a[4]);
	}
}

struct race {
	struct fuzz_region *region;
	uint8_t where, mask;
	uint64_t state;
};

/* Of its own: the parent's goes on for the next program. */
static uint64_t race_rnd(struct race *race)
{
	race->state ^= race->state << 13;
	race->state ^= race->state >> 7;
	race->state ^= race->state << 17;
	return race->state;
}

static void *racer(void *arg)
{
	uint64_t end = now_ns() + RACE_NS * slow;
	struct race *race = arg;

	while (race->region->map && now_ns() < end) {
		for (int i = 0; i < 1000 && race->region->map; i++) {
			uint64_t bits = race_rnd(race);
			uint32_t *at = target(race->region, race->where + (bits & race->mask), bits >> 8);

			if (bits >> 63)
				*at ^= 1U << (bits >> 16 & 31);
			else
				*at = bits >> 62 & 1 ? wild(bits >> 16) : *at + (bits >> 32 & 3);
		}
	}
	return NULL;
}

/* Somebody writes there from now on, as long as the program runs. */
void call_race(const uint8_t *a)
{
	static struct race races[MAX_RACERS];
	static unsigned int nr;
	pthread_t thread;

	if (nr == MAX_RACERS || !region_of(a[0])->map)
		return;
	region_of(a[0])->hostile = true;
	races[nr] = (struct race){
		.region = region_of(a[0]), .where = a[1], .mask = a[2], .state = 1 + a[3],
	};
	pthread_create(&thread, NULL, racer, &races[nr++]);
}

/* the mappings */

void call_mmap(const uint8_t *a)
{
	static const size_t lens[] = { MiB, 4096, 65536, 2 * MiB, 4 * MiB, 1, 1 << 30 };
	static const uint64_t offsets[] = { 0, UNIFIED_IO_OFF_DATA, 4096, UNIFIED_IO_OFF_DATA + 4096, 512 << 10,
		UNIFIED_IO_OFF_DATA - 4096, 1ULL << 40, ~0xfffULL };
	static const int prots[] = { PROT_READ | PROT_WRITE, PROT_READ, PROT_NONE, PROT_WRITE, PROT_READ | PROT_EXEC };
	static const int flags[] = { MAP_SHARED, MAP_SHARED | MAP_POPULATE, MAP_PRIVATE, MAP_SHARED | MAP_LOCKED,
		MAP_SHARED_VALIDATE | MAP_SYNC };
	size_t len = PICK(lens, 3, a[1]);
	void *at = mmap(NULL, len, PICK(prots, 2, a[3]), PICK(flags, 2, a[4]), region_of(a[0])->fd,
			PICK(offsets, 5, a[2]));

	if (at == MAP_FAILED)
		return;
	maps[a[5] % NR_MAPS].at = at;
	maps[a[5] % NR_MAPS].len = len;
}

/* Mappings made by call_mmap(), and the region's own, which is never unmapped. */
static void *mapping_of(uint8_t byte, size_t *len)
{
	struct fuzz_region *r = region_of(byte >> 3);

	*len = byte & 4 ? maps[byte % NR_MAPS].len : r->map_len;
	return byte & 4 ? maps[byte % NR_MAPS].at : r->map;
}

void call_mapping(const uint8_t *a)
{
	static const int advices[] = { MADV_DONTNEED, MADV_POPULATE_WRITE, MADV_POPULATE_READ, MADV_HUGEPAGE,
		MADV_NOHUGEPAGE, MADV_COLLAPSE, MADV_PAGEOUT, MADV_COLD, MADV_FREE, MADV_REMOVE, MADV_DONTFORK,
		MADV_WIPEONFORK, MADV_MERGEABLE, MADV_DODUMP, MADV_WILLNEED, MADV_DONTNEED_LOCKED };
	size_t len, off;
	void *at = mapping_of(a[0], &len);

	if (!at)
		return;
	off = a[2] * 4096UL % len;
	len = a[3] ? a[3] * 4096UL % (len - off) + 1 : len - off;
	switch (a[1] % 8) {
	case 0:
		if (a[0] & 4)
			munmap(at + off, len);
		break;
	case 1:
		if (a[0] & 4)
			mprotect(at + off, len, a[4] & 7);
		break;
	case 2:
		if (a[0] & 4)
			mremap(at + off, len, a[4] * 4096UL, a[4] & 1 ? MREMAP_MAYMOVE : 0);
		break;
	case 3:
		mlock(at + off, len);
		break;
	case 4:
		msync(at + off, len, MS_SYNC);
		break;
	default:
		madvise(at + off, len, advices[a[4] % ARRAY_SIZE(advices)]);
	}
}

/* By the kernel, which gets EFAULT where we would get a signal. */
void call_touch(const uint8_t *a)
{
	static int zero = -1;
	size_t len;
	char *at = mapping_of(a[0], &len);

	if (zero < 0)
		zero = open("/dev/zero", O_RDWR | O_CLOEXEC);
	for (size_t off = 0; at && off < len; off += 4096UL << (a[1] & 7))
		if (off >= sizeof(struct unified_io_control) && read(zero, at + off + 4000, 64) < 0)
			break;
}

/* Pages of the region, pinned by somebody else's transfer. */
void call_direct_io(const uint8_t *a)
{
	const char *path = getenv("LOOP");
	size_t len, off;
	char *at = mapping_of(a[0], &len);
	int fd = path ? open(path, O_RDWR | O_DIRECT | O_CLOEXEC) : -1;

	if (at && fd >= 0 && len > 8192) {
		off = 4096 + a[1] * 4096UL % (len - 4096);
		len = (1 + a[2]) * 512UL < len - off ? (1 + a[2]) * 512UL : 512;
		if (a[3] & 1)
			pwrite(fd, at + off, len, 0);
		else
			pread(fd, at + off, len, 0);
	}
	close(fd);
}

/* A part of the data area as a dma-buf, which may outlive the region. */
void call_export(const uint8_t *a)
{
	struct unified_io_export arg = {
		.offset = a[1] < 224 ? a[1] * 4096UL : wild(a[1]), .len = a[2] < 224 ? a[2] * 4096UL : wild(a[2]),
		.flags = a[3] < 250 ? 0 : a[3],
	};
	struct dma_buf_sync sync = { .flags = a[4] & 7 };
	static int fd = -1;
	void *at;

	if (a[5] & 1)
		close(fd);	/* the one before; without, it stays until the end */
	fd = call_ioctl(region_of(a[0])->fd, UNIFIED_IO_EXPORT, &arg, sizeof(arg), a[6]);
	if (fd < 0)
		return;
	ioctl(fd, DMA_BUF_IOCTL_SYNC, &sync);
	lseek(fd, 0, a[4] & 1 ? SEEK_END : SEEK_SET);
	at = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED, fd, a[7] & 1 ? 4096 : 0);
	if (at == MAP_FAILED)
		return;
	maps[a[5] % NR_MAPS].at = at;
	maps[a[5] % NR_MAPS].len = 65536;
}
