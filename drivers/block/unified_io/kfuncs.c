// SPDX-License-Identifier: GPL-2.0
/*
 * What a program of the BPF stage can call: access to the operation's buffer, and
 * setters.
 *
 * Offsets that a program gives are from the start of the buffer. Each is
 * checked against the buffer here, once, in uior_inside(). Of a table of ranges
 * the buffer is one range after the other (buffer.c), so bytes that follow each
 * other need not do so in memory; all kfuncs but bpf_uior_data() see to that.
 */
#include <linux/btf.h>
#include <linux/btf_ids.h>
#include <linux/crc32.h>
#include <linux/crc32c.h>
#include <linux/lz4.h>
#include <linux/percpu.h>

#include "uior.h"

/* Until 6.18 it had to be asked for; since then it is the rule. */
#ifndef KF_TRUSTED_ARGS
#define KF_TRUSTED_ARGS 0
#endif

/* Bytes that one call compresses: its processor does nothing else meanwhile. */
#define UIOR_LZ4_MAX	(64U << 10)

/* Where LZ4 keeps what it has seen: one a processor, for as long as a call runs there. */
static void __percpu *uior_lz4_work;

static struct uior_op *uior_ctx_op(struct unified_io_bpf_ctx *ctx)
{
	return container_of(ctx, struct uior_op, ctx);
}

/* Are all of the bytes in the buffer? */
static bool uior_inside(const struct unified_io_bpf_ctx *ctx, u32 off, u64 len)
{
	return off <= ctx->cap && len <= ctx->cap - off;
}

/* Can a kfunc take so many at once? */
static int uior_span_check(const struct unified_io_bpf_ctx *ctx, u32 off, u32 len)
{
	if (!uior_inside(ctx, off, len))
		return -ERANGE;
	return len > UNIFIED_IO_BPF_SPAN_MAX ? -EMSGSIZE : 0;
}

/* A pointer to bytes inside the buffer, or NULL where they are not in one piece. */
static u8 *uior_pointer(const struct uior_op *op, u32 off, u64 len)
{
	u32 part;
	u8 *data = uior_buf_part(op, off, len, &part);

	return part == len ? data : NULL;
}

__bpf_kfunc_start_defs();

/**
 * DOC: unified_io_kfuncs - what a BPF program of a chain can call
 *
 * For programs of type unified_io_bpf_ops, which get @ctx from the kernel. The
 * buffer is ctx->cap bytes long, the data are the ctx->len bytes from ctx->off;
 * every offset here is from the start of the buffer.
 */

/**
 * bpf_uior_data - direct access to the buffer
 * @ctx: the operation
 * @off: first byte, from the start of the buffer
 * @rdwr_buf_size: bytes, a constant; for 0 there is no pointer
 *
 * The whole buffer can be reached, not only the data.
 *
 * Return: a pointer to @rdwr_buf_size bytes, or NULL if not all of them are in
 * the buffer, or not in one range of it (see bpf_uior_contig()). Context: any;
 * does not sleep.
 */
__bpf_kfunc u8 *bpf_uior_data(struct unified_io_bpf_ctx *ctx, u32 off,
			      const size_t rdwr_buf_size)
{
	/* The verifier takes 0 for 'not said', and lets the program read a byte. */
	if (!rdwr_buf_size || !uior_inside(ctx, off, rdwr_buf_size))
		return NULL;
	return uior_pointer(uior_ctx_op(ctx), off, rdwr_buf_size);
}

/**
 * bpf_uior_contig - how many bytes one pointer reaches
 * @ctx: the operation
 * @off: first byte, from the start of the buffer
 *
 * Return: bytes from @off to the end of its range, or without ranges of the
 * buffer; 0 at the end; -ERANGE outside the buffer. Context: any; does not sleep.
 */
__bpf_kfunc s64 bpf_uior_contig(struct unified_io_bpf_ctx *ctx, u32 off)
{
	if (off > ctx->cap)
		return -ERANGE;
	return uior_buf_run(uior_ctx_op(ctx), off);
}

/**
 * bpf_uior_load_bytes - copy bytes out of the buffer
 * @ctx: the operation
 * @off: first byte, from the start of the buffer
 * @buf: the program's own memory
 * @buf__sz: bytes, up to UNIFIED_IO_BPF_SPAN_MAX; counted as copied
 *
 * For what straddles two ranges: a program cannot have a pointer to it.
 *
 * Return: 0; -ERANGE outside the buffer; -EMSGSIZE if too long. Context: any; does not sleep.
 */
