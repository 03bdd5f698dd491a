// SPDX-License-Identifier: GPL-2.0
/*
 * zcrx_proof device|nodev|socket PORT: receives one TCP stream, whole blocks, on
 * $ZC_HERE, hands it to a BPF program where it lies, and writes it to the drive from
 * its first block on; then says what was counted, a 'name value' a line.
 * zcrx_proof.sh has the rest.
 */
#include <arpa/inet.h>
#include <unified_io_zcrx.h>

#include "common.h"
#include "proof.skel.h"

#define CHAIN_LEN	(256 * KiB)	/* a chain is not much longer */
#define CHAIN_RANGES	48		/* of UNIFIED_IO_RANGES_MAX: what is left is for the cut */
#define NR_CHAINS	16		/* in flight */
#define SPARE		(512 * KiB)	/* for what the drive cannot gather; the test shows that it is not used */
#define AREA_OFF	(10 * MiB)
#define AREA_LEN	(20 * MiB)

/* What is on its way to the drive, in order; arrivals that are all behind it are given back. */
struct chain {
	bool done;
	struct unified_io_ranges ranges;
	unsigned int nr;
	uint64_t arrivals[UNIFIED_IO_RANGES_MAX];
};

static struct unified_io io;
static struct unified_io_info info;
static struct unified_io_zcrx *zc;
static struct chain chains[NR_CHAINS];
static unsigned int first, next;	/* chains[first % NR_CHAINS] is the oldest in flight */
static struct unified_io_zcrx_event waiting[64 * 1024];
static unsigned int nr_waiting, nr_taken;
static uint64_t written, received, nr_arrivals, copied;
static bool ended;

static struct chain *current(void)
{
	return &chains[next % NR_CHAINS];
}

static void begin(void)
{
	struct chain *chain = current();

	chain->done = false;
	chain->nr = 0;
	unified_io_ranges_init(&chain->ranges, &io, next % NR_CHAINS * SPARE, SPARE, info.range_alignment);
}

static void submit_chain(void)
{
	struct unified_io_ranges *ranges = &current()->ranges;
	struct unified_descriptor desc;

	unified_io_prep_write(&desc, 0, 0, written / info.lba_size);
	unified_io_then_bpf(&desc, 0, 0);
	unified_io_ranges_use(ranges, &desc);
	desc.user_data = next % NR_CHAINS;
	CHECK_RES(unified_io_zcrx_submit(zc, &desc), 0);
	written += ranges->len;
	copied += ranges->copied;
	next++;
	begin();
}

/* A chain is whole blocks: what is beyond them begins the next one. */
static void take(const struct unified_io_zcrx_event *event)
{
	struct chain *chain = current();
	uint32_t len = event->res, over = (chain->ranges.len + len) % info.lba_size;
	bool cut = (chain->ranges.len + len >= CHAIN_LEN || chain->nr >= CHAIN_RANGES) && over < len;

	received += len;
	nr_arrivals++;
	CHECK_RES(unified_io_ranges_add(&chain->ranges, event->addr, cut ? len - over : len), 0);
	if (cut)
		submit_chain();
	if (cut && over)
		CHECK_RES(unified_io_ranges_add(&current()->ranges, event->addr + len - over, over), 0);
	/* it is given back with the chain that has its last byte */
	chain = cut && !over ? &chains[(next - 1) % NR_CHAINS] : current();
	CHECK(chain->nr < UNIFIED_IO_RANGES_MAX);
	chain->arrivals[chain->nr++] = event->addr;
}

static void stored(const struct unified_io_zcrx_event *event)
{
	struct chain *chain = &chains[event->user_data];

	CHECK_RES(event->res, (int)chain->ranges.len);
	CHECK_EQ(event->copied, 0);
	chain->done = true;
	while (first != next && chains[first % NR_CHAINS].done) {
		chain = &chains[first++ % NR_CHAINS];
		while (chain->nr)
			unified_io_zcrx_release(zc, chain->arrivals[--chain->nr]);
	}
}

static void wait_for_event(void)
{
	struct unified_io_zcrx_event event;

	while (!unified_io_zcrx_next(zc, &event)) {
		int ret = unified_io_zcrx_wait(zc, WAIT_NS);

		if (ret != -EINTR)
			CHECK_RES(ret, 0);
	}
	if (event.type == UNIFIED_IO_ZCRX_CHAIN) {
		stored(&event);
	} else if (event.type == UNIFIED_IO_ZCRX_DATA) {
		CHECK(nr_waiting < ARRAY_SIZE(waiting));
		waiting[nr_waiting++] = event;
	} else {
		CHECK_RES(event.res, 0);
		ended = true;
	}
}

