/* SPDX-License-Identifier: GPL-2.0 */
/**
 * DOC: unified_io_zcrx - TCP payload straight into the data area
 *
 * From there, as it lies, it goes into chains. One thread has the whole of it,
 * and one loop:
 *
 *	unified_io_zcrx_open(&zc, &io, &params);
 *	unified_io_zcrx_recv(zc, connection, 1);
 *	while (unified_io_zcrx_wait(zc, 0) >= 0)
 *		while (unified_io_zcrx_next(zc, &event))
 *			data: unified_io_ranges_add(), unified_io_zcrx_submit()
 *			chain: unified_io_zcrx_release() what it was made of
 *
 * Units and return values are those of unified_io.h.
 */
#ifndef UNIFIED_IO_ZCRX_H
#define UNIFIED_IO_ZCRX_H

#include "unified_io.h"
#include "unified_io_loop.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How the payload gets into the data area; in order of preference. */
enum unified_io_zcrx_mode {
	UNIFIED_IO_ZCRX_AUTO,	/* the first of these that works */
	UNIFIED_IO_ZCRX_DEVICE,	/* the NIC's DMA: io_uring ZCRX on a queue */
	UNIFIED_IO_ZCRX_NODEV,	/* io_uring ZCRX without a NIC: one copy */
	UNIFIED_IO_ZCRX_SOCKET,	/* the module receives: one copy. It uses the region's CQ and Net IOVs */
};

/**
 * struct unified_io_zcrx_params - what to receive with
 * @mode: forced, or AUTO
 * @ifname: the NIC; NULL for none
 * @rxq: its queue, which only the connections at hand should come in by
 * @buf_len: bytes in a receive buffer: a power of two, at least a page; 0 for a
 *	page (SOCKET: 64 KiB). More than a page takes a NIC that offers it.
 * @addr: the part of the data area to receive into, page aligned
 * @len: bytes, a multiple of the page size and of @buf_len; see unified_io_zcrx_bound()
 * @entries: chains in flight, and connections, at most; a power of two
 * @loop: for a loop program: the refill ring is in the data area, where the program
 *	reaches it, in unified_io_zcrx_refill_len() bytes from @addr + @len on
 */
struct unified_io_zcrx_params {
	enum unified_io_zcrx_mode mode;
	const char *ifname;
	__u32 rxq;
	__u32 buf_len;
	__u64 addr;
	__u64 len;
	__u32 entries;
	bool loop;
};

enum unified_io_zcrx_type {
	UNIFIED_IO_ZCRX_DATA,	/* @res bytes at @addr; to be released */
	UNIFIED_IO_ZCRX_END,	/* the connection's end: @res is 0 or a negative errno */
	UNIFIED_IO_ZCRX_CHAIN,	/* a chain's end: @res is its result */
};

/**
 * struct unified_io_zcrx_event - what has happened
 * @type: to what
 * @res: see there
 * @user_data: of the connection, or of the chain's descriptor
 * @addr: offset in the data area; of a chain: unified_completion.addr
 * @flags: of a chain: UNIFIED_IO_CQE_F_*
 * @copied: of a chain: bytes that the CPU copied
 */
struct unified_io_zcrx_event {
	enum unified_io_zcrx_type type;
	__s32 res;
	__u64 user_data;
	__u64 addr;
	__u32 flags;
	__u32 copied;
};

struct unified_io_zcrx;

/**
 * unified_io_zcrx_check - what a NIC's queue lacks for mode DEVICE
 * @ifname: the NIC
 * @rxq: the queue
 * @text: out: one line for each thing that is missing, with the command that mends it
 * @size: of @text
 *
 * What cannot be asked (an AF_XDP socket on the queue, what the driver takes) shows
 * in unified_io_zcrx_open() alone. Changes nothing.
 * Return: how many things are missing, or a negative errno.
 */
int unified_io_zcrx_check(const char *ifname, __u32 rxq, char *text, size_t size);

struct unified_io_zcrx_config;	/* how a NIC was before it was configured */

/**
 * unified_io_zcrx_configure - mend what unified_io_zcrx_check() finds
 * @config: out: what unified_io_zcrx_undo() needs
 * @ifname: the NIC; the string has to outlive @config
 * @rxq: the queue
 * @port: of TCP over IPv4, host byte order: what comes for it goes to the queue; 0 for
 *	no rule: then the program makes its own
 * @text: out: after an error, what failed: the command that would do the same, and what
 *	the kernel says; else empty
 * @size: of @text
 *
 * Interface up, as many queues as it takes, header split for payload of any length, RSS
 * to all queues but this one, filters on, one rule. What was so before is left alone; RSS
 * entries for other queues too. After an error everything is as before.
 *
 * Nobody undoes it for a process that is killed: @text of unified_io_zcrx_check() is then
 * empty, and ethtool -G, -X, -N and -L set it back.
 * Return: 0, or a negative errno: EBUSY while another process, or this one, has the
 * NIC configured for another queue.
 */
