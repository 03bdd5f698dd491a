// SPDX-License-Identifier: GPL-2.0
/* The BPF stage of a pipe: users' objects, and our own programs before and behind them. */
#include <stdio.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "pipe.h"
#include "pipe.skel.h"

static bool named(const struct bpf_program *program, const char *section)
{
	return !section || !strcmp(bpf_program__section_name(program), section) ||
	       !strcmp(bpf_program__name(program), section);
}

/* All but one program or struct_ops of the object stay out. Returns how many would have come in. */
static int choose_xdp(struct bpf_object *object, const char *section, struct bpf_program **chosen)
{
	struct bpf_program *program;
	int nr = 0;

	bpf_object__for_each_program(program, object) {
		bool xdp = bpf_program__type(program) == BPF_PROG_TYPE_XDP &&
			   named(program, section);

		bpf_program__set_autoload(program, xdp && !nr);
		if (xdp && !nr++)
			*chosen = program;
	}
	return nr;
}

static int choose_ops(struct bpf_object *object, const char *section)
{
	struct bpf_map *map;
	int nr = 0;

	bpf_object__for_each_map(map, object) {
		if (bpf_map__type(map) != BPF_MAP_TYPE_STRUCT_OPS)
			continue;
		if (section && strcmp(bpf_map__name(map), section))
			bpf_map__set_autocreate(map, false);
		else
			nr++;
	}
	return nr;
}

static void attach_xdp(struct pipe *pipe, const struct address *address, struct bpf_object *object,
		       struct bpf_program *program)
{
	if (pipe->xdp_id)
		die(EXIT_USAGE, "%s: one XDP program for a pipe", address->text);
	if (!is_socket(&pipe->source) && !is_nic(&pipe->source))
		die(EXIT_USAGE, "%s: an XDP program takes a source from the network", address->text);
	must(UNIFIED_IO_CALL_OPS, bpf_object__load(object), address->text);
	pipe->xdp_id = must(UNIFIED_IO_CALL_XDP,
			    unified_io_attach_xdp(&pipe->io, bpf_program__fd(program)),
			    address->text);
}

/* The object's struct_ops that is to be created. */
static void attach_ops(struct pipe *pipe, struct bpf_object *object, const char *what)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, object) {
		if (bpf_map__type(map) != BPF_MAP_TYPE_STRUCT_OPS || !bpf_map__autocreate(map))
			continue;
		pipe->links[pipe->nr_links] = bpf_map__attach_struct_ops(map);
		if (!pipe->links[pipe->nr_links])
			must(UNIFIED_IO_CALL_OPS, -errno, what);
		pipe->nr_links++;
	}
}

/* Does it ask how far its pointers reach? Then it takes data that are in pieces. */
static bool sees_pieces(const struct bpf_object *object)
{
	const struct btf *btf = bpf_object__btf(object);

	return btf && btf__find_by_name_kind(btf, "bpf_uior_contig", BTF_KIND_FUNC) > 0;
}

static void load_user(struct pipe *pipe, unsigned int i)
{
	const struct address *address = &pipe->programs[i];
	struct bpf_object *object = bpf_object__open_file(address->path, NULL);
	struct bpf_program *xdp = NULL;
	int nr_ops, nr_xdp;

	if (!object)
		die(EXIT_FAILED, "%s: %s", address->path, strerror(errno));
	pipe->objects[i] = object;
	nr_ops = choose_ops(object, address->section);
	nr_xdp = nr_ops ? 0 : choose_xdp(object, address->section, &xdp);
	if (nr_ops + nr_xdp != 1)
		die(EXIT_USAGE, "%s: %s", address->text, nr_ops + nr_xdp ?
		    "several programs: name one, bpf:OBJECT,sec=NAME (see bpftool btf, llvm-objdump -h)" :
		    "no XDP program and no unified_io_bpf_ops of that name in it");
	if (pipe->source.kind == ADDRESS_XDP && nr_ops)
		die(EXIT_USAGE, "%s: it takes an XDP program to look at packets", address->text);
	if (pipe->source.kind != ADDRESS_XDP && (nr_xdp || !sees_pieces(object)))
		pipe->one_piece = true;
	if (nr_xdp) {
		attach_xdp(pipe, address, object, xdp);
		return;
	}
	must(UNIFIED_IO_CALL_OPS, unified_io_bind_ops(&pipe->io, object), address->text);
	must(UNIFIED_IO_CALL_OPS, unified_io_order_ops(object, i + 1), address->text);
	must(UNIFIED_IO_CALL_OPS, bpf_object__load(object), address->text);
	attach_ops(pipe, object, address->text);
}

