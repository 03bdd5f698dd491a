// SPDX-License-Identifier: GPL-2.0
/*
 * Each verdict of a struct_ops program does what it says, and the program sees
 * the operation as it is: read, then BPF, then send; and a received request.
 */
#include "bpf.h"

static struct region r;
static struct ops *ops;
static int fd[2], slot;

static struct unified_descriptor read_bpf_send(void)
{
	struct unified_descriptor d = desc_nvme(NVME_CMD_READ, 8192, 4096, 16);

	d.type |= UNIFIED_REGION_F_BPF | UNIFIED_REGION_F_NETWORK;
	d.net.flags = UNIFIED_IO_NET_F_SEND;
	d.net.tx_slot = slot;
	d.bpf.arg = 0xa5a5;
	d.user_data = 0x1122334455667788;
	return d;
}

static void peer_got_nothing(void)
{
	char c;

	CHECK(recv(fd[1], &c, 1, MSG_DONTWAIT) < 0);
	CHECK_EQ(errno, EAGAIN);
}

static void pass(void)
{
	struct unified_completion c;

	ops->bss->verdict = UNIFIED_IO_BPF_PASS;
	c = run(&r, read_bpf_send());
	CHECK_RES(c.res, 4096);
	CHECK_EQ(c.recv, 4096);
	CHECK_EQ(c.verdict, UNIFIED_IO_BPF_PASS);
	CHECK_EQ(c.send, 4096);
	CHECK_EQ(c.stage, UNIFIED_IO_STAGE_SEND);
	recv_pattern(fd[1], 4096, 16 * 512, 7);

	CHECK_EQ(ops->bss->seen_user_data, 0x1122334455667788);
	CHECK_EQ(ops->bss->seen_lba, 16);
	CHECK_EQ(ops->bss->seen_off, 0);
	CHECK_EQ(ops->bss->seen_len, 4096);
	CHECK_EQ(ops->bss->seen_cap, 4096);
	CHECK_EQ(ops->bss->seen_carried, 0);
	CHECK_EQ(ops->bss->seen_arg, 0xa5a5);
	CHECK_EQ(ops->bss->seen_flags, 0);
	CHECK_EQ(ops->bss->seen_depth, 0);
	CHECK_EQ(ops->bss->seen_lba_size, 512);
	CHECK_EQ(ops->bss->seen_region_id, r.setup.region_id);
}

static void drop(void)
{
	struct unified_completion c;

	ops->bss->verdict = UNIFIED_IO_BPF_DROP;
	c = run(&r, read_bpf_send());
	CHECK_EQ(c.verdict, UNIFIED_IO_BPF_DROP);
	CHECK_EQ(c.flags, UNIFIED_IO_CQE_F_DROPPED);
	CHECK_EQ(c.stage, UNIFIED_IO_STAGE_BPF);
	CHECK_OK(c.res);
	CHECK_EQ(c.send, 0);
	peer_got_nothing();
	CHECK_EQ(region_info(&r).dropped, 1);
}

/* A reply goes to the source socket, and the write is skipped. */
static void reply(void)
{
	struct unified_descriptor d = desc_nvme(NVME_CMD_WRITE, 0, 4096, 64);
	struct unified_completion c;

	drive_fill(env("NVME0"), 64 * 512, 4096, 0xdead);
	d.type |= UNIFIED_REGION_F_BPF | UNIFIED_REGION_F_NETWORK;
	d.net.flags = UNIFIED_IO_NET_F_RECV;
	d.net.slot = slot;
	ops->bss->verdict = UNIFIED_IO_BPF_REPLY;
	send_pattern(fd[1], 1000, 0, 9);
	c = run(&r, d);
	CHECK_RES(c.res, 1000);
	CHECK_EQ(c.recv, 1000);
	CHECK_EQ(c.send, 1000);
	CHECK_EQ(c.nvme, 0);
	CHECK_EQ(c.verdict, UNIFIED_IO_BPF_REPLY);
	CHECK(c.flags & UNIFIED_IO_CQE_F_REPLIED);
	recv_pattern(fd[1], 1000, 0, 9);
	drive_check(env("NVME0"), 64 * 512, 4096, 64 * 512, 0xdead);
	CHECK_EQ(ops->bss->seen_slot, slot);
	CHECK_EQ(region_info(&r).replied, 1);

	/* without a source socket there is nobody to reply to */
	CHECK_RES(run(&r, read_bpf_send()).res, -ENOTCONN);
	peer_got_nothing();
}

