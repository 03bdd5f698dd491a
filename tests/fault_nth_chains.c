// SPDX-License-Identifier: GPL-2.0
/*
 * Faults in the submission and in every stage of the chains (see fault_nth.h): what
 * was accepted completes once, well or with an error of its stage, and what did not
 * fail has done its work.
 */
#include "bpf.h"
#include "fault_nth.h"

#define LEN		(64 * KiB)
#define LONG_NS		(5 * NSEC_PER_SEC)

static struct region r;
static struct unified_descriptor desc;
static int fd[2], slot;
static bool accepted;

/* one chain, by value */

static int chain_call(void)
{
	int ret = submit(&r, desc);

	accepted = !ret;
	return ret ?: enter(&r, 0, 1, LONG_NS, NULL);
}

/* The chain's result, once it is there; ENTER may have failed alone. */
static int chain_after(int ret)
{
	struct unified_completion c;

	if (!accepted)
		return ret;
	c = reap(&r);
	CHECK_EQ(c.user_data, desc.user_data);
	CHECK_EQ(region_info(&r).inflight, 0);
	CHECK_EQ(nr_ready(&r), 0);
	if (c.res >= 0 && desc.len)
		CHECK_RES(c.res, desc.len);
	return c.res < 0 ? c.res : ret;
}

static void pattern_before(void)
{
	desc.user_data++;
	pattern_fill(r.data, LEN, 0, desc.user_data);
}

static int read_after(int ret)
{
	ret = chain_after(ret);
	if (!ret)
		pattern_check(r.data + desc.addr, LEN, desc.nvme.slba * 512, 1);
	memset(r.data + desc.addr, 0xee, LEN);
	return ret;
}

static int write_after(int ret)
{
	ret = chain_after(ret);
	if (!ret)
		drive_check(env("NVME0"), desc.nvme.slba * 512, LEN, 0, desc.user_data);
	return ret;
}

/* bios are faults of their own: fail_make_request */
static void bios_can_fail(void)
{
	const char *drive = strrchr(env("NVME0"), '/');

	CHECK_EQ(shell("echo 1 >/sys/block%s/make-it-fail", drive), 0);
}

static void drive_chains(const char *kind, unsigned int flags)
{
	struct unified_io_setup setup = SETUP_DEFAULT;
	char name[64];

	setup.flags = flags;
	region_setup(&r, env("NVME0"), setup);
	drive_fill(env("NVME0"), 4096 * 512, LEN, 1);
	desc = desc_nvme(NVME_CMD_READ, LEN, LEN, 4096);
	snprintf(name, sizeof(name), "read/%s", kind);
	sweep(&(struct sweep){ name, "EIO", NULL, chain_call, read_after });
	desc = desc_nvme(NVME_CMD_WRITE, 0, LEN, 8192);
	snprintf(name, sizeof(name), "write/%s", kind);
	sweep(&(struct sweep){ name, "EIO", pattern_before, chain_call, write_after });
	desc = desc_nvme(NVME_CMD_WRITE, 0, LEN, 8192);
	desc.nvme.flags = UNIFIED_IO_NVME_F_FUA | UNIFIED_IO_NVME_F_FLUSH;
	snprintf(name, sizeof(name), "write, flush/%s", kind);
	sweep(&(struct sweep){ name, "EIO", pattern_before, chain_call, write_after });
	desc = desc_nvme(NVME_CMD_FLUSH, 0, 0, 0);
	snprintf(name, sizeof(name), "flush/%s", kind);
	sweep(&(struct sweep){ name, "EIO", NULL, chain_call, chain_after });
	region_close(&r);
}

/* a batch from the SQ: a call that fails has taken none, or says how many */

#define BATCH		3U

static unsigned int well;	/* of the last batch */

static int batch_call(void)
{
	return enter(&r, BATCH, BATCH, LONG_NS, NULL);
}

static void batch_before(void)
{
	CHECK_EQ(r.ctl->sq_head, r.ctl->sq_tail);
	for (unsigned int i = 0; i < BATCH; i++)
		queue(&r, desc);
}

