/* SPDX-License-Identifier: GPL-2.0 */
/**
 * DOC: unified_io_xsk - AF_XDP sockets whose packet memory is in the data area
 *
 * What they receive lies there, and what lies there they send; chains work on it in
 * between. Their memory (UMEM) is a part of the data area; their rings are libxdp's.
 *
 *	unified_io_xsk_open(&xsk, &io, &params);
 *	while (unified_io_xsk_wait(xsk, 0) >= 0)
 *		while (unified_io_xsk_recv(xsk, 0, &frame))
 *			a chain on frame.addr, or unified_io_ranges_add() of many
 *		when a chain has completed: unified_io_xsk_release() its frames
 *
 * A frame is a piece of UMEM of params.frame_size bytes. It is the kernel's until
 * unified_io_xsk_recv() or unified_io_xsk_alloc() gives it to the program, which gives
 * it back by unified_io_xsk_release() or unified_io_xsk_send().
 *
 * Each queue has frames of its own, so that each may have a thread of its own, as long
 * as what one receives no other sends; unified_io_xsk_wait() is for a program whose one
 * thread has them all.
 *
 * Units and return values are those of unified_io.h.
 */
#ifndef UNIFIED_IO_XSK_H
#define UNIFIED_IO_XSK_H

#include "unified_io.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How packets get into the data area and out of it; in order of preference. */
enum unified_io_xsk_mode {
	UNIFIED_IO_XSK_AUTO,	/* the first of these that works */
	UNIFIED_IO_XSK_ZEROCOPY, /* the NIC's DMA */
	UNIFIED_IO_XSK_COPY,	/* the kernel copies each packet once */
};

/* params.flags */
#define UNIFIED_IO_XSK_F_SG	(1U << 0) /* packets may be longer than a frame */

/* Bytes in front of a packet, beside params.headroom, that are the program's with the frame */
#define UNIFIED_IO_XSK_HEADROOM	256

/**
 * struct unified_io_xsk_queue - one socket
 * @ifname: the NIC
 * @rxq: its queue
 * @map_fd: XSKMAP of the XDP program that the caller has put on the NIC, where entry
 *	@rxq becomes the socket. -1: libxdp puts its own program there, which leads
 *	all packets to the sockets
 */
struct unified_io_xsk_queue {
	const char *ifname;
	__u32 rxq;
	int map_fd;
};

/**
 * struct unified_io_xsk_params - what to receive and send with
 * @mode: forced, or AUTO; the same for all queues
 * @flags: UNIFIED_IO_XSK_F_*
 * @queues: the sockets, which share the UMEM; of one NIC or of several
 * @nr_queues: how many
 * @ring: entries in each ring, and frames per queue that wait for packets; a power
 *	of two
 * @addr: the part of the data area that is the UMEM, page aligned
 * @len: bytes, a multiple of the page size: @frame_size times more than @ring frames
 *	for each queue, for what is above @ring is what program and sends can hold
 * @frame_size: 2048 or 4096, of which the kernel leaves 256 free in front of the
 *	packet; 0 for 4096
 * @headroom: more bytes to leave free there; without F_SG a packet has to fit the rest
 */
struct unified_io_xsk_params {
	enum unified_io_xsk_mode mode;
	__u32 flags;
	const struct unified_io_xsk_queue *queues;
	__u32 nr_queues;
	__u32 ring;
	__u64 addr;
	__u64 len;
	__u32 frame_size;
	__u32 headroom;
};

/**
 * struct unified_io_xsk_frame - a packet, or a piece of one
 * @addr: offset of its bytes in the data area
 * @len: bytes
 * @more: the packet goes on in the next frame of this queue (with F_SG)
 */
struct unified_io_xsk_frame {
	__u64 addr;
	__u32 len;
	bool more;
};

struct unified_io_xsk;

/**
 * unified_io_xsk_open - make a part of the data area the UMEM of sockets
 * @xsk: out
 * @io: the region; has to outlive it
 * @params: copied, but for the interfaces' names and maps, which are not needed later
 *
 * A queue whose last user has only just gone is waited for, up to five seconds in each mode.
 * Return: 0, or a negative errno; unified_io_hint(UNIFIED_IO_CALL_XSK, it) says what
 * is missing. In mode AUTO that of ZEROCOPY is kept for unified_io_xsk_why().
 */
