// SPDX-License-Identifier: GPL-2.0
/*
 * kill_load kill|close: 100 rounds of a process that has reads, writes, waiting
 * and multishot receives and a stuck send in flight, and is killed, or closes
 * everything, at a random moment. After that nothing is left: no region, request,
 * pinned page, socket, and no memory.
 */
#include "bpf.h"

#define ROUNDS		100
#define REGION		(8 * MiB)

static struct region r;

/* Operations that wait for a peer. */
static void start_network(int peers[3])
{
	int tcp[2], stuck[2], udp[2], slot;

	tcp_pair(tcp);
	slot = attach(&r, tcp[0]);
	for (int i = 0; i < 4; i++)
		give_niov(&r, 4 * MiB + i * 16 * KiB, 16 * KiB);
	CHECK_RES(submit(&r, desc_multishot(slot)), 0);
	udp_pair(udp);
	slot = attach(&r, udp[0]);
	for (int i = 0; i < 4; i++)
		CHECK_RES(submit(&r, desc_recv(slot, 5 * MiB + i * 4096, 4096)), 0);
	tcp_pair(stuck);
	slot = attach(&r, stuck[0]);
	for (int i = 0; i < 3; i++)
		CHECK_RES(submit(&r, desc_send(slot, 0, 7 * MiB)), 0);
	peers[0] = tcp[1];
	peers[1] = udp[1];
	peers[2] = stuck[1];
}

static void fill_sq(unsigned int *seq)
{
	for (int i = 0; i < 8; i++, ++*seq) {
		uint8_t opcode = *seq % 9 == 0 ? NVME_CMD_FLUSH : *seq & 1 ? NVME_CMD_WRITE : NVME_CMD_READ;
		struct unified_descriptor d = desc_nvme(opcode, *seq % 64 * 32 * KiB, 32 * KiB, *seq % 512 * 64);

		if (opcode == NVME_CMD_FLUSH)
			d.len = 0;
		queue(&r, d);
	}
}

/* Never ends by itself. */
static void load(void)
{
	char buf[4096] = {};
	int peers[3];
	unsigned int seq = getpid();

	start_network(peers);
	for (;;) {
		if (r.ctl->sq_tail == r.ctl->sq_head)
			fill_sq(&seq);
		enter(&r, 8, 12, 2000000, NULL);
		r.ctl->cq_head += nr_ready(&r);
		send(peers[0], buf, sizeof(buf), MSG_DONTWAIT | MSG_NOSIGNAL);
		send(peers[1], buf, 100, MSG_DONTWAIT | MSG_NOSIGNAL);
		recv(peers[2], buf, sizeof(buf), MSG_DONTWAIT);
	}
}

/* On SIGTERM: unmaps and closes, with all that in flight. */
static void on_term(int sig)
{
	munmap(r.map, REGION);
	close(r.fd);
	_exit(0);
}

static void child(bool with_program)
{
	struct unified_io_setup setup = SETUP_DEFAULT;
	struct bpf_link *link;

	setup.region_size = REGION;
	setup.cq_entries = 128;
	region_setup(&r, env("NVME0"), setup);
	signal(SIGTERM, on_term);
	if (with_program)
		ops_attach(&r, &link);
	load();
}

static int in_use(void)
{
	return read_number("/sys/module/unified_io_region/refcnt");
}

static uint64_t pinned(void)
{
	return vmstat("nr_foll_pin_acquired") - vmstat("nr_foll_pin_released");
}

static uint64_t meminfo_kib(const char *name)
{
	FILE *file = fopen("/proc/meminfo", "r");
	unsigned long long kib = 0;
	char line[128];

	CHECK(file);
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)) && sscanf(line + strlen(name), ": %llu", &kib) == 1)
			break;
	fclose(file);
	return kib;
}

/* Pages, and the kernel's own: slab and mappings. */
struct memory {
	uint64_t available, kernel;
};

/*
 * Slab pages without an object are given back first, and with that what KASAN
 * has in quarantine, which also counts as slab.
 */
static struct memory memory(void)
{
	CHECK_EQ(shell("for cache in /sys/kernel/slab/*/shrink; do echo 1 >$cache; done"), 0);
	return (struct memory){
		.available = meminfo_kib("MemAvailable"),
		.kernel = meminfo_kib("SUnreclaim") + meminfo_kib("VmallocUsed"),
	};
}

/* A region lost every tenth round would be 80 MiB, the operations of each region 12 MiB. */
static void no_memory_lost(struct memory before)
{
	uint64_t end = now_ns() + WAIT_NS;
	struct memory after;

	do {
		usleep(100000);
		after = memory();
		if (after.available + 40 * KiB >= before.available && after.kernel <= before.kernel + 8 * KiB)
			break;
	} while (now_ns() < end);
	printf("available %lld KiB less, kernel %lld KiB more\n",
	       (long long)(before.available - after.available), (long long)(after.kernel - before.kernel));
	CHECK(after.available + 40 * KiB >= before.available);
	CHECK(after.kernel <= before.kernel + 8 * KiB);
}

static unsigned int sockets(void)
{
	FILE *file = popen("ss -Haun; ss -Hant state connected exclude time-wait exclude fin-wait-2", "r");
	char line[256];
	unsigned int n = 0;

	CHECK(file);
	while (fgets(line, sizeof(line), file))
		n++;
	pclose(file);
	return n;
}

static void no_socket_left(unsigned int before)
{
	uint64_t end = now_ns() + WAIT_NS;

	while (sockets() > before && now_ns() < end)
		usleep(200000);
	if (sockets() > before) {
		shell("ss -Hane");
		FAIL("%u sockets before, %u after", before, sockets());
	}
}

static void wait_until_unused(void)
{
	uint64_t end = now_ns() + WAIT_NS;

	while (in_use() || pinned()) {
		if (now_ns() > end)
			FAIL("use count %d, %llu pages pinned", in_use(), (unsigned long long)pinned());
		usleep(20000);
	}
}

static void one_round(int round, bool kill_it)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		child(round % 5 == 0);
	usleep(30000 + rand() % 60000);
	if (kill_it)
		kill(pid, SIGKILL);
	else
		kill(pid, SIGTERM);
	status = child_status(pid);
	if (WIFEXITED(status) && WEXITSTATUS(status))
		FAIL("round %d: the load failed", round);
}

static void nothing_in_flight(const char *drive)
{
	char path[64];
	unsigned int reads, writes;
	FILE *file;

	snprintf(path, sizeof(path), "/sys/block/%s/inflight", strrchr(drive, '/') + 1);
	file = fopen(path, "r");
	CHECK(file && fscanf(file, "%u %u", &reads, &writes) == 2);
	fclose(file);
	CHECK_EQ(reads + writes, 0);
}

int main(int argc, char **argv)
{
	bool kill_it = argc == 2 && !strcmp(argv[1], "kill");
	unsigned int sockets_before;
	struct memory before;

	need(UNIFIED_IO_FEAT_STRUCT_OPS);
	for (int i = 0; i < 5; i++)	/* fill caches */
		one_round(i, kill_it);
	wait_until_unused();
	before = memory();
	sockets_before = sockets();
	for (int i = 0; i < ROUNDS; i++)
		one_round(i, kill_it);
	wait_until_unused();
	nothing_in_flight(env("NVME0"));
	no_memory_lost(before);
	no_socket_left(sockets_before);
	return 0;
}