static int batch_after(int ret)
{
	unsigned int taken = BATCH - (r.ctl->sq_tail - r.ctl->sq_head);
	int res = ret;

	CHECK(ret || taken == BATCH);
	well = 0;
	for (unsigned int i = 0; i < taken; i++) {
		struct unified_completion c = reap(&r);

		if (c.res < 0)
			res = c.res;
		else
			well++;
	}
	CHECK_EQ(nr_ready(&r), 0);
	r.ctl->sq_tail = r.ctl->sq_head;
	return res;
}

/* sockets: a pair for each try */

static void (*open_pair)(int pair[2]);

static void socket_before(void)
{
	open_pair(fd);
	slot = attach(&r, fd[0]);
	desc.net.slot = slot;
	desc.net.tx_slot = slot;
	pattern_before();
}

static void wire_pair(int pair[2])
{
	wire_tcp_pair(env("WIRE_HERE"), pair);
}

static void gather_pair(int pair[2])
{
	wire_tcp_pair(env("GATHER_HERE"), pair);
}

static void socket_end(void)
{
	detach(&r, slot);
	close(fd[0]);
	close(fd[1]);
}

static void recv_before(void)
{
	socket_before();
	send_pattern(fd[1], desc.len, 0, desc.user_data);
	usleep(2000);
}

static int recv_after(int ret)
{
	ret = chain_after(ret);
	if (!ret)
		pattern_check(r.data + desc.addr, desc.len, 0, desc.user_data);
	socket_end();
	return ret;
}

static int send_after(int ret)
{
	ret = chain_after(ret);
	if (!ret)
		recv_pattern(fd[1], desc.len, 0, desc.user_data);
	socket_end();
	return ret;
}

static int store_after(int ret)
{
	ret = chain_after(ret);
	if (!ret)
		drive_check(env("NVME0"), desc.nvme.slba * 512, desc.len, 0, desc.user_data);
	socket_end();
	return ret;
}

static void net_chains(const char *kind, void (*pair)(int[2]), uint32_t len)
{
	char name[64];

	open_pair = pair;
	desc = desc_recv(0, 0, len);
	desc.flags = pair == udp_pair ? 0 : UNIFIED_IO_DESC_F_WAITALL;
	snprintf(name, sizeof(name), "receive/%s", kind);
	sweep(&(struct sweep){ name, "", recv_before, chain_call, recv_after });
	desc = desc_send(0, 0, len);
	snprintf(name, sizeof(name), "send/%s", kind);
	sweep(&(struct sweep){ name, "ENOBUFS", socket_before, chain_call, send_after });
	desc.net.flags |= UNIFIED_IO_NET_F_COPY;
	snprintf(name, sizeof(name), "send COPY/%s", kind);
	sweep(&(struct sweep){ name, "ENOBUFS", socket_before, chain_call, send_after });
}

/* Datagrams that go as one message, and arrive as they were: those that went well, no other. */
static void datagrams_before(void)
{
	socket_before();
	batch_before();
}

static int datagrams_after(int ret)
{
	unsigned char got[2048];

	ret = batch_after(ret);
	for (; well; well--) {
		CHECK_EQ(recv(fd[1], got, sizeof(got), MSG_DONTWAIT), desc.len);
		pattern_check(got, desc.len, 0, desc.user_data);
	}
	CHECK(recv(fd[1], got, sizeof(got), MSG_DONTWAIT) < 0);
	socket_end();
	return ret;
}

static void datagrams(void)
{
	open_pair = udp_pair;
	desc = desc_send(0, 0, 1000);
	sweep(&(struct sweep){ "ENTER, three datagrams", "ENOBUFS", datagrams_before, batch_call, datagrams_after });
}

/* The longest: receive, program, write, flush, send. */
static void whole_chain(void)
{
	struct bpf_link *link;
	struct ops *ops = ops_attach(&r, &link);

	open_pair = tcp_pair;
	desc = desc_recv(0, 0, 16 * KiB);
	desc.flags = UNIFIED_IO_DESC_F_WAITALL;
	desc.type |= UNIFIED_REGION_F_NVME | UNIFIED_REGION_F_BPF;
	desc.net.flags |= UNIFIED_IO_NET_F_SEND;
	desc.nvme.opcode = NVME_CMD_WRITE;
	desc.nvme.flags = UNIFIED_IO_NVME_F_FLUSH;
	desc.nvme.slba = 16384;
	sweep(&(struct sweep){ "receive, BPF, write, flush, send", "EIO ENOBUFS", recv_before, chain_call, store_after });
	bpf_link__destroy(link);
	ops__destroy(ops);
}

