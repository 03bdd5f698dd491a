/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Unified I/O Region: one memory region on which the network stack, NVMe
 * storage and BPF programs work in place.
 */
#ifndef _UAPI_LINUX_UNIFIED_IO_REGION_H
#define _UAPI_LINUX_UNIFIED_IO_REGION_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * DOC: Overview
 *
 * A process opens /dev/unified_io_region, calls %UNIFIED_IO_SETUP once and
 * maps the region. The region is, in this order::
 *
 *     Control | SQ descriptors, CQ completions | Net IOVs | Data
 *
 * struct unified_io_control at offset 0 tells where each part begins. A
 * *descriptor* in the submission queue (SQ) names one chain: at most one
 * source (network receive or NVMe read), optionally a BPF program, and sinks
 * (NVMe write or flush, network send). The kernel runs the chain to its end
 * and posts one *completion* into the completion queue (CQ).
 *
 * Stage order is fixed: receive, read, BPF, write, flush, send.
 */

/**
 * DOC: Errors
 *
 * Every ioctl, and every completion (as a negative number in @res), uses these
 * values with this one meaning:
 *
 * ===============  ==============================================================
 * EINVAL           an argument is malformed: unknown flag, reserved field not
 *                  zero, size not a power of two, stages that do not combine,
 *                  opcode or protocol unknown, Net IOV outside the data area or
 *                  not longer than the headroom, net_rxq beyond the interface's
 * EFAULT           a pointer handed to the ioctl cannot be read or written
 * EBUSY            SETUP on a set-up file; the CQ has no free slot (wait for
 *                  completions, consume them, then submit again); the region
 *                  already has struct_ops attached at this place (order)
 * ENXIO            the file has no region yet: call UNIFIED_IO_SETUP first
 * EPERM            RLIMIT_MEMLOCK is too small for region_size (ulimit -l)
 * ENOMEM           no memory for the region, or the memory cgroup is full
 * EBADF            a file descriptor is not open, or not open for what the
 *                  operation does (an NVMe write needs an nvme_fd opened for
 *                  writing)
 * ENOTBLK          nvme_fd is not a block device (use /dev/nvmeXnY, not
 *                  /dev/ngXnY)
 * ENOTSOCK         the descriptor given to ATTACH_SOCKET is not a socket
 * EPROTONOSUPPORT  the socket is neither TCP, UDP nor AF_PACKET, or is not of
 *                  the protocol that the descriptor names
 * ENOTCONN         no socket in the slot, TCP socket not connected, or a reply
 *                  without a source socket
 * ENODEV           SETUP without nvme_fd and an operation that needs a drive;
 *                  nsid is not the drive's; net_ifindex does not exist; the drive
 *                  is gone, has no size, or has been formatted since SETUP
 * ERANGE           addr + len is outside the data area; LBA range outside the
 *                  device; no room to PAD; a BPF program set a range outside its
 *                  buffer
 * EMSGSIZE         len is 0 or above the limit; the headroom leaves no room; a
 *                  carried tail above %UNIFIED_IO_CARRY_MAX or larger than the
 *                  next buffer; a datagram larger than its buffer, or in more
 *                  pieces than a message can have
 * EREMOTEIO        addr, len or slba do not fit the device's blocks or its DMA
 *                  alignment (see GET_INFO: lba_size, dma_alignment)
 * EROFS            the drive is read-only
 * ENOENT           no program with this prog_id is attached; with 0: one that was
 *                  is gone; struct_ops names a region that does not exist; nothing
 *                  to cancel
 * EXDEV            the region is bound to another ring than the command's
 * ENOSPC           all socket slots or program slots are in use
 * EPROTO           the BPF program returned an unknown verdict
 * ELOOP            the program asked for more than %UNIFIED_IO_RESUBMIT_MAX
 *                  dependent reads
 * ECANCELED        the operation was cancelled, the socket detached or the file
 *                  closed before it was done; the program aborted (XDP_ABORTED)
 * EOPNOTSUPP       this kernel or build cannot do it (see UNIFIED_IO_QUERY); an XDP
 *                  program redirects, or is to run on more than one range
 * EIO              the drive reported an error, or a failure on the way to it
 * ETIME            UNIFIED_IO_ENTER: the timeout passed
 * EINTR            a signal arrived while waiting; with a timeout also when
 *                  io_uring has work for the task
 * ENOTTY           no such ioctl or io_uring command
 * ===============  ==============================================================
 *
 * A receive or send may also complete with the socket's own error
 * (ECONNRESET, EPIPE, ETIMEDOUT, EHOSTUNREACH, ...), and a BPF stage with the
 * negative errno that its program returned. An ioctl that fails writes nothing.
 */

#define UNIFIED_IO_VERSION		1

