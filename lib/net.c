// SPDX-License-Identifier: GPL-2.0
/* Socket slots. */
#include <sys/ioctl.h>

#include "unified_io.h"

static int attach(struct unified_io *io, int fd, __u32 slot)
{
	struct unified_io_attach_socket attach = { .fd = fd, .slot = slot };

	if (ioctl(io->fd, UNIFIED_IO_ATTACH_SOCKET, &attach))
		return -errno;
	return (int)attach.slot;
}

int unified_io_attach_socket(struct unified_io *io, int fd)
{
	/* -1 would empty a slot */
	return fd < 0 ? -EBADF : attach(io, fd, UNIFIED_IO_SLOT_ANY);
}

int unified_io_detach_socket(struct unified_io *io, unsigned int slot)
{
	int ret = attach(io, -1, slot);

	return ret < 0 ? ret : 0;
}
