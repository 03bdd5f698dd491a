/* SPDX-License-Identifier: GPL-2.0 */
/* A table of ranges in a region with a drive, and what the bytes that it names have to become. */
#ifndef TESTS_TABLE_H
#define TESTS_TABLE_H

#include "common.h"

#define LBA	8192

static struct region r;
static const char *path;
static struct unified_net_iov *table;	/* at the start of the data area */
static unsigned int nr_ranges;
static unsigned char *want;
static size_t want_len;

static inline uint32_t below(uint32_t n)
{
	return rand() % n;
}

static inline void begin(void)
{
	static uint64_t seed;

	nr_ranges = 0;
	want_len = 0;
	pattern_fill(r.data + 4096, r.setup.data_size - 4096, 0, ++seed * 0x9e3779b97f4a7c15);
}

static inline void range(uint64_t addr, uint32_t len)
{
	table[nr_ranges++] = (struct unified_net_iov){ .addr = addr, .len = len };
	memcpy(want + want_len, r.data + addr, len);
	want_len += len;
}

/* A chain on the table: stages are yet to be added. */
static inline struct unified_descriptor desc_table(void)
{
	return (struct unified_descriptor){
		.len = nr_ranges * sizeof(*table), .flags = UNIFIED_IO_DESC_F_RANGES,
	};
}

static inline void then_write(struct unified_descriptor *d)
{
	d->type |= UNIFIED_REGION_F_NVME;
	d->nvme.opcode = NVME_CMD_WRITE;
	d->nvme.slba = LBA;
}

static inline void then_send(struct unified_descriptor *d, unsigned int slot)
{
	d->type |= UNIFIED_REGION_F_NETWORK;
	d->net.flags = UNIFIED_IO_NET_F_SEND;
	d->net.tx_slot = slot;
}

static inline void table_open(const char *drive, unsigned int flags)
{
	struct unified_io_setup setup = SETUP_DEFAULT;

	setup.region_size = 8 * MiB;
	setup.flags = flags;
	path = drive;
	region_setup(&r, path, setup);
	table = (void *)r.data;
	want = malloc(r.setup.data_size);
	CHECK(want);
}

static inline void table_close(void)
{
	region_close(&r);
	free(want);
}

/* What was wanted is on the drive. */
static inline void check_stored(void)
{
	size_t block = drive_block(path), whole = (want_len + block - 1) / block * block;
	unsigned char *got = malloc(whole);

	CHECK(got);
	drive_read(path, LBA * block, got, whole);
	CHECK(!memcmp(got, want, want_len));
	check_filled(got + want_len, whole - want_len, 0);
	free(got);
}

#endif /* TESTS_TABLE_H */