__bpf_kfunc int bpf_uior_load_bytes(struct unified_io_bpf_ctx *ctx, u32 off, void *buf,
				    u32 buf__sz)
{
	struct uior_op *op = uior_ctx_op(ctx);
	int ret = uior_span_check(ctx, off, buf__sz);

	if (ret)
		return ret;
	uior_buf_load(op, off, buf, buf__sz);
	uior_op_copied(op, UNIFIED_IO_STAGE_BPF, buf__sz);
	return 0;
}

/**
 * bpf_uior_store_bytes - copy bytes into the buffer
 * @ctx: the operation
 * @off: where to, from the start of the buffer
 * @buf: the program's own memory
 * @buf__sz: bytes, up to UNIFIED_IO_BPF_SPAN_MAX; counted as copied
 *
 * Return: 0; -ERANGE outside the buffer; -EMSGSIZE if too long. Context: any; does not sleep.
 */
__bpf_kfunc int bpf_uior_store_bytes(struct unified_io_bpf_ctx *ctx, u32 off, const void *buf,
				     u32 buf__sz)
{
	struct uior_op *op = uior_ctx_op(ctx);
	int ret = uior_span_check(ctx, off, buf__sz);

	if (ret)
		return ret;
	uior_buf_store(op, off, buf, buf__sz);
	uior_op_copied(op, UNIFIED_IO_STAGE_BPF, buf__sz);
	return 0;
}

/**
 * bpf_uior_set_data - say what the data are from now on
 * @ctx: the operation
 * @off: first byte, from the start of the buffer
 * @len: bytes; the sinks get these
 *
 * Of the buffer all that is between: what bpf_uior_keep() was told is forgotten.
 *
 * Return: 0, or -ERANGE outside the buffer. Context: any; does not sleep.
 */
__bpf_kfunc int bpf_uior_set_data(struct unified_io_bpf_ctx *ctx, u32 off, u32 len)
{
	if (!uior_inside(ctx, off, len))
		return -ERANGE;
	ctx->off = off;
	ctx->len = len;
	uior_ctx_op(ctx)->nr_ranges = 0;
	return 0;
}

/**
 * bpf_uior_set_len - shorten or lengthen the data at their end
 * @ctx: the operation
 * @len: bytes from where the data begin
 *
 * Return: 0, or -ERANGE outside the buffer. Context: any; does not sleep.
 */
__bpf_kfunc int bpf_uior_set_len(struct unified_io_bpf_ctx *ctx, u32 len)
{
	return bpf_uior_set_data(ctx, ctx->off, len);
}

/**
 * bpf_uior_keep - these bytes are the next of the data
 * @ctx: the operation
 * @off: first byte, from the start of the buffer; not before the end of what was
 *	kept last
 * @len: bytes, up to UNIFIED_IO_BPF_SPAN_MAX; 0 keeps nothing
 *
 * The first call begins the data anew, so ctx->off and ctx->len change. The
 * write and send stages gather what was kept; where the drive's alignment or
 * number of segments does not allow that, where a range is shorter than a
 * logical block, and where neither stage follows, the bytes move up to the end
 * of those kept before (the first: to the alignment of the drive), and count as
 * moved. Borders of ranges stay where they are: if the drive cannot gather
 * those inside the data, the write fails with EREMOTEIO.
 *
 * Return: 0; -ERANGE outside the buffer; -EMSGSIZE if too long; -EINVAL if @off
 * does not ascend. Context: any; does not sleep.
 */
__bpf_kfunc int bpf_uior_keep(struct unified_io_bpf_ctx *ctx, u32 off, u32 len)
{
	int ret = uior_span_check(ctx, off, len);

	return ret || !len ? ret : uior_keep(uior_ctx_op(ctx), off, len);
}

/**
 * bpf_uior_set_lba - where the write goes, or the dependent read comes from
 * @ctx: the operation
 * @lba: logical block; checked against the device when it is used
 *
 * A multishot receive goes on after the block that was written last.
 *
 * Return: 0. Context: any; does not sleep.
 */
__bpf_kfunc int bpf_uior_set_lba(struct unified_io_bpf_ctx *ctx, u64 lba)
{
	ctx->lba = lba;
	return 0;
}

/**
 * bpf_uior_set_target - which socket the send stage sends to
 * @ctx: the operation
 * @slot: socket slot; looked up when the send begins
 *
 * Return: 0, or -EINVAL for a slot that cannot exist. Context: any; does not
 * sleep.
 */
__bpf_kfunc int bpf_uior_set_target(struct unified_io_bpf_ctx *ctx, u32 slot)
{
	struct uior_op *op = uior_ctx_op(ctx);

	if (slot >= UNIFIED_IO_MAX_SOCKETS)
		return -EINVAL;
	op->target = slot;
	op->state |= UIOR_OP_TARGET_SET;
	return 0;
}

