// SPDX-License-Identifier: GPL-2.0
/*
 * What a program sets, the stages after it use: data range and block of the
 * write, target and range of the send; PAD; the reply of an XDP program.
 */
#include "bpf.h"

#define LBA	4096

static struct region r;
static struct ops *ops;
static int rx[2], tx[2], other[2], rx_slot, tx_slot, other_slot;
static int xdp_id;	/* 0: the struct_ops */

/* Receives 1000 bytes behind 24 of headroom, processes, writes, sends. */
static struct unified_completion request(void)
{
	struct unified_descriptor d = desc_recv(rx_slot, 0, 4096);

	d.type |= UNIFIED_REGION_F_NVME | UNIFIED_REGION_F_BPF;
	d.flags = UNIFIED_IO_DESC_F_PAD;
	d.nvme.opcode = NVME_CMD_WRITE;
	d.nvme.slba = LBA;
	d.net.flags |= UNIFIED_IO_NET_F_SEND;
	d.net.tx_slot = tx_slot;
	d.net.headroom = 24;
	d.bpf.prog_id = xdp_id;
	memset(r.data, 0x77, 8192);
	drive_fill(env("NVME0"), LBA * 512, 16 * KiB, 0xdead);
	send_pattern(rx[1], 1000, 0, 1);
	return run(&r, d);
}

static void steps(struct step a, struct step b)
{
	ops->bss->steps[0] = a;
	ops->bss->steps[1] = b;
}

static void nothing_for(int fd)
{
	CHECK(recv(fd, &(char){ 0 }, 1, MSG_DONTWAIT) < 0);
}

/* The data with their padding, and then what was there before. */
static void check_written(uint64_t lba, uint32_t len)
{
	uint32_t whole = (len + 511) / 512 * 512;
	unsigned char got[4096 + 512];

	drive_read(env("NVME0"), lba * 512, got, whole + 512);
	pattern_check(got, len, 0, 1);
	check_filled(got + len, whole - len, 0);
	pattern_check(got + whole, 512, lba * 512 + whole, 0xdead);
}

static void untouched(void)
{
	struct unified_completion c;

	steps((struct step){}, (struct step){});
	c = request();
	CHECK_RES(c.res, 1000);
	CHECK_EQ(c.addr, 24);
	CHECK_EQ(c.nvme, 1024);
	check_written(LBA, 1000);
	recv_pattern(tx[1], 1000, 0, 1);
}

static void lba(void)
{
	struct unified_completion c;

	steps((struct step){ .op = STEP_SET_LBA, .a = LBA + 5 }, (struct step){ .op = STEP_SET_LEN, .a = 500 });
	c = request();
	CHECK_RES(c.res, 500);
	CHECK_EQ(c.slba, LBA + 5);
	CHECK_EQ(c.nvme, 512);
	check_written(LBA + 5, 500);
	drive_check(env("NVME0"), LBA * 512, 512, LBA * 512, 0xdead);
	recv_pattern(tx[1], 500, 0, 1);

	steps((struct step){ .op = STEP_SET_LBA, .a = ~0ULL }, (struct step){});
	c = request();
	CHECK_RES(c.res, -ERANGE);
	CHECK_EQ(c.stage, UNIFIED_IO_STAGE_WRITE);
	nothing_for(tx[1]);
}

/* Headroom becomes part of the data: a record header goes there. */
static void data(void)
{
	unsigned char got[512];

	steps((struct step){ .op = STEP_SET_DATA, .a = 0, .b = 1024 },
	      (struct step){ .op = STEP_STORE, .a = 3, .b = 0x99 });
	CHECK_RES(request().res, 1024);
	drive_read(env("NVME0"), LBA * 512, got, 512);
	CHECK_EQ(got[2], 0x77);
	CHECK_EQ(got[3], 0x99);
	pattern_check(got + 24, 512 - 24, 0, 1);
	recv_all(tx[1], got, 512);
	CHECK_EQ(got[3], 0x99);
	pattern_check(got + 24, 512 - 24, 0, 1);
	recv_pattern(tx[1], 512, 512 - 24, 1);
}

static void target(void)
{
	steps((struct step){ .op = STEP_SET_TARGET, .a = other_slot }, (struct step){});
	CHECK_RES(request().res, 1000);
	recv_pattern(other[1], 1000, 0, 1);
	nothing_for(tx[1]);

	steps((struct step){ .op = STEP_SET_TARGET, .a = 700 }, (struct step){});
	CHECK_RES(request().res, -ENOTCONN);
	check_written(LBA, 1000);
	nothing_for(tx[1]);
}

/* One thing is stored, another sent. */
static void send_range(void)
{
	struct unified_completion c;

	steps((struct step){ .op = STEP_SET_SEND, .a = 24 + 100, .b = 50 }, (struct step){});
	c = request();
	CHECK_RES(c.res, 50);
	CHECK_EQ(c.len, 1000);
	check_written(LBA, 1000);
	recv_pattern(tx[1], 50, 100, 1);
}

static void pad(void)
{
	struct unified_completion c;

	/* no room behind the data for their padding */
	steps((struct step){ .op = STEP_SET_DATA, .a = 0, .b = 4000 },
	      (struct step){ .op = STEP_SET_DATA, .a = 96, .b = 3999 });
	c = request();
	CHECK_RES(c.res, -ERANGE);
	CHECK_EQ(c.stage, UNIFIED_IO_STAGE_WRITE);
	drive_check(env("NVME0"), LBA * 512, 4096, LBA * 512, 0xdead);
}

/* XDP_TX: back to where it came from; the other sinks are skipped. */
static void xdp_tx(void)
{
	struct xdp *xdp = xdp_load();
	struct unified_completion c;

	xdp_id = xdp_attach(&r, xdp->progs.remote_xdp);
	xdp->bss->verdict = 3;
	c = request();
	CHECK_RES(c.res, 1000);
	CHECK_EQ(c.send, 1000);
	CHECK(c.flags & UNIFIED_IO_CQE_F_REPLIED);
	CHECK_EQ(xdp->bss->seen_len, 1000);
	recv_pattern(rx[1], 1000, 0, 1);
	nothing_for(tx[1]);
	drive_check(env("NVME0"), LBA * 512, 4096, LBA * 512, 0xdead);
	xdp__destroy(xdp);
}

int main(void)
{
	struct bpf_link *link;

	region_open(&r, env("NVME0"));
	tcp_pair(rx);
	tcp_pair(tx);
	tcp_pair(other);
	rx_slot = attach(&r, rx[0]);
	tx_slot = attach(&r, tx[0]);
	other_slot = attach(&r, other[0]);
	ops = ops_attach(&r, &link);
	untouched();
	lba();
	data();
	target();
	send_range();
	pad();
	bpf_link__destroy(link);
	ops__destroy(ops);
	xdp_tx();
	region_close(&r);
	return 0;
}