/* Every second page of the data, gathered: what a program keeps, or a table names. */
#define PIECES		8
#define PIECE		4096U
#define TABLE		(2 * MiB)

static int pieces_after(int ret)
{
	int len = desc.len;

	desc.len = 0;		/* what arrives is something else */
	ret = chain_after(ret);
	desc.len = len;
	return ret;
}

static int gather_after(int ret)
{
	ret = pieces_after(ret);
	for (unsigned int i = 0; !ret && i < PIECES; i++)
		drive_check(env("NVME0"), desc.nvme.slba * 512 + i * PIECE, PIECE, i * 2 * PIECE,
			    desc.user_data);
	return ret;
}

static int send_pieces_after(int ret)
{
	ret = pieces_after(ret);
	for (unsigned int i = 0; !ret && i < PIECES; i++)
		recv_pattern(fd[1], PIECE, i * 2 * PIECE, desc.user_data);
	socket_end();
	return ret;
}

static void gathered_chain(void)
{
	struct bpf_link *link;
	struct ops *ops = ops_attach(&r, &link);

	for (unsigned int i = 0; i < PIECES; i++)
		ops->bss->keeps[i] = (struct keep){ i * 2 * PIECE, PIECE };
	ops->bss->steps[0] = (struct step){ .op = STEP_KEEP_LIST, .a = PIECES };
	desc = desc_bpf(0, LEN);
	desc.type |= UNIFIED_REGION_F_NVME;
	desc.nvme.opcode = NVME_CMD_WRITE;
	desc.nvme.slba = 32768;
	sweep(&(struct sweep){ "BPF, gathering write", "EIO", pattern_before, chain_call, gather_after });
	bpf_link__destroy(link);
	ops__destroy(ops);
}

static void ranges(void)
{
	struct unified_net_iov *table = (void *)(r.data + TABLE);

	for (unsigned int i = 0; i < PIECES; i++)
		table[i] = (struct unified_net_iov){ .addr = i * 2 * PIECE, .len = PIECE };
	desc = desc_nvme(NVME_CMD_WRITE, TABLE, PIECES * sizeof(*table), 32768);
	desc.flags = UNIFIED_IO_DESC_F_RANGES;
	sweep(&(struct sweep){ "ranges, write", "EIO", pattern_before, chain_call, gather_after });
	open_pair = tcp_pair;
	desc = desc_send(0, TABLE, PIECES * sizeof(*table));
	desc.flags = UNIFIED_IO_DESC_F_RANGES;
	sweep(&(struct sweep){ "ranges, send", "ENOBUFS", socket_before, chain_call, send_pieces_after });
}

/* A program reads on, from block to block. */
#define HOPS		3
#define LAST_LBA	40000

static struct ops *hopper;

static void hops_before(void)
{
	hopper->bss->nr_calls = 0;
	memset(r.data, 0xee, PIECE);
}

static int hops_after(int ret)
{
	ret = chain_after(ret);
	if (!ret)
		pattern_check(r.data, PIECE, LAST_LBA * 512, 3);
	return ret;
}

static void resubmit(void)
{
	struct bpf_link *link;

	hopper = ops_attach(&r, &link);
	hopper->bss->early_verdict = UNIFIED_IO_BPF_RESUBMIT;
	hopper->bss->verdict = UNIFIED_IO_BPF_PASS;
	hopper->bss->calls_until_verdict = HOPS;
	hopper->bss->steps[0] = (struct step){ .op = STEP_SET_LBA, .a = LAST_LBA };
	drive_fill(env("NVME0"), LAST_LBA * 512, PIECE, 3);
	desc = desc_nvme(NVME_CMD_READ, 0, PIECE, 64);
	desc.type |= UNIFIED_REGION_F_BPF;
	sweep(&(struct sweep){ "read, BPF, read again", "EIO", hops_before, chain_call, hops_after });
	bpf_link__destroy(link);
	ops__destroy(hopper);
}

