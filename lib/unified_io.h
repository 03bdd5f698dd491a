/* SPDX-License-Identifier: GPL-2.0 */
/**
 * DOC: libunified_io - one memory region for sockets, BPF programs and a drive
 *
 * A program opens a region, fills its rings with descriptors of chains, attaches
 * sockets and BPF programs to it, and consumes completions.
 *
 * Return values: a function that can fail returns a negative errno, whose
 * meaning stands in <linux/unified_io_region.h>; unified_io_hint() says what to
 * do about it.
 *
 * Threads: one thread may use the submission side (get, publish, submit), one
 * the completion side (peek, consume), one the Net IOV side (add, publish), all
 * at once; more than one on the same side need a lock of the caller's.
 * Everything else may be called from any thread.
 *
 * Units: addresses are offsets in the data area and lengths are bytes; LBAs
 * count the drive's logical blocks (unified_io_info.lba_size bytes); timeouts
 * are nanoseconds, 0 for none.
 */
#ifndef UNIFIED_IO_H
#define UNIFIED_IO_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <linux/unified_io_region.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bpf_link;
struct bpf_object;

#define UNIFIED_IO_DEVICE "/dev/unified_io_region"

/**
 * struct unified_io - an open region
 * @fd: of the device; poll()able: POLLIN when the CQ holds completions
 * @region_id: the kernel's number for this region
 * @region_size: bytes mapped at @ctrl
 * @ctrl: the head of the region
 * @sq: submission queue entries
 * @cq: completion queue entries
 * @niov: Net IOV ring
 * @data: the data area
 * @data_size: bytes in it
 * @sq_mask: entries - 1
 * @cq_mask: entries - 1
 * @niov_mask: entries - 1
 * @sq_tail: entries handed out; published up to ctrl->sq_tail
 * @cq_head: completions consumed
 * @niov_tail: Net IOVs added; published up to ctrl->niov_tail
 *
 * To be read, not written, by the program. The library trusts no index that
 * it owns to the shared mapping: it keeps them here.
 */
struct unified_io {
	int				fd;
	__u32				region_id;
	__u64				region_size;
	struct unified_io_control	*ctrl;
	struct unified_descriptor	*sq;
	struct unified_completion	*cq;
	struct unified_net_iov		*niov;
	unsigned char			*data;
	__u64				data_size;
	__u32				sq_mask;
	__u32				cq_mask;
	__u32				niov_mask;
	__u32				sq_tail;
	__u32				cq_head;
	__u32				niov_tail;
};

/**
 * DOC: unified_io_setup - open a region, ask about it, understand an error
 *
 * A region is one open file of the device and its mapping.
 */

/**
 * unified_io_defaults - a setup to start from
 * @setup: out: 256 SQ and 512 CQ entries, 64 MiB, no drive
 */
void unified_io_defaults(struct unified_io_setup *setup);

/**
 * unified_io_open - open the device, set a region up and map it
 * @io: out
 * @setup: in: sizes and drive; out: what the kernel filled in. NULL: defaults.
 *
 * The caller may close setup->nvme_fd afterwards: the region keeps the file.
 * Return: 0, or a negative errno; then there is nothing to close.
 */
int unified_io_open(struct unified_io *io, struct unified_io_setup *setup);

/**
 * unified_io_close - unmap and close the region
 * @io: the region; operations in flight end with ECANCELED or are waited for
 */
void unified_io_close(struct unified_io *io);

/**
 * unified_io_get_info - the region's counters and its drive's properties
 * @io: the region
 * @info: out
 *
 * Return: 0, or a negative errno.
 */
int unified_io_get_info(const struct unified_io *io, struct unified_io_info *info);

/**
 * unified_io_query_module - what the loaded module can do on this kernel
 * @query: out
 *
 * Return: 0, or a negative errno.
 */
int unified_io_query_module(struct unified_io_query *query);

/* Which call an errno came from, for unified_io_hint() */
enum unified_io_call {
	UNIFIED_IO_CALL_OPEN,		/* unified_io_open(), unified_io_query_module() */
	UNIFIED_IO_CALL_SUBMIT,		/* unified_io_submit() and the like */
	UNIFIED_IO_CALL_COMPLETION,	/* unified_completion.res, .recv, .nvme, .send */
	UNIFIED_IO_CALL_SOCKET,		/* unified_io_attach_socket() */
	UNIFIED_IO_CALL_XDP,		/* unified_io_attach_xdp() */
	UNIFIED_IO_CALL_OPS,		/* unified_io_load_ops(), unified_io_attach_ops() */
	UNIFIED_IO_CALL_ZCRX,		/* unified_io_zcrx_open(), unified_io_zcrx_why() */
	UNIFIED_IO_CALL_XSK,		/* unified_io_xsk_open() and the like */
};

