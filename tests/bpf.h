/* SPDX-License-Identifier: GPL-2.0 */
/* Loads and attaches the programs of bpf/. */
#ifndef TESTS_BPF_H
#define TESTS_BPF_H

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "common.h"
#include "bpf/remote.h"
#include "ops.skel.h"
#include "xdp.skel.h"

/* The struct_ops program of region @id, loaded and not yet attached. */
static inline struct ops *ops_load_at(uint32_t id, uint32_t order)
{
	struct ops *ops;

	need(UNIFIED_IO_FEAT_STRUCT_OPS);
	ops = ops__open();
	CHECK(ops);
	ops->struct_ops.remote_ops->region_id = id;
	ops->struct_ops.remote_ops->order = order;
	CHECK_RES(ops__load(ops), 0);
	return ops;
}

static inline struct ops *ops_load(uint32_t id)
{
	return ops_load_at(id, 0);
}

static inline struct ops *ops_attach(struct region *r, struct bpf_link **link)
{
	struct ops *ops = ops_load(r->setup.region_id);

	*link = bpf_map__attach_struct_ops(ops->maps.remote_ops);
	CHECK(*link);
	return ops;
}

static inline struct xdp *xdp_load(void)
{
	struct xdp *xdp;

	need(UNIFIED_IO_FEAT_XDP);
	xdp = xdp__open_and_load();
	CHECK(xdp);
	return xdp;
}

/* The id of the program, or -errno. */
static inline int attach_bpf(struct region *r, int prog_fd, uint32_t flags, uint32_t prog_id)
{
	struct unified_io_attach_bpf arg = { .prog_fd = prog_fd, .flags = flags, .prog_id = prog_id };
	int ret = uior(r->fd, UNIFIED_IO_ATTACH_BPF, &arg);

	return ret < 0 ? ret : (int)arg.prog_id;
}

static inline int xdp_attach(struct region *r, struct bpf_program *prog)
{
	int id = attach_bpf(r, bpf_program__fd(prog), 0, 0);

	if (id <= 0)
		FAIL("ATTACH_BPF: %s", strerrorname_np(-id));
	return id;
}

#endif /* TESTS_BPF_H */
