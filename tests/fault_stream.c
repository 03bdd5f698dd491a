// SPDX-License-Identifier: GPL-2.0
/*
 * fault_stream command COMMAND: a stream comes over the wire and goes to the drive, as
 *	one multishot receive, while a shell runs COMMAND, which does something to the
 *	wire or the machine: every byte arrives all the same.
 * fault_stream reset: the peer resets the connection in mid-stream, with writes in
 *	flight: the stream ends with that, and what was acknowledged is on the drive.
 * fault_stream ops|xdp: the BPF program is replaced in mid-stream: each arrival is
 *	seen by one program or the other, and none is lost.
 */
#include "bpf.h"

#define BLOCK		4096U
#define BUFFERS		16
#define SLBA		64
#define SEED		0xabc
#define CHUNK		(16 * BLOCK)
#define MOST		(512 * MiB)	/* that fits the drive */

static struct region r;
static int fd[2], slot;
static const char *path;
static uint32_t lba_size;

static struct unified_descriptor ingest(unsigned int flags)
{
	struct unified_descriptor d = desc_multishot(slot);

	d.type |= UNIFIED_REGION_F_NVME;
	d.flags |= UNIFIED_IO_DESC_F_RECYCLE | UNIFIED_IO_DESC_F_WAITALL | flags;
	d.nvme.opcode = NVME_CMD_WRITE;
	d.nvme.slba = SLBA;
	return d;
}

static void start(void)
{
	path = env("NVME0");
	region_open(&r, path);
	lba_size = region_info(&r).lba_size;
	wire_tcp_pair(env("WIRE_HERE"), fd);
	slot = attach(&r, fd[0]);
	for (int i = 0; i < BUFFERS; i++)
		give_niov(&r, i * BLOCK, BLOCK);
}

static void finish(void)
{
	CHECK_EQ(region_info(&r).inflight, 0);
	close(fd[0]);
	close(fd[1]);
	region_close(&r);
}

static volatile bool enough;

static void on_term(int sig)
{
	enough = true;
}

/* Sends until it is told that it is enough. */
static pid_t start_peer(void)
{
	pid_t pid = fork();
	uint64_t at;

	if (pid)
		return pid;
	signal(SIGTERM, on_term);
	for (at = 0; at < MOST && !enough; at += CHUNK) {
		send_pattern(fd[1], CHUNK, at, SEED);
		usleep(2000);
	}
	CHECK(enough);
	send_pattern(fd[1], CHUNK, at, SEED);
	CHECK(shutdown(fd[1], SHUT_WR) == 0);
	_exit(0);
}

static pid_t start_command(const char *command)
{
	pid_t pid = fork();

	if (!pid)
		_exit(WEXITSTATUS(shell("%s", command)));
	return pid;
}

/* Waits for the last completion, as long as the stream takes. */
static struct unified_completion last(void)
{
	while (!nr_ready(&r))
		enter(&r, 0, 1, WAIT_NS, NULL);
	return reap(&r);
}

static void end_peer(pid_t peer)
{
	kill(peer, SIGTERM);
	CHECK_EQ(child_status(peer), 0);
}

static uint64_t bytes_written(struct unified_completion c)
{
	return (c.slba - SLBA) * lba_size;
}

static void during_command(const char *command)
{
	struct unified_completion c;
	uint64_t before;
	pid_t peer;

	start();
	peer = start_peer();
	CHECK_RES(submit(&r, ingest(UNIFIED_IO_DESC_F_CQE_SKIP)), 0);
	CHECK_EQ(child_status(start_command(command)), 0);
	before = region_info(&r).stage[UNIFIED_IO_STAGE_WRITE].bytes;
	usleep(200000);
	end_peer(peer);
	c = last();
	CHECK_RES(c.res, 0);
	printf("%llu KiB were written during the command, %llu in all\n", (unsigned long long)before / 1024,
	       (unsigned long long)bytes_written(c) / 1024);
	CHECK(before && bytes_written(c) > before);
	for (uint64_t at = 0; at < bytes_written(c); at += CHUNK)
		drive_check(path, SLBA * lba_size + at, CHUNK, at, SEED);
	finish();
}

/* Sends for a while, then breaks the connection off. */
static pid_t start_breaker(unsigned int us)
{
	struct linger hard = { 1, 0 };
	uint64_t end = now_ns() + us * 1000ULL, at = 0;
	pid_t pid = fork();

	if (pid) {
		close(fd[1]);
		return pid;
	}
	for (; now_ns() < end; at += CHUNK)
		send_pattern(fd[1], CHUNK, at, SEED);
	CHECK(setsockopt(fd[1], SOL_SOCKET, SO_LINGER, &hard, sizeof(hard)) == 0);
	close(fd[1]);
	_exit(0);
}

/* An arrival was acknowledged: it is on the drive. Returns its bytes. */
static uint32_t check_arrival(struct unified_completion c)
{
	uint64_t at = bytes_written(c);
	unsigned char buf[BLOCK];

	CHECK(c.recv > 0 && c.recv <= (int)BLOCK);
	CHECK_RES(c.res, (c.recv + lba_size - 1) / lba_size * lba_size);
	drive_read(path, SLBA * lba_size + at, buf, BLOCK);
	pattern_check(buf, c.recv, at, SEED);
	return c.recv;
}

