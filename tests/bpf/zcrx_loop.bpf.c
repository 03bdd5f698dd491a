// SPDX-License-Identifier: GPL-2.0
/*
 * NIC -> BPF -> NVMe in the kernel: takes what arrives, changes every byte of it in
 * place, gathers it to records and submits their writes; gives the buffers back when
 * these are done. It stops at the stream's end, or with @error.
 */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <unified_io_loop_bpf.h>
#include "zcrx_loop.h"

char _license[] SEC("license") = "GPL";

#define ENOMEM		12
#define ENOSPC		28
#define ETIME		62
#define ENOBUFS		105
#define EFAULT		14
#define NR_WAITING	8192	/* arrivals */
#define MAX_RANGES	(UNIFIED_IO_RANGES_MAX - 1)	/* and the tail */
#define RETRY_NS	1000000
#define RECV		1ULL	/* user_data of the receive's CQEs */
#define WATCH		2ULL	/* of those that tell of completions; the user_data of a chain is its record */
#define RETRY		3ULL	/* of the timer's */

struct arrival {
	__u64 off;
	__u32 len;
};

struct record {
	bool busy;		/* on its way to the drive, or being filled, or written */
	bool written;		/* and arrivals are yet to be given back */
	__u32 nr;		/* ranges; the first is the head */
	__u32 len;		/* bytes in them */
	__u32 payload;
	__u32 nr_arrivals;
	__u32 nr_released;
	__u64 arrivals[UNIFIED_IO_RANGES_MAX];	/* to be given back */
};

/* set by the process: constants, then what to receive from */
const volatile __u64 slots;	/* offset of the records' memory in the region */
const volatile __u32 lba_size, align;
const volatile __u64 mask;
__s32 fd;

/* told to the process */
__s32 error;
__u64 received, written, end, copied, nr_steps, nr_chains, nr_rearmed, nr_kept;

static struct record records[NR_RECORDS];
static struct arrival waiting[NR_WAITING];
static __u32 first_waiting, nr_waiting, in_flight, current = NR_RECORDS;
static bool armed, watched, ended, stalled, keeps, timed;

static __u64 slot_of(__u32 record)
{
	return slots + (__u64)record * SLOT_SIZE;
}

/* Every byte, where it lies. */
static void change(struct loop_rings *rings, const struct arrival *a)
{
	__u32 i;

	bpf_for(i, 0, a->len / 8) {
		__u64 *word = loop_mem(rings, a->off + i * 8, 8);

		if (word)
			*word ^= mask;
	}
	bpf_for(i, a->len & ~7U, a->len) {
		__u8 *byte = loop_mem(rings, a->off + i, 1);

		if (byte)
			*byte ^= (__u8)mask;
	}
}

static void put_range(struct loop_rings *rings, __u32 nr, __u64 off, __u32 len)
{
	struct unified_net_iov *range;

	if (current >= NR_RECORDS)
		return;
	range = loop_mem(rings, slot_of(current) + nr * sizeof(*range), sizeof(*range));
	if (!range)
		return;
	range->addr = off - loop.data;
	range->len = len;
	range->resv = 0;
}

/* False: all records are on their way. */
static bool begin(struct loop_rings *rings)
{
	struct record *r;
	__u32 i;

	if (current < NR_RECORDS)
		return true;
	bpf_for(i, 0, NR_RECORDS) {
		if (i >= NR_RECORDS || records[i].busy)
			continue;
		r = &records[i];
		r->busy = true;
		r->nr = 1;
		r->len = lba_size;
		r->payload = 0;
		r->nr_arrivals = 0;
		r->nr_released = 0;
		current = i;
		put_range(rings, 0, slot_of(i) + SLOT_HEAD, lba_size);
		return true;
	}
	return false;
}

/* Zeroes up to a whole block, behind what is in the tail already. */
static void pad(struct loop_rings *rings, struct record *r, __u32 in_tail)
{
	__u32 len = in_tail + (-(r->len + in_tail) & (lba_size - 1));

	if (!len)
		return;
	put_range(rings, r->nr++, slot_of(current) + SLOT_TAIL, len);
	r->len += len;
}

static void submit(struct loop_rings *rings, __u32 in_tail)
{
	struct unified_descriptor *desc;
	struct record_head *head;
	struct record *r;

	if (current >= NR_RECORDS)
		return;
	r = &records[current];
	pad(rings, r, in_tail);
	desc = loop_desc(rings);
	head = loop_mem(rings, slot_of(current) + SLOT_HEAD, sizeof(*head));
	if (!desc || !head) {
		error = -ENOBUFS;	/* there are fewer records than descriptors */
		return;
	}
	*head = (struct record_head){
		.magic = RECORD_MAGIC, .size = r->len, .offset = written, .len = r->payload,
	};
	desc->addr = slot_of(current) - loop.data;
	desc->len = r->nr * sizeof(struct unified_net_iov);
	desc->flags = UNIFIED_IO_DESC_F_RANGES;
	desc->type = UNIFIED_REGION_F_NVME;
	desc->nvme.opcode = NVME_CMD_WRITE;
	desc->nvme.slba = end / lba_size;
	desc->user_data = current;
	written += r->payload;
	end += r->len;
	in_flight++;
	nr_chains++;
	current = NR_RECORDS;
}

