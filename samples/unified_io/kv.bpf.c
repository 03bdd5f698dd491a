// SPDX-License-Identifier: GPL-2.0
/*
 * kv's program: requests in, answers out, what has to last on the way to the
 * drive. What one receive brought is a batch: its requests are carried out in
 * order, and if there is a SET among them, the batch itself, as it came from
 * the network, becomes one record of the log, which is on the drive before the
 * answers go out. To replay the log is to carry the requests out again.
 *
 * Connections run on several CPUs at once. A value changes under the lock of
 * its entry, the end of the log under its own. A GET can see another
 * connection's SET that is still on its way to the drive.
 */
#include "vmlinux.h"
#include <asm-generic/errno.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include <unified_io_bpf.h>
#include <unified_io_log.h>
#include "kv.h"
#include "unified_io_log_bpf.h"
#include "resp.bpf.h"

char LICENSE[] SEC("license") = "GPL";

struct kv_key {
	__u32 len;
	__u8 bytes[KV_KEY_MAX];
};

/* A whole value is copied under the lock: words, and no loop for the verifier. */
struct kv_value { __u64 words[KV_VALUE_MAX / 8]; };

struct kv_entry {
	struct bpf_spin_lock lock;
	__u32 len;
	__u64 order;		/* of the batch that set it, from 1: the newest stays */
	struct kv_value value;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1 << 20);
	__type(key, struct kv_key);
	__type(value, struct kv_entry);
} table SEC(".maps");

__u64 log_id;			/* 0: not known yet */
const volatile __u64 log_end;	/* no record reaches this block */

__u64 recovered_records;
__u64 recovered_end;		/* the block behind the last of them */

static struct {
	struct bpf_spin_lock lock;
	struct log_tail tail;
	__u64 lba;		/* where the next record goes */
} the_log SEC(".data.log");

static __u64 blank[sizeof(struct kv_entry) / 8];

/* To count from: the verifier ends a loop only if it cannot tell the rounds apart. */
__u32 unknown_zero;

/* One receive, or one record that is replayed. */
struct kv_batch {
	struct log_tail tail;	/* its place in the log, ... */
	__u64 lba;
	__u64 order;		/* ... once this is not 0 */
	__u32 answered;		/* bytes of answers, from offset 0 */
	__u32 scratch;		/* where there is room for a value */
	bool replay;		/* nobody waits for answers */
};

/* Room for the longest answer, or NULL. */
static __always_inline __u8 *answer_room(struct unified_io_bpf_ctx *ctx,
					 const struct kv_batch *batch)
{
	if (batch->replay || batch->answered > KV_SCRATCH - KV_ANSWER_MAX)
		return NULL;
	return bpf_uior_data(ctx, batch->answered, KV_ANSWER_MAX);
}

static __always_inline void answer(struct unified_io_bpf_ctx *ctx, struct kv_batch *batch,
				   const char *text, const __u32 len)
{
	__u8 *p = answer_room(ctx, batch);

	if (!p)
		return;
	__builtin_memcpy(p, text, len);
	batch->answered += len;
}

#define ANSWER(ctx, batch, text) answer(ctx, batch, text "\r\n", sizeof(text) + 1)

/* Gives the batch its place in the log. Returns false if the log is full. */
static __noinline bool reserve_record(struct unified_io_bpf_ctx *ctx, struct kv_batch *batch,
				      __u32 len)
{
	__u32 blocks = record_size(ctx, len) / (ctx->lba_size ?: 512);
	bool room;

	bpf_spin_lock(&the_log.lock);
	batch->tail = the_log.tail;
	batch->lba = the_log.lba;
	room = batch->lba + blocks <= log_end;
	if (room) {
		the_log.tail.seq++;
		the_log.tail.offset += len;
		the_log.lba += blocks;
	}
	bpf_spin_unlock(&the_log.lock);
	if (room)
		batch->order = batch->tail.seq + 1;
	return room;
}

struct window_key { __u8 bytes[KV_KEY_MAX]; };

