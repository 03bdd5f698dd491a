// SPDX-License-Identifier: GPL-2.0
/*
 * unified_io_zcrx_configure() makes a NIC fit for zero-copy receive, and
 * unified_io_zcrx_undo() makes it what it was, as ethtool shows it; so does a
 * configuration that fails half way. What a NIC cannot do is said, with the command.
 *
 * zc0 is there, as it is made: tests/zcrx.sh --bare.
 */
#include <arpa/inet.h>
#include <nic.h>
#include <unified_io_zcrx.h>

#include "common.h"

#define PORT	7000
#define QUEUE	3
#define LEN	(4 * MiB)

/* a rule for each state that ethtool shows, and one that it does not */
struct state {
	char text[16384];
	struct unified_io_nic_split split;
};

static char text[1024];

static void look(struct state *state)
{
	FILE *pipe = popen("ethtool -g zc0; ethtool -x zc0; ethtool -n zc0; ethtool -l zc0;"
			   "ethtool -k zc0; ip -o link show zc0 | cut -d' ' -f1-5", "r");
	struct unified_io_nic nic;

	CHECK(pipe);
	memset(state, 0, sizeof(*state));
	CHECK(fread(state->text, 1, sizeof(state->text) - 1, pipe) > 0);
	pclose(pipe);
	CHECK_RES(unified_io_nic_open(&nic, "zc0", 0), 0);
	CHECK_RES(unified_io_nic_get_split(&nic, &state->split), 0);
	unified_io_nic_close(&nic);
}

static void check_same(const struct state *before)
{
	static struct state now;

	look(&now);
	if (strcmp(now.text, before->text))
		FAIL("before:\n%s\nafter:\n%s", before->text, now.text);
	CHECK_EQ(now.split.split, before->split.split);
	CHECK_EQ(now.split.thresh, before->split.thresh);
}

static uint64_t rule_packets(void)
{
	FILE *pipe = popen("ethtool -S zc0 | sed -n 's/.*rx3_split: //p'", "r");
	unsigned long long value = 0;

	CHECK(pipe);
	CHECK_EQ(fscanf(pipe, "%llu", &value), 1);
	pclose(pipe);
	return value;
}

/* A connection to the port that is steered: [0] here, [1] at the other end of the wire. */
static void connect_to_port(int fd[2])
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1, here;

	CHECK(inet_pton(AF_INET, env("ZC_HERE"), &at.sin_addr) == 1);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	CHECK(bind(listener, (void *)&at, sizeof(at)) == 0);
	CHECK(listen(listener, 1) == 0);
	here = in_netns("peer");
	fd[1] = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(connect(fd[1], (void *)&at, sizeof(at)) == 0);
	leave_netns(here);
	fd[0] = accept(listener, NULL, NULL);
	CHECK(fd[0] >= 0);
	close(listener);
}

static void *send_it(void *arg)
{
	send_pattern(*(int *)arg, LEN, 0, 1);
	shutdown(*(int *)arg, SHUT_WR);
	return NULL;
}

static uint64_t receive(struct unified_io *io, struct unified_io_zcrx *zc)
{
	struct unified_io_zcrx_event event;
	uint64_t total = 0;

	for (;;) {
		while (!unified_io_zcrx_next(zc, &event))
			CHECK_RES(unified_io_zcrx_wait(zc, WAIT_NS), 0);
		if (event.type == UNIFIED_IO_ZCRX_END)
			return total;
		pattern_check(io->data + event.addr, event.res, total, 1);
		total += event.res;
		unified_io_zcrx_release(zc, event.addr);
	}
}

/* All of it comes in by the queue, and none of it is copied. */
static void transfer(void)
{
	struct unified_io_zcrx_params params = {
		.mode = UNIFIED_IO_ZCRX_DEVICE, .ifname = "zc0", .rxq = QUEUE,
		.len = 4 * MiB, .entries = 16,
	};
	uint64_t before = rule_packets();
	struct unified_io_zcrx *zc;
	struct unified_io io;
	pthread_t thread;
	int fd[2];

	CHECK_RES(unified_io_open(&io, NULL), 0);
	CHECK_RES(unified_io_zcrx_open(&zc, &io, &params), 0);
	connect_to_port(fd);
	CHECK(pthread_create(&thread, NULL, send_it, &fd[1]) == 0);
	CHECK_RES(unified_io_zcrx_recv(zc, fd[0], 0), 0);
	CHECK_EQ(receive(&io, zc), LEN);
	pthread_join(thread, NULL);
	CHECK_EQ(unified_io_zcrx_copied(zc), 0);
	CHECK(rule_packets() > before);
	close(fd[0]);
	close(fd[1]);
	unified_io_zcrx_close(zc);
	unified_io_close(&io);
}