/* Limits. UNIFIED_IO_QUERY has a field for those that another module may have set otherwise. */
#define UNIFIED_IO_MAX_ENTRIES		32768	/* SQ, CQ and Net IOV rings */
#define UNIFIED_IO_MIN_REGION		(1ULL << 20)
#define UNIFIED_IO_MAX_REGION		(1ULL << 36)
#define UNIFIED_IO_MAX_LEN		(1U << 30)	/* one descriptor */
#define UNIFIED_IO_MAX_SOCKETS		1024	/* slots per region */
#define UNIFIED_IO_MAX_PROGS		16	/* XDP programs per region */
#define UNIFIED_IO_MAX_OPS		8	/* struct_ops per region */
#define UNIFIED_IO_CARRY_MAX		16384	/* bytes carried per socket */
#define UNIFIED_IO_RESUBMIT_MAX		16	/* dependent reads per operation */
#define UNIFIED_IO_BPF_SPAN_MAX		(1U << 20) /* bytes per call of a BPF helper */
#define UNIFIED_IO_RANGES_MAX		64	/* entries of a table of ranges */

/* mmap offsets */
#define UNIFIED_IO_OFF_REGION		0ULL		/* the whole region */
#define UNIFIED_IO_OFF_DATA		0x1000000000000ULL /* the data area alone */

/* setup.flags */
#define UNIFIED_IO_SETUP_EVENTFD	(1U << 0) /* event_fd is valid: signalled per completion */
#define UNIFIED_IO_SETUP_NUMA_NODE	(1U << 1) /* numa_node is valid */
#define UNIFIED_IO_SETUP_SMALL_PAGES	(1U << 2) /* do not try 2 MiB folios */
#define UNIFIED_IO_SETUP_BLOCK_LAYER	(1U << 3) /* bio even where NVMe passthrough could be used */

/**
 * struct unified_io_setup - create the region of this open file
 * @sq_entries: SQ size; power of two, 1..%UNIFIED_IO_MAX_ENTRIES
 * @cq_entries: CQ size, which also bounds the operations in flight; power of
 *	two, 1..%UNIFIED_IO_MAX_ENTRIES
 * @region_size: bytes, all parts together; a multiple of the page size,
 *	%UNIFIED_IO_MIN_REGION..%UNIFIED_IO_MAX_REGION. Lives until the last
 *	close, the last munmap and the last operation
 * @nvme_fd: NVMe namespace, or any other block device; -1 for none. The region
 *	keeps the file open; its open mode decides what is allowed.
 * @uring_fd: the one io_uring whose commands the region takes, or -1 for any; see
 *	struct unified_io_uring_cmd
 * @net_ifindex: interface that XDP programs see as ingress_ifindex; 0 for none
 * @net_rxq: receive queue that XDP programs see as rx_queue_index
 * @flags: UNIFIED_IO_SETUP_*
 * @niov_entries: Net IOV ring size; power of two; 0 means @cq_entries
 * @event_fd: eventfd to signal, with %UNIFIED_IO_SETUP_EVENTFD
 * @numa_node: where to allocate, with %UNIFIED_IO_SETUP_NUMA_NODE
 * @region_id: out: identifies the region to struct_ops, debugfs, tracepoints
 * @data_offset: out: where the data area begins in the region
 * @data_size: out: bytes in the data area
 * @resv: zero
 *
 * ioctl(UNIFIED_IO_SETUP). Once per open file. Memory is charged to the memory
 * cgroup and, without CAP_IPC_LOCK, to RLIMIT_MEMLOCK of the user.
 */
struct unified_io_setup {
	__u32	sq_entries;
	__u32	cq_entries;
	__u64	region_size;
	__s32	nvme_fd;
	__s32	uring_fd;
	__u32	net_ifindex;
	__u32	net_rxq;
	__u32	flags;
	__u32	niov_entries;
	__s32	event_fd;
	__s32	numa_node;
	__u32	region_id;
	__u32	resv;
	__u64	data_offset;
	__u64	data_size;
};

/* descriptor.type: which of the three worlds take part in the chain */
#define UNIFIED_REGION_F_NVME		(1U << 0)
#define UNIFIED_REGION_F_NETWORK	(1U << 1)
#define UNIFIED_REGION_F_BPF		(1U << 2)

/* descriptor.flags */
#define UNIFIED_IO_DESC_F_MULTISHOT	(1U << 0) /* receive again and again, into Net IOVs */
#define UNIFIED_IO_DESC_F_WAITALL	(1U << 1) /* a TCP receive fills its buffer, but for EOF */
#define UNIFIED_IO_DESC_F_PAD		(1U << 2) /* zero-fill received or processed data up to a block */
#define UNIFIED_IO_DESC_F_RECYCLE	(1U << 3) /* multishot: the kernel takes its Net IOVs back by itself */
#define UNIFIED_IO_DESC_F_CQE_SKIP	(1U << 4) /* multishot: no completion for an arrival that went well */
#define UNIFIED_IO_DESC_F_RANGES	(1U << 5) /* addr and len are a table of ranges */
#define UNIFIED_IO_DESC_F_XDP_THEN_OPS	(1U << 6) /* after the XDP program @bpf.prog_id, the struct_ops */

/* descriptor.nvme.opcode: the NVM command set's I/O opcodes (NVM Command Set Specification, 3.) */
#define NVME_CMD_FLUSH			0x00
#define NVME_CMD_WRITE			0x01
#define NVME_CMD_READ			0x02