__noinline int scan_key(struct kv_key *key __arg_nonnull,
			const struct window_key *window __arg_nonnull, __u32 at, __u32 len)
{
	__u32 i;

	for (i = 0; i < KV_KEY_MAX && i < len; i++) {
		__u32 index = at + i;

		barrier_var(index);
		if (index >= KV_KEY_MAX)
			return -ERANGE;
		key->bytes[i] = window->bytes[index];
	}
	return 0;
}

static __always_inline bool make_key(struct unified_io_bpf_ctx *ctx,
				     const struct resp_request *req, struct kv_key *key)
{
	const __u8 *p;
	__u32 at;

	__builtin_memset(key, 0, sizeof(*key));
	key->len = req->len[1];
	p = window(ctx, req->off[1], KV_KEY_MAX, &at);
	if (!p || key->len > KV_KEY_MAX)
		return false;
	return !scan_key(key, (const struct window_key *)p, at, key->len);
}

struct window_answer { __u8 bytes[KV_ANSWER_MAX]; };

/* "$<len>\r\n<value>\r\n"; returns how long that is. */
__noinline __u32 put_value(struct window_answer *answer __arg_nonnull,
			   const struct kv_value *value __arg_nonnull, __u32 len)
{
	__u32 digits = 1 + (len >= 10) + (len >= 100) + (len >= 1000), rest = len, at, i;
	__u8 *p = answer->bytes;

	if (len > KV_VALUE_MAX)
		return 0;
	p[0] = '$';
	for (i = digits; i > 0; i--) {
		p[i & 7] = '0' + rest % 10;
		rest /= 10;
	}
	p[(digits + 1) & 7] = '\r';
	p[(digits + 2) & 7] = '\n';
	at = (digits + 3) & 7;
	for (i = 0; i < KV_VALUE_MAX / 8 && i * 8 < len; i++)
		*(__u64 *)(p + at + i * 8) = value->words[i];
	p[at + len] = '\r';
	p[at + len + 1] = '\n';
	return at + len + 2;
}

static __noinline int get(struct unified_io_bpf_ctx *ctx, struct kv_batch *batch,
			  const struct resp_request *req)
{
	struct kv_entry *entry;
	struct kv_value *value;
	struct kv_key key;
	__u32 len;
	__u8 *p;

	if (!make_key(ctx, req, &key)) {
		ANSWER(ctx, batch, "-ERR the key is too long");
		return 0;
	}
	entry = bpf_map_lookup_elem(&table, &key);
	if (!entry || !entry->order) {
		ANSWER(ctx, batch, "$-1");
		return 0;
	}
	value = (struct kv_value *)bpf_uior_data(ctx, batch->scratch, KV_VALUE_MAX);
	p = answer_room(ctx, batch);
	if (!p || !value)
		return 0;
	bpf_spin_lock(&entry->lock);
	*value = entry->value;
	len = entry->len;
	bpf_spin_unlock(&entry->lock);
	batch->answered += put_value((struct window_answer *)p, value, len);
	return 0;
}

struct window_value { __u8 bytes[KV_VALUE_MAX]; };

/* The @len bytes from @at of the window, as words. */
__noinline int scan_value(struct kv_value *value __arg_nonnull,
			  const struct window_value *window __arg_nonnull, __u32 at, __u32 len)
{
	__u32 i, index, whole = len & ~7;
	__u64 word = 0;

	for (i = 0; i < KV_VALUE_MAX && i < whole; i += 8) {
		index = at + i;
		barrier_var(index);
		if (index > KV_VALUE_MAX - 8)
			return -ERANGE;
		value->words[i / 8] = *(const __u64 *)(window->bytes + index);
	}
	for (i = 0; i < 7 && whole + i < len; i++) {
		index = at + whole + i;
		barrier_var(index);
		if (index >= KV_VALUE_MAX)
			return -ERANGE;
		word |= (__u64)window->bytes[index] << (8 * i);
	}
	if (whole < KV_VALUE_MAX)
		value->words[whole / 8] = word;
	return 0;
}

