/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a BPF program of type unified_io_bpf_ops sees. Include it after vmlinux.h
 * (or <linux/bpf.h>, if that is enough) and <bpf/bpf_helpers.h>. The kernel-doc of
 * the kfuncs stands with their code in drivers/block/unified_io/kfuncs.c; 'man
 * unified_io_kfuncs' shows it.
 *
 * Offsets are in bytes from the start of the operation's buffer, which is
 * ctx->cap bytes long; the data are the ctx->len bytes from ctx->off. Of a table of
 * ranges the buffer is one range after the other: bytes that follow each other
 * there need not do so in memory, and no pointer reaches from one range into the next.
 */
#ifndef UNIFIED_IO_BPF_H
#define UNIFIED_IO_BPF_H

/* verdicts of process(); a negative errno ends the chain with that error */
#define UNIFIED_IO_BPF_PASS		0
#define UNIFIED_IO_BPF_DROP		1
#define UNIFIED_IO_BPF_REPLY		2
#define UNIFIED_IO_BPF_RESUBMIT		3

/* unified_io_bpf_ctx.flags */
#define UNIFIED_IO_BPF_CTX_F_EOF	(1U << 0) /* the stream ends with this data */

struct unified_io_bpf_ctx {
	__u64	user_data;	/* of the descriptor */
	__u64	lba;		/* that was read, or that will be written */
	__u32	off;		/* where the data begin */
	__u32	len;		/* bytes of data */
	__u32	cap;		/* bytes of buffer */
	__u32	carried;	/* bytes at the head of the data that were carried here */
	__u32	arg;		/* bpf.arg of the descriptor */
	__u32	flags;		/* UNIFIED_IO_BPF_CTX_F_* */
	__u32	slot;		/* socket slot of the source */
	__u32	depth;		/* dependent reads so far */
	__u32	lba_size;	/* bytes in a logical block; 0 without a device */
	__u32	region_id;
} __attribute__((preserve_access_index));

struct unified_io_bpf_ops {
	int (*process)(struct unified_io_bpf_ctx *ctx);
	__u32	region_id;	/* which region to attach to: unified_io_setup.region_id */
	__u32	order;		/* place among the region's programs, 0 to 7: they run in this order */
} __attribute__((preserve_access_index));

/* A pointer to @size bytes of the buffer at @off, or NULL; @size is a constant. */
extern __u8 *bpf_uior_data(struct unified_io_bpf_ctx *ctx, __u32 off,
			   const __u64 rdwr_buf_size) __ksym;
/* How many bytes from @off on one pointer reaches. */
extern __s64 bpf_uior_contig(struct unified_io_bpf_ctx *ctx, __u32 off) __ksym;
/* For what straddles two ranges: copies out of the buffer and into it, counted. */
extern int bpf_uior_load_bytes(struct unified_io_bpf_ctx *ctx, __u32 off, void *buf,
			       __u32 buf__sz) __ksym;
extern int bpf_uior_store_bytes(struct unified_io_bpf_ctx *ctx, __u32 off, const void *buf,
				__u32 buf__sz) __ksym;
/* The data are now the @len bytes from @off. */
extern int bpf_uior_set_data(struct unified_io_bpf_ctx *ctx, __u32 off, __u32 len) __ksym;
extern int bpf_uior_set_len(struct unified_io_bpf_ctx *ctx, __u32 len) __ksym;
/*
 * The data are now what is kept, call by call, in ascending order. The sinks gather it; only what the
 * drive cannot gather is moved together, and counted as moved.
 */
extern int bpf_uior_keep(struct unified_io_bpf_ctx *ctx, __u32 off, __u32 len) __ksym;
/* Where the NVMe write goes, or the dependent read comes from. */
extern int bpf_uior_set_lba(struct unified_io_bpf_ctx *ctx, __u64 lba) __ksym;
/* Which socket slot the send goes to. */
extern int bpf_uior_set_target(struct unified_io_bpf_ctx *ctx, __u32 slot) __ksym;
/* What the send stage sends, where that is not the data. */
extern int bpf_uior_set_send(struct unified_io_bpf_ctx *ctx, __u32 off, __u32 len) __ksym;
/* These bytes come again at the head of the next receive from this socket. */
extern int bpf_uior_carry(struct unified_io_bpf_ctx *ctx, __u32 off, __u32 len) __ksym;
/* memmove inside the buffer; counted as moved bytes. */
extern int bpf_uior_move(struct unified_io_bpf_ctx *ctx, __u32 dst, __u32 src, __u32 len) __ksym;
/* Offset of the first byte @c in the @len bytes from @off, or -ENOENT. */
extern __s64 bpf_uior_memchr(struct unified_io_bpf_ctx *ctx, __u32 off, __u32 len, __u8 c) __ksym;
/* CRC-32C (RFC 3720) of @len bytes from @off; @seed is 0 or the result so far. */
extern __s64 bpf_uior_crc32c(struct unified_io_bpf_ctx *ctx, __u32 off, __u32 len,
			     __u32 seed) __ksym;
/*
 * Bytes of an LZ4 block (no frame) at @dst, made of up to 64 KiB at @src, or -ENOSPC; counted as moved.
 * Kernels without CONFIG_LZ4_COMPRESS load no program that calls it.
 */
extern int bpf_uior_lz4_compress(struct unified_io_bpf_ctx *ctx, __u32 dst, __u32 dst_len,
				 __u32 src, __u32 len) __ksym;

#endif /* UNIFIED_IO_BPF_H */