/**
 * unified_io_hint - the limit, flag or command that helps with an error
 * @call: where the error came from
 * @err: the errno, negative or positive
 *
 * Return: a sentence in static storage; strerror()'s where there is no better.
 */
const char *unified_io_hint(enum unified_io_call call, int err);

/**
 * DOC: unified_io_queue - submit chains, wait for completions, offer buffers
 *
 * The program fills entries of the submission queue (SQ) and the kernel takes
 * them; the kernel fills the completion queue (CQ) and the program consumes it.
 * Multishot receives take their buffers from the Net IOV ring.
 */

/**
 * unified_io_get_desc - the next free SQ entry
 * @io: the region
 *
 * The entry is published by unified_io_submit(). Fill it with
 * unified_io_prep_*() first.
 * Return: the entry, or NULL when the SQ is full: submit, then try again.
 */
struct unified_descriptor *unified_io_get_desc(struct unified_io *io);

/**
 * unified_io_publish - let the kernel see the entries handed out so far
 * @io: the region
 *
 * Return: entries published that the kernel has not taken yet.
 */
unsigned int unified_io_publish(struct unified_io *io);

/**
 * unified_io_enter - the bare ioctl
 * @io: the region
 * @to_submit: at most this many published entries are taken
 * @min_complete: wait until so many completions are in the CQ, unconsumed ones
 *	included, or nothing is in flight; at most the CQ size
 * @timeout_ns: longest wait; 0 for no limit
 *
 * Return: entries taken, or a negative errno (EBUSY, ETIME, EINTR, ...).
 */
int unified_io_enter(struct unified_io *io, unsigned int to_submit,
		     unsigned int min_complete, __u64 timeout_ns);

/**
 * unified_io_submit_and_wait - publish, submit, and wait
 * @io: the region
 * @min_complete: as for unified_io_enter()
 * @timeout_ns: as for unified_io_enter()
 *
 * Also the call to make after the program has consumed completions or added
 * Net IOVs that the kernel was waiting for; see unified_io_needs_enter().
 * Return: entries taken, or a negative errno.
 */
int unified_io_submit_and_wait(struct unified_io *io, unsigned int min_complete,
			       __u64 timeout_ns);

/** unified_io_submit - unified_io_submit_and_wait() without the wait */
int unified_io_submit(struct unified_io *io);

/**
 * unified_io_submit_one - submit a descriptor by value, past the SQ
 * @io: the region
 * @desc: the descriptor
 *
 * May be called from any thread. For a send alone, of less than some 16 KiB, send(2)
 * from &io->data is the cheaper call; it overtakes what is in flight to that socket.
 * Return: 0, or a negative errno: why it was refused.
 */
int unified_io_submit_one(struct unified_io *io, const struct unified_descriptor *desc);

/**
 * unified_io_needs_enter - does the kernel wait for the program?
 * @io: the region
 *
 * Return: true after the CQ was full or Net IOVs ran out: having mended that,
 * the program calls unified_io_submit().
 */
bool unified_io_needs_enter(const struct unified_io *io);

/**
 * unified_io_peek - the oldest completion not yet consumed
 * @io: the region
 *
 * Return: the completion, valid until unified_io_consume(), or NULL.
 */
const struct unified_completion *unified_io_peek(const struct unified_io *io);

/**
 * unified_io_consume - hand the oldest completions' slots back
 * @io: the region
 * @nr: how many; at most as many as are ready
 */
void unified_io_consume(struct unified_io *io, unsigned int nr);

/**
 * unified_io_wait - submit what is pending and wait for a completion
 * @io: the region
 * @cqe: out: a copy of the oldest completion, which is consumed
 * @timeout_ns: longest wait; 0 for no limit
 *
 * Uses both sides, so it is for programs whose one thread has both. A thread
 * that only completes calls unified_io_enter(io, 0, 1, timeout_ns) and
 * unified_io_peek().
 *
 * Return: 0, or a negative errno: ETIME, EINTR, or ENODATA when nothing is in
 * flight to wait for. What was pending has been submitted then.
 */
int unified_io_wait(struct unified_io *io, struct unified_completion *cqe, __u64 timeout_ns);