static __always_inline void take_value(struct kv_entry *entry, const struct kv_value *value,
				       __u32 len, __u64 order)
{
	bpf_spin_lock(&entry->lock);
	if (entry->order <= order) {
		entry->value = *value;
		entry->len = len;
		entry->order = order;
	}
	bpf_spin_unlock(&entry->lock);
}

/* The value that the request brings, brought into line. */
static __always_inline const struct kv_value *make_value(struct unified_io_bpf_ctx *ctx,
							 const struct kv_batch *batch,
							 const struct resp_request *req)
{
	struct kv_value *value;
	__u32 at;
	const __u8 *p;

	p = window(ctx, req->off[2], KV_VALUE_MAX, &at);
	value = (struct kv_value *)bpf_uior_data(ctx, batch->scratch, KV_VALUE_MAX);
	if (!p || !value || req->len[2] > KV_VALUE_MAX)
		return NULL;
	if (scan_value(value, (const struct window_value *)p, at, req->len[2]))
		return NULL;
	return value;
}

static __always_inline struct kv_entry *find_or_add(const struct kv_key *key)
{
	struct kv_entry *entry = bpf_map_lookup_elem(&table, key);

	if (entry)
		return entry;
	bpf_map_update_elem(&table, key, blank, BPF_NOEXIST);
	return bpf_map_lookup_elem(&table, key);
}

static __noinline int set(struct unified_io_bpf_ctx *ctx, struct kv_batch *batch,
			  const struct resp_request *req)
{
	const struct kv_value *value = make_value(ctx, batch, req);
	struct kv_entry *entry;
	struct kv_key key;

	if (!value || !make_key(ctx, req, &key)) {
		ANSWER(ctx, batch, "-ERR the key or the value is too long");
		return 0;
	}
	if (!batch->order && !reserve_record(ctx, batch, ctx->len)) {
		ANSWER(ctx, batch, "-ERR the log is full");
		return 0;
	}
	entry = find_or_add(&key);
	if (!entry) {
		ANSWER(ctx, batch, "-ERR the table is full");
		return 0;
	}
	take_value(entry, value, req->len[2], batch->order);
	ANSWER(ctx, batch, "+OK");
	return 0;
}

static __noinline void carry_out(struct unified_io_bpf_ctx *ctx, struct kv_batch *batch,
				 const struct resp_request *req)
{
	__u64 name = req->argc ? parse_name(ctx, req->off[0], req->len[0]) : 0;

	if (name == name_of("SET") && req->argc == 3)
		set(ctx, batch, req);
	else if (batch->replay)
		return;
	else if (name == name_of("GET") && req->argc == 2)
		get(ctx, batch, req);
	else if (name == name_of("PING") && req->argc == 1)
		ANSWER(ctx, batch, "+PONG");
	else if (name == name_of("COMMAND"))
		ANSWER(ctx, batch, "*0");
	else if (name == name_of("CONFIG"))	/* no such parameter is set */
		ANSWER(ctx, batch, "*2\r\n$0\r\n\r\n$0\r\n");
	else
		ANSWER(ctx, batch, "-ERR only GET key, SET key value and PING are known");
}

/* Carries the requests from @pos to @end out. Returns where the first incomplete one begins. */
static __noinline __u32 carry_out_all(struct unified_io_bpf_ctx *ctx, struct kv_batch *batch,
				      __u32 pos, __u32 end)
{
	struct resp_request req = {};
	int i, n;

	bpf_for(i, 0, KV_REQUESTS) {
		n = parse_request(ctx, pos, end, &req);
		if (!n)
			break;
		if (n < 0) {
			ANSWER(ctx, batch, "-ERR Protocol error");
			return end;
		}
		carry_out(ctx, batch, &req);
		pos += n;
	}
	return pos;
}

/* The record that the batch got a place for goes there; it begins at @head. */
static __always_inline int log_batch(struct unified_io_bpf_ctx *ctx, const struct kv_batch *batch,
				     __u32 head, __u32 len)
{
	int err = record_frame(ctx, head, len, log_id, &batch->tail,
			       batch->tail.offset + len, 0);

	return err ?: bpf_uior_set_lba(ctx, batch->lba);
}

