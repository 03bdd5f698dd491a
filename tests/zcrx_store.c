// SPDX-License-Identifier: GPL-2.0
/*
 * The library from a NIC to a drive: what arrives becomes records of a log, a head
 * and the payload as it lies, and is written without a copy; in all modes, with
 * payload that the drive cannot gather, and with an area that is full all the time.
 *
 * zc0 is there, with tests/zcrx.sh's settings.
 */
#include <unified_io_zcrx.h>

#include "common.h"

#define MAGIC		0x7a637278U
#define RECORD		(256 * KiB)	/* payload of a record, about */
#define NR_RECORDS	8		/* in memory */
#define SPARE		(320 * KiB)	/* for all of it, in case */
#define SLOT		(SPARE + 64 * KiB)
#define AREA		(8 * MiB)
#define FAULTS		"/sys/kernel/debug/zcnic/zc0/"

/* at the head of each */
struct head {
	uint32_t magic;
	uint32_t size;
	uint64_t offset;
	uint64_t len;
};

struct record {
	bool busy;
	struct unified_io_ranges ranges;
	struct head *head;
	unsigned int nr;
	uint64_t arrivals[UNIFIED_IO_RANGES_MAX];
};

static struct unified_io io;
static struct unified_io_info info;
static struct unified_io_zcrx *zc;
static struct record records[NR_RECORDS], *current;
static uint64_t received, written, at, copied, nr_arrivals, nr_written;
static bool ended;

struct sender {
	int fd;
	uint64_t len;
	uint32_t chunk;
};

static void *send_it(void *arg)
{
	struct sender *s = arg;

	for (uint64_t done = 0; done < s->len; done += s->chunk)
		send_pattern(s->fd, s->len - done < s->chunk ? s->len - done : s->chunk, done, 1);
	shutdown(s->fd, SHUT_WR);
	return NULL;
}

static void finish(struct record *record);
static void next_event(void);

/* A record that is not on its way to the drive; waits for one. */
static struct record *begin(void)
{
	struct record *record;

	for (;;) {
		for (record = records; record < records + NR_RECORDS; record++) {
			if (record->busy)
				continue;
			record->busy = true;
			record->nr = 0;
			unified_io_ranges_init(&record->ranges, &io, (record - records) * SLOT, SLOT,
					       info.range_alignment);
			record->head = unified_io_ranges_room(&record->ranges, info.lba_size);
			CHECK(record->head);
			return record;
		}
		next_event();
	}
}

static void finish(struct record *record)
{
	struct unified_io_ranges *ranges = &record->ranges;
	struct unified_descriptor desc;
	uint64_t len = ranges->len - info.lba_size;

	CHECK_RES(unified_io_ranges_pad(ranges, info.lba_size), 0);
	*record->head = (struct head){
		.magic = MAGIC, .size = ranges->len, .offset = written, .len = len,
	};
	unified_io_prep_write(&desc, 0, 0, at / info.lba_size);
	unified_io_ranges_use(ranges, &desc);
	desc.user_data = record - records;
	CHECK_RES(unified_io_zcrx_submit(zc, &desc), 0);
	written += len;
	at += ranges->len;
	copied += ranges->copied;
}

static void store(const struct unified_io_zcrx_event *event)
{
	nr_arrivals++;
	received += event->res;
	if (current && (current->ranges.len >= RECORD || current->nr == UNIFIED_IO_RANGES_MAX ||
			unified_io_ranges_add(&current->ranges, event->addr, event->res))) {
		finish(current);
		current = NULL;
	} else if (current) {
		current->arrivals[current->nr++] = event->addr;
		return;
	}
	current = begin();
	CHECK_RES(unified_io_ranges_add(&current->ranges, event->addr, event->res), 0);
	current->arrivals[current->nr++] = event->addr;
}

static void stored(struct record *record, const struct unified_io_zcrx_event *event)
{
	CHECK_RES(event->res, (int)record->ranges.len);
	CHECK_EQ(event->copied, 0);
	while (record->nr)
		unified_io_zcrx_release(zc, record->arrivals[--record->nr]);
	record->busy = false;
	nr_written++;
}

/* Data that come while store() waits for a record are kept until it is through. */
static struct unified_io_zcrx_event waiting[64 * 1024];
static unsigned int nr_waiting, next_waiting;

static void next_event(void)
{
	struct unified_io_zcrx_event event;

	while (!unified_io_zcrx_next(zc, &event)) {
		int ret = unified_io_zcrx_wait(zc, WAIT_NS);

		if (ret != -EINTR)
			CHECK_RES(ret, 0);
	}
	if (event.type == UNIFIED_IO_ZCRX_CHAIN) {
		stored(&records[event.user_data], &event);
	} else if (event.type == UNIFIED_IO_ZCRX_DATA) {
		CHECK_EQ(event.user_data, 42);
		CHECK(nr_waiting < ARRAY_SIZE(waiting));
		waiting[nr_waiting++] = event;
	} else {
		CHECK_RES(event.res, 0);
		ended = true;
	}
}