/**
 * unified_io_add_buffer - offer a buffer for multishot receives
 * @io: the region
 * @addr: offset in the data area
 * @len: bytes
 *
 * Seen by the kernel after unified_io_publish_buffers().
 * Return: 0, or -ENOBUFS when the Net IOV ring is full.
 */
int unified_io_add_buffer(struct unified_io *io, __u64 addr, __u32 len);

/** unified_io_publish_buffers - let the kernel see the buffers added so far */
void unified_io_publish_buffers(struct unified_io *io);

/**
 * unified_io_add_buffers - cut an area into equal buffers, add and publish them
 * @io: the region
 * @addr: offset of the area
 * @len: bytes in each buffer
 * @nr: how many
 *
 * Return: 0, or -ENOBUFS (the ring is full; those before it were added) or
 * -ERANGE (the area does not fit the data area; none was added).
 */
int unified_io_add_buffers(struct unified_io *io, __u64 addr, __u32 len, unsigned int nr);

/**
 * DOC: unified_io_socket - sockets that chains receive from and send to
 *
 * A region has slots, each with a socket; descriptors name the slot.
 */

/**
 * unified_io_attach_socket - give a socket to the region
 * @io: the region
 * @fd: connected TCP, bound or connected UDP, or AF_PACKET socket; the caller
 *	may close it afterwards
 *
 * Return: its slot, or a negative errno.
 */
int unified_io_attach_socket(struct unified_io *io, int fd);

/**
 * unified_io_detach_socket - empty a slot
 * @io: the region
 * @slot: the slot; operations that wait on it end with ECANCELED
 *
 * Return: 0, or a negative errno.
 */
int unified_io_detach_socket(struct unified_io *io, unsigned int slot);

/**
 * DOC: unified_io_bpf - BPF programs that chains run on their data
 *
 * Either XDP programs as they are, or struct_ops of type unified_io_bpf_ops, for
 * which <unified_io_bpf.h> has what the program sees. libbpf loads them.
 */

/**
 * unified_io_attach_xdp - attach an ordinary XDP program
 * @io: the region
 * @prog_fd: the program, loaded, not attached to a device
 *
 * Return: its id, for unified_io_then_bpf(), or a negative errno.
 */
int unified_io_attach_xdp(struct unified_io *io, int prog_fd);

/**
 * unified_io_replace_xdp - put a program in the place of another
 * @io: the region
 * @prog_id: the one to replace
 * @prog_fd: the new one
 *
 * Return: the new program's id, or a negative errno.
 */
int unified_io_replace_xdp(struct unified_io *io, __u32 prog_id, int prog_fd);

/** unified_io_detach_xdp - detach the XDP program @prog_id */
int unified_io_detach_xdp(struct unified_io *io, __u32 prog_id);

/**
 * unified_io_bind_ops - make an object's unified_io_bpf_ops this region's
 * @io: the region
 * @obj: object or skeleton's object, opened and not yet loaded
 *
 * Sets region_id in each of them.
 *
 * Return: 0, or -ENOENT if the object has no such struct_ops.
 */
int unified_io_bind_ops(const struct unified_io *io, struct bpf_object *obj);

/**
 * unified_io_order_ops - give an object's unified_io_bpf_ops a place
 * @obj: object or skeleton's object, opened and not yet loaded
 * @order: 0 (what the object has if this is not called) to %UNIFIED_IO_MAX_OPS - 1;
 *	a region's programs run in this order
 *
 * Return: 0, -ENOENT if the object has no such struct_ops, or -EINVAL if it was
 * compiled with a header that knows no order.
 */
int unified_io_order_ops(struct bpf_object *obj, __u32 order);

/**
 * unified_io_attach_ops - attach a loaded object's first struct_ops
 * @obj: the object, bound with unified_io_bind_ops() and loaded
 * @link: out: bpf_link__destroy() detaches; bpf_link__update_map() replaces
 *
 * With several in one object, use bpf_map__attach_struct_ops() on each.
 * Return: 0, or a negative errno.
 */
int unified_io_attach_ops(struct bpf_object *obj, struct bpf_link **link);

/**
 * unified_io_load_ops - open, bind, load and attach an object file
 * @io: the region
 * @path: the BPF object file
 * @obj: out: bpf_object__close() it after the link is destroyed
 * @link: out
 *
 * Return: 0, or a negative errno; then there is nothing to close.
 */
int unified_io_load_ops(const struct unified_io *io, const char *path,
			struct bpf_object **obj, struct bpf_link **link);