static uint64_t broken_off(unsigned int us)
{
	struct unified_completion c;
	unsigned int nr_short = 0;
	uint64_t len = 0;
	pid_t peer;

	start();
	CHECK_RES(submit(&r, ingest(UNIFIED_IO_DESC_F_PAD)), 0);
	peer = start_breaker(us);
	while ((c = last()).flags & UNIFIED_IO_CQE_F_MORE) {
		len += check_arrival(c);
		nr_short += c.recv != BLOCK;
	}
	CHECK_RES(c.res, -ECONNRESET);
	CHECK_EQ(bytes_written(c), (len + lba_size - 1) / lba_size * lba_size);
	CHECK(nr_short <= 1);
	CHECK_EQ(child_status(peer), 0);
	fd[1] = -1;
	finish();
	return len / BLOCK;
}

static void reset_by_peer(void)
{
	uint64_t blocks = 0;

	/* up to 1 ms in the first turns, to 0.5 s in the last, for a machine as slow as that */
	for (int i = 0; i < 20; i++)
		blocks += broken_off(rand() % (1000 << i / 2));
	printf("%llu blocks were acknowledged\n", (unsigned long long)blocks);
	CHECK(blocks);
}

/*
 * Each block on the drive is one of the stream, and later than the one before. Its first
 * byte is a program's mark. Returns how many there are of each.
 */
static void check_marks(uint64_t blocks, uint64_t seen[256], bool marked)
{
	unsigned char buf[BLOCK];
	uint64_t next = 0, word;

	for (uint64_t i = 0; i < blocks; i++) {
		drive_read(path, SLBA * lba_size + i * BLOCK, buf, BLOCK);
		memcpy(&word, buf + 8, 8);
		word = (word ^ SEED) - 8;
		if (word % BLOCK || word < next)
			FAIL("block %llu of the drive is no later one of the stream", (unsigned long long)i);
		next = word + BLOCK;
		pattern_check(buf + marked, BLOCK - marked, word + marked, SEED);
		seen[buf[0]]++;
	}
}

static struct unified_completion replace_during(void (*replace)(int turn), unsigned int prog_id)
{
	struct unified_descriptor d = ingest(UNIFIED_IO_DESC_F_CQE_SKIP);
	struct unified_completion c;
	pid_t peer = start_peer();

	d.type |= UNIFIED_REGION_F_BPF;
	d.bpf.prog_id = prog_id;
	CHECK_RES(submit(&r, d), 0);
	for (int turn = 1; turn <= 40; turn++) {
		usleep(20000);
		replace(turn);
	}
	end_peer(peer);
	c = last();
	CHECK_RES(c.res, 0);
	return c;
}

static struct ops *ops[2];
static struct bpf_link *ops_link;

static void replace_ops(int turn)
{
	CHECK_RES(bpf_link__update_map(ops_link, ops[turn & 1]->maps.remote_ops), 0);
}

static void by_ops(void)
{
	uint64_t seen[256] = {}, blocks;
	struct unified_io_info info;

	start();
	for (int i = 0; i < 2; i++) {
		ops[i] = ops_load(r.setup.region_id);
		ops[i]->bss->steps[0] = (struct step){ .op = STEP_STORE, .a = 0, .b = 'A' + i };
	}
	ops_link = bpf_map__attach_struct_ops(ops[0]->maps.remote_ops);
	CHECK(ops_link);
	blocks = bytes_written(replace_during(replace_ops, 0)) / BLOCK;
	info = region_info(&r);
	check_marks(blocks, seen, true);
	printf("%llu blocks of one program, %llu of the other\n", (unsigned long long)seen['A'],
	       (unsigned long long)seen['B']);
	CHECK(seen['A'] && seen['B']);
	CHECK_EQ(seen['A'] + seen['B'], blocks);
	CHECK_EQ(blocks, info.stage[UNIFIED_IO_STAGE_RECV].bytes / BLOCK);
	CHECK_EQ(blocks, ops[0]->bss->nr_calls + ops[1]->bss->nr_calls);
	bpf_link__destroy(ops_link);
	finish();
}

static int progs[2];
static int prog_id;

static void replace_xdp(int turn)
{
	prog_id = attach_bpf(&r, progs[turn & 1], UNIFIED_IO_BPF_F_REPLACE, prog_id);
	CHECK(prog_id > 0);
}

static void by_xdp(void)
{
	struct xdp *xdp = xdp_load();
	struct unified_io_info info;
	uint64_t seen[256] = {}, blocks;

	start();
	progs[0] = bpf_program__fd(xdp->progs.pass);
	progs[1] = bpf_program__fd(xdp->progs.drop);
	prog_id = attach_bpf(&r, progs[0], 0, 0);
	CHECK(prog_id > 0);
	blocks = bytes_written(replace_during(replace_xdp, 0)) / BLOCK;
	info = region_info(&r);
	check_marks(blocks, seen, false);
	printf("%llu blocks passed, %llu dropped\n", (unsigned long long)blocks, (unsigned long long)info.dropped);
	CHECK(blocks && info.dropped);
	CHECK_EQ(blocks + info.dropped, info.stage[UNIFIED_IO_STAGE_RECV].bytes / BLOCK);
	xdp__destroy(xdp);
	finish();
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "command") && argc == 3)
		during_command(argv[2]);
	else if (!strcmp(what, "reset"))
		reset_by_peer();
	else if (!strcmp(what, "ops"))
		by_ops();
	else if (!strcmp(what, "xdp"))
		by_xdp();
	else
		FAIL("usage: fault_stream command COMMAND | reset | ops | xdp");
	return 0;
}