static void all_stored(void)
{
	bool busy = true;

	if (current)
		finish(current);
	current = NULL;
	while (busy) {
		busy = false;
		for (unsigned int i = 0; i < NR_RECORDS; i++)
			busy |= records[i].busy;
		if (busy)
			next_event();
	}
}

/* Walks the log on the drive: all of the stream, in order. */
static void check_log(uint64_t len)
{
	static unsigned char buf[2 * RECORD];
	uint64_t from = 0, offset = 0;
	struct head head;

	while (offset < len) {
		drive_read(env("NVME0"), from, buf, info.lba_size);
		memcpy(&head, buf, sizeof(head));
		CHECK_EQ(head.magic, MAGIC);
		CHECK_EQ(head.offset, offset);
		CHECK(head.size <= sizeof(buf) && head.len <= head.size - info.lba_size);
		drive_read(env("NVME0"), from, buf, head.size);
		pattern_check(buf + info.lba_size, head.len, offset, 1);
		offset += head.len;
		from += head.size;
	}
	CHECK_EQ(from, at);
}

static void region_of(void)
{
	struct unified_io_setup setup;

	unified_io_defaults(&setup);
	setup.region_size = 16 * MiB;
	setup.nvme_fd = open(env("NVME0"), O_RDWR);
	CHECK_RES(unified_io_open(&io, &setup), 0);
	close(setup.nvme_fd);
	CHECK_RES(unified_io_get_info(&io, &info), 0);
	received = written = at = copied = nr_arrivals = nr_written = 0;
	nr_waiting = next_waiting = 0;
	memset(records, 0, sizeof(records));
	ended = false;
}

static struct unified_io_zcrx_params params_of(enum unified_io_zcrx_mode mode, uint64_t len)
{
	/* at a multiple of any buf_len in the region */
	uint64_t addr = 6 * MiB - (io.region_size - io.data_size);

	return (struct unified_io_zcrx_params){
		.mode = mode, .ifname = "zc0", .rxq = 3, .addr = addr, .len = len, .entries = 32,
	};
}

/* What came past the stages is in debugfs as if it had been one; the module counts its own receives. */
static void check_bypass(void)
{
	static const uint32_t names[] = {
		[UNIFIED_IO_ZCRX_DEVICE] = UNIFIED_IO_BYPASS_ZCRX,
		[UNIFIED_IO_ZCRX_NODEV] = UNIFIED_IO_BYPASS_ZCRX_NODEV,
		[UNIFIED_IO_ZCRX_SOCKET] = UNIFIED_IO_BYPASS_NONE,
	};
	struct region r = { .setup.region_id = info.region_id };
	uint32_t name = names[unified_io_zcrx_mode(zc)];

	CHECK_EQ(region_stat(&r, "bypass_mode"), name);
	CHECK_EQ(region_stat(&r, "bypass_bytes"), name ? received : 0);
	CHECK_EQ(region_stat(&r, "bypass_copied"), name ? unified_io_zcrx_copied(zc) : 0);
	CHECK_EQ(region_stat(&r, "recv_bytes"), name ? 0 : received);
}

/* @len bytes, sent in pieces of @chunk, by way of an area of @area bytes. */
static void run_as(enum unified_io_zcrx_mode mode, uint64_t len, uint32_t chunk, uint64_t area)
{
	struct unified_io_zcrx_params params;
	struct sender s = { .len = len, .chunk = chunk };
	pthread_t thread;
	int fd[2];

	region_of();
	params = params_of(mode, area);
	CHECK_RES(unified_io_zcrx_open(&zc, &io, &params), 0);
	CHECK_EQ(unified_io_zcrx_mode(zc), mode);
	wire_tcp_pair(env("ZC_HERE"), fd);
	s.fd = fd[1];
	CHECK(pthread_create(&thread, NULL, send_it, &s) == 0);
	CHECK_RES(unified_io_zcrx_recv(zc, fd[0], 42), 0);
	while (!ended || next_waiting < nr_waiting) {
		if (next_waiting < nr_waiting) {
			store(&waiting[next_waiting++]);
			continue;
		}
		nr_waiting = next_waiting = 0;
		/* what is held must not be all that there is */
		if (current && params.len < AREA) {
			finish(current);
			current = NULL;
		}
		next_event();
	}
	pthread_join(thread, NULL);
	all_stored();
	CHECK_EQ(received, len);
	check_log(len);
	check_bypass();
	printf("mode %d, pieces of %u: %llu arrivals, %llu records; copied %llu coming in, %llu going out\n", mode,
	       chunk, (unsigned long long)nr_arrivals, (unsigned long long)nr_written,
	       (unsigned long long)unified_io_zcrx_copied(zc), (unsigned long long)copied);
}

static void done(void)
{
	unified_io_zcrx_close(zc);
	unified_io_close(&io);
}

