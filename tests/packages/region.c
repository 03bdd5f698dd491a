// SPDX-License-Identifier: GPL-2.0
/* A region of a user who is in the group of the device node: a chain of one stage, which has nothing to run. */
#include <stdio.h>
#include <unified_io.h>

int main(void)
{
	struct unified_io_setup setup;
	struct unified_completion cqe;
	struct unified_descriptor *desc;
	struct unified_io io;
	int err;

	unified_io_defaults(&setup);
	setup.region_size = 1 << 20;
	err = unified_io_open(&io, &setup);
	if (err) {
		fprintf(stderr, "%s\n", unified_io_hint(UNIFIED_IO_CALL_OPEN, err));
		return 1;
	}
	desc = unified_io_get_desc(&io);
	unified_io_prep_buffer(desc, 0, 4096);
	unified_io_then_bpf(desc, 0, 0);
	desc->user_data = 42;
	err = unified_io_wait(&io, &cqe, 0);
	printf("wait %d, user_data %llu, res %d\n", err, cqe.user_data, cqe.res);
	unified_io_close(&io);
	return err || cqe.user_data != 42 || cqe.res != 4096 || !(cqe.flags & UNIFIED_IO_CQE_F_NO_PROG);
}
