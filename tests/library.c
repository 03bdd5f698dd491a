// SPDX-License-Identifier: GPL-2.0
/*
 * libunified_io over the same kernel: the queue goes round and does not overrun,
 * waiting, buffers, sockets and programs do what the header says.
 */
#include <sys/time.h>

#include <unified_io.h>
#include "bpf.h"

static struct unified_io io;

static void open_with(unsigned int entries)
{
	struct unified_io_setup setup;

	unified_io_defaults(&setup);
	setup.sq_entries = entries;
	setup.cq_entries = entries;
	setup.region_size = 4 * MiB;
	setup.nvme_fd = open(env("NVME0"), O_RDWR);
	CHECK_RES(unified_io_open(&io, &setup), 0);
	close(setup.nvme_fd);
}

/* More descriptors than the rings have entries, many times over. */
static void queue_goes_round(void)
{
	unsigned int next = 0, done = 0;

	open_with(8);
	while (done < 100) {
		struct unified_descriptor *d = next < 100 ? unified_io_get_desc(&io) : NULL;
		struct unified_completion c;

		if (d) {
			unified_io_prep_buffer(d, 0, 512);
			d->type = UNIFIED_REGION_F_BPF;
			d->user_data = next++;
			continue;
		}
		CHECK_RES(unified_io_wait(&io, &c, WAIT_NS), 0);
		CHECK_EQ(c.user_data, done++);
		CHECK_RES(c.res, 512);
	}
	CHECK(!unified_io_peek(&io));
	CHECK_RES(unified_io_wait(&io, &(struct unified_completion){}, WAIT_NS), -ENODATA);
	unified_io_close(&io);
}

static void drive(void)
{
	struct unified_completion c;
	struct unified_descriptor d;

	open_with(64);
	pattern_fill(io.data, 64 * KiB, 0, 1);
	unified_io_prep_write(&d, 0, 64 * KiB, 128);
	CHECK_RES(unified_io_submit_one(&io, &d), 0);
	CHECK_RES(unified_io_wait(&io, &c, 0), 0);
	CHECK_RES(c.res, 64 * KiB);
	drive_check(env("NVME0"), 128 * 512, 64 * KiB, 0, 1);
	unified_io_prep_read(&d, 1 * MiB, 64 * KiB, 128);
	CHECK_RES(unified_io_submit_one(&io, &d), 0);
	CHECK_RES(unified_io_wait(&io, &c, 0), 0);
	pattern_check(io.data + 1 * MiB, 64 * KiB, 0, 1);
	unified_io_prep_flush(&d);
	CHECK_RES(unified_io_submit_one(&io, &d), 0);
	CHECK_RES(unified_io_wait(&io, &c, 0), 0);
	CHECK_RES(c.res, 0);
	d.type = 0;
	CHECK_RES(unified_io_submit_one(&io, &d), -EINVAL);
	unified_io_close(&io);
}

static void network(void)
{
	struct unified_descriptor *d;
	struct unified_completion c;
	int fd[2], slot;

	open_with(64);
	tcp_pair(fd);
	slot = unified_io_attach_socket(&io, fd[0]);
	CHECK_OK(slot);
	CHECK_RES(unified_io_attach_socket(&io, open("/dev/null", O_RDWR)), -ENOTSOCK);
	CHECK_RES(unified_io_add_buffers(&io, 0, 4096, 8), 0);
	CHECK_RES(unified_io_add_buffers(&io, 3 * MiB, 4096, 100000), -ERANGE);
	d = unified_io_get_desc(&io);
	unified_io_prep_recv_multishot(d, slot, 0, 0);
	CHECK_RES(unified_io_submit(&io), 1);
	CHECK_RES(unified_io_wait(&io, &c, 50000000), -ETIME);
	for (int i = 0; i < 100; i++) {
		send_pattern(fd[1], 1000, i * 1000, 2);
		CHECK_RES(unified_io_wait(&io, &c, WAIT_NS), 0);
		CHECK_RES(c.res, 1000);
		pattern_check(io.data + c.addr, 1000, i * 1000, 2);
		CHECK_RES(unified_io_add_buffer(&io, c.addr, 4096), 0);
		unified_io_publish_buffers(&io);
	}
	CHECK_RES(unified_io_detach_socket(&io, slot), 0);
	CHECK_RES(unified_io_wait(&io, &c, WAIT_NS), 0);
	CHECK_RES(c.res, -ECANCELED);
	CHECK_RES(unified_io_detach_socket(&io, slot), -ENOTCONN);
	unified_io_close(&io);
}

