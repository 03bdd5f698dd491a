// SPDX-License-Identifier: GPL-2.0
/*
 * Records that straddle two receives: the program carries the tail, which comes
 * again at the head of the next receive. Whatever the sizes of sends, buffers and
 * records, what is stored is the stream, byte for byte.
 */
#include "bpf.h"

#define TOTAL	(200 * KiB + 77)

static struct region r;
static struct ops *ops;
static int fd[2], slot;

/* Odd pieces, so that the receives' borders are everywhere. */
static pid_t send_in_pieces(uint32_t total)
{
	pid_t pid = fork();
	uint32_t sent = 0, piece = 1;

	if (pid)
		return pid;
	while (sent < total) {
		uint32_t len = piece < total - sent ? piece : total - sent;

		send_pattern(fd[1], len, sent, 5);
		sent += len;
		piece = piece * 7 % 4001 + 1;
	}
	CHECK(shutdown(fd[1], SHUT_WR) == 0);
	_exit(0);
}

/* One shot after the other, gathering in a file what each chain leaves. */
static void one_shot(uint32_t unit, uint32_t buffer, uint32_t headroom)
{
	unsigned char *all = malloc(TOTAL);
	uint64_t carried = region_info(&r).carried, copied = 0;
	struct unified_descriptor d;
	struct unified_completion c;
	uint32_t got = 0;
	pid_t pid;

	tcp_pair(fd);
	slot = attach(&r, fd[0]);
	d = desc_recv(slot, 0, headroom + buffer);
	d.type |= UNIFIED_REGION_F_BPF;
	d.net.headroom = headroom;
	ops->bss->steps[0] = (struct step){ .op = STEP_CARRY_TAIL, .a = unit };
	pid = send_in_pieces(TOTAL);
	do {
		c = run(&r, d);
		CHECK_OK(c.res);
		CHECK(c.len % unit == 0 || c.flags & UNIFIED_IO_CQE_F_EOF);
		CHECK(got + c.len <= TOTAL);
		CHECK(c.len == 0 || c.addr == headroom);
		memcpy(all + got, r.data + c.addr, c.len);
		got += c.len;
		copied += c.copied;
	} while (!(c.flags & UNIFIED_IO_CQE_F_EOF));
	CHECK_EQ(got, TOTAL);
	pattern_check(all, TOTAL, 0, 5);
	carried = region_info(&r).carried - carried;
	CHECK(unit == 1 || carried > 0);
	CHECK_EQ(copied, TOTAL + 2 * carried);	/* out of the buffer, and into the next */
	CHECK_EQ(child_status(pid), 0);
	detach(&r, slot);
	close(fd[0]);
	close(fd[1]);
	free(all);
}

/*
 * All in one multishot receive: blocks of the drive are the records, the end of
 * the stream is padded, and nothing completes but the whole.
 */
static void to_the_drive(uint32_t buffer)
{
	static unsigned int nr_run;
	const uint64_t first = 1000;
	struct unified_descriptor d;
	struct unified_completion c;
	pid_t pid;

	tcp_pair(fd);
	slot = attach(&r, fd[0]);
	/* a new place for each run: buffers that were given stay given */
	for (int i = 0; i < 8; i++)
		give_niov(&r, (nr_run * 8 + i) * 16 * KiB, buffer);
	nr_run++;
	d = desc_multishot(slot);
	d.type |= UNIFIED_REGION_F_BPF | UNIFIED_REGION_F_NVME;
	d.flags |= UNIFIED_IO_DESC_F_RECYCLE | UNIFIED_IO_DESC_F_CQE_SKIP | UNIFIED_IO_DESC_F_PAD;
	d.nvme.opcode = NVME_CMD_WRITE;
	d.nvme.slba = first;
	d.user_data = 99;
	ops->bss->steps[0] = (struct step){ .op = STEP_CARRY_TAIL, .a = 512 };
	CHECK_RES(submit(&r, d), 0);
	pid = send_in_pieces(TOTAL);
	c = reap(&r);
	CHECK_EQ(c.user_data, 99);
	CHECK_RES(c.res, 0);
	CHECK_EQ(c.flags & UNIFIED_IO_CQE_F_MORE, 0);
	CHECK(c.flags & UNIFIED_IO_CQE_F_EOF);
	CHECK_EQ(c.slba, first + (TOTAL + 511) / 512);
	CHECK_EQ(nr_ready(&r), 0);
	CHECK_EQ(region_info(&r).inflight, 0);
	drive_check(env("NVME0"), first * 512, TOTAL / 512 * 512, 0, 5);
	CHECK_EQ(child_status(pid), 0);
	detach(&r, slot);
	close(fd[0]);
	close(fd[1]);
}

/* More than may be carried is refused, and what fills the whole buffer cannot grow. */
static void limits(void)
{
	struct unified_descriptor d;

	tcp_pair(fd);
	slot = attach(&r, fd[0]);
	d = desc_recv(slot, 0, 64 * KiB);
	d.type |= UNIFIED_REGION_F_BPF;
	d.flags = UNIFIED_IO_DESC_F_WAITALL;
	ops->bss->steps[0] = (struct step){ .op = STEP_CARRY, .a = 0, .b = UNIFIED_IO_CARRY_MAX + 1 };
	send_pattern(fd[1], 64 * KiB, 0, 1);
	CHECK_RES(run(&r, d).res, 64 * KiB);
	CHECK_EQ(ops->bss->steps[0].ret, -EMSGSIZE);
	ops->bss->steps[0].b = UNIFIED_IO_CARRY_MAX;
	send_pattern(fd[1], 64 * KiB, 0, 1);
	CHECK_RES(run(&r, d).res, 64 * KiB);
	CHECK_EQ(ops->bss->steps[0].ret, 0);

	/* carried into a buffer that has no room for it */
	d.len = UNIFIED_IO_CARRY_MAX;
	send_pattern(fd[1], 100, 0, 1);
	CHECK_RES(run(&r, d).res, -EMSGSIZE);
	ops->bss->steps[0].op = STEP_NONE;
	detach(&r, slot);
	close(fd[0]);
	close(fd[1]);
}

int main(void)
{
	struct bpf_link *link;

	region_open(&r, env("NVME0"));
	ops = ops_attach(&r, &link);
	one_shot(1, 4096, 0);
	one_shot(512, 600, 0);
	one_shot(512, 4096, 40);
	one_shot(1000, 1001, 7);
	one_shot(4096, 5000, 1);
	one_shot(7, 64 * KiB, 0);
	to_the_drive(16 * KiB);
	to_the_drive(1024);
	to_the_drive(5000);
	limits();
	bpf_link__destroy(link);
	ops__destroy(ops);
	region_close(&r);
	return 0;
}