int unified_io_xsk_open(struct unified_io_xsk **xsk, struct unified_io *io,
			const struct unified_io_xsk_params *params);

/**
 * unified_io_xsk_close - close the sockets
 * @xsk: NULL is none
 *
 * What has not left yet may be lost. The kernel lets go of queues and memory some time
 * later; until then it holds the pages, whatever becomes of the region.
 */
void unified_io_xsk_close(struct unified_io_xsk *xsk);

/**
 * unified_io_xsk_mode - which it is
 * @xsk: open
 *
 * Return: ZEROCOPY or COPY, as the kernel says (getsockopt XDP_OPTIONS).
 */
enum unified_io_xsk_mode unified_io_xsk_mode(const struct unified_io_xsk *xsk);

/**
 * unified_io_xsk_why - why it is not ZEROCOPY
 * @xsk: opened with mode AUTO
 *
 * Return: a negative errno, or 0.
 */
int unified_io_xsk_why(const struct unified_io_xsk *xsk);

/**
 * unified_io_xsk_copied - bytes of packets that were copied, in either direction
 * @xsk: open
 *
 * Return: bytes. In mode COPY all of them, though there are drivers that fetch what is
 * sent without a copy there, too.
 */
__u64 unified_io_xsk_copied(const struct unified_io_xsk *xsk);

/**
 * unified_io_xsk_fd - a queue's socket: to poll(), for its options and statistics
 * @xsk: open
 * @queue: of params.queues
 *
 * Return: the file descriptor.
 */
int unified_io_xsk_fd(const struct unified_io_xsk *xsk, __u32 queue);

/**
 * unified_io_xsk_recv - the next frame that has come
 * @xsk: for it
 * @queue: of params.queues
 * @frame: out: the program's until it gives it back
 *
 * Return: false if there is none; wait then.
 */
bool unified_io_xsk_recv(struct unified_io_xsk *xsk, __u32 queue,
			 struct unified_io_xsk_frame *frame);

/**
 * unified_io_xsk_alloc - a frame to fill and send
 * @xsk: for it
 * @queue: whose frame
 * @addr: out: offset of the frame in the data area
 *
 * Return: 0, or -ENOBUFS: all frames are in use.
 */
int unified_io_xsk_alloc(struct unified_io_xsk *xsk, __u32 queue, __u64 *addr);

/**
 * unified_io_xsk_release - a frame is not needed any more
 * @xsk: for it
 * @addr: anywhere in the frame
 *
 * Seen by the kernel after unified_io_xsk_flush() or _wait().
 * Return: 0; -ERANGE outside the UMEM, or -EINVAL if the frame is not the program's.
 */
int unified_io_xsk_release(struct unified_io_xsk *xsk, __u64 addr);

/**
 * unified_io_xsk_send - send bytes of a frame, and give the frame back
 * @xsk: for it
 * @queue: to send through
 * @frame: a packet, from its first byte of Ethernet header on, anywhere in a frame that
 *	the program has; with @more (and F_SG) a piece, the next call brings the next
 *
 * It leaves with unified_io_xsk_flush() or _wait(); the frame is free when the packet
 * has left.
 * Return: 0; -EBUSY with params.ring on their way; -ERANGE if it is not within one
 * frame of the UMEM, -EINVAL if the frame is not the program's or @more is without F_SG,
 * -EMSGSIZE without bytes.
 */
int unified_io_xsk_send(struct unified_io_xsk *xsk, __u32 queue,
			const struct unified_io_xsk_frame *frame);

/**
 * unified_io_xsk_flush - give the kernel of a queue what was released and sent
 * @xsk: for it
 * @queue: which
 *
 * Return: 0; 1 if the kernel could not take all that is to be sent yet: call again;
 * or a negative errno: ENETDOWN, or ENXIO if the interface is gone.
 */
int unified_io_xsk_flush(struct unified_io_xsk *xsk, __u32 queue);

/**
 * unified_io_xsk_wait - flush all queues, and wait for packets or completions
 * @xsk: for it
 * @timeout_ns: longest wait; 0 for no limit
 *
 * Ends when a queue has received or the region's CQ holds completions.
 * Return: 0, or a negative errno: ETIME, EINTR, and those of unified_io_xsk_flush().
 */
int unified_io_xsk_wait(struct unified_io_xsk *xsk, __u64 timeout_ns);

#ifdef __cplusplus
}
#endif

#endif /* UNIFIED_IO_XSK_H */
