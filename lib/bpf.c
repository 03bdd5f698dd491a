// SPDX-License-Identifier: GPL-2.0
/* XDP programs by file descriptor, struct_ops through libbpf. */
#include <sys/ioctl.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "unified_io.h"

#define OPS_NAME "unified_io_bpf_ops"

static int attach_xdp(struct unified_io *io, int prog_fd, __u32 flags, __u32 prog_id)
{
	struct unified_io_attach_bpf attach = {
		.prog_fd = prog_fd,
		.flags = flags,
		.prog_id = prog_id,
	};

	if (ioctl(io->fd, UNIFIED_IO_ATTACH_BPF, &attach))
		return -errno;
	return (int)attach.prog_id;
}

int unified_io_attach_xdp(struct unified_io *io, int prog_fd)
{
	return attach_xdp(io, prog_fd, 0, 0);
}

int unified_io_replace_xdp(struct unified_io *io, __u32 prog_id, int prog_fd)
{
	return attach_xdp(io, prog_fd, UNIFIED_IO_BPF_F_REPLACE, prog_id);
}

int unified_io_detach_xdp(struct unified_io *io, __u32 prog_id)
{
	int ret = attach_xdp(io, -1, UNIFIED_IO_BPF_F_DETACH, prog_id);

	return ret < 0 ? ret : 0;
}

/* A struct_ops map's type in the object's own BTF, if it is ours. libbpf forgets it at load. */
static const struct btf_type *ops_type(const struct bpf_object *obj, const struct bpf_map *map)
{
	const struct btf *btf = bpf_object__btf(obj);
	const struct btf_type *type;
	const char *name;

	if (bpf_map__type(map) != BPF_MAP_TYPE_STRUCT_OPS)
		return NULL;
	type = btf__type_by_id(btf, bpf_map__btf_value_type_id(map));
	name = type ? btf__name_by_offset(btf, type->name_off) : NULL;
	return name && !strcmp(name, OPS_NAME) ? type : NULL;
}

/* Where the object's idea of the struct has the member, or -1. */
static int member_offset(const struct btf *btf, const struct btf_type *type, const char *name)
{
	const struct btf_member *member = btf_members(type);
	int i;

	for (i = 0; i < btf_vlen(type); i++)
		if (!strcmp(btf__name_by_offset(btf, member[i].name_off), name))
			return (int)(btf_member_bit_offset(type, i) / 8);
	return -1;
}

/* Sets a member of each of our struct_ops. */
static int set_member(struct bpf_object *obj, const char *name, __u32 to)
{
	const struct btf_type *type;
	struct bpf_map *map;
	int found = 0, at;
	size_t size;
	char *value;

	bpf_object__for_each_map(map, obj) {
		type = ops_type(obj, map);
		if (!type)
			continue;
		at = member_offset(bpf_object__btf(obj), type, name);
		value = bpf_map__initial_value(map, &size);
		if (at < 0 || !value || at + sizeof(to) > size)
			return -EINVAL;
		memcpy(value + at, &to, sizeof(to));
		found++;
	}
	return found ? 0 : -ENOENT;
}

int unified_io_bind_ops(const struct unified_io *io, struct bpf_object *obj)
{
	return set_member(obj, "region_id", io->region_id);
}

int unified_io_order_ops(struct bpf_object *obj, __u32 order)
{
	return set_member(obj, "order", order);
}

int unified_io_attach_ops(struct bpf_object *obj, struct bpf_link **link)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, obj) {
		if (bpf_map__type(map) != BPF_MAP_TYPE_STRUCT_OPS)
			continue;
		*link = bpf_map__attach_struct_ops(map);
		return *link ? 0 : -errno;
	}
	return -ENOENT;
}

int unified_io_load_ops(const struct unified_io *io, const char *path, struct bpf_object **obj,
			struct bpf_link **link)
{
	int err;

	*obj = bpf_object__open_file(path, NULL);
	if (!*obj)
		return -errno;
	err = unified_io_bind_ops(io, *obj);
	if (!err)
		err = bpf_object__load(*obj);
	if (!err)
		err = unified_io_attach_ops(*obj, link);
	if (err) {
		bpf_object__close(*obj);
		*obj = NULL;
	}
	return err;
}
