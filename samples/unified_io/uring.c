// SPDX-License-Identifier: GPL-2.0
/*
 * uring PORT BLOCK_DEVICE - io_uring as the front door
 *
 * The idea: a program that has a ring needs no second place to wait at. Here connections
 * come as CQEs of an ordinary accept, and what to do with one is an SQE: a chain that
 * receives what the client sends (up to 64 KiB, until it has sent all), writes that to the
 * drive and, when it is there for good, sends it back. Its end is a CQE like any other.
 *
 *     lab/run --nvme 1 --load -- sh -c '
 *             build/user/samples/uring 7000 /dev/nvme0n1 &
 *             sleep 2; for i in 1 2 3; do echo $i | nc -N localhost 7000; done
 *             kill -INT $!; wait'
 *
 * Each message gets the next 64 KiB of the drive. It ends with SIGINT.
 */
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <liburing.h>

#include "common.h"

#define MESSAGE_LEN	(64U << 10)
#define NR_CLIENTS	32
#define ACCEPT		NR_CLIENTS	/* user_data; a client's is its number */

static struct client {
	struct unified_descriptor chain;
	struct unified_completion done;
	int slot;
	bool busy;
} clients[NR_CLIENTS];

static struct unified_io io;
static struct io_uring ring;
static __u64 nr_messages;
static __u32 message_blocks;

static void on_signal(int sig)
{
	(void)sig;
}

static struct io_uring_sqe *get_sqe(__u64 user_data)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

	if (!sqe)
		errx(1, "the ring is full");
	io_uring_sqe_set_data64(sqe, user_data);
	return sqe;
}

/* What used to be an ioctl of the region is an SQE on its file. */
static void prep_chain(struct client *client)
{
	struct unified_io_uring_cmd cmd = {
		.arg = (uintptr_t)&client->chain,
		.completion = (uintptr_t)&client->done,
	};
	struct io_uring_sqe *sqe = get_sqe(client - clients);

	io_uring_prep_rw(IORING_OP_URING_CMD, sqe, io.fd, NULL, 0, 0);
	sqe->cmd_op = UNIFIED_IO_URING_OP;
	memcpy(sqe->cmd, &cmd, sizeof(cmd));
}

static void serve(int conn)
{
	struct client *client = clients;

	while (client < clients + NR_CLIENTS && client->busy)
		client++;
	if (client == clients + NR_CLIENTS) {
		close(conn);
		return;
	}
	client->busy = true;
	client->slot = check(UNIFIED_IO_CALL_SOCKET, "attach",
			     unified_io_attach_socket(&io, conn));
	close(conn);	/* the region keeps the socket */
	unified_io_prep_recv(&client->chain, client->slot,
			     (client - clients) * MESSAGE_LEN, MESSAGE_LEN);
	unified_io_then_write(&client->chain, nr_messages++ * message_blocks,
			      UNIFIED_IO_NVME_F_FUA);
	unified_io_then_send(&client->chain, client->slot);
	client->chain.flags = UNIFIED_IO_DESC_F_WAITALL | UNIFIED_IO_DESC_F_PAD;
	prep_chain(client);
}

/* A client's fault ends its chain, not the program. */
static void finish(struct client *client, int res)
{
	if (res < 0)
		printf("failed: %s\n", unified_io_hint(UNIFIED_IO_CALL_COMPLETION, res));
	else
		printf("block %llu: %d bytes received, %u copied\n", client->chain.nvme.slba,
		       client->done.recv, client->done.copied);
	unified_io_detach_socket(&io, client->slot);
	client->busy = false;
}

static void handle(const struct io_uring_cqe *cqe)
{
	if (cqe->user_data != ACCEPT)
		finish(&clients[cqe->user_data], cqe->res);
	else if (cqe->res < 0)
		errx(1, "accept: %s", strerror(-cqe->res));
	else
		serve(cqe->res);
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct unified_io_info info;
	struct io_uring_cqe *cqe;
	int ret;

	if (argc != 3)
		errx(2, "usage: %s PORT BLOCK_DEVICE (which is overwritten)", argv[0]);
	sigaction(SIGINT, &action, NULL);
	open_region(&io, 8ULL << 20, argv[2], O_RDWR);
	check(UNIFIED_IO_CALL_SUBMIT, "info", unified_io_get_info(&io, &info));
	message_blocks = MESSAGE_LEN / info.lba_size;
	ret = io_uring_queue_init(2 * NR_CLIENTS, &ring, 0);
	if (ret)
		errx(1, "io_uring: %s", strerror(-ret));
	io_uring_prep_multishot_accept(get_sqe(ACCEPT), listen_on(argv[1]), NULL, NULL, 0);

	while ((ret = io_uring_submit_and_wait(&ring, 1)) >= 0) {
		while (!io_uring_peek_cqe(&ring, &cqe)) {
			handle(cqe);
			io_uring_cqe_seen(&ring, cqe);
		}
	}
	if (ret != -EINTR)
		errx(1, "io_uring: %s", strerror(-ret));
	printf("%llu messages\n", nr_messages);
	io_uring_queue_exit(&ring);
	unified_io_close(&io);
	return 0;
}
