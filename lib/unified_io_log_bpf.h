/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Log records (unified_io_log.h) made and checked in place by BPF programs. Include
 * it after unified_io_bpf.h and unified_io_log.h.
 */
#ifndef UNIFIED_IO_LOG_BPF_H
#define UNIFIED_IO_LOG_BPF_H

#define HEADER_LEN	sizeof(struct unified_io_log_header)

/* Where a log ends: what its next record will say. */
struct log_tail {
	__u64 seq;
	__u64 offset;
};

/* Bytes on the drive of a record with @len bytes of payload. */
static __always_inline __u32 record_size(const struct unified_io_bpf_ctx *ctx, __u32 len)
{
	__u32 lba_size = ctx->lba_size ?: 512;

	return (HEADER_LEN + len + lba_size - 1) / lba_size * lba_size;
}

/* The checksum of the record at @head, or a negative errno. */
static __always_inline __s64 record_crc(struct unified_io_bpf_ctx *ctx, __u32 head, __u32 len)
{
	__s64 crc = bpf_uior_crc32c(ctx, head, UNIFIED_IO_LOG_CRC_LEN, 0);

	return crc < 0 ? crc : bpf_uior_crc32c(ctx, head + HEADER_LEN, len, crc);
}

/* Is the record at the head of the data, @header, that of @log_id whose number ends in @seq? */
static __always_inline bool record_valid(struct unified_io_bpf_ctx *ctx,
					 const struct unified_io_log_header *header,
					 __u64 log_id, __u32 seq)
{
	__u32 len = header->len;

	if (header->magic != UNIFIED_IO_LOG_MAGIC || header->version != UNIFIED_IO_LOG_VERSION ||
	    header->header_size != HEADER_LEN || header->log_id != log_id ||
	    (__u32)header->seq != seq || ctx->len < HEADER_LEN || len > ctx->len - HEADER_LEN)
		return false;
	return record_crc(ctx, ctx->off, len) == header->crc;
}

/*
 * Makes a record the data: its header at @head, @len bytes of payload behind
 * it, @source as the header's. Returns 0 (pass on), or a negative errno.
 */
static __always_inline int record_frame(struct unified_io_bpf_ctx *ctx, __u32 head, __u32 len,
					__u64 log_id, const struct log_tail *tail, __u64 source,
					__u32 flags)
{
	struct unified_io_log_header *header;
	__s64 crc;

	header = (void *)bpf_uior_data(ctx, head, HEADER_LEN);
	if (!header)
		return -ERANGE;
	header->magic = UNIFIED_IO_LOG_MAGIC;
	header->version = UNIFIED_IO_LOG_VERSION;
	header->header_size = HEADER_LEN;
	header->log_id = log_id;
	header->seq = tail->seq;
	header->offset = tail->offset;
	header->source = source;
	header->len = len;
	header->size = record_size(ctx, len);
	header->flags = flags;
	header->resv[0] = 0;
	header->resv[1] = 0;
	crc = record_crc(ctx, head, len);
	if (crc < 0)
		return crc;
	header->crc = crc;
	return bpf_uior_set_data(ctx, head, HEADER_LEN + len);
}

#endif /* UNIFIED_IO_LOG_BPF_H */