/**
 * DOC: unified_io_prep - describe a chain
 *
 * unified_io_prep_*() starts a chain and zeroes what it does not set;
 * unified_io_then_*() adds a stage. The kernel runs the stages in the order
 * receive, read, BPF, write, flush, send, whatever the order here.
 */

/** unified_io_prep_buffer - a chain on data that the program put there itself */
static inline void unified_io_prep_buffer(struct unified_descriptor *desc, __u64 addr, __u32 len)
{
	memset(desc, 0, sizeof(*desc));
	desc->addr = addr;
	desc->len = len;
}

/** unified_io_prep_read - @len bytes of the drive, from block @slba, to @addr */
static inline void unified_io_prep_read(struct unified_descriptor *desc, __u64 addr, __u32 len,
					__u64 slba)
{
	unified_io_prep_buffer(desc, addr, len);
	desc->type = UNIFIED_REGION_F_NVME;
	desc->nvme.opcode = NVME_CMD_READ;
	desc->nvme.slba = slba;
}

/**
 * unified_io_then_write - write the data to the drive, from block @slba
 * @desc: the chain
 * @slba: first logical block
 * @nvme_flags: UNIFIED_IO_NVME_F_*
 */
static inline void unified_io_then_write(struct unified_descriptor *desc, __u64 slba,
					 __u8 nvme_flags)
{
	desc->type |= UNIFIED_REGION_F_NVME;
	desc->nvme.opcode = NVME_CMD_WRITE;
	desc->nvme.flags = nvme_flags;
	desc->nvme.slba = slba;
}

/** unified_io_prep_write - @len bytes at @addr to the drive, from block @slba */
static inline void unified_io_prep_write(struct unified_descriptor *desc, __u64 addr, __u32 len,
					 __u64 slba)
{
	unified_io_prep_buffer(desc, addr, len);
	unified_io_then_write(desc, slba, 0);
}

/** unified_io_prep_flush - make all completed writes stable */
static inline void unified_io_prep_flush(struct unified_descriptor *desc)
{
	unified_io_prep_buffer(desc, 0, 0);
	desc->type = UNIFIED_REGION_F_NVME;
	desc->nvme.opcode = NVME_CMD_FLUSH;
}

/** unified_io_prep_recv - one receive from @slot, of up to @len bytes, to @addr */
static inline void unified_io_prep_recv(struct unified_descriptor *desc, unsigned int slot,
					__u64 addr, __u32 len)
{
	unified_io_prep_buffer(desc, addr, len);
	desc->type = UNIFIED_REGION_F_NETWORK;
	desc->net.flags = UNIFIED_IO_NET_F_RECV;
	desc->net.slot = (__u16)slot;
}

/**
 * unified_io_prep_recv_multishot - receive into Net IOVs until the stream ends
 * @desc: the chain, which runs once for each arrival
 * @slot: socket slot
 * @headroom: bytes left free at the head of each buffer
 * @flags: UNIFIED_IO_DESC_F_* beside MULTISHOT
 */
static inline void unified_io_prep_recv_multishot(struct unified_descriptor *desc,
						  unsigned int slot, __u32 headroom, __u16 flags)
{
	unified_io_prep_recv(desc, slot, 0, 0);
	desc->flags = (__u16)(UNIFIED_IO_DESC_F_MULTISHOT | flags);
	desc->net.headroom = headroom;
}

/** unified_io_then_send - send the data to @slot */
static inline void unified_io_then_send(struct unified_descriptor *desc, unsigned int slot)
{
	desc->type |= UNIFIED_REGION_F_NETWORK;
	desc->net.flags |= UNIFIED_IO_NET_F_SEND;
	desc->net.tx_slot = (__u16)slot;
}

/** unified_io_prep_send - send @len bytes at @addr to @slot */
static inline void unified_io_prep_send(struct unified_descriptor *desc, unsigned int slot,
					__u64 addr, __u32 len)
{
	unified_io_prep_buffer(desc, addr, len);
	unified_io_then_send(desc, slot);
}

/**
 * unified_io_then_bpf - run a program on the data
 * @desc: the chain
 * @prog_id: an attached XDP program's id; 0 for the region's struct_ops
 * @arg: handed to the program
 */
static inline void unified_io_then_bpf(struct unified_descriptor *desc, __u32 prog_id, __u32 arg)
{
	desc->type |= UNIFIED_REGION_F_BPF;
	desc->bpf.prog_id = prog_id;
	desc->bpf.arg = arg;
}

#ifdef __cplusplus
}
#endif

#endif /* UNIFIED_IO_H */