static void errors(void)
{
	static const int rows[][2] = {
		{ -EACCES, -EACCES }, { -1, -1 }, { -511, -511 },
		/* the kernel's own: ERESTARTSYS, EIOCBQUEUED, the last */
		{ -512, -EPROTO }, { -529, -EPROTO }, { -4095, -EPROTO },
		{ 4, -EPROTO }, { 99, -EPROTO }, { 0x7fffffff, -EPROTO },
		{ -4096, -EPROTO }, { (int)0x80000000, -EPROTO },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct unified_completion c;

		ops->bss->verdict = rows[i][0];
		c = run(&r, read_bpf_send());
		CHECK_RES(c.res, rows[i][1]);
		CHECK_RES(c.verdict, rows[i][1]);
		CHECK_EQ(c.recv, 4096);
		CHECK_EQ(c.stage, UNIFIED_IO_STAGE_BPF);
		peer_got_nothing();
	}
	CHECK_EQ(region_info(&r).stage[UNIFIED_IO_STAGE_BPF].errors, ARRAY_SIZE(rows) + 1);
}

/* Dependent reads: as deep as is allowed, not one more; only after a read. */
static void resubmit(void)
{
	struct unified_descriptor d = desc_nvme(NVME_CMD_READ, 0, 512, 16);
	struct unified_completion c;

	d.type |= UNIFIED_REGION_F_BPF;
	ops->bss->early_verdict = UNIFIED_IO_BPF_RESUBMIT;
	ops->bss->verdict = UNIFIED_IO_BPF_PASS;
	ops->bss->steps[0] = (struct step){ .op = STEP_SET_LBA, .a = 1000 };
	ops->bss->nr_calls = 0;
	ops->bss->calls_until_verdict = UNIFIED_IO_RESUBMIT_MAX;
	drive_fill(env("NVME0"), 1000 * 512, 512, 0xabc);
	c = run(&r, d);
	CHECK_RES(c.res, 512);
	CHECK_EQ(ops->bss->nr_calls, UNIFIED_IO_RESUBMIT_MAX + 1);
	CHECK_EQ(ops->bss->seen_depth, UNIFIED_IO_RESUBMIT_MAX);
	CHECK_EQ(ops->bss->seen_lba, 1000);
	CHECK_EQ(c.slba, 1000);
	pattern_check(r.data, 512, 1000 * 512, 0xabc);
	CHECK_EQ(region_info(&r).resubmitted, UNIFIED_IO_RESUBMIT_MAX);

	ops->bss->nr_calls = 0;
	ops->bss->calls_until_verdict = UNIFIED_IO_RESUBMIT_MAX + 1;
	CHECK_RES(run(&r, d).res, -ELOOP);

	/* to where there is no block */
	ops->bss->nr_calls = 0;
	ops->bss->calls_until_verdict = 1;
	ops->bss->steps[0].a = 1ULL << 50;
	CHECK_RES(run(&r, d).res, -ERANGE);

	/* a chain that read nothing cannot read again */
	ops->bss->nr_calls = 0;
	ops->bss->steps[0].a = 0;
	CHECK(run(&r, desc_bpf(0, 512)).res < 0);
	ops->bss->steps[0].op = STEP_NONE;
	ops->bss->calls_until_verdict = 0;
}

int main(void)
{
	struct bpf_link *link;

	region_open(&r, env("NVME0"));
	ops = ops_attach(&r, &link);
	CHECK_EQ(region_info(&r).struct_ops, 1);
	tcp_pair(fd);
	slot = attach(&r, fd[0]);
	drive_fill(env("NVME0"), 16 * 512, 4096, 7);
	pass();
	drop();
	reply();
	errors();
	resubmit();
	bpf_link__destroy(link);
	ops__destroy(ops);
	region_close(&r);
	return 0;
}
