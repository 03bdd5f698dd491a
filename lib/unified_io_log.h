/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The log that a chain leaves on a drive: records, one after another from block
 * 0 (or where the program began), each a header, the payload right behind it,
 * and zeroes up to a whole logical block. Little endian. The same header serves
 * BPF programs, which include it after vmlinux.h, and readers.
 *
 *     | header 64 | payload ... | 0 | header 64 | payload ...       | 0 | ...
 *     '-- size, a multiple of the block --'
 *
 * A record is valid when its magic and version are right, its sizes agree with
 * each other, its log_id is the first record's, seq and offset follow from
 * the record before, and the checksum is right. The log ends before the first
 * record that is not valid: its payload is the bytes of all records before it.
 * Records may reach the drive in any order, so what stands behind the first
 * gap after a crash does not count.
 *
 *   no magic          nothing was ever written here, or its first block was
 *                     lost
 *   another log_id    a stale record of an older log in the same place
 *   wrong seq/offset  a stale record of this log, or a record is missing
 *   wrong checksum    a torn record: not all of its blocks were written
 *
 * Only a record with UNIFIED_IO_LOG_END says that the writer was done; another one
 * may have gone on behind it.
 */
#ifndef UNIFIED_IO_LOG_H
#define UNIFIED_IO_LOG_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

#define UNIFIED_IO_LOG_MAGIC	0x474c4f49U	/* "IOLG" on the drive */
#define UNIFIED_IO_LOG_VERSION	1
#define UNIFIED_IO_LOG_MAX	(16U << 20)	/* bytes in a record, at most */

/* unified_io_log_header.flags */
#define UNIFIED_IO_LOG_END	(1U << 0) /* the last record of a writer, who was done */
#define UNIFIED_IO_LOG_CONT	(1U << 1) /* begins inside of a line of the record before */

/**
 * struct unified_io_log_header - the head of a record, 64 bytes
 * @magic: %UNIFIED_IO_LOG_MAGIC
 * @version: %UNIFIED_IO_LOG_VERSION
 * @header_size: bytes from the head of the record to the payload
 * @log_id: random, the same in all records of one log
 * @seq: 0 in the first record, then counting up
 * @offset: payload bytes in the records before
 * @source: bytes of the source stream that this record and those before it
 *	stand for, those that were dropped included: where a source that can
 *	seek would go on after a crash
 * @len: bytes of payload; can be 0
 * @size: bytes of the whole record, with header and padding
 * @flags: UNIFIED_IO_LOG_*
 * @resv: zero
 * @crc: CRC-32C (RFC 3720, so ~0 first and inverted at the end) of the header
 *	up to here and then of the payload
 */
struct unified_io_log_header {
	__le32	magic;
	__le16	version;
	__le16	header_size;
	__le64	log_id;
	__le64	seq;
	__le64	offset;
	__le64	source;
	__le32	len;
	__le32	size;
	__le32	flags;
	__le32	resv[2];
	__le32	crc;
};

/* What the checksum covers of the header */
#define UNIFIED_IO_LOG_CRC_LEN \
	__builtin_offsetof(struct unified_io_log_header, crc)

/* as <assert.h> has it, which BPF programs lack */
#if !defined(__cplusplus) && !defined(static_assert)
#define static_assert _Static_assert
#endif

static_assert(sizeof(struct unified_io_log_header) == 64, "the header is 64 bytes on the drive");

#endif /* UNIFIED_IO_LOG_H */
