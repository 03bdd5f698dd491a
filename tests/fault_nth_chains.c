// SPDX-License-Identifier: GPL-2.0
/*
 * Faults in the submission and in every stage of the chains (see fault_nth.h): what
 * was accepted completes once, well or with an error of its stage, and what did not
 * fail has done its work.
 */
#include <liburing.h>
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

static int batch_call(void)
{
	return enter(&r, 2, 2, LONG_NS, NULL);
}

static void batch_before(void)
{
	CHECK_EQ(r.ctl->sq_head, r.ctl->sq_tail);
	queue(&r, desc);
	queue(&r, desc);
}

static int batch_after(int ret)
{
	unsigned int taken = 2 - (r.ctl->sq_tail - r.ctl->sq_head);
	int res = ret;

	CHECK(ret || taken == 2);
	for (unsigned int i = 0; i < taken; i++)
		res = reap(&r).res < 0 ? -EIO : res;
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

/* What a program keeps, gathered by the drive. */
static int gather_after(int ret)
{
	int len = desc.len;

	desc.len = 0;		/* what arrives is less */
	ret = chain_after(ret);
	desc.len = len;
	for (int i = 0; !ret && i < 8; i++)
		drive_check(env("NVME0"), 32768 * 512 + i * 4096, 4096, i * 8192, desc.user_data);
	return ret;
}

static void gathered_chain(void)
{
	struct bpf_link *link;
	struct ops *ops = ops_attach(&r, &link);

	for (int i = 0; i < 8; i++)
		ops->bss->keeps[i] = (struct keep){ i * 8192, 4096 };
	ops->bss->steps[0] = (struct step){ .op = STEP_KEEP_LIST, .a = 8 };
	desc = desc_bpf(0, LEN);
	desc.type |= UNIFIED_REGION_F_NVME;
	desc.nvme.opcode = NVME_CMD_WRITE;
	desc.nvme.slba = 32768;
	sweep(&(struct sweep){ "BPF, gathering write", "EIO", pattern_before, chain_call, gather_after });
	bpf_link__destroy(link);
	ops__destroy(ops);
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

/* the other doors */

static struct io_uring ring;

static void uring_before(void)
{
	struct unified_io_uring_cmd cmd = { .arg = (uintptr_t)&desc };
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

	CHECK(sqe);
	io_uring_prep_rw(IORING_OP_URING_CMD, sqe, r.fd, NULL, 0, 0);
	sqe->cmd_op = UNIFIED_IO_URING_OP;
	memcpy(sqe->cmd, &cmd, sizeof(cmd));
}

static int uring_call(void)
{
	return io_uring_submit_and_wait(&ring, 1) < 0 ? -errno : 0;
}

static int uring_after(int ret)
{
	struct io_uring_cqe *cqe;
	int res;

	/* A call that failed may have left the command in the ring. */
	while (io_uring_peek_cqe(&ring, &cqe))
		CHECK(io_uring_submit_and_wait(&ring, 1) >= 0);
	res = cqe->res;
	io_uring_cqe_seen(&ring, cqe);
	CHECK_EQ(io_uring_cq_ready(&ring), 0);
	return res < 0 ? res : 0;
}

static void uring(void)
{
	need(UNIFIED_IO_FEAT_URING_CMD);
	CHECK(io_uring_queue_init(8, &ring, 0) == 0);
	desc = desc_nvme(NVME_CMD_READ, 0, LEN, 4096);
	sweep(&(struct sweep){ "io_uring: read", "EIO EAGAIN", uring_before, uring_call, uring_after });
	io_uring_queue_exit(&ring);
}

static uint64_t nobody = 12345;

static int cancel_call(void)
{
	int ret = uior(r.fd, UNIFIED_IO_CANCEL, &nobody);

	return ret == -ENOENT ? 0 : ret;
}

static struct unified_io_export whole;
static int export_fd;

static int export_call(void)
{
	export_fd = ioctl(r.fd, UNIFIED_IO_EXPORT, &whole);
	return export_fd < 0 ? -errno : 0;
}

static int export_after(int ret)
{
	if (!ret)
		close(export_fd);
	return ret;
}

int main(void)
{
	sweep_init();
	bios_can_fail();
	drive_chains("NVMe passthrough", 0);
	drive_chains("bio", UNIFIED_IO_SETUP_BLOCK_LAYER);
	region_open(&r, env("NVME0"));
	desc = desc_nvme(NVME_CMD_READ, 0, LEN, 4096);
	sweep(&(struct sweep){ "ENTER, two reads", "EIO", batch_before, batch_call, batch_after });
	sweep(&(struct sweep){ "CANCEL", "", NULL, cancel_call, NULL });
	whole.len = r.ctl->data_size;
	sweep(&(struct sweep){ "EXPORT", "", NULL, export_call, export_after });
	uring();
	gathered_chain();
	net_chains("UDP", udp_pair, 1000);
	net_chains("TCP", tcp_pair, LEN);
	net_chains("TCP over a wire", wire_pair, LEN);
	net_chains("TCP over a wire that gathers", gather_pair, LEN);
	whole_chain();
	multishot();
	region_close(&r);
	region_close(&good);
	return 0;
}