/* What follows a length that the drive cannot gather has to be in the next record. */
static __u32 to_tail(struct loop_rings *rings, const struct arrival *a)
{
	__u32 i, odd = a->len & (align - 1);

	bpf_for(i, 0, odd) {
		__u8 *from = loop_mem(rings, a->off + a->len - odd + i, 1);
		__u8 *to = loop_mem(rings, slot_of(current) + SLOT_TAIL + i, 1);

		if (from && to)
			*to = *from;
	}
	/* the record before left its own */
	bpf_for(i, odd, align) {
		__u8 *to = loop_mem(rings, slot_of(current) + SLOT_TAIL + i, 1);

		if (to)
			*to = 0;
	}
	copied += odd;
	return odd;
}

/* @a to the current record. False: there is none. */
static bool add(struct loop_rings *rings, const struct arrival *a)
{
	struct record *r;
	__u32 odd;

	if (!begin(rings) || current >= NR_RECORDS)
		return false;
	r = &records[current];
	odd = to_tail(rings, a);
	if (r->nr_arrivals < UNIFIED_IO_RANGES_MAX)
		r->arrivals[r->nr_arrivals++] = a->off;
	if (a->len > odd)
		put_range(rings, r->nr++, a->off, a->len - odd);
	r->len += a->len - odd;
	r->payload += a->len;
	if (odd || r->nr >= MAX_RANGES)
		submit(rings, odd);
	return true;
}

/* The buffers of a record that has been written; what there is no room for in a later step. */
static void give_back(struct loop_rings *rings, struct record *r)
{
	__u32 i;

	bpf_for(i, r->nr_released, r->nr_arrivals) {
		if (i >= UNIFIED_IO_RANGES_MAX || !loop_release(rings, r->arrivals[i]))
			break;
		r->nr_released++;
	}
	r->written = r->nr_released < r->nr_arrivals;
	r->busy = r->written;
	keeps |= r->written;
	nr_kept += r->nr_arrivals - r->nr_released;
}

static void give_back_all(struct loop_rings *rings)
{
	__u32 i;

	keeps = false;
	bpf_for(i, 0, NR_RECORDS)
		if (i < NR_RECORDS && records[i].written)
			give_back(rings, &records[i]);
}

static void done(struct loop_rings *rings, const struct unified_completion *c)
{
	__u32 index = c->user_data;
	struct record *r;

	if (index >= NR_RECORDS)
		return;
	r = &records[index];
	if (c->res != r->len && !error)
		error = c->res < 0 ? c->res : -EFAULT;
	copied += c->copied;
	give_back(rings, r);
	in_flight--;
}

static void arrived(struct loop_rings *rings, const struct io_uring_cqe *cqe)
{
	struct arrival *a;

	if (!(cqe->flags & LOOP_CQE_F_MORE)) {
		armed = false;
		if (cqe->res == -ENOMEM || cqe->res == -ENOSPC) {
			/* no buffer, or the CQ was full: go on when there is room */
			nr_rearmed++;
			stalled = cqe->res == -ENOMEM;
			return;
		}
		ended = true;
		if (cqe->res)
			error = cqe->res;
		return;
	}
	if (nr_waiting >= NR_WAITING) {
		error = -ENOBUFS;
		return;
	}
	a = &waiting[(first_waiting + nr_waiting++) & (NR_WAITING - 1)];
	a->off = loop_arrival(rings, cqe);
	a->len = cqe->res;
	received += cqe->res;
	change(rings, a);
}

static void told(const struct io_uring_cqe *cqe)
{
	switch (cqe->user_data) {
	case WATCH:
		watched = cqe->flags & LOOP_CQE_F_MORE;
		break;
	case RETRY:
		timed = false;
		stalled = false;
		if (cqe->res != -ETIME)
			error = cqe->res;
		break;
	}
}

static void take_all(struct loop_rings *rings)
{
	struct io_uring_cqe *cqe;
	__u32 i;

	bpf_for(i, 0, loop.cq_entries) {
		cqe = loop_cqe(rings);
		if (!cqe)
			break;
		if (cqe->user_data == RECV)
			arrived(rings, cqe);
		else
			told(cqe);
	}
}

static void complete_all(struct loop_rings *rings)
{
	struct unified_completion *c;
	__u32 i;

	bpf_for(i, 0, loop.nr_completions) {
		c = loop_done(rings);
		if (!c)
			break;
		done(rings, c);
	}
}

static void store_all(struct loop_rings *rings)
{
	__u32 i;

	bpf_for(i, 0, NR_WAITING) {
		if (!nr_waiting || error || !add(rings, &waiting[first_waiting & (NR_WAITING - 1)]))
			break;
		first_waiting++;
		nr_waiting--;
	}
	/* There is time to fill a record while another is on its way. */
	if (current < NR_RECORDS && (ended || !in_flight))
		submit(rings, 0);
}

SEC("struct_ops.s/loop_step")
int BPF_PROG(step, struct iou_ctx *iou, struct iou_loop_params *params)
{
	struct loop_rings rings;
	int ret;

	if (!loop_begin(&rings, iou)) {
		error = -EFAULT;
		return IOU_LOOP_STOP;
	}
	nr_steps++;
	give_back_all(&rings);
	complete_all(&rings);
	take_all(&rings);
	store_all(&rings);
	if (!watched)
		watched = loop_watch(&rings, WATCH);
	if ((keeps || stalled) && !timed)
		timed = loop_timer(&rings, RETRY_NS, RETRY);
	if (!armed && !ended && !stalled && !error)
		armed = loop_recv(&rings, fd, RECV);
	ret = loop_end(&rings, iou, params);
	if (ret < 0) {
		error = ret;
		in_flight -= loop_untaken(&rings);
	}
	return !in_flight && (error || (ended && !nr_waiting)) ? IOU_LOOP_STOP : IOU_LOOP_CONTINUE;
}

SEC(".struct_ops.link")
struct io_uring_bpf_ops loop_ops = { .loop_step = (void *)step };