int unified_io_zcrx_configure(struct unified_io_zcrx_config **config, const char *ifname,
			      __u32 rxq, __u16 port, char *text, size_t size);

/**
 * unified_io_zcrx_undo - make the NIC what it was before
 * @config: of unified_io_zcrx_configure(); freed
 * @text: out: one line for each thing that could not be undone
 * @size: of @text
 *
 * After unified_io_zcrx_close(). Waits up to five seconds until the kernel has let go of
 * the queue.
 * Return: 0, or the first error, negative; the rest is undone all the same.
 */
int unified_io_zcrx_undo(struct unified_io_zcrx_config *config, char *text, size_t size);

/**
 * unified_io_zcrx_open - make a part of the data area what is received into
 * @zc: out
 * @io: the region; has to outlive it
 * @params: see there
 *
 * Return: 0, or a negative errno; unified_io_hint(UNIFIED_IO_CALL_ZCRX, it) says
 * what is missing. In mode AUTO that of DEVICE is kept for unified_io_zcrx_why().
 */
int unified_io_zcrx_open(struct unified_io_zcrx **zc, struct unified_io *io,
			 const struct unified_io_zcrx_params *params);

/** unified_io_zcrx_close - end all receives; free all but the region */
void unified_io_zcrx_close(struct unified_io_zcrx *zc);

/** unified_io_zcrx_mode - which it is */
enum unified_io_zcrx_mode unified_io_zcrx_mode(const struct unified_io_zcrx *zc);

/** unified_io_zcrx_why - why it is not DEVICE: a negative errno, or 0 */
int unified_io_zcrx_why(const struct unified_io_zcrx *zc);

/**
 * unified_io_zcrx_copied - payload bytes that were copied on their way in
 * @zc: for it
 *
 * Return: bytes. In mode DEVICE those of packets that came without their payload
 * split off are not in it: the kernel does not count them. The region's counters have it
 * as bypass_copied, up to the last wait or loop_run.
 */
__u64 unified_io_zcrx_copied(const struct unified_io_zcrx *zc);

/**
 * unified_io_zcrx_bound - let a connection hold no more than half of the area
 * @zc: for it
 * @fd: connected TCP socket
 *
 * What came behind a lost packet keeps its buffers until that comes again, and that takes
 * one, too: a connection whose receive buffer is as large as the area waits for ever once it
 * has them all. Where net.ipv4.tcp_rmem allows that much, and the program has not set
 * SO_RCVBUF itself, it is set here. unified_io_zcrx_recv() does this; loop programs receive
 * without it. With several connections of full windows the area should have room for all.
 *
 * Return: 0, or a negative errno.
 */
int unified_io_zcrx_bound(const struct unified_io_zcrx *zc, int fd);

/**
 * unified_io_zcrx_recv - receive from a connection until it ends
 * @zc: for it
 * @fd: connected TCP socket; stays open until the end
 * @user_data: comes back in the events
 *
 * Return: 0, or a negative errno: ENOSPC if there are params.entries already.
 */
int unified_io_zcrx_recv(struct unified_io_zcrx *zc, int fd, __u64 user_data);

/**
 * unified_io_zcrx_submit - submit a chain with the next wait
 * @zc: for it
 * @desc: copied; not a multishot receive
 *
 * Return: 0, or -EBUSY with params.entries in flight.
 */
int unified_io_zcrx_submit(struct unified_io_zcrx *zc, const struct unified_descriptor *desc);

/**
 * unified_io_zcrx_wait - submit, and wait for events; one system call
 * @zc: for it
 * @timeout_ns: longest wait; 0 for no limit
 *
 * Return: 0, or a negative errno: ETIME, EINTR, or ENOBUFS where the kernel had to
 * copy (in mode SOCKET it always has), all buffers are in use and nothing else is to
 * come. Where there was something to submit, a wait that time or a signal ended is 0
 * too, as io_uring_enter() has it; there is no event then.
 */
int unified_io_zcrx_wait(struct unified_io_zcrx *zc, __u64 timeout_ns);

/**
 * unified_io_zcrx_next - the next event
 * @zc: for it
 * @event: out
 *
 * Return: false if there is none; wait then.
 */
bool unified_io_zcrx_next(struct unified_io_zcrx *zc, struct unified_io_zcrx_event *event);

/**
 * unified_io_zcrx_release - the bytes of a DATA event are not needed any more
 * @zc: for it
 * @addr: of the event; once for each
 */
void unified_io_zcrx_release(struct unified_io_zcrx *zc, __u64 addr);