/* descriptor.nvme.flags */
#define UNIFIED_IO_NVME_F_FUA		(1U << 0) /* write: stable before it completes */
#define UNIFIED_IO_NVME_F_FLUSH		(1U << 1) /* write: then flush the device */

/* descriptor.net.proto */
#define UNIFIED_IO_PROTO_ANY		0	/* whatever the slot holds */
#define UNIFIED_IO_PROTO_TCP		6
#define UNIFIED_IO_PROTO_UDP		17
#define UNIFIED_IO_PROTO_RAW		255	/* AF_PACKET */

/*
 * descriptor.net.flags. With neither RECV nor SEND: an NVMe read (or no NVMe
 * stage) is sent, and an NVMe write is received first.
 *
 * COPY and ZEROCOPY are about the send. With neither, the kernel takes the way
 * that is cheaper as a rule: it copies, as send() does, fewer than 32 KiB; what
 * goes over loopback, or over a device that cannot gather or compute checksums;
 * and for the next sends of a socket whose bytes it had to copy late, since they
 * were delivered on this machine (veth) or tapped. A send that copies completes
 * when the socket has the bytes. Any other completes when the last packet has let
 * go of the buffer: with TCP, when the peer's host has acknowledged it. With both
 * flags: EINVAL.
 */
#define UNIFIED_IO_NET_F_RECV		(1U << 0) /* source: receive from @slot */
#define UNIFIED_IO_NET_F_SEND		(1U << 1) /* sink: send to @tx_slot */
#define UNIFIED_IO_NET_F_COPY		(1U << 2) /* send: copy, as send() does */
#define UNIFIED_IO_NET_F_ZEROCOPY	(1U << 3) /* send: do not copy where it can be helped */

/**
 * struct unified_descriptor - one chain, 64 bytes
 * @addr: offset of the buffer in the data area, bytes; ignored with MULTISHOT
 * @len: bytes; 0 only for a flush on its own and with MULTISHOT
 * @flags: UNIFIED_IO_DESC_F_*
 * @type: mask of UNIFIED_REGION_F_*; at least one
 * @user_data: comes back in the completion
 * @nvme: the NVMe stage
 * @nvme.opcode: %NVME_CMD_READ, %NVME_CMD_WRITE or %NVME_CMD_FLUSH
 * @nvme.flags: UNIFIED_IO_NVME_F_*
 * @nvme.resv: zero
 * @nvme.nsid: namespace; 0, or the id of the namespace behind nvme_fd
 * @nvme.slba: first logical block; of a multishot receive, that of the first
 *	arrival: each further one follows the one before
 * @net: the network stage
 * @net.proto: UNIFIED_IO_PROTO_*; checked against the socket
 * @net.flags: UNIFIED_IO_NET_F_*
 * @net.port: UDP send: destination port, host byte order; must be 0 otherwise
 * @net.addr: UDP send: destination IPv4 address, network byte order; 0 means
 *	the socket's peer, or the sender of the datagram that was received
 * @net.slot: socket slot to receive from; also where a reply goes
 * @net.tx_slot: socket slot to send to
 * @net.headroom: receive: bytes left free in front of the payload, inside
 *	the buffer
 * @bpf: the BPF stage
 * @bpf.prog_id: kernel id of an XDP program that was attached with
 *	ATTACH_BPF; with %UNIFIED_IO_DESC_F_XDP_THEN_OPS the region's struct_ops
 *	follow it. 0: the region's struct_ops, one after the other by their order;
 *	where it never had any, the XDP program that was attached last. Where the
 *	region never had a program, the stage passes the data on and says so
 *	(%UNIFIED_IO_CQE_F_NO_PROG); where one is not there any more, the chain fails
 *	with ENOENT: what a filter held back does not get through because it went
 *	away.
 * @bpf.arg: handed to a struct_ops program in its context
 *
 * Flags, protocol and reserved fields are checked in any case; other parameters
 * of a stage that is not in the chain are ignored.
 *
 * @addr and @len describe the buffer. What a receive or a program leaves in it
 * is the data; it begins at @net.headroom and what follows it stays unused.
 * NVMe reads and writes use @len bytes from @addr, or, after a receive or a
 * BPF program, the data (so that a program may grow it up to @len).
 *
 * With %UNIFIED_IO_DESC_F_RANGES the data are scattered over the data area, as
 * what a NIC received is: @addr (a multiple of 8) and @len (bytes) describe a
 * table of struct unified_net_iov there, up to %UNIFIED_IO_RANGES_MAX. The buffer of
 * the chain is then the bytes of one range after the other, and all of it is data:
 * a struct_ops program sees it, where it lies, in these offsets; an XDP program
 * only if it is one range (EOPNOTSUPP); the chain writes or sends it. It has no
 * source and, without a BPF stage, no PAD (EINVAL). The table is read once, when
 * the chain is submitted. Ranges may overlap; they may be anywhere up to 4 GiB
 * apart (else ERANGE), and neighbours in the table that touch are one.
 *
 * To be written ranges have to fit the drive, and what a program leaves of them
 * does: the first begins at a multiple of its dma_alignment; where one ends and
 * the next begins, both are multiples of range_alignment; and together they are
 * whole blocks (EREMOTEIO), or padded, which takes as many bytes of the ranges behind
 * the data (ERANGE).
 *
 * An armed multishot receive holds two CQ slots and one Net IOV. It ends with
 * the stream, and with the first arrival that fails; what had been received and
 * not yet been handed on is then lost, a carried tail is not.
 *
 * Sends to one slot go out in the order of submission, those of a chain that
 * receives in the order of arrival, however long the stages before them take.
 */