/**
 * bpf_uior_set_send - what the send stage sends, where that is not the data
 * @ctx: the operation
 * @off: first byte, from the start of the buffer
 * @len: bytes
 *
 * So one chain stores a record and answers with other bytes.
 *
 * Return: 0, or -ERANGE outside the buffer. Context: any; does not sleep.
 */
__bpf_kfunc int bpf_uior_set_send(struct unified_io_bpf_ctx *ctx, u32 off, u32 len)
{
	struct uior_op *op = uior_ctx_op(ctx);

	if (!uior_inside(ctx, off, len))
		return -ERANGE;
	op->send_off = off;
	op->send_len = len;
	op->state |= UIOR_OP_SEND_SET;
	return 0;
}

/**
 * bpf_uior_carry - see these bytes again at the head of the next receive
 * @ctx: an operation whose source is a TCP socket
 * @off: first byte, from the start of the buffer
 * @len: bytes, up to UNIFIED_IO_CARRY_MAX; 0 forgets what was carried
 *
 * For a record whose end has not arrived. The copy is counted. It does not
 * shorten the data.
 *
 * Return: 0; -ERANGE outside the buffer; -EMSGSIZE if too long; -ENOTCONN
 * without a TCP source; -ENODATA at the end of the stream, when nothing
 * follows. Context: any; does not sleep.
 */
__bpf_kfunc int bpf_uior_carry(struct unified_io_bpf_ctx *ctx, u32 off, u32 len)
{
	struct uior_op *op = uior_ctx_op(ctx);

	if (!uior_inside(ctx, off, len))
		return -ERANGE;
	if (len > UNIFIED_IO_CARRY_MAX)
		return -EMSGSIZE;
	if (!op->rx || op->rx->proto != UNIFIED_IO_PROTO_TCP)
		return -ENOTCONN;
	if (op->state & UIOR_OP_EOF)
		return -ENODATA;
	uior_buf_load(op, off, op->rx->carry, len);
	op->rx->carry_len = len;
	uior_op_copied(op, UNIFIED_IO_STAGE_RECV, len);
	uior_count(op->region, carried, len);
	return 0;
}

/**
 * bpf_uior_move - memmove() inside the buffer
 * @ctx: the operation
 * @dst: offset to move to
 * @src: offset to move from; the two may overlap
 * @len: bytes, up to UNIFIED_IO_BPF_SPAN_MAX; counted as moved
 *
 * Return: 0; -ERANGE outside the buffer; -EMSGSIZE if too long. Context: any; does not sleep.
 */
__bpf_kfunc int bpf_uior_move(struct unified_io_bpf_ctx *ctx, u32 dst, u32 src, u32 len)
{
	struct uior_op *op = uior_ctx_op(ctx);
	int ret = uior_span_check(ctx, src, len) ?: uior_span_check(ctx, dst, len);

	if (ret)
		return ret;
	uior_buf_move(op, dst, src, len);
	uior_op_moved(op, len);
	return 0;
}

/**
 * bpf_uior_memchr - find a byte
 * @ctx: the operation
 * @off: first byte to look at, from the start of the buffer
 * @len: bytes to look at, up to UNIFIED_IO_BPF_SPAN_MAX
 * @c: the byte
 *
 * Return: its offset from the start of the buffer; -ENOENT if it is not there;
 * -ERANGE outside the buffer; -EMSGSIZE if too long. Context: any; does not sleep.
 */
__bpf_kfunc s64 bpf_uior_memchr(struct unified_io_bpf_ctx *ctx, u32 off, u32 len, u8 c)
{
	const struct uior_op *op = uior_ctx_op(ctx);
	int ret = uior_span_check(ctx, off, len);
	u32 part;

	if (ret)
		return ret;
	for (; len; off += part, len -= part) {
		const u8 *from = uior_buf_part(op, off, len, &part), *at = memchr(from, c, part);

		if (at)
			return off + (at - from);
	}
	return -ENOENT;
}

/**
 * bpf_uior_crc32c - CRC-32C as in RFC 3720, 12.1
 * @ctx: the operation
 * @off: first byte, from the start of the buffer
 * @len: bytes, up to UNIFIED_IO_BPF_SPAN_MAX
 * @seed: 0, or the result for what comes before
 *
 * Return: the checksum, 0 to 0xffffffff; -ERANGE outside the buffer; -EMSGSIZE
 * if too long. Context: any; does not sleep.
 */
