// SPDX-License-Identifier: GPL-2.0
/* Sends, ours: a batch of descriptors is one ENTER; or each is a SUBMIT, as each send() is a call. */
#include <err.h>
#include <string.h>

#include <unified_io.h>

#include "send.h"

static const struct send_job *job;

struct ours {
	struct unified_io	io;
	unsigned int		slot;
	unsigned int		next;
	unsigned int		inflight;
};

static struct ours batched, each;

static void ours_open(struct ours *o, const struct send_job *j, int sk)
{
	struct unified_io_setup setup;
	int ret;

	job = j;
	unified_io_defaults(&setup);
	setup.sq_entries = DEPTH_MAX;
	setup.cq_entries = DEPTH_MAX;
	setup.region_size = ((uint64_t)j->size * j->depth + (4 << 20)) & -(2ULL << 20);
	ret = unified_io_open(&o->io, &setup);
	if (ret)
		errx(1, "region: %s", unified_io_hint(UNIFIED_IO_CALL_OPEN, ret));
	memset(o->io.data, 1, (size_t)j->size * j->depth);
	ret = unified_io_attach_socket(&o->io, sk);
	if (ret < 0)
		errx(1, "socket: %s", strerror(-ret));
	o->slot = ret;
}

static void ours_reap(struct ours *o)
{
	const struct unified_completion *cqe;

	while ((cqe = unified_io_peek(&o->io))) {
		if (cqe->res != (int)job->size)
			errx(1, "send: %d", cqe->res);
		o->inflight--;
		unified_io_consume(&o->io, 1);
	}
}

static void ours_enter(struct ours *o, unsigned int min)
{
	int ret = unified_io_submit_and_wait(&o->io, min, 0);

	if (ret < 0)
		errx(1, "%s", unified_io_hint(UNIFIED_IO_CALL_SUBMIT, ret));
	ours_reap(o);
}

/* Sends to one socket end in order, so the oldest buffer is the next to be free. */
static void ours_prep(struct ours *o, struct unified_descriptor *desc)
{
	unified_io_prep_send(desc, o->slot, (uint64_t)(o->next++ & (job->depth - 1)) * job->size,
			     job->size);
	o->inflight++;
}

static void ours_wait_buffer(struct ours *o)
{
	while (o->inflight == job->depth)
		ours_enter(o, 1);
}

static void ours_settle(struct ours *o)
{
	while (o->inflight)
		ours_enter(o, 1);
}

static uint64_t ours_copied(struct ours *o)
{
	struct unified_io_info info;

	if (unified_io_get_info(&o->io, &info))
		errx(1, "no information");
	return info.stage[UNIFIED_IO_STAGE_SEND].copied;
}

static void batched_open(const struct send_job *j, int sk)
{
	ours_open(&batched, j, sk);
}

static void batched_batch(void)
{
	for (unsigned int i = 0; i < job->batch; i++) {
		ours_wait_buffer(&batched);
		ours_prep(&batched, unified_io_get_desc(&batched.io));
	}
	ours_enter(&batched, 0);
}

static void batched_settle(void)
{
	ours_settle(&batched);
}

static uint64_t batched_copied(void)
{
	return ours_copied(&batched);
}

const struct contender contender_ours = {
	.name = "ours",
	.open = batched_open,
	.batch = batched_batch,
	.settle = batched_settle,
	.copied = batched_copied,
};

static void each_open(const struct send_job *j, int sk)
{
	ours_open(&each, j, sk);
}

static void each_batch(void)
{
	struct unified_descriptor desc;

	for (unsigned int i = 0; i < job->batch; i++) {
		ours_wait_buffer(&each);
		ours_prep(&each, &desc);
		if (unified_io_submit_one(&each.io, &desc))
			errx(1, "SUBMIT");
		ours_reap(&each);
	}
}

static void each_settle(void)
{
	ours_settle(&each);
}

static uint64_t each_copied(void)
{
	return ours_copied(&each);
}

const struct contender contender_ours_each = {
	.name = "ours, a call each",
	.open = each_open,
	.batch = each_batch,
	.settle = each_settle,
	.copied = each_copied,
};