/* One chain is always left to be filled. */
static bool take_next(void)
{
	if (nr_taken == nr_waiting) {
		nr_taken = nr_waiting = 0;
		return false;
	}
	if (next - first == NR_CHAINS - 1)
		return false;
	take(&waiting[nr_taken++]);
	return true;
}

static void pump(void)
{
	begin();
	while (!ended || nr_waiting)
		if (!take_next() && (!ended || nr_waiting))
			wait_for_event();
	if (current()->ranges.len)
		submit_chain();
	while (first != next)
		wait_for_event();
	CHECK_EQ(written, received);
}

static int accept_one(const char *port)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_port = htons(atoi(port)),
		.sin_addr.s_addr = inet_addr(env("ZC_HERE")),
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1, conn;

	CHECK(fd >= 0);
	CHECK(!setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	CHECK(!bind(fd, (struct sockaddr *)&at, sizeof(at)));
	CHECK(!listen(fd, 1));
	conn = accept(fd, NULL, NULL);
	CHECK(conn >= 0);
	close(fd);
	return conn;
}

static enum unified_io_zcrx_mode mode_of(const char *name)
{
	static const char *const names[] = {
		[UNIFIED_IO_ZCRX_DEVICE] = "device",
		[UNIFIED_IO_ZCRX_NODEV] = "nodev",
		[UNIFIED_IO_ZCRX_SOCKET] = "socket",
	};

	for (unsigned int i = UNIFIED_IO_ZCRX_DEVICE; i < ARRAY_SIZE(names); i++)
		if (!strcmp(name, names[i]))
			return i;
	FAIL("no mode '%s'", name);
}

static void open_all(const char *mode)
{
	struct unified_io_setup setup;
	struct unified_io_zcrx_params params = {
		.mode = mode_of(mode), .ifname = "zc0", .rxq = 3, .len = AREA_LEN, .entries = 32,
	};

	unified_io_defaults(&setup);
	setup.region_size = 32 * MiB;
	setup.nvme_fd = open(env("NVME0"), O_RDWR);
	CHECK_RES(unified_io_open(&io, &setup), 0);
	close(setup.nvme_fd);
	CHECK_RES(unified_io_get_info(&io, &info), 0);
	params.addr = AREA_OFF;
	CHECK_RES(unified_io_zcrx_open(&zc, &io, &params), 0);
	CHECK_EQ(unified_io_zcrx_mode(zc), params.mode);
}

/* The program of the chains, and the probes. */
static struct proof *programs(void)
{
	struct proof *proof = proof__open();

	CHECK(proof);
	proof->struct_ops.proof_ops->region_id = info.region_id;
	CHECK_RES(proof__load(proof), 0);
	CHECK_RES(proof__attach(proof), 0);
	if (!proof->links.proof_ops)
		proof->links.proof_ops = bpf_map__attach_struct_ops(proof->maps.proof_ops);
	CHECK(proof->links.proof_ops);
	return proof;
}

static void say(const char *name, uint64_t value)
{
	printf("%s %llu\n", name, (unsigned long long)value);
}

int main(int argc, char **argv)
{
	struct proof *proof;
	uint64_t region_copied = 0;
	int conn;

	CHECK(argc == 3);
	open_all(argv[1]);
	proof = programs();
	conn = accept_one(argv[2]);
	CHECK_RES(unified_io_zcrx_recv(zc, conn, 0), 0);
	pump();

	CHECK_RES(unified_io_get_info(&io, &info), 0);
	for (unsigned int i = 0; i < UNIFIED_IO_STAGE_NR; i++)
		region_copied += info.stage[i].copied;
	say("bytes", received);
	say("arrivals", nr_arrivals);
	say("chains", proof->bss->chains);
	say("bpf_bytes", proof->bss->bytes);
	say("bpf_pieces", proof->bss->pieces);
	say("bpf_lines", proof->bss->lines);
	say("drive_bytes", info.stage[UNIFIED_IO_STAGE_WRITE].bytes);
	say("copy_chunks", proof->bss->copy_chunks);
	say("copy_datagrams", proof->bss->copy_datagrams);
	say("copied_receiving", unified_io_zcrx_copied(zc));
	say("copied_gathering", copied);
	say("copied_region", region_copied);
	say("moved_region", info.moved);

	close(conn);
	unified_io_zcrx_close(zc);
	proof__destroy(proof);
	unified_io_close(&io);
	return 0;
}
