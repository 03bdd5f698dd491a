// SPDX-License-Identifier: GPL-2.0
/*
 * UNIFIED_IO_DESC_F_RANGES: what a table names is written and sent, wherever in the
 * data area and in whatever order, with nothing copied or moved; what the drive
 * cannot gather and what is malformed is refused; a table that another thread
 * rewrites does no harm.
 */
#include "table.h"

static struct unified_descriptor write_table(void)
{
	struct unified_descriptor d = desc_table();

	then_write(&d);
	return d;
}

static void check_write(struct unified_completion c)
{
	CHECK_RES(c.res, (int)want_len);
	CHECK_EQ(c.len, want_len);
	CHECK_EQ(c.addr, 0);
	CHECK_EQ(c.copied, 0);
	CHECK_EQ(c.moved, 0);
	check_stored();
}

/* Ranges with borders at multiples of @unit, up to @bytes each, a whole number of blocks together. */
static void random_table(uint32_t unit, uint32_t bytes)
{
	uint32_t block = drive_block(path), units = (r.setup.data_size - 4096) / unit, len;
	uint32_t longest = bytes > unit ? bytes / unit : 1;

	begin();
	for (unsigned int nr = below(UNIFIED_IO_RANGES_MAX - 1); nr; nr--)
		range(4096 + (uint64_t)below(units - longest) * unit, (1 + below(longest)) * unit);
	len = block - want_len % block;
	range(4096 + (uint64_t)below(units - block) * unit, len);
}

static void writes(void)
{
	uint32_t unit = region_info(&r).range_alignment, block = drive_block(path);
	uint32_t whole = unit > block ? unit : block;

	for (int i = 0; i < 20; i++) {
		random_table(unit, 256);
		check_write(run(&r, write_table()));
		random_table(unit, 64 * KiB);
		check_write(run(&r, write_table()));
	}
	/* backwards, over the border of a folio, and the same bytes twice */
	begin();
	range(3 * MiB, whole);
	range(2 * MiB - whole, 2 * whole);
	range(3 * MiB, whole);
	check_write(run(&r, write_table()));
	/* neighbours are one range */
	begin();
	range(1 * MiB, block / 2);
	range(1 * MiB + block / 2, block / 2);
	CHECK_EQ(run(&r, write_table()).flags & UNIFIED_IO_CQE_F_GATHERED, 0);
	check_stored();
}

static void *read_all(void *fd)
{
	unsigned char *got = malloc(want_len);

	CHECK(got);
	recv_all(*(int *)fd, got, want_len);
	CHECK(!memcmp(got, want, want_len));
	free(got);
	return NULL;
}

/* Any alignment; and after a write of the same. */
static void sends(void)
{
	struct unified_descriptor d;
	pthread_t thread;
	int fd[2], slot;

	tcp_pair(fd);
	slot = attach(&r, fd[0]);
	for (int i = 0; i < 10; i++) {
		random_table(i % 2 ? 1 : region_info(&r).range_alignment, 20000);
		d = i % 2 ? desc_table() : write_table();
		then_send(&d, slot);
		CHECK(pthread_create(&thread, NULL, read_all, &fd[1]) == 0);
		CHECK_RES(run(&r, d).res, (int)want_len);
		pthread_join(thread, NULL);
	}
	detach(&r, slot);
	close(fd[0]);
	close(fd[1]);
}

static int write_of(uint64_t addr, uint32_t len, uint32_t resv)
{
	struct unified_descriptor d = desc_nvme(NVME_CMD_WRITE, 0, 2 * sizeof(*table), LBA);

	table[0] = (struct unified_net_iov){ .addr = 4096, .len = 4096 };
	table[1] = (struct unified_net_iov){ .addr = addr, .len = len, .resv = resv };
	d.flags = UNIFIED_IO_DESC_F_RANGES;
	return result(&r, d);
}

static void errors(void)
{
	uint32_t unit = region_info(&r).range_alignment, block = drive_block(path);
	struct unified_descriptor d;

	CHECK_RES(write_of(8192, 4096, 1), -EINVAL);
	CHECK_RES(write_of(8192, 0, 0), -EMSGSIZE);
	CHECK_RES(write_of(r.setup.data_size, 4096, 0), -ERANGE);
	CHECK_RES(write_of(~0ULL, 2, 0), -ERANGE);
	CHECK_RES(write_of(~4095ULL, 4096, 0), -ERANGE);
	CHECK_RES(write_of(r.setup.data_size - 4096, 4097, 0), -ERANGE);
	CHECK_RES(write_of(0, block + 1, 0), -EREMOTEIO);
	if (unit > 1)
		CHECK_RES(write_of(16384 + unit / 2, block, 0), -EREMOTEIO);

	begin();
	range(4096, block);
	d = write_table();
	d.len++;
	CHECK_RES(result(&r, d), -EINVAL);
	d = write_table();
	d.addr = 4;
	CHECK_RES(result(&r, d), -EINVAL);
	d = write_table();
	d.len = (UNIFIED_IO_RANGES_MAX + 1) * sizeof(*table);
	CHECK_RES(result(&r, d), -EMSGSIZE);
	d = write_table();
	d.addr = r.setup.data_size;
	CHECK_RES(result(&r, d), -ERANGE);
	d = write_table();
	d.flags |= UNIFIED_IO_DESC_F_PAD;
	CHECK_RES(result(&r, d), -EINVAL);
	for (int opcode = NVME_CMD_READ; opcode != -1; opcode = opcode == NVME_CMD_READ ? NVME_CMD_FLUSH : -1) {
		d = write_table();
		d.nvme.opcode = opcode;
		CHECK_RES(result(&r, d), -EINVAL);
	}
	check_write(run(&r, write_table()));
}

static bool stop;

static void *rewrite(void *arg)
{
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		table[1].addr = ~0ULL - rand();
		table[1].len = rand();
		table[1].addr = 16384;
		table[1].len = 4096;
	}
	return NULL;
}

static void rewritten(void)
{
	struct unified_descriptor d = desc_nvme(NVME_CMD_WRITE, 0, 2 * sizeof(*table), LBA);
	pthread_t thread;

	d.flags = UNIFIED_IO_DESC_F_RANGES;
	table[0] = (struct unified_net_iov){ .addr = 4096, .len = 4096 };
	table[1] = (struct unified_net_iov){ .addr = 16384, .len = 4096 };
	CHECK(pthread_create(&thread, NULL, rewrite, NULL) == 0);
	for (int i = 0; i < 2000; i++) {
		int res = result(&r, d);

		if (res < 0 && res != -ERANGE && res != -EMSGSIZE && res != -EREMOTEIO)
			FAIL("the write of a table that changes is %s", strerrorname_np(-res));
	}
	stop = true;
	pthread_join(thread, NULL);
}

int main(void)
{
	const char *const drives[] = { "NVME0", "VIRTIO", "NULLBLK", "PARTITION" };
	const unsigned int flags[] = { 0, UNIFIED_IO_SETUP_SMALL_PAGES, UNIFIED_IO_SETUP_BLOCK_LAYER };

	for (size_t i = 0; i < ARRAY_SIZE(drives) * ARRAY_SIZE(flags); i++) {
		table_open(env(drives[i % ARRAY_SIZE(drives)]), flags[i / ARRAY_SIZE(drives)]);
		writes();
		errors();
		table_close();
	}
	table_open(env("NVME0"), 0);
	sends();
	rewritten();
	table_close();
	return 0;
}
