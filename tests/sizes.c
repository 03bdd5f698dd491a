// SPDX-License-Identifier: GPL-2.0
/*
 * Regions from the smallest to 1 GiB, of 2 MiB folios and of 4 KiB pages: what
 * SETUP, the control page, GET_INFO and QUERY say agrees; memory starts zeroed;
 * the last byte of the data area works.
 */
#include "common.h"

static void check_layout(struct region *r)
{
	struct unified_io_info info = region_info(r);
	struct unified_io_control *ctl = r->ctl;

	CHECK_EQ(ctl->version, UNIFIED_IO_VERSION);
	CHECK_EQ(ctl->sq_entries, r->setup.sq_entries);
	CHECK_EQ(ctl->cq_entries, r->setup.cq_entries);
	CHECK_EQ(ctl->niov_entries, r->setup.niov_entries ?: r->setup.cq_entries);
	CHECK_EQ(ctl->region_id, r->setup.region_id);
	CHECK_EQ(ctl->region_size, r->setup.region_size);
	CHECK_EQ(ctl->data_offset, r->setup.data_offset);
	CHECK_EQ(ctl->data_size, r->setup.data_size);
	CHECK_EQ(ctl->data_offset + ctl->data_size, ctl->region_size);
	CHECK_EQ(ctl->data_offset % 4096, 0);
	CHECK(ctl->sq_offset >= sizeof(*ctl));
	CHECK(ctl->cq_offset >= ctl->sq_offset + ctl->sq_entries * sizeof(struct unified_descriptor));
	CHECK(ctl->niov_offset >= ctl->cq_offset + ctl->cq_entries * sizeof(struct unified_completion));
	CHECK(ctl->data_offset >= ctl->niov_offset + ctl->niov_entries * sizeof(struct unified_net_iov));
	CHECK_EQ(info.region_id, ctl->region_id);
	CHECK_EQ(info.region_size, ctl->region_size);
	CHECK_EQ(info.data_offset, ctl->data_offset);
	CHECK_EQ(info.data_size, ctl->data_size);
	CHECK_EQ(info.sq_entries, ctl->sq_entries);
	CHECK_EQ(info.cq_entries, ctl->cq_entries);
	CHECK_EQ(info.niov_entries, ctl->niov_entries);
	CHECK_EQ(info.numa_node, 0);
	CHECK_EQ(info.device_kind, UNIFIED_IO_DEV_NONE);
}

static void check_pages(struct region *r, bool small)
{
	uint64_t huge = region_info(r).huge_bytes;

	if (small)
		CHECK_EQ(huge, 0);
	else
		CHECK_EQ(huge, r->setup.region_size / (2 * MiB) * (2 * MiB));
}

static void one_region(uint64_t size, unsigned int entries, bool small)
{
	struct unified_io_setup setup = SETUP_DEFAULT;
	struct unified_completion c;
	struct region r;
	uint64_t last;

	setup.region_size = size;
	setup.sq_entries = entries;
	setup.cq_entries = entries;
	setup.flags = small ? UNIFIED_IO_SETUP_SMALL_PAGES : 0;
	region_setup(&r, NULL, setup);
	check_layout(&r);
	check_pages(&r, small);
	check_filled(r.data, 64 * KiB, 0);
	last = r.setup.data_size - 4096;
	check_filled(r.data + last, 4096, 0);
	r.data[r.setup.data_size - 1] = 0x5a;
	c = run(&r, desc_bpf(last, 4096));
	CHECK_EQ(c.res, 4096);
	CHECK(c.flags & UNIFIED_IO_CQE_F_NO_PROG);
	CHECK_RES(result(&r, desc_bpf(last, 4097)), -ERANGE);
	region_close(&r);
}

static void check_query(void)
{
	struct unified_io_query q;
	int fd = device_open();

	memset(&q, 0xff, sizeof(q));
	CHECK_RES(uior(fd, UNIFIED_IO_QUERY, &q), 0);
	close(fd);
	CHECK_EQ(q.version, UNIFIED_IO_VERSION);
	CHECK_EQ(q.max_entries, UNIFIED_IO_MAX_ENTRIES);
	CHECK_EQ(q.min_region, UNIFIED_IO_MIN_REGION);
	CHECK_EQ(q.max_region, UNIFIED_IO_MAX_REGION);
	CHECK_EQ(q.max_sockets, UNIFIED_IO_MAX_SOCKETS);
	CHECK_EQ(q.max_progs, UNIFIED_IO_MAX_PROGS);
	CHECK_EQ(q.max_len, UNIFIED_IO_MAX_LEN);
	CHECK_EQ(q.carry_max, UNIFIED_IO_CARRY_MAX);
	CHECK_EQ(q.features & q.missing, 0);
	CHECK_EQ(q.features | q.missing, 0x7f);
	for (size_t i = 0; i < ARRAY_SIZE(q.resv); i++)
		CHECK_EQ(q.resv[i], 0);
}

int main(void)
{
	check_query();
	for (int small = 0; small < 2; small++) {
		one_region(UNIFIED_IO_MIN_REGION, 64, small);
		one_region(UNIFIED_IO_MIN_REGION, 1, small);
		one_region(2 * MiB - 4096, 64, small);
		one_region(2 * MiB, 64, small);
		one_region(7 * MiB + 4096, 256, small);
		one_region(64 * MiB, UNIFIED_IO_MAX_ENTRIES, small);
	}
	one_region(1024 * MiB, 1024, false);
	return 0;
}