/* What is wrong is found, and mended by the very command that is named. */
static void mended(const char *spoil)
{
	char text[1024], *command, *line;

	CHECK_EQ(shell("%s", spoil), 0);
	CHECK_EQ(unified_io_zcrx_check("zc0", 3, text, sizeof(text)), 1);
	command = strstr(text, ": ");
	CHECK(command);
	line = strchr(command, '\n');
	CHECK(line && !line[1]);
	*line = '\0';
	printf("%s\n", text);
	CHECK_EQ(shell("%s", command + 2), 0);
	CHECK_EQ(unified_io_zcrx_check("zc0", 3, text, sizeof(text)), 0);
	CHECK(!*text);
}

static void checked(void)
{
	char text[1024];

	CHECK_EQ(unified_io_zcrx_check("zc0", 3, text, sizeof(text)), 0);
	mended("ethtool -G zc0 tcp-data-split off");
	mended("ethtool -X zc0 equal 4");
	mended("ip link set zc0 down");
	mended("ethtool -K zc0 ntuple off");
	CHECK_EQ(unified_io_zcrx_check("zc0", 4, text, sizeof(text)), 1);
	CHECK(strstr(text, "ethtool -L zc0 combined 5"));
	CHECK_EQ(unified_io_zcrx_check("zc0", 2, text, sizeof(text)), 2);
	CHECK(strstr(text, "ethtool -X zc0 equal 2") && strstr(text, "action 2"));
	CHECK_EQ(unified_io_zcrx_check("zc0", 0, text, sizeof(text)), 2);
	CHECK(strstr(text, "ethtool -X zc0 start 1 equal 3") && strstr(text, "action 0"));
	CHECK_EQ(unified_io_zcrx_check("nonesuch", 0, text, sizeof(text)), 1);
	CHECK(strstr(text, "ip link"));
	CHECK_EQ(unified_io_zcrx_check("lo", 0, text, sizeof(text)), 3);
	CHECK(strstr(text, "tcp-data-split on"));
}

static void refused(void)
{
	struct unified_io_zcrx_params params;

	region_of();
	CHECK_EQ(shell("ethtool -G zc0 tcp-data-split off"), 0);
	params = params_of(UNIFIED_IO_ZCRX_DEVICE, AREA);
	CHECK_RES(unified_io_zcrx_open(&zc, &io, &params), -EINVAL);
	CHECK(strstr(unified_io_hint(UNIFIED_IO_CALL_ZCRX, -EINVAL), "tcp-data-split on"));
	params.mode = UNIFIED_IO_ZCRX_AUTO;
	CHECK_RES(unified_io_zcrx_open(&zc, &io, &params), 0);
	CHECK_EQ(unified_io_zcrx_mode(zc), UNIFIED_IO_ZCRX_NODEV);
	CHECK_RES(unified_io_zcrx_why(zc), -EINVAL);
	unified_io_zcrx_close(zc);
	CHECK_EQ(shell("ethtool -G zc0 tcp-data-split on"), 0);
	CHECK_RES(unified_io_zcrx_open(&zc, &io, &params), 0);
	CHECK_EQ(unified_io_zcrx_mode(zc), UNIFIED_IO_ZCRX_DEVICE);
	unified_io_zcrx_close(zc);
	params.len = 1ULL << 40;
	CHECK_RES(unified_io_zcrx_open(&zc, &io, &params), -ERANGE);
	unified_io_close(&io);
}

int main(void)
{
	checked();
	refused();

	run_as(UNIFIED_IO_ZCRX_DEVICE, 64 * MiB, MiB, AREA);
	CHECK_EQ(unified_io_zcrx_copied(zc), 0);
	CHECK(copied < received / 100);
	done();

	/* where the drive cannot begin: all of it is copied, and says so */
	CHECK_EQ(shell("echo 3 >" FAULTS "skew"), 0);
	run_as(UNIFIED_IO_ZCRX_DEVICE, 8 * MiB, MiB, AREA);
	CHECK_EQ(shell("echo 0 >" FAULTS "skew"), 0);
	CHECK(copied > received / 2);
	done();

	/* messages of odd lengths */
	run_as(UNIFIED_IO_ZCRX_DEVICE, 4 * MiB, 4099, AREA);
	done();

	/* by another queue, whose memory is not the region's */
	CHECK_EQ(shell("ethtool -K zc0 ntuple off"), 0);
	run_as(UNIFIED_IO_ZCRX_DEVICE, 4 * MiB, MiB, AREA);
	CHECK_EQ(shell("ethtool -K zc0 ntuple on"), 0);
	CHECK(unified_io_zcrx_copied(zc) > 0 && unified_io_zcrx_copied(zc) <= received);
	done();

	run_as(UNIFIED_IO_ZCRX_NODEV, 16 * MiB, MiB, AREA);
	CHECK_EQ(unified_io_zcrx_copied(zc), received);
	done();
	run_as(UNIFIED_IO_ZCRX_NODEV, 8 * MiB, MiB, 256 * KiB);
	done();

	run_as(UNIFIED_IO_ZCRX_SOCKET, 16 * MiB, MiB, AREA);
	CHECK_EQ(unified_io_zcrx_copied(zc), received);
	done();
	return 0;
}