struct unified_descriptor {
	__u64	addr;
	__u32	len;
	__u16	flags;
	__u16	type;
	__u64	user_data;
	struct {
		__u8	opcode;
		__u8	flags;
		__u16	resv;
		__u32	nsid;
		__u64	slba;
	} nvme;
	struct {
		__u8	proto;
		__u8	flags;
		__u16	port;
		__u32	addr;
		__u16	slot;
		__u16	tx_slot;
		__u32	headroom;
	} net;
	struct {
		__u32	prog_id;
		__u32	arg;
	} bpf;
};

/* completion.flags */
#define UNIFIED_IO_CQE_F_MORE		(1U << 0) /* multishot: further completions follow */
#define UNIFIED_IO_CQE_F_COPIED		(1U << 1) /* the CPU copied payload: see @copied */
#define UNIFIED_IO_CQE_F_DROPPED	(1U << 2) /* verdict drop: the sinks were skipped */
#define UNIFIED_IO_CQE_F_REPLIED	(1U << 3) /* verdict reply: sent to the source socket */
#define UNIFIED_IO_CQE_F_EOF		(1U << 4) /* the peer closed its side */
#define UNIFIED_IO_CQE_F_NO_PROG	(1U << 5) /* BPF stage, but no program attached */
#define UNIFIED_IO_CQE_F_BUFFER		(1U << 6) /* @addr is a Net IOV: give it back */
#define UNIFIED_IO_CQE_F_GATHERED	(1U << 7) /* the @len bytes are in several pieces */

/* completion.stage: what ended the chain */
#define UNIFIED_IO_STAGE_RECV		0
#define UNIFIED_IO_STAGE_READ		1
#define UNIFIED_IO_STAGE_BPF		2
#define UNIFIED_IO_STAGE_WRITE		3
#define UNIFIED_IO_STAGE_FLUSH		4
#define UNIFIED_IO_STAGE_SEND		5
#define UNIFIED_IO_STAGE_NR		6

/**
 * struct unified_completion - the end of one chain, 64 bytes
 * @user_data: of the descriptor
 * @res: bytes that left the last stage, or the first error (negative). A
 *	multishot receive's last completion (no %UNIFIED_IO_CQE_F_MORE): 0 at
 *	the end of the stream, or the error that ended it
 * @flags: UNIFIED_IO_CQE_F_*
 * @addr: offset of the data in the data area; of an arrival of a multishot
 *	receive: of its Net IOV, as it was given; the data begin net.headroom
 *	behind it, unless the program moved them; of a table of ranges: the table
 * @len: bytes of data at the end of the chain; with %UNIFIED_IO_CQE_F_GATHERED
 *	in several pieces: those of the table of ranges, or those that a program
 *	kept, which the process is not told
 * @copied: payload bytes that the CPU copied for this operation
 * @moved: bytes that the BPF program moved inside the buffer
 * @recv: result of the source: bytes received or read, or an error
 * @verdict: UNIFIED_IO_BPF_* or the error of the BPF stage
 * @nvme: bytes written, or the error of the write or flush
 * @send: bytes sent, or the error of the send
 * @stage: UNIFIED_IO_STAGE_* that ran last
 * @slot: socket slot of the source
 * @slba: first logical block that was read or written; of a multishot
 *	receive's last completion, the block after the last one written
 */
struct unified_completion {
	__u64	user_data;
	__s32	res;
	__u32	flags;
	__u64	addr;
	__u32	len;
	__u32	copied;
	__u32	moved;
	__s32	recv;
	__s32	verdict;
	__s32	nvme;
	__s32	send;
	__u16	stage;
	__u16	slot;
	__u64	slba;
};

/**
 * struct unified_net_iov - one free buffer for multishot receives, or one range
 * @addr: offset in the data area
 * @len: bytes
 * @resv: zero
 */
struct unified_net_iov {
	__u64	addr;
	__u32	len;
	__u32	resv;
};

/* control.flags */
#define UNIFIED_IO_CTRL_F_CQ_FULL	(1U << 0) /* intake stopped: consume, then ENTER */
#define UNIFIED_IO_CTRL_F_NEED_NIOV	(1U << 1) /* receives wait: give Net IOVs, then ENTER */

