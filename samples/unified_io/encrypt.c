// SPDX-License-Identifier: GPL-2.0
/*
 * encrypt PORT BLOCK_DEVICE KEY_FILE - network -> AES -> NVMe
 *
 * The idea: the bytes change where they lie, by the kernel's own cipher, before the drive
 * sees them. The BPF stage is an XDP program (encrypt.bpf.c) that hands the data, as source
 * and target, to the kernel's AES-256 in CBC mode. What is on the drive is one ciphertext
 * from the first byte to the last, which any other program can decrypt.
 *
 *     lab/run --nvme 1 --load -- sh -c '
 *             head -c 48 /dev/urandom >/tmp/key
 *             build/user/samples/encrypt 7000 /dev/nvme0n1 /tmp/key &
 *             sleep 2; echo secret | nc -N localhost 7000; wait; head -c 512 /dev/nvme0n1 | xxd'
 *
 * KEY_FILE has 32 bytes of key and 16 of initialization vector, which must not be used
 * twice. Decrypt with 'openssl enc -d -aes-256-cbc -nopad -K KEY -iv IV', both in hex. CBC
 * hides the bytes; it does not tell whether somebody has changed them.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "common.h"
#include "encrypt.h"
#include "encrypt.skel.h"

#define BUFFER_LEN	(32U << 10)	/* a program can point to less than 64 KiB of a packet */
#define NR_BUFFERS	128

static void read_key(struct encrypt *skel, const char *path)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0 || read(fd, skel->bss->key, KEY_LEN) != KEY_LEN ||
	    read(fd, skel->bss->iv, BLOCK_LEN) != BLOCK_LEN)
		err(1, "%s: want %d bytes", path, KEY_LEN + BLOCK_LEN);
	close(fd);
}

static void make_key(struct encrypt *skel)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	int ret = bpf_prog_test_run_opts(bpf_program__fd(skel->progs.make_key), &opts);

	if (ret || opts.retval)
		errx(1, "this kernel has no cbc(aes) for BPF programs (CONFIG_CRYPTO_CBC, "
		     "CONFIG_CRYPTO_AES): %s", strerror(ret ? -ret : -(int)opts.retval));
}

/* Returns the id of the program that encrypts. */
static int attach_program(struct unified_io *io, const char *key_path)
{
	struct encrypt *skel = encrypt__open();
	int id;

	if (!skel)
		err(1, "encrypt.bpf.o");
	if (encrypt__load(skel))
		errx(1, "this kernel lends BPF programs no ciphers (bpf_crypto_encrypt)");
	read_key(skel, key_path);
	make_key(skel);
	id = unified_io_attach_xdp(io, bpf_program__fd(skel->progs.encrypt));
	check(UNIFIED_IO_CALL_XDP, "attach", id);
	encrypt__destroy(skel);	/* the region keeps the program, and that its maps */
	return id;
}

static void submit_stream(struct unified_io *io, int slot, int id)
{
	struct unified_descriptor *desc = unified_io_get_desc(io);

	unified_io_prep_recv_multishot(desc, slot, 0,
				       UNIFIED_IO_DESC_F_RECYCLE | UNIFIED_IO_DESC_F_CQE_SKIP |
				       UNIFIED_IO_DESC_F_WAITALL | UNIFIED_IO_DESC_F_PAD);
	unified_io_then_bpf(desc, id, 0);
	unified_io_then_write(desc, 0, 0);
	check(UNIFIED_IO_CALL_SUBMIT, "submit", unified_io_submit(io));
}

/* The last completion; an arrival that failed posts one before it. */
static void await_end(struct unified_io *io)
{
	struct unified_completion cqe;

	do
		check(UNIFIED_IO_CALL_SUBMIT, "wait", unified_io_wait(io, &cqe, 0));
	while (cqe.flags & UNIFIED_IO_CQE_F_MORE);
	check(UNIFIED_IO_CALL_COMPLETION, "chain", cqe.res);
}

int main(int argc, char **argv)
{
	struct unified_io_info info;
	struct unified_io io;
	int listener, conn, id;

	if (argc != 4)
		errx(2, "usage: %s PORT BLOCK_DEVICE KEY_FILE (the device is overwritten)", argv[0]);
	listener = listen_on(argv[1]);
	open_region(&io, 16ULL << 20, argv[2], O_RDWR);
	id = attach_program(&io, argv[3]);
	check(UNIFIED_IO_CALL_SUBMIT, "buffers",
	      unified_io_add_buffers(&io, 0, BUFFER_LEN, NR_BUFFERS));

	conn = accept_one(listener);
	submit_stream(&io, check(UNIFIED_IO_CALL_SOCKET, "attach",
				 unified_io_attach_socket(&io, conn)), id);
	await_end(&io);
	unified_io_prep_flush(unified_io_get_desc(&io));
	await_end(&io);

	check(UNIFIED_IO_CALL_SUBMIT, "info", unified_io_get_info(&io, &info));
	printf("received %llu bytes, wrote %llu encrypted; copied %llu, moved %llu\n",
	       info.stage[UNIFIED_IO_STAGE_RECV].bytes, info.stage[UNIFIED_IO_STAGE_BPF].bytes,
	       info.stage[UNIFIED_IO_STAGE_RECV].copied, info.moved);
	unified_io_close(&io);
	return 0;
}
