// SPDX-License-Identifier: GPL-2.0
/*
 * Every combination of source, BPF and sinks that a descriptor can name: the
 * kernel accepts just those of the table, and each runs just its stages, in
 * order, on the data of the one before. 'chains --rst' prints the table for the
 * documentation, as the kernel answers.
 */
#include "bpf.h"

#define LEN	4096
#define LBA	2048
#define XOR	0x5a

static struct region r;
static struct ops *ops;
static int rx[2], tx[2], rx_slot, tx_slot;

struct combination {
	int nvme;		/* -1, or an opcode */
	int net;		/* -1, or UNIFIED_IO_NET_F_* */
	bool bpf, multishot;
};

static const int nvmes[] = { -1, NVME_CMD_READ, NVME_CMD_WRITE, NVME_CMD_FLUSH };
static const char * const nvme_names[] = { "none", "read", "write", "flush" };
static const int nets[] = {
	-1, UNIFIED_IO_NET_F_RECV, UNIFIED_IO_NET_F_SEND,
	UNIFIED_IO_NET_F_RECV | UNIFIED_IO_NET_F_SEND, 0,
};
static const char * const net_names[] = { "none", "RECV", "SEND", "RECV, SEND", "neither" };

static struct unified_descriptor descriptor(const struct combination *c)
{
	struct unified_descriptor d = { .len = LEN };

	if (c->nvme >= 0) {
		d.type |= UNIFIED_REGION_F_NVME;
		d.nvme.opcode = c->nvme;
		d.nvme.slba = LBA;
	}
	if (c->net >= 0) {
		d.type |= UNIFIED_REGION_F_NETWORK;
		d.net.flags = c->net;
		d.net.slot = rx_slot;
		d.net.tx_slot = tx_slot;
	}
	if (c->bpf)
		d.type |= UNIFIED_REGION_F_BPF;
	if (c->multishot)
		d.flags |= UNIFIED_IO_DESC_F_MULTISHOT;
	return d;
}

#define S(stage) (1U << UNIFIED_IO_STAGE_##stage)

/* What the header says: the stages that run, or 0 for EINVAL. */
static unsigned int expected(const struct combination *c)
{
	unsigned int stages = c->bpf ? S(BPF) : 0;
	int net = c->net;

	if (!net)
		net = c->nvme == NVME_CMD_WRITE ? UNIFIED_IO_NET_F_RECV : UNIFIED_IO_NET_F_SEND;
	if (net > 0)
		stages |= (net & UNIFIED_IO_NET_F_RECV ? S(RECV) : 0) |
			  (net & UNIFIED_IO_NET_F_SEND ? S(SEND) : 0);
	if (c->nvme >= 0)
		stages |= c->nvme == NVME_CMD_READ ? S(READ) : c->nvme == NVME_CMD_WRITE ? S(WRITE) : S(FLUSH);
	if ((stages & (S(RECV) | S(READ))) == (S(RECV) | S(READ)))
		return 0;
	if (c->multishot && !(stages & S(RECV)))
		return 0;
	return stages;
}

static void connect_both(void)
{
	tcp_pair(rx);
	tcp_pair(tx);
	rx_slot = attach(&r, rx[0]);
	tx_slot = attach(&r, tx[0]);
}

/* A stream ends with the detach, not with the end that it might see behind it. */
static void disconnect_both(bool stream)
{
	detach(&r, rx_slot);
	if (stream)
		CHECK_RES(reap(&r).res, -ECANCELED);
	detach(&r, tx_slot);
	for (int i = 0; i < 2; i++) {
		close(rx[i]);
		close(tx[i]);
	}
}

/* Puts the data where the chain takes them from, and something else in the other places. */
static void prepare(unsigned int stages, uint64_t addr)
{
	drive_fill(env("NVME0"), LBA * 512, LEN, stages & S(READ) ? 1 : 0xdead);
	pattern_fill(r.data + addr, LEN, LBA * 512, stages & (S(READ) | S(RECV)) ? 0xdead : 1);
}

/* The data as they must arrive, with what the program did to their head. */
static void check_data(unsigned char *got, bool bpf)
{
	for (int i = 0; bpf && i < 64; i++)
		got[i] ^= XOR;
	pattern_check(got, LEN, LBA * 512, 1);
}

static void check_sinks(unsigned int stages)
{
	unsigned char got[LEN];

	if (stages & S(WRITE)) {
		drive_read(env("NVME0"), LBA * 512, got, LEN);
		check_data(got, stages & S(BPF));
	}
	if (stages & S(SEND)) {
		recv_all(tx[1], got, LEN);
		check_data(got, stages & S(BPF));
	}
	CHECK(recv(tx[1], got, 1, MSG_DONTWAIT) < 0);
}

static void check_stages(const struct unified_io_info *before, unsigned int stages)
{
	struct unified_io_info after = region_info(&r);

	for (int i = 0; i < UNIFIED_IO_STAGE_NR; i++) {
		CHECK_EQ(after.stage[i].ops - before->stage[i].ops, stages >> i & 1);
		CHECK_EQ(after.stage[i].errors, before->stage[i].errors);
	}
}