static struct unified_io_zcrx_config *configure(void)
{
	struct unified_io_zcrx_config *config;
	int err = unified_io_zcrx_configure(&config, "zc0", QUEUE, PORT, text, sizeof(text));

	if (err)
		FAIL("%s: %s", strerrorname_np(-err), text);
	CHECK_EQ(unified_io_zcrx_check("zc0", QUEUE, text, sizeof(text)), 0);
	return config;
}

static void undo(struct unified_io_zcrx_config *config, const struct state *before)
{
	int err = unified_io_zcrx_undo(config, text, sizeof(text));

	if (err)
		FAIL("%s: %s", strerrorname_np(-err), text);
	CHECK(!*text);
	check_same(before);
}

/* From a state that @spoil makes, and with a transfer, or without. */
static void and_back(const char *spoil, bool use)
{
	static struct state before;
	struct unified_io_zcrx_config *config;

	CHECK_EQ(shell("%s", spoil), 0);
	look(&before);
	config = configure();
	if (use)
		transfer();
	undo(config, &before);
}

/* No ethtool of today sets it. */
static void set_thresh(uint8_t split, uint32_t thresh)
{
	struct unified_io_nic_split all = { .split = split, .has_thresh = true, .thresh = thresh };
	struct unified_io_nic nic;

	CHECK_RES(unified_io_nic_open(&nic, "zc0", 0), 0);
	CHECK_RES(unified_io_nic_set_split(&nic, &all), 0);
	unified_io_nic_close(&nic);
}

static void refused(const char *ifname, uint32_t rxq, int err, const char *command)
{
	struct unified_io_zcrx_config *config;

	CHECK_RES(unified_io_zcrx_configure(&config, ifname, rxq, PORT, text, sizeof(text)), err);
	printf("%s", text);
	if (!strstr(text, command) || strstr(text, "cannot undo"))
		FAIL("%s says '%s'", ifname, text);
}

/* The last step fails: there is no room for a rule. */
static void half_way(void)
{
	static struct state before;
	struct unified_io_nic nic;
	__u16 nr = 0;

	CHECK_RES(unified_io_nic_open(&nic, "zc0", 0), 0);
	while (unified_io_nic_add_rule(&nic, 8000 + nr) >= 0)
		nr++;
	look(&before);
	refused("zc0", QUEUE, -ENOSPC, "ethtool -N zc0 flow-type tcp4 dst-port 7000 action 3");
	check_same(&before);
	while (nr--)
		CHECK_RES(unified_io_nic_del_rule(&nic, nr), 0);
	unified_io_nic_close(&nic);
}

/* Two would undo each other's settings. */
static void once(void)
{
	struct unified_io_zcrx_config *config;
	static struct state before;

	CHECK_RES(unified_io_zcrx_configure(&config, "zc0", QUEUE, PORT, text, sizeof(text)), 0);
	look(&before);
	refused("zc0", 2, -EBUSY, "zc0 is configured by another process");
	check_same(&before);
	CHECK_RES(unified_io_zcrx_undo(config, text, sizeof(text)), 0);
}

static void cannot(void)
{
	CHECK_EQ(shell("ip link add name veth0 type veth peer name veth1"), 0);
	refused("veth0", 0, -EOPNOTSUPP, "ethtool -G veth0 tcp-data-split on hds-thresh 0");
	CHECK(shell("ip link show veth0 | grep -q UP") != 0);
	CHECK_EQ(shell("ip link del veth0"), 0);
	refused("eth0", 0, -EOPNOTSUPP, "ethtool -G eth0 tcp-data-split on hds-thresh 0");
	refused("eth0", 9, -EINVAL, "ethtool -L eth0 combined 10");
	refused("zc0", 9, -EINVAL, "ethtool -L zc0 combined 10");
	refused("nonesuch", 0, -ENODEV, "ip link set nonesuch up");
}

int main(void)
{
	and_back("true", true);
	and_back("ip link set zc0 down; ethtool -K zc0 ntuple off;"
		 "ethtool -L zc0 combined 2", false);
	/* what somebody has chosen stays chosen */
	set_thresh(ETHTOOL_TCP_DATA_SPLIT_ENABLED, 100);
	and_back("ethtool -L zc0 combined 4; ethtool -X zc0 weight 1 0 2 5;"
		 "ethtool -N zc0 flow-type udp4 dst-port 9 action 1 >/dev/null", true);
	CHECK_EQ(shell("ethtool -N zc0 delete 0"), 0);
	half_way();
	once();
	cannot();
	return 0;
}
