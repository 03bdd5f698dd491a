// SPDX-License-Identifier: GPL-2.0
/*
 * NIC, BPF, NIC: what a connection's peer sends goes back to it from where the NIC put it,
 * a chain for each arrival, past a program; no byte is copied on the way.
 *
 * zc0 is there, with tests/zcrx.sh's settings.
 */
#include <unified_io_zcrx.h>

#include "bpf.h"

#define LEN	(8 * MiB)
#define AREA	(8 * MiB)

static struct unified_io io;
static struct unified_io_zcrx *zc;
static struct unified_io_zcrx_event waiting[64 * 1024];
static unsigned int nr_waiting, next_waiting, nr_busy;
static uint64_t received, nr_arrivals;
static int slot;
static bool ended;

static void *send_it(void *arg)
{
	send_pattern(*(int *)arg, LEN, 0, 1);
	return NULL;
}

static void *read_it(void *arg)
{
	recv_pattern(*(int *)arg, LEN, 0, 1);
	shutdown(*(int *)arg, SHUT_WR);
	return NULL;
}

/* False: enough are on their way. */
static bool reply(const struct unified_io_zcrx_event *arrival)
{
	struct unified_descriptor desc;
	int ret;

	unified_io_prep_send(&desc, slot, arrival->addr, arrival->res);
	unified_io_then_bpf(&desc, 0, 0);
	desc.net.flags |= UNIFIED_IO_NET_F_ZEROCOPY;
	desc.user_data = arrival->addr;
	ret = unified_io_zcrx_submit(zc, &desc);
	if (ret == -EBUSY)
		return false;
	CHECK_RES(ret, 0);
	nr_busy++;
	return true;
}

static void take(const struct unified_io_zcrx_event *event)
{
	switch (event->type) {
	case UNIFIED_IO_ZCRX_DATA:
		CHECK(nr_waiting < ARRAY_SIZE(waiting));
		waiting[nr_waiting++] = *event;
		nr_arrivals++;
		received += event->res;
		break;
	case UNIFIED_IO_ZCRX_CHAIN:
		CHECK(event->res > 0);
		CHECK_EQ(event->copied, 0);
		unified_io_zcrx_release(zc, event->user_data);
		nr_busy--;
		break;
	default:
		CHECK_RES(event->res, 0);
		ended = true;
	}
}

static void echo(void)
{
	struct unified_io_zcrx_event event;
	int ret;

	while (!ended || nr_busy || next_waiting < nr_waiting) {
		while (next_waiting < nr_waiting && reply(&waiting[next_waiting]))
			next_waiting++;
		ret = unified_io_zcrx_wait(zc, WAIT_NS);
		if (ret != -EINTR)
			CHECK_RES(ret, 0);
		while (unified_io_zcrx_next(zc, &event))
			take(&event);
	}
}

static void opened(void)
{
	struct unified_io_zcrx_params params = {
		.mode = UNIFIED_IO_ZCRX_DEVICE, .ifname = "zc0", .rxq = 3, .len = AREA, .entries = 64,
	};
	struct unified_io_setup setup;

	unified_io_defaults(&setup);
	setup.region_size = 16 * MiB;
	CHECK_RES(unified_io_open(&io, &setup), 0);
	params.addr = 6 * MiB - (io.region_size - io.data_size);
	CHECK_RES(unified_io_zcrx_open(&zc, &io, &params), 0);
}

int main(void)
{
	struct unified_io_info info;
	struct region region = { };
	pthread_t sender, reader;
	struct bpf_link *link;
	struct ops *ops;
	int fd[2];

	opened();
	CHECK_RES(unified_io_get_info(&io, &info), 0);
	region.setup.region_id = info.region_id;
	ops = ops_attach(&region, &link);
	wire_tcp_pair(env("ZC_HERE"), fd);
	slot = unified_io_attach_socket(&io, fd[0]);
	CHECK(slot >= 0);
	CHECK_RES(unified_io_zcrx_recv(zc, fd[0], 0), 0);
	CHECK(!pthread_create(&sender, NULL, send_it, &fd[1]));
	CHECK(!pthread_create(&reader, NULL, read_it, &fd[1]));
	echo();
	pthread_join(sender, NULL);
	pthread_join(reader, NULL);
	CHECK_EQ(received, LEN);
	CHECK_EQ(ops->bss->nr_calls, nr_arrivals);
	CHECK_EQ(unified_io_zcrx_copied(zc), 0);
	bpf_link__destroy(link);
	ops__destroy(ops);
	unified_io_zcrx_close(zc);
	unified_io_close(&io);
	return 0;
}