static void check_completion(struct unified_completion c, unsigned int stages)
{
	CHECK_RES(c.res, stages == S(FLUSH) ? 0 : LEN);
	CHECK_EQ(c.stage, 31 - __builtin_clz(stages));
	CHECK_EQ(c.recv, stages & (S(RECV) | S(READ)) ? LEN : 0);
	CHECK_EQ(c.nvme, stages & S(WRITE) ? LEN : 0);
	CHECK_EQ(c.send, stages & S(SEND) ? LEN : 0);
	CHECK_EQ(c.verdict, 0);
}

static void run_one(struct unified_descriptor d, unsigned int stages)
{
	struct unified_io_info before;
	struct unified_completion c;
	const uint64_t addr = d.flags & UNIFIED_IO_DESC_F_MULTISHOT ? 64 * KiB : 0;

	connect_both();
	d.net.slot = rx_slot;
	d.net.tx_slot = tx_slot;
	prepare(stages, addr);
	if (d.flags & UNIFIED_IO_DESC_F_MULTISHOT)
		d.flags |= UNIFIED_IO_DESC_F_WAITALL | UNIFIED_IO_DESC_F_RECYCLE;
	else if (stages & S(RECV))
		d.flags |= UNIFIED_IO_DESC_F_WAITALL;
	before = region_info(&r);
	CHECK_RES(submit(&r, d), 0);
	if (stages & S(RECV))
		send_pattern(rx[1], LEN, LBA * 512, 1);
	c = reap(&r);
	check_completion(c, stages);
	check_sinks(stages);
	check_stages(&before, stages);
	disconnect_both(d.flags & UNIFIED_IO_DESC_F_MULTISHOT);
}

static bool accepts(const struct combination *c)
{
	struct unified_descriptor d = descriptor(c);
	int ret;

	/* a slot without a socket: the combination is judged first, and nothing runs */
	d.net.slot = d.net.tx_slot = 900;
	ret = submit(&r, d);
	if (!ret)
		reap(&r);
	CHECK(ret == 0 || ret == -EINVAL || ret == -ENOTCONN);
	return ret != -EINVAL;
}

static void test(const struct combination *c, const char *name)
{
	unsigned int stages = expected(c);

	fprintf(stderr, "%s\n", name);	/* shown if something fails */
	if (accepts(c) != !!stages)
		FAIL("%s: %s", name, stages ? "refused" : "accepted");
	if (stages)
		run_one(descriptor(c), stages);
}

static const char *chain_name(unsigned int stages)
{
	static const char * const names[] = { "receive", "read", "BPF", "write", "flush", "send" };
	static char text[100];

	text[0] = 0;
	for (int i = 0; i < UNIFIED_IO_STAGE_NR; i++) {
		if (!(stages >> i & 1))
			continue;
		if (text[0])
			strcat(text, " -> ");
		strcat(text, names[i]);
	}
	return text;
}

static const char line[] = "=====  ==========  ===  ================================  =========";

static void print_row(int nvme, int net, bool bpf)
{
	struct combination c = { nvmes[nvme], nets[net], bpf, false };
	bool once = accepts(&c), multi;

	c.multishot = true;
	multi = accepts(&c);
	c.multishot = false;
	printf("%-5s  %-10s  %-3s  %-32s  %s\n", nvme_names[nvme], net_names[net], bpf ? "yes" : "no",
	       once ? chain_name(expected(&c)) : "EINVAL", multi ? "yes" : "no");
}

static void for_all(void (*each)(int nvme, int net, bool bpf))
{
	for (size_t nvme = 0; nvme < ARRAY_SIZE(nvmes); nvme++)
		for (size_t net = 0; net < ARRAY_SIZE(nets); net++)
			for (int bpf = 0; bpf < 2; bpf++)
				each(nvme, net, bpf);
}

static void test_row(int nvme, int net, bool bpf)
{
	for (int multishot = 0; multishot < 2; multishot++) {
		struct combination c = { nvmes[nvme], nets[net], bpf, multishot };
		char name[100];

		snprintf(name, sizeof(name), "nvme %s, net %s, bpf %d, multishot %d", nvme_names[nvme],
			 net_names[net], bpf, multishot);
		test(&c, name);
	}
}

int main(int argc, char **argv)
{
	struct bpf_link *link;

	region_open(&r, env("NVME0"));
	if (argc == 2 && !strcmp(argv[1], "--rst")) {
		printf("%s\nNVMe   Network     BPF  Chain                             Multishot\n%s\n", line, line);
		for_all(print_row);
		printf("%s\n", line);
		return 0;
	}
	ops = ops_attach(&r, &link);
	ops->bss->steps[0] = (struct step){ .op = STEP_XOR_ALL, .a = XOR };
	give_niov(&r, 64 * KiB, LEN);	/* RECYCLE: one for all of them */
	for_all(test_row);
	bpf_link__destroy(link);
	ops__destroy(ops);
	region_close(&r);
	return 0;
}