/**
 * DOC: unified_io_zcrx_loop - a loop in the kernel that receives and submits chains
 *
 * A BPF program of type io_uring_bpf_ops takes the place of unified_io_zcrx_recv(),
 * _submit(), _wait(), _next() and _release(). Linux 7.1 and later;
 * unified_io_loop_bpf.h is for the program.
 *
 *	params.loop = true;
 *	unified_io_zcrx_open(&zc, &io, &params);
 *	unified_io_zcrx_loop_init(zc, &skeleton->rodata->loop);
 *	skeleton->struct_ops.NAME->ring_fd = skeleton->rodata->loop.ring_fd;
 *	load and attach the program, then
 *	unified_io_zcrx_bound(zc, fd) for what it receives from, and
 *	unified_io_zcrx_loop_run(zc);
 */

/**
 * unified_io_zcrx_refill_len - what the refill ring takes of the data area
 * @params: see there
 *
 * Return: bytes, a multiple of a page.
 */
__u64 unified_io_zcrx_refill_len(const struct unified_io_zcrx_params *params);

/**
 * unified_io_zcrx_loop_init - lend the region to the ring for a loop program
 * @zc: in mode DEVICE or NODEV, opened with params.loop
 * @loop: out: for the program's read-only data
 *
 * Return: 0, or a negative errno: EINVAL without params.loop; E2BIG for a region
 * above %UNIFIED_IO_LOOP_MAX; EBUSY the second time; EOPNOTSUPP in mode SOCKET. A
 * kernel without io_uring_bpf_ops does not load the program.
 */
int unified_io_zcrx_loop_init(struct unified_io_zcrx *zc, struct unified_io_loop *loop);

/**
 * unified_io_zcrx_loop_run - let the attached program work until it stops
 * @zc: for it
 *
 * Return: 0 when the program stopped, or none is attached; -EINTR after a signal:
 * nothing is lost, run it again; -EFAULT when it was detached meanwhile; -EINVAL when
 * it returned neither IOU_LOOP_CONTINUE nor IOU_LOOP_STOP.
 */
int unified_io_zcrx_loop_run(struct unified_io_zcrx *zc);

/**
 * DOC: unified_io_ranges - one write or send of what lies anywhere
 *
 * What the drive cannot gather is copied, and counted.
 */

/**
 * struct unified_io_ranges - a table of ranges that grows; to be read only
 * @io: the region
 * @addr: of the table in the data area
 * @spare: of the memory behind it that bytes are copied to
 * @spare_len: bytes in it
 * @used: bytes of it in use
 * @align: what ranges have to be aligned to
 * @nr: ranges
 * @len: bytes in them
 * @copied: bytes of them that were copied
 */
struct unified_io_ranges {
	struct unified_io *io;
	__u64 addr;
	__u64 spare;
	__u32 spare_len;
	__u32 used;
	__u32 align;
	__u32 nr;
	__u32 len;
	__u32 copied;
};

/* Memory that a struct unified_io_ranges takes without anything to copy to */
#define UNIFIED_IO_RANGES_TABLE (UNIFIED_IO_RANGES_MAX * sizeof(struct unified_net_iov))

/**
 * unified_io_ranges_init - an empty table
 * @ranges: out
 * @io: the region
 * @addr: memory in the data area, a multiple of @align; keep it until the chain ends
 * @len: bytes; what is beyond %UNIFIED_IO_RANGES_TABLE is there to copy to
 * @align: unified_io_info.range_alignment for a write; 1 for a send
 */
void unified_io_ranges_init(struct unified_io_ranges *ranges, struct unified_io *io, __u64 addr,
			    __u32 len, __u32 align);

/**
 * unified_io_ranges_add - the next bytes, where they lie
 * @ranges: to add to
 * @addr: offset in the data area
 * @len: bytes
 *
 * Return: 0, or -ENOSPC if they do not fit any more; then nothing was added.
 */
int unified_io_ranges_add(struct unified_io_ranges *ranges, __u64 addr, __u32 len);

/**
 * unified_io_ranges_room - bytes that the program makes itself
 * @ranges: to add to
 * @len: bytes
 *
 * Return: where to put them, or NULL if there is no room.
 */
void *unified_io_ranges_room(struct unified_io_ranges *ranges, __u32 len);

/**
 * unified_io_ranges_pad - zeroes up to a multiple of @block
 * @ranges: to add to
 * @block: a power of two
 *
 * The table has room for it.
 * Return: 0, or -ENOSPC without a @block of spare memory.
 */
int unified_io_ranges_pad(struct unified_io_ranges *ranges, __u32 block);

/** unified_io_ranges_use - make the chain of @desc write or send the ranges */
static inline void unified_io_ranges_use(const struct unified_io_ranges *ranges,
					 struct unified_descriptor *desc)
{
	desc->addr = ranges->addr;
	desc->len = (__u32)(ranges->nr * sizeof(struct unified_net_iov));
	desc->flags |= UNIFIED_IO_DESC_F_RANGES;
}

#ifdef __cplusplus
}
#endif

#endif /* UNIFIED_IO_ZCRX_H */