/* An XDP program, and a struct_ops program behind it, on what arrives. */
static void xdp_chain(void)
{
	struct xdp *xdp = xdp_load();
	struct bpf_link *link;
	struct ops *ops = ops_attach(&r, &link);

	open_pair = udp_pair;
	desc = desc_recv(0, 0, 1000);
	desc.type |= UNIFIED_REGION_F_BPF;
	desc.flags = UNIFIED_IO_DESC_F_XDP_THEN_OPS;
	desc.bpf.prog_id = xdp_attach(&r, xdp->progs.pass);
	sweep(&(struct sweep){ "receive, XDP, BPF", "", recv_before, chain_call, recv_after });
	CHECK_OK(attach_bpf(&r, -1, UNIFIED_IO_BPF_F_DETACH, desc.bpf.prog_id));
	bpf_link__destroy(link);
	ops__destroy(ops);
	xdp__destroy(xdp);
}

/* Four blocks arrive, and the end, which takes a buffer to see. */
#define BLOCK		4096U
#define BLOCKS		4

static void multishot_before(void)
{
	socket_before();
	send_pattern(fd[1], BLOCKS * BLOCK, 0, desc.user_data);
	CHECK(shutdown(fd[1], SHUT_WR) == 0);
	for (int i = 0; i <= BLOCKS; i++)
		give_niov(&r, i * BLOCK, BLOCK);
	usleep(2000);
}

static int multishot_call(void)
{
	int ret = submit(&r, desc);

	accepted = !ret;
	return ret ?: enter(&r, 0, BLOCKS + 1, LONG_NS, NULL);
}

/* Takes all of the stream's completions; returns its result. */
static int stream_end(uint64_t *bytes)
{
	struct unified_completion c;

	do {
		c = reap(&r);
		if (c.res > 0)
			*bytes += c.res;
	} while (c.flags & UNIFIED_IO_CQE_F_MORE);
	return c.res;
}

static int multishot_after(int ret)
{
	uint64_t bytes = 0;
	int res = ret;

	if (accepted) {
		res = stream_end(&bytes);
		CHECK(res || bytes == BLOCKS * BLOCK);
		if (!res)
			drive_check(env("NVME0"), desc.nvme.slba * 512, bytes, 0, desc.user_data);
		res = res ?: ret;
	}
	CHECK_EQ(region_info(&r).inflight, 0);
	region_close(&r);	/* and with it the buffers that were given */
	close(fd[0]);
	close(fd[1]);
	region_open(&r, env("NVME0"));
	return res;
}

static void multishot(void)
{
	open_pair = tcp_pair;
	desc = desc_multishot(0);
	desc.type |= UNIFIED_REGION_F_NVME;
	desc.flags |= UNIFIED_IO_DESC_F_WAITALL;
	desc.nvme.opcode = NVME_CMD_WRITE;
	desc.nvme.slba = 65536;
	sweep(&(struct sweep){ "multishot receive, write", "EIO", multishot_before, multishot_call, multishot_after });
}

int main(void)
{
	sweep_init();
	bios_can_fail();
	drive_chains("NVMe passthrough", 0);
	drive_chains("bio", UNIFIED_IO_SETUP_BLOCK_LAYER);
	region_open(&r, env("NVME0"));
	desc = desc_nvme(NVME_CMD_READ, 0, LEN, 4096);
	sweep(&(struct sweep){ "ENTER, three reads", "EIO", batch_before, batch_call, batch_after });
	gathered_chain();
	ranges();
	resubmit();
	net_chains("UDP", udp_pair, 1000);
	net_chains("TCP", tcp_pair, LEN);
	net_chains("TCP over a wire", wire_pair, LEN);
	net_chains("TCP over a wire that gathers", gather_pair, LEN);
	datagrams();
	xdp_chain();
	whole_chain();
	multishot();
	region_close(&r);
	region_close(&good);
	return 0;
}