/* control.bypass_mode: how payload gets past the stages; as the program says, the kernel only shows it */
#define UNIFIED_IO_BYPASS_NONE		0	/* it does not */
#define UNIFIED_IO_BYPASS_ZCRX		1	/* io_uring ZCRX, from a NIC's queue */
#define UNIFIED_IO_BYPASS_ZCRX_NODEV	2	/* io_uring ZCRX, copied from sockets */
#define UNIFIED_IO_BYPASS_XSK		3	/* AF_XDP, zero copy */
#define UNIFIED_IO_BYPASS_XSK_COPY	4	/* AF_XDP, copy mode */

/**
 * struct unified_io_control - the head of the region
 * @magic: %UNIFIED_IO_MAGIC
 * @version: %UNIFIED_IO_VERSION
 * @sq_entries: SQ size
 * @cq_entries: CQ size
 * @niov_entries: Net IOV ring size
 * @region_id: as in struct unified_io_setup
 * @sq_offset: of the SQ descriptors in the region, bytes
 * @cq_offset: of the CQ completions
 * @niov_offset: of the Net IOV ring
 * @data_offset: of the data area
 * @data_size: bytes in the data area
 * @region_size: bytes in all
 * @sq_head: descriptors taken; written by the kernel
 * @cq_tail: completions posted; written by the kernel
 * @niov_head: Net IOVs taken; written by the kernel
 * @flags: UNIFIED_IO_CTRL_F_*; written by the kernel
 * @sq_tail: descriptors published; written by the program
 * @cq_head: completions consumed; written by the program, and by
 *	UNIFIED_IO_COMPLETE on its behalf
 * @niov_tail: Net IOVs published; written by the program
 * @bypass_mode: UNIFIED_IO_BYPASS_*; written by the program, so the next two
 * @bypass_bytes: payload that came into the data area, or left it, past the
 *	stages
 * @bypass_copied: of them, those that the CPU copied
 * @resv0: pad, zero
 * @resv1: pad, zero
 * @resv2: pad, zero
 * @resv3: pad, zero
 * @resv4: pad, zero
 * @resv5: pad, zero
 * @resv6: pad, zero
 *
 * Indices run freely and are masked with entries - 1. The writer of an index
 * stores it with release semantics, its reader loads it with acquire. The
 * kernel never reads back what it wrote, and trusts nothing that it reads.
 *
 * The bypass values are as the program says; the kernel only shows them, in
 * struct unified_io_info and debugfs. libunified_io keeps them for what it receives
 * and sends by io_uring's ZCRX and by AF_XDP.
 */
struct unified_io_control {
	/* constant after SETUP */
	__u32	magic;
	__u32	version;
	__u32	sq_entries;
	__u32	cq_entries;
	__u32	niov_entries;
	__u32	region_id;
	__u64	sq_offset;
	__u64	cq_offset;
	__u64	niov_offset;
	__u64	data_offset;
	__u64	data_size;
	__u64	region_size;
	__u8	resv0[56];
	/* written by the kernel, a cache line each: 128, 192, 256 */
	__u32	sq_head;
	__u32	flags;
	__u8	resv1[56];
	__u32	cq_tail;
	__u8	resv2[60];
	__u32	niov_head;
	__u8	resv3[60];
	/* written by the program, a cache line each: 320, 384, 448 */
	__u32	sq_tail;
	__u8	resv4[60];
	__u32	cq_head;
	__u8	resv5[60];
	__u32	niov_tail;
	__u32	bypass_mode;
	__u64	bypass_bytes;
	__u64	bypass_copied;
	__u8	resv6[40];
};

#define UNIFIED_IO_MAGIC		0x52494f55U	/* "UIOR" */

/**
 * struct unified_io_submit - submit one descriptor by value
 * @desc: the descriptor; the rings are not used
 *
 * ioctl(UNIFIED_IO_SUBMIT). Returns 0 when the chain was accepted; it then
 * completes exactly once. A malformed descriptor gets its errno here.
 */
struct unified_io_submit {
	struct unified_descriptor desc;
};

#define UNIFIED_IO_COMPLETE_MAX		8

/* complete.flags */
#define UNIFIED_IO_COMPLETE_F_MORE	(1U << 0) /* more completions wait in the CQ */
#define UNIFIED_IO_COMPLETE_F_IDLE	(1U << 1) /* nothing is in flight that would have one here */

/**
 * struct unified_io_complete - take completions out of the CQ; output only
 * @count: how many of @cqe are filled in
 * @flags: UNIFIED_IO_COMPLETE_F_*
 * @cqe: the completions, oldest first
 *
 * ioctl(UNIFIED_IO_COMPLETE). For programs that do not read the CQ themselves:
 * waits until there is a completion, unless nothing is in flight (then @count
 * is 0), as UNIFIED_IO_ENTER has it. With O_NONBLOCK it does not wait.
 */
struct unified_io_complete {
	__u32	count;
	__u32	flags;
	struct unified_completion cqe[UNIFIED_IO_COMPLETE_MAX];
};

