// SPDX-License-Identifier: GPL-2.0
/* Opening, mapping and asking about a region. */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "unified_io.h"

void unified_io_defaults(struct unified_io_setup *setup)
{
	memset(setup, 0, sizeof(*setup));
	setup->sq_entries = 256;
	setup->cq_entries = 512;
	setup->region_size = 64ULL << 20;
	setup->nvme_fd = -1;
	setup->uring_fd = -1;
}

/* Everything that the library keeps about the rings comes from here, once. */
static void take_layout(struct unified_io *io)
{
	const struct unified_io_control *ctrl = io->ctrl;
	unsigned char *base = (unsigned char *)io->ctrl;

	io->sq = (struct unified_descriptor *)(base + ctrl->sq_offset);
	io->cq = (struct unified_completion *)(base + ctrl->cq_offset);
	io->niov = (struct unified_net_iov *)(base + ctrl->niov_offset);
	io->data = base + ctrl->data_offset;
	io->data_size = ctrl->data_size;
	io->sq_mask = ctrl->sq_entries - 1;
	io->cq_mask = ctrl->cq_entries - 1;
	io->niov_mask = ctrl->niov_entries - 1;
}

static int setup_and_map(struct unified_io *io, struct unified_io_setup *setup)
{
	void *base;

	if (ioctl(io->fd, UNIFIED_IO_SETUP, setup))
		return -errno;
	base = mmap(NULL, setup->region_size, PROT_READ | PROT_WRITE, MAP_SHARED, io->fd,
		    UNIFIED_IO_OFF_REGION);
	if (base == MAP_FAILED)
		return -errno;
	io->ctrl = base;
	io->region_id = setup->region_id;
	io->region_size = setup->region_size;
	if (io->ctrl->magic != UNIFIED_IO_MAGIC || io->ctrl->version != UNIFIED_IO_VERSION)
		return -EPROTONOSUPPORT;
	take_layout(io);
	return 0;
}

int unified_io_open(struct unified_io *io, struct unified_io_setup *setup)
{
	struct unified_io_setup defaults;
	int err;

	if (!setup) {
		unified_io_defaults(&defaults);
		setup = &defaults;
	}
	memset(io, 0, sizeof(*io));
	io->fd = open(UNIFIED_IO_DEVICE, O_RDWR | O_CLOEXEC);
	if (io->fd < 0)
		return -errno;
	err = setup_and_map(io, setup);
	if (err)
		unified_io_close(io);
	return err;
}

void unified_io_close(struct unified_io *io)
{
	if (io->ctrl)
		munmap(io->ctrl, io->region_size);
	io->ctrl = NULL;
	if (io->fd >= 0)
		close(io->fd);
	io->fd = -1;
}

int unified_io_get_info(const struct unified_io *io, struct unified_io_info *info)
{
	return ioctl(io->fd, UNIFIED_IO_GET_INFO, info) ? -errno : 0;
}

int unified_io_query_module(struct unified_io_query *query)
{
	int fd, err;

	fd = open(UNIFIED_IO_DEVICE, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = ioctl(fd, UNIFIED_IO_QUERY, query) ? -errno : 0;
	close(fd);
	return err;
}
