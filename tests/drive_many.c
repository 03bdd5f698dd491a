// SPDX-License-Identifier: GPL-2.0
/*
 * Concurrency: several drives at once, each with a region of its own that
 * several threads submit to, by value and through the ring. Every operation
 * completes once, and what was written is what is read.
 */
#include "common.h"

#define THREADS		3
#define ROUNDS		60
#define DRIVES		4

struct drive {
	struct region r;
	const char *path;
	unsigned int block;
	unsigned int id;
	pthread_mutex_t sq_lock;
	pthread_t thread[THREADS], reaper;
	unsigned int done[THREADS];	/* completions per thread */
};

struct worker {
	struct drive *drive;
	unsigned int nr;
};

static uint64_t where(const struct worker *w, unsigned int round)
{
	return (w->nr * ROUNDS + round) * 16 * KiB;
}

static struct unified_descriptor write_desc(const struct worker *w, unsigned int round)
{
	struct unified_descriptor d = desc_nvme(NVME_CMD_WRITE, w->nr * MiB, 16 * KiB,
						where(w, round) / w->drive->block);

	d.user_data = (uint64_t)w->nr << 32 | round;
	return d;
}

static void submit_some_way(struct drive *drive, struct unified_descriptor d, bool by_ring)
{
	if (!by_ring) {
		CHECK_RES(submit(&drive->r, d), 0);
		return;
	}
	pthread_mutex_lock(&drive->sq_lock);
	queue(&drive->r, d);
	CHECK_RES(enter(&drive->r, 1, 0, 0, NULL), 0);
	pthread_mutex_unlock(&drive->sq_lock);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct drive *drive = w->drive;

	for (unsigned int round = 0; round < ROUNDS; round++) {
		uint64_t end = now_ns() + WAIT_NS;

		pattern_fill(drive->r.data + w->nr * MiB, 16 * KiB, where(w, round), drive->id);
		submit_some_way(drive, write_desc(w, round), round & 1);
		while (__atomic_load_n(&drive->done[w->nr], __ATOMIC_ACQUIRE) <= round) {
			CHECK(now_ns() < end);
			sched_yield();
		}
	}
	return NULL;
}

static void *reaper(void *arg)
{
	struct drive *drive = arg;

	for (int i = 0; i < THREADS * ROUNDS; i++) {
		struct unified_completion c;
		unsigned int nr;

		/* ENTER does not wait while nothing is in flight, and that may be so */
		for (uint64_t end = now_ns() + WAIT_NS; !nr_ready(&drive->r) && now_ns() < end;)
			enter(&drive->r, 0, 1, NSEC_PER_SEC, NULL);
		c = reap(&drive->r);
		nr = c.user_data >> 32;

		CHECK_RES(c.res, 16 * KiB);
		CHECK(nr < THREADS);
		CHECK_EQ((uint32_t)c.user_data, drive->done[nr]);
		__atomic_fetch_add(&drive->done[nr], 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

int main(void)
{
	const char *paths[DRIVES] = { env("NVME0"), env("NVME2"), env("VIRTIO"), env("NULLBLK") };
	static struct drive drives[DRIVES];
	static struct worker workers[DRIVES][THREADS];

	for (unsigned int i = 0; i < DRIVES; i++) {
		drives[i].path = paths[i];
		drives[i].id = i;
		drives[i].block = drive_block(paths[i]);
		pthread_mutex_init(&drives[i].sq_lock, NULL);
		region_open(&drives[i].r, paths[i]);
		for (unsigned int t = 0; t < THREADS; t++) {
			workers[i][t] = (struct worker){ &drives[i], t };
			CHECK(!pthread_create(&drives[i].thread[t], NULL, work, &workers[i][t]));
		}
		CHECK(!pthread_create(&drives[i].reaper, NULL, reaper, &drives[i]));
	}
	for (unsigned int i = 0; i < DRIVES; i++) {
		for (unsigned int t = 0; t < THREADS; t++)
			pthread_join(drives[i].thread[t], NULL);
		pthread_join(drives[i].reaper, NULL);
		CHECK_EQ(region_info(&drives[i].r).completed, THREADS * ROUNDS);
		drive_check(drives[i].path, 0, THREADS * ROUNDS * 16 * KiB, 0, i);
		region_close(&drives[i].r);
	}
	return 0;
}