__bpf_kfunc s64 bpf_uior_crc32c(struct unified_io_bpf_ctx *ctx, u32 off, u32 len, u32 seed)
{
	const struct uior_op *op = uior_ctx_op(ctx);
	int ret = uior_span_check(ctx, off, len);
	u32 crc = ~seed, part;

	if (ret)
		return ret;
	for (; len; off += part, len -= part) {
		const u8 *from = uior_buf_part(op, off, len, &part);

		crc = crc32c(crc, from, part);
	}
	return (u32)~crc;
}

#if IS_ENABLED(CONFIG_LZ4_COMPRESS)
/**
 * bpf_uior_lz4_compress - compress bytes to another place of the buffer
 * @ctx: the operation
 * @dst: where to, from the start of the buffer
 * @dst_len: bytes there is room for; what of it is not used may be overwritten
 * @src: first byte, from the start of the buffer
 * @len: bytes, up to 64 KiB
 *
 * The result is an LZ4 block, without a frame. It counts as moved. Not in kernels
 * without CONFIG_LZ4_COMPRESS: a program that calls it is refused there when it
 * is loaded.
 *
 * Return: bytes at @dst; -ENOSPC if they do not fit @dst_len; -ERANGE outside the
 * buffer; -EMSGSIZE if too long; -EINVAL if source and target overlap or one is
 * empty; -EOPNOTSUPP if one of them is not in one range. Context: any but interrupts;
 * does not sleep.
 */
__bpf_kfunc int bpf_uior_lz4_compress(struct unified_io_bpf_ctx *ctx, u32 dst, u32 dst_len,
				      u32 src, u32 len)
{
	struct uior_op *op = uior_ctx_op(ctx);
	const u8 *from;
	u8 *to;
	int ret;

	if (!uior_inside(ctx, src, len) || !uior_inside(ctx, dst, dst_len))
		return -ERANGE;
	if (len > UIOR_LZ4_MAX)
		return -EMSGSIZE;
	if (!len || !dst_len || (dst < src + len && src < dst + dst_len))
		return -EINVAL;
	from = uior_pointer(op, src, len);
	to = uior_pointer(op, dst, dst_len);
	if (!from || !to)
		return -EOPNOTSUPP;
	/*
	 * The process can change the source meanwhile. Then the block is worth nothing, but
	 * LZ4 takes no position from the source and checks each write, unless it is given
	 * room for the worst.
	 */
	dst_len = min_t(u32, dst_len, LZ4_compressBound(len) - 1);
	scoped_guard(preempt)
		ret = LZ4_compress_default(from, to, len, dst_len, this_cpu_ptr(uior_lz4_work));
	if (ret <= 0)
		return -ENOSPC;
	uior_op_moved(op, ret);
	return ret;
}
#endif

__bpf_kfunc_end_defs();

BTF_KFUNCS_START(uior_kfunc_ids)
BTF_ID_FLAGS(func, bpf_uior_data, KF_RET_NULL | KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_uior_contig, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_uior_load_bytes, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_uior_store_bytes, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_uior_set_data, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_uior_set_len, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_uior_keep, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_uior_set_lba, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_uior_set_target, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_uior_set_send, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_uior_carry, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_uior_move, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_uior_memchr, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_uior_crc32c, KF_TRUSTED_ARGS)
#if IS_ENABLED(CONFIG_LZ4_COMPRESS)
BTF_ID_FLAGS(func, bpf_uior_lz4_compress, KF_TRUSTED_ARGS)
#endif
#ifdef UIOR_HAVE_URING_LOOP
BTF_ID_FLAGS(func, bpf_uior_submit, KF_SLEEPABLE | KF_TRUSTED_ARGS)	/* uring.c */
#endif
BTF_KFUNCS_END(uior_kfunc_ids)

static const struct btf_kfunc_id_set uior_kfunc_set = {
	.owner = THIS_MODULE,
	.set = &uior_kfunc_ids,
};

/* The registration has no undo: it goes with the module. */
int uior_kfunc_init(void)
{
	int ret;

	if (IS_ENABLED(CONFIG_LZ4_COMPRESS)) {
		uior_lz4_work = __alloc_percpu(LZ4_MEM_COMPRESS, __alignof__(u64));
		if (!uior_lz4_work)
			return -ENOMEM;
	}
	ret = register_btf_kfunc_id_set(BPF_PROG_TYPE_STRUCT_OPS, &uior_kfunc_set);
	if (ret)
		uior_kfunc_exit();
	return ret;
}

void uior_kfunc_exit(void)
{
	free_percpu(uior_lz4_work);
}
