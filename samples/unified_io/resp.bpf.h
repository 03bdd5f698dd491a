/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The part of RESP, the protocol of Redis, that a request is made of: an array
 * of strings, "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", or a line with one word in it.
 */
#ifndef RESP_BPF_H
#define RESP_BPF_H

#define RESP_ARGS	3	/* that are remembered */
#define RESP_ARGS_MAX	64	/* that a request may have */
#define RESP_NUMBER_MAX	8	/* characters from the kind to before the line's end */

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
 * "<kind><number>\r\n" at @pos. Returns its length, 0 if it is not all there,
 * or -EPROTO.
 */
static __noinline int parse_number(struct unified_io_bpf_ctx *ctx, __u32 pos, __u32 end, __u8 kind,
				   __u32 *number)
{
	__u32 at, i, value = 0;
	const __u8 *p = window(ctx, pos, 16, &at);

	if (!p || pos >= end)
		return 0;
	for (i = 0; i <= RESP_NUMBER_MAX; i++) {
		__u32 index = at + i;
		__u8 c;

		if (pos + i + 1 >= end || index > 15)
			return 0;
		c = p[index];
		if (i == 0 ? c != kind : c != '\r' && (c < '0' || c > '9'))
			return -EPROTO;
		if (c == '\r') {
			*number = value;
			return i + 2;
		}
		if (i)
			value = value * 10 + c - '0';
	}
	return -EPROTO;
}

static __always_inline int parse_array(struct unified_io_bpf_ctx *ctx, __u32 pos, __u32 end,
				       struct resp_request *req)
{
	__u32 at = pos, len = 0;
	int i, n;

	n = parse_number(ctx, at, end, '*', &req->argc);
	if (n <= 0)
		return n;
	if (req->argc > RESP_ARGS_MAX)
		return -EPROTO;
	at += n;
	bpf_for(i, 0, req->argc) {
		n = parse_number(ctx, at, end, '$', &len);
		if (n <= 0)
			return n;
		at += n;
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

/* A command's name, of up to 8 letters, as a number; 0 for a longer one. */
static __noinline __u64 parse_name(struct unified_io_bpf_ctx *ctx, __u32 off, __u32 len)
{
	__u32 at, i;
	const __u8 *p = window(ctx, off, 8, &at);
	__u64 name = 0;

	if (!p || len > 8)
		return 0;
	for (i = 0; i < 8 && i < len; i++) {
		__u32 index = at + i;

		if (index > 7)
			return 0;
		name = name << 8 | (p[index] & ~0x20);
	}
	return name;
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