/**
 * struct unified_io_enter - submit a batch from the SQ, wait for completions
 * @to_submit: at most this many descriptors are taken
 * @min_complete: wait until this many completions are in the CQ, unconsumed
 *	ones included; at most cq_entries. Fewer are enough when nothing is left
 *	in flight (an armed multishot receive is; the chain of
 *	UNIFIED_IO_URING_OP, whose end is a CQE of its ring, is not).
 * @flags: zero
 * @resv: zero
 * @timeout_ns: longest wait; 0 for no limit
 * @submitted: out: descriptors taken. A malformed one counts, and completes
 *	with its errno.
 * @completed: out: completions now in the CQ
 *
 * ioctl(UNIFIED_IO_ENTER). When descriptors were taken the call returns 0, even
 * if the wait that followed was cut short. When none were: 0, or of the wait
 * ETIME or EINTR, or without a wait EBUSY (CQ full). At most sq_entries are
 * taken at once.
 */
struct unified_io_enter {
	__u32	to_submit;
	__u32	min_complete;
	__u32	flags;
	__u32	resv;
	__u64	timeout_ns;
	__u32	submitted;
	__u32	completed;
};

/**
 * struct unified_io_attach_socket - give a socket to the region
 * @fd: connected TCP, bound or connected UDP, or AF_PACKET socket. -1 empties
 *	the slot: operations that wait on it complete with ECANCELED.
 * @slot: the slot, or %UNIFIED_IO_SLOT_ANY for the first free one
 *	(out: which)
 * @flags: zero
 * @resv: zero
 *
 * ioctl(UNIFIED_IO_ATTACH_SOCKET). The region keeps the socket open until the
 * slot is emptied. Receives from one slot run in the order of submission, as
 * do sends to it.
 */
struct unified_io_attach_socket {
	__s32	fd;
	__u32	slot;
	__u32	flags;
	__u32	resv;
};

#define UNIFIED_IO_SLOT_ANY		0xffffffffU

/* attach_bpf.flags */
#define UNIFIED_IO_BPF_F_DETACH		(1U << 0) /* drop @prog_id; prog_fd must be -1 */
#define UNIFIED_IO_BPF_F_REPLACE	(1U << 1) /* put prog_fd where @prog_id was; the new one keeps its own id */

/**
 * struct unified_io_attach_bpf - attach an ordinary XDP program to the region
 * @prog_fd: XDP program, not bound to a device
 * @flags: UNIFIED_IO_BPF_F_*; 0 adds the program
 * @prog_id: in: program to drop or replace; out: kernel id of the program
 *	attached, for descriptor.bpf.prog_id
 * @resv: zero
 *
 * ioctl(UNIFIED_IO_ATTACH_BPF). Takes effect for chains that reach their BPF
 * stage from now on. XDP_PASS passes on, XDP_DROP drops, XDP_TX replies to the
 * source socket, XDP_ABORTED ends the chain with ECANCELED, XDP_REDIRECT with
 * EOPNOTSUPP. bpf_xdp_adjust_head() and _tail() set the data.
 */
struct unified_io_attach_bpf {
	__s32	prog_fd;
	__u32	flags;
	__u32	prog_id;
	__u32	resv;
};

/* verdicts of unified_io_bpf_ops.process(); a negative errno ends the chain */
#define UNIFIED_IO_BPF_PASS		0	/* go on with the sinks */
#define UNIFIED_IO_BPF_DROP		1	/* skip the sinks */
#define UNIFIED_IO_BPF_REPLY		2	/* send to the source socket, skip the other sinks */
#define UNIFIED_IO_BPF_RESUBMIT		3	/* read again, at the LBA that the program set */

/* query.features */
#define UNIFIED_IO_FEAT_HUGE_MAP	(1ULL << 0) /* the region can be PMD-mapped */
#define UNIFIED_IO_FEAT_NVME_PASSTHROUGH (1ULL << 1)
#define UNIFIED_IO_FEAT_STRUCT_OPS	(1ULL << 2) /* unified_io_bpf_ops and its kfuncs */
#define UNIFIED_IO_FEAT_XDP		(1ULL << 3) /* ATTACH_BPF */
#define UNIFIED_IO_FEAT_SEND_ZC		(1ULL << 4) /* zero-copy send */
#define UNIFIED_IO_FEAT_URING_CMD	(1ULL << 5) /* IORING_OP_URING_CMD on the device */
#define UNIFIED_IO_FEAT_URING_BUF	(1ULL << 6) /* UNIFIED_IO_URING_REG_BUF */

/**
 * struct unified_io_query - what this module can do on this kernel; output only
 * @version: %UNIFIED_IO_VERSION of the module
 * @max_entries: largest ring
 * @features: UNIFIED_IO_FEAT_*
 * @missing: of the features this module knows, those that the kernel lacks
 * @min_region: bytes
 * @max_region: bytes
 * @max_sockets: slots per region
 * @max_progs: XDP programs per region
 * @max_len: bytes per descriptor
 * @carry_max: bytes that a program can carry per socket
 * @resv: zero
 *
 * ioctl(UNIFIED_IO_QUERY). Needs no SETUP.
 */
