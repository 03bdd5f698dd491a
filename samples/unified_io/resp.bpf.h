/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The part of RESP, the protocol of Redis, that a request is made of: an array
 * of strings, "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", or a line with one word in it.
 */
#ifndef RESP_BPF_H
#define RESP_BPF_H

#define RESP_ARGS	3	/* that are remembered */
#define RESP_ARGS_MAX	64	/* that a request may have */

struct resp_request {
	__u32 argc;
	__u32 off[RESP_ARGS];	/* in the buffer */
	__u32 len[RESP_ARGS];
};

/*
 * A pointer to @size bytes, a constant, in which the bytes from @off begin at
 * *@at: near the end of the buffer the window ends with it.
 */
static __always_inline const __u8 *window(struct unified_io_bpf_ctx *ctx, __u32 off,
					  const __u64 size, __u32 *at)
{
	__u32 base = off;

	if (base > ctx->cap - size)
		base = ctx->cap - size;
	*at = off - base;
	return bpf_uior_data(ctx, base, size);
}

/*
 * Global functions are verified once and on their own, whatever the loops that
 * call them: so those that look at bytes are global, and get a window to look
 * through in a struct of its size.
 */
struct window8 { __u8 bytes[8]; };
struct window16 { __u8 bytes[16]; };

/*
 * "<kind><number>\r\n" from @at, of which @avail bytes are there. Returns
 * number << 8 | length, 0 if it is not all there, or -EPROTO.
 */
__noinline __s64 scan_number(const struct window16 *window __arg_nonnull, __u32 at, __u32 avail,
			     __u8 kind)
{
	__u32 number = 0, i;

	for (i = 0; i < 10; i++) {
		__u32 index = at + i;
		__u8 c;

		barrier_var(index);	/* or the compiler checks another register than it uses */
		if (i + 1 >= avail || index > 15)
			return 0;
		c = window->bytes[index];
		if (i && c == '\r')
			return (__u64)number << 8 | (i + 2);
		if (i ? c < '0' || c > '9' : c != kind)
			return -EPROTO;
		if (i)
			number = number * 10 + c - '0';
	}
	return -EPROTO;
}

/* As scan_number(), at @pos of the buffer, whose data end at @end. */
static __always_inline __s64 parse_number(struct unified_io_bpf_ctx *ctx, __u32 pos, __u32 end,
					  __u8 kind)
{
	const __u8 *p;
	__u32 at;

	if (pos >= end)
		return 0;
	p = window(ctx, pos, sizeof(struct window16), &at);
	return p ? scan_number((const struct window16 *)p, at, end - pos, kind) : 0;
}

static __always_inline int parse_array(struct unified_io_bpf_ctx *ctx, __u32 pos, __u32 end,
				       struct resp_request *req)
{
	__s64 n = parse_number(ctx, pos, end, '*');
	__u32 at = pos, len;
	int i;

	if (n <= 0)
		return n;
	req->argc = n >> 8;
	if (req->argc > RESP_ARGS_MAX)
		return -EPROTO;
	at += n & 0xff;
	bpf_for(i, 0, req->argc) {
		n = parse_number(ctx, at, end, '$');
		if (n <= 0)
			return n;
		at += n & 0xff;
		len = n >> 8;
		if (len > end - at || end - at - len < 2)
			return 0;
		if (i >= 0 && i < RESP_ARGS) {
			req->off[i] = at;
			req->len[i] = len;
		}
		at += len + 2;
	}
	return at - pos;
}

static __always_inline int parse_line(struct unified_io_bpf_ctx *ctx, __u32 pos, __u32 end,
				      struct resp_request *req)
{
	__s64 newline = bpf_uior_memchr(ctx, pos, end - pos, '\n');
	const __u8 *before;

	if (newline < 0)
		return 0;
	req->argc = 1;
	req->off[0] = pos;
	req->len[0] = newline - pos;
	before = newline > pos ? bpf_uior_data(ctx, newline - 1, 1) : NULL;
	if (before && *before == '\r')
		req->len[0]--;
	return newline + 1 - pos;
}

/* Returns the length of the request at @pos, 0 if it is not all there, or -EPROTO. */
static __always_inline int parse_request(struct unified_io_bpf_ctx *ctx, __u32 pos, __u32 end,
					 struct resp_request *req)
{
	const __u8 *first = bpf_uior_data(ctx, pos, 1);

	if (!first || pos >= end)
		return 0;
	return *first == '*' ? parse_array(ctx, pos, end, req) : parse_line(ctx, pos, end, req);
}

/* @len letters from @at in capitals, as a number. */
__noinline __u64 scan_name(const struct window8 *window __arg_nonnull, __u32 at, __u32 len)
{
	__u64 name = 0;
	__u32 i;

	for (i = 0; i < 8 && i < len; i++) {
		__u32 index = at + i;

		barrier_var(index);
		if (index > 7)
			return 0;
		name = name << 8 | (window->bytes[index] & ~0x20);
	}
	return name;
}

/* A command's name, of up to 8 letters, as a number; 0 for a longer one. */
static __always_inline __u64 parse_name(struct unified_io_bpf_ctx *ctx, __u32 off, __u32 len)
{
	const __u8 *p;
	__u32 at;

	p = window(ctx, off, sizeof(struct window8), &at);
	return p && len <= 8 ? scan_name((const struct window8 *)p, at, len) : 0;
}

/* What parse_name() makes of @s, a constant. */
static __always_inline __u64 name_of(const char *s)
{
	__u64 name = 0;
	int i;

#pragma unroll
	for (i = 0; i < 8 && s[i]; i++)
		name = name << 8 | s[i];
	return name;
}

#endif /* RESP_BPF_H */