/* Which of our own this pipe needs. */
static unsigned int choose_ours(const struct pipe *pipe, struct pipe_bpf *bpf)
{
	bool zcrx = pipe->source.kind == ADDRESS_ZCRX, log_source = pipe->source.kind == ADDRESS_DRIVE;
	bool log_sink = pipe->sink.kind == ADDRESS_DRIVE, socket = is_socket(&pipe->source);
	bool ours = is_file(&pipe->source) || (zcrx && pipe->one_piece), split, settle;

	split = log_sink || (socket && pipe->options.framing) || (ours && pipe->nr_programs);
	settle = socket && is_file(&pipe->sink) && pipe->nr_programs;
	bpf_map__set_autocreate(bpf->maps.unframe_ops, log_source);
	bpf_map__set_autocreate(bpf->maps.split_ops, split);
	bpf_map__set_autocreate(bpf->maps.frame_ops, log_sink);
	bpf_map__set_autocreate(bpf->maps.settle_ops, settle);
	return log_source + split + log_sink + settle;
}

static void set_up_ours(struct pipe *pipe, struct pipe_bpf *bpf)
{
	struct unified_io_info info;

	must(UNIFIED_IO_CALL_OPEN, unified_io_get_info(&pipe->io, &info), "the region");
	bpf->rodata->log_id = pipe->log_id;
	/* of files the process does it, which has the bytes in its hands */
	bpf->rodata->framing = is_socket(&pipe->source) ? pipe->options.framing : FRAMING_RAW;
	if (pipe->sink.kind != ADDRESS_DRIVE)
		return;
	bpf->rodata->alignment = info.dma_alignment ?: 1;
	bpf->rodata->end_lba = pipe->log_end / pipe->lba_size - 1;	/* one for the last record */
	bpf->bss->state = (struct pipe_state) {
		.seq = pipe->tail.seq,
		.offset = pipe->tail.offset,
		.source = pipe->tail.source,
		.lba = pipe->tail.at / pipe->lba_size,
	};
}

static void load_ours(struct pipe *pipe)
{
	struct pipe_bpf *bpf = pipe_bpf__open();

	if (!bpf)
		die(EXIT_FAILED, "the pipe's programs: %s", strerror(errno));
	pipe->bpf = bpf;
	if (!choose_ours(pipe, bpf))
		return;
	set_up_ours(pipe, bpf);
	must(UNIFIED_IO_CALL_OPS, unified_io_bind_ops(&pipe->io, bpf->obj), "the pipe's programs");
	must(UNIFIED_IO_CALL_OPS, pipe_bpf__load(bpf), "the pipe's programs");
	attach_ops(pipe, bpf->obj, "the pipe's programs");
}

void load_programs(struct pipe *pipe)
{
	unsigned int i;

	for (i = 0; i < pipe->nr_programs; i++)
		load_user(pipe, i);
	if (pipe->options.framing)
		pipe->one_piece = true;
	if (pipe->nr_programs && is_file(&pipe->sink) && pipe->source.kind != ADDRESS_XDP)
		pipe->one_piece = true;
	load_ours(pipe);
	pipe->has_bpf = pipe->nr_links || pipe->xdp_id;
}

void unload_programs(struct pipe *pipe)
{
	unsigned int i;

	for (i = 0; i < pipe->nr_links; i++)
		bpf_link__destroy(pipe->links[i]);
	for (i = 0; i < pipe->nr_programs; i++)
		bpf_object__close(pipe->objects[i]);
	pipe_bpf__destroy(pipe->bpf);
}