struct unified_io_query {
	__u32	version;
	__u32	max_entries;
	__u64	features;
	__u64	missing;
	__u64	min_region;
	__u64	max_region;
	__u32	max_sockets;
	__u32	max_progs;
	__u32	max_len;
	__u32	carry_max;
	__u64	resv[4];
};

/**
 * struct unified_io_stage_stat - counters of one stage
 * @ops: times that the stage ended
 * @bytes: payload bytes that went through it
 * @errors: times that it ended with an error
 * @copied: payload bytes that the CPU copied in it
 */
struct unified_io_stage_stat {
	__u64	ops;
	__u64	bytes;
	__u64	errors;
	__u64	copied;
};

/* info.device_kind */
#define UNIFIED_IO_DEV_NONE		0
#define UNIFIED_IO_DEV_NVME		1	/* NVMe passthrough */
#define UNIFIED_IO_DEV_BLOCK		2	/* bio */

/**
 * struct unified_io_info - the region as it is now; output only
 * @region_id: see struct unified_io_setup
 * @device_kind: UNIFIED_IO_DEV_*
 * @lba_size: bytes in a logical block; 0 without a device
 * @nsid: NVMe namespace id, with %UNIFIED_IO_DEV_NVME
 * @device_size: bytes
 * @max_transfer: bytes in one command; longer operations are split
 * @dma_alignment: addr must be a multiple of this
 * @region_size: bytes
 * @data_offset: bytes
 * @data_size: bytes
 * @huge_bytes: how much of the region is 2 MiB folios; the rest is 4 KiB pages
 * @numa_node: of the first page
 * @nr_sockets: slots in use
 * @nr_progs: XDP programs attached
 * @struct_ops: how many unified_io_bpf_ops are attached
 * @inflight: CQ slots held: operations accepted and not yet completed, and the
 *	arrival that each armed multishot receive waits for
 * @sq_entries: SQ size
 * @cq_entries: CQ size
 * @niov_entries: Net IOV ring size
 * @submitted: operations accepted, arrivals of multishot receives included
 * @completed: operations completed
 * @dropped: operations that ended with verdict drop
 * @replied: operations that ended with verdict reply
 * @resubmitted: dependent reads
 * @moved: bytes that BPF programs moved inside buffers
 * @carried: bytes that were carried from one receive to the next (they count
 *	twice in the copied bytes of the receive stage: out and in)
 * @stage: counters by UNIFIED_IO_STAGE_*
 * @niov_held: Net IOVs that the kernel keeps for the next arrival
 * @range_alignment: in a table of ranges that is written, where one range ends
 *	and the next begins must be multiples of this; 0 without a device
 * @bypass_mode: UNIFIED_IO_BYPASS_*; as the program says in struct
 *	unified_io_control, the kernel only shows it; so the next two
 * @bypass_bytes: payload in or out past the stages
 * @bypass_copied: of them, those that the CPU copied
 * @resv: zero
 *
 * ioctl(UNIFIED_IO_GET_INFO).
 */
struct unified_io_info {
	__u32	region_id;
	__u32	device_kind;
	__u32	lba_size;
	__u32	nsid;
	__u64	device_size;
	__u32	max_transfer;
	__u32	dma_alignment;
	__u64	region_size;
	__u64	data_offset;
	__u64	data_size;
	__u64	huge_bytes;
	__s32	numa_node;
	__u32	nr_sockets;
	__u32	nr_progs;
	__u32	struct_ops;
	__u32	inflight;
	__u32	sq_entries;
	__u32	cq_entries;
	__u32	niov_entries;
	__u64	submitted;
	__u64	completed;
	__u64	dropped;
	__u64	replied;
	__u64	resubmitted;
	__u64	moved;
	__u64	carried;
	struct unified_io_stage_stat stage[UNIFIED_IO_STAGE_NR];
	__u64	niov_held;
	__u32	range_alignment;
	__u32	bypass_mode;
	__u64	bypass_bytes;
	__u64	bypass_copied;
	__u32	resv[8];
};

/**
 * struct unified_io_export - a part of the data area as a dma-buf
 * @offset: in the data area, bytes, a multiple of the page size
 * @len: bytes, a multiple of the page size; 0 for all from @offset on
 * @flags: zero
 *
 * ioctl(UNIFIED_IO_EXPORT). Returns a file descriptor (close-on-exec) that
 * importers take, io_uring's ZCRX areas for one; or mmap(). The pages live
 * until the last importer is gone, also when the device is closed before.
 * EMFILE where the process has no file descriptor left.
 */
struct unified_io_export {
	__u64	offset;
	__u64	len;
	__u64	flags;
};

#define UNIFIED_IO_IOC_MAGIC		0xB7