static __noinline int serve(struct unified_io_bpf_ctx *ctx)
{
	__u32 end = ctx->off + ctx->len, pos;
	struct kv_batch batch = { .answered = unknown_zero, .scratch = KV_SCRATCH };
	int err = 0;

	pos = carry_out_all(ctx, &batch, ctx->off, end);
	if (end - pos >= KV_REQUESTS / 2) {	/* it would not fit with what follows */
		ANSWER(ctx, &batch, "-ERR Protocol error: too big a request");
		pos = end;
	}
	if (pos != end && !(ctx->flags & UNIFIED_IO_BPF_CTX_F_EOF))
		err = bpf_uior_carry(ctx, pos, end - pos);
	if (err)
		return err;
	if (!batch.answered)
		return UNIFIED_IO_BPF_DROP;
	err = bpf_uior_set_send(ctx, 0, batch.answered);
	if (err)
		return err;
	if (!batch.order)
		return UNIFIED_IO_BPF_REPLY;
	return log_batch(ctx, &batch, ctx->off - HEADER_LEN, ctx->len);
}

/* The first record of a new log has no payload, and hides what stood there. */
static __noinline int format(struct unified_io_bpf_ctx *ctx)
{
	struct kv_batch batch = {};

	if (!reserve_record(ctx, &batch, 0))
		return -ENOSPC;
	return log_batch(ctx, &batch, 0, 0);
}

/* Is this a record of the log? The first one says which log it is. */
static __always_inline bool valid_record(struct unified_io_bpf_ctx *ctx, __u32 head,
					 const struct unified_io_log_header *header)
{
	__u32 len = header->len;
	__s64 crc;

	if (header->magic != UNIFIED_IO_LOG_MAGIC || header->version != UNIFIED_IO_LOG_VERSION ||
	    header->header_size != HEADER_LEN || len > KV_REQUESTS ||
	    header->size != record_size(ctx, len))
		return false;
	if (log_id ? header->log_id != log_id : header->seq != 0)
		return false;
	crc = record_crc(ctx, head, len);
	return crc >= 0 && header->crc == crc;
}

/* Carries a record out again, if there is one at @head. Returns its size, or 0. */
static __noinline __u32 replay_record(struct unified_io_bpf_ctx *ctx, __u32 head)
{
	struct kv_batch batch = {
		.answered = unknown_zero,
		.scratch = KV_SCAN,
		.replay = true,
	};
	struct unified_io_log_header *header;
	__u32 len, size;

	header = (void *)bpf_uior_data(ctx, head, HEADER_LEN);
	if (!header || !valid_record(ctx, head, header))
		return 0;
	log_id = header->log_id;
	len = header->len;
	size = header->size;
	batch.order = header->seq + 1;
	recovered_records++;
	recovered_end = ctx->lba + (head + size) / (ctx->lba_size ?: 512);
	bpf_spin_lock(&the_log.lock);
	the_log.tail.seq = batch.order;
	the_log.tail.offset = header->offset + len;
	the_log.lba = recovered_end;
	bpf_spin_unlock(&the_log.lock);
	carry_out_all(ctx, &batch, head + HEADER_LEN, head + HEADER_LEN + len);
	return size;
}

/* Replays what was read, and makes that much of it the data. */
static __noinline int replay(struct unified_io_bpf_ctx *ctx)
{
	__u32 pos = unknown_zero;
	int i;

	bpf_for(i, 0, KV_SCAN / 512) {
		if (pos > KV_SCAN - KV_RECORD)
			break;
		pos += replay_record(ctx, pos) ?: ctx->lba_size;
	}
	return bpf_uior_set_len(ctx, pos);
}

SEC("struct_ops/process")
int BPF_PROG(process, struct unified_io_bpf_ctx *op)
{
	switch (op->arg) {
	case KV_FORMAT:
		return format(op);
	case KV_REPLAY:
		return replay(op);
	}
	return serve(op);
}

SEC(".struct_ops.link")
struct unified_io_bpf_ops kv = {
	.process = (void *)process,
};
