/* SPDX-License-Identifier: GPL-2.0 */
/* A command of io_uring on the device, for those that send some. */
#ifndef TESTS_URING_CMD_H
#define TESTS_URING_CMD_H

#include <liburing.h>

#include "common.h"

static inline struct io_uring_sqe *prep_uring_cmd(struct io_uring *ring, int fd, unsigned int op,
						  uint64_t arg, uint64_t completion,
						  uint64_t user_data)
{
	struct unified_io_uring_cmd cmd = { .arg = arg, .completion = completion };
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

	CHECK(sqe);
	io_uring_prep_rw(IORING_OP_URING_CMD, sqe, fd, NULL, 0, 0);
	sqe->cmd_op = op;
	memcpy(sqe->cmd, &cmd, sizeof(cmd));
	sqe->user_data = user_data;
	return sqe;
}

#endif /* TESTS_URING_CMD_H */