/**
 * struct unified_io_uring_cmd - in sqe.cmd of an IORING_OP_URING_CMD
 * @arg: see below
 * @completion: UNIFIED_IO_URING_OP: user address of a struct
 *	unified_completion that is written before the CQE is posted, or 0. For
 *	the others 0
 *
 * io_uring as a front door: sqe.fd is the device, sqe.cmd_op one of:
 *
 * %UNIFIED_IO_URING_OP - run the chain of the descriptor at the user address
 *	@arg. The CQE comes at the chain's end; its res is the completion's res. In
 *	a ring of 32-byte CQEs big_cqe[0] is (copied << 32 | flags) of it. Takes a
 *	CQ slot while it runs (EBUSY without one), but posts nothing there. Not
 *	for multishot receives (EINVAL).
 * %UNIFIED_IO_URING_ENTER - take up to @arg descriptors from the SQ, as
 *	UNIFIED_IO_ENTER without a wait. res: how many, or an error. Completions
 *	come in the CQ; IORING_OP_POLL_ADD on the device tells of them.
 * %UNIFIED_IO_URING_CANCEL - as UNIFIED_IO_CANCEL, with @arg for user_data
 * %UNIFIED_IO_URING_REG_BUF - put the data area into slot @arg of the ring's
 *	table of fixed buffers (IORING_REGISTER_BUFFERS2, sparse): "addresses" of
 *	fixed reads, writes and sends are then offsets in the data area. Nothing
 *	is pinned by address, so it needs no RLIMIT_MEMLOCK. Up to 2 GiB
 *	(EMSGSIZE). The pages live until the last of slot and file is gone.
 * %UNIFIED_IO_URING_UNREG_BUF - empty slot @arg
 *
 * SQPOLL, linked SQEs, registered files and IOSQE_ASYNC work; io_uring itself
 * offers neither IORING_OP_ASYNC_CANCEL nor IORING_OP_LINK_TIMEOUT for commands
 * (both find nothing, ENOENT). To end a chain after a time, link a
 * UNIFIED_IO_URING_CANCEL to an IORING_OP_TIMEOUT with
 * IORING_TIMEOUT_ETIME_SUCCESS; a chain that was in time has the timeout removed,
 * and the CANCEL with it. A ring with IORING_SETUP_IOPOLL is not for chains, whose
 * stages end by interrupts of more than one device: kernels refuse commands there
 * (EOPNOTSUPP), or do not wait for what is not polled for.
 * A ring that is closed abandons its chains: those that wait for a socket are
 * cancelled, the others run to their end.
 */
struct unified_io_uring_cmd {
	__u64	arg;
	__u64	completion;
};

#define UNIFIED_IO_URING_OP		_IOW(UNIFIED_IO_IOC_MAGIC, 0x50, struct unified_io_uring_cmd)
#define UNIFIED_IO_URING_ENTER		_IOW(UNIFIED_IO_IOC_MAGIC, 0x51, struct unified_io_uring_cmd)
#define UNIFIED_IO_URING_CANCEL		_IOW(UNIFIED_IO_IOC_MAGIC, 0x52, struct unified_io_uring_cmd)
#define UNIFIED_IO_URING_REG_BUF	_IOW(UNIFIED_IO_IOC_MAGIC, 0x53, struct unified_io_uring_cmd)
#define UNIFIED_IO_URING_UNREG_BUF	_IOW(UNIFIED_IO_IOC_MAGIC, 0x54, struct unified_io_uring_cmd)

#define UNIFIED_IO_SETUP		_IOWR(UNIFIED_IO_IOC_MAGIC, 0x40, struct unified_io_setup)
#define UNIFIED_IO_SUBMIT		_IOW(UNIFIED_IO_IOC_MAGIC, 0x41, struct unified_io_submit)
#define UNIFIED_IO_COMPLETE		_IOR(UNIFIED_IO_IOC_MAGIC, 0x42, struct unified_io_complete)
#define UNIFIED_IO_ATTACH_BPF		_IOWR(UNIFIED_IO_IOC_MAGIC, 0x43, struct unified_io_attach_bpf)
#define UNIFIED_IO_GET_INFO		_IOR(UNIFIED_IO_IOC_MAGIC, 0x44, struct unified_io_info)
#define UNIFIED_IO_ENTER		_IOWR(UNIFIED_IO_IOC_MAGIC, 0x45, struct unified_io_enter)
#define UNIFIED_IO_ATTACH_SOCKET	_IOWR(UNIFIED_IO_IOC_MAGIC, 0x46, struct unified_io_attach_socket)
#define UNIFIED_IO_QUERY		_IOR(UNIFIED_IO_IOC_MAGIC, 0x47, struct unified_io_query)
/*
 * Cancel all operations with this user_data (*arg) that wait for a socket: they
 * complete with ECANCELED. What a receive had already, for want of the rest, stays
 * in its buffer: completion.copied bytes from the headroom on. Those that a drive
 * has, or whose bytes are on their way to the peer, end by themselves; a send of
 * which a part is, with that part for a result. Returns how many, or ENOENT.
 */
#define UNIFIED_IO_CANCEL		_IOW(UNIFIED_IO_IOC_MAGIC, 0x48, __u64)
#define UNIFIED_IO_EXPORT		_IOW(UNIFIED_IO_IOC_MAGIC, 0x49, struct unified_io_export)

#endif /* _UAPI_LINUX_UNIFIED_IO_REGION_H */