static void on_alarm(int signal)
{
}

/* The call that submits tells what ended its wait: not that nothing is in flight. */
static void interrupted(void)
{
	struct itimerval soon = { .it_value.tv_usec = 100000 };
	struct sigaction action = { .sa_handler = on_alarm };
	struct unified_completion c;
	int fd[2], slot;

	open_with(8);
	tcp_pair(fd);
	slot = unified_io_attach_socket(&io, fd[0]);
	CHECK_OK(slot);
	unified_io_prep_recv(unified_io_get_desc(&io), slot, 0, 100);
	CHECK_RES(unified_io_wait(&io, &c, 50000000), -ETIME);
	unified_io_prep_recv(unified_io_get_desc(&io), slot, 4096, 100);
	CHECK(sigaction(SIGALRM, &action, NULL) == 0 && setitimer(ITIMER_REAL, &soon, NULL) == 0);
	CHECK_RES(unified_io_wait(&io, &c, 0), -EINTR);
	send_pattern(fd[1], 200, 0, 5);
	for (int i = 0; i < 2; i++) {
		CHECK_RES(unified_io_wait(&io, &c, WAIT_NS), 0);
		CHECK_RES(c.res, 100);
		pattern_check(io.data + i * 4096, 100, i * 100, 5);
	}
	unified_io_close(&io);
	close(fd[0]);
	close(fd[1]);
}

static void programs(void)
{
	struct unified_completion c;
	struct unified_descriptor d;
	struct xdp *xdp = xdp_load();
	int id, new;

	open_with(64);
	id = unified_io_attach_xdp(&io, bpf_program__fd(xdp->progs.drop));
	CHECK(id > 0);
	unified_io_prep_buffer(&d, 0, 4096);
	d.type = UNIFIED_REGION_F_BPF;
	d.bpf.prog_id = id;
	CHECK_RES(unified_io_submit_one(&io, &d), 0);
	CHECK_RES(unified_io_wait(&io, &c, WAIT_NS), 0);
	CHECK_EQ(c.flags, UNIFIED_IO_CQE_F_DROPPED);
	new = unified_io_replace_xdp(&io, id, bpf_program__fd(xdp->progs.pass));
	CHECK(new > 0 && new != id);
	CHECK_RES(unified_io_detach_xdp(&io, new), 0);
	CHECK_RES(unified_io_detach_xdp(&io, new), -ENOENT);
	unified_io_close(&io);
	xdp__destroy(xdp);
}

static void failures(void)
{
	struct unified_io_setup setup;

	unified_io_defaults(&setup);
	setup.sq_entries = 3;
	CHECK_RES(unified_io_open(&io, &setup), -EINVAL);
	unified_io_defaults(&setup);
	setup.nvme_fd = open("/dev/null", O_RDWR);
	CHECK_RES(unified_io_open(&io, &setup), -ENOTBLK);
	CHECK(strstr(unified_io_hint(UNIFIED_IO_CALL_OPEN, -ENOTBLK), "/dev/nvme"));
	CHECK(strstr(unified_io_hint(UNIFIED_IO_CALL_OPEN, -EPERM), "ulimit -l"));
}

int main(void)
{
	queue_goes_round();
	drive();
	network();
	interrupted();
	programs();
	failures();
	return 0;
}
