// SPDX-License-Identifier: GPL-2.0
/*
 * encrypt's programs: one makes the key, the other is the BPF stage. The kernel lends its
 * ciphers (bpf_crypto_encrypt() and others) to XDP programs, not to struct_ops; a chain runs both.
 */
#define BPF_NO_KFUNC_PROTOTYPES
#include "vmlinux.h"
#include <asm-generic/errno.h>
#include <bpf/bpf_helpers.h>

#include "encrypt.h"

char LICENSE[] SEC("license") = "GPL";

struct bpf_crypto_ctx *bpf_crypto_ctx_create(const struct bpf_crypto_params *params,
					     u32 params__sz, int *err) __ksym;
void bpf_crypto_ctx_release(struct bpf_crypto_ctx *ctx) __ksym;
int bpf_crypto_encrypt(struct bpf_crypto_ctx *ctx, const struct bpf_dynptr *src,
		       const struct bpf_dynptr *dst, const struct bpf_dynptr *siv) __ksym;
int bpf_dynptr_from_xdp(struct xdp_md *xdp, __u64 flags, struct bpf_dynptr *ptr) __ksym;

struct key_slot {
	struct bpf_crypto_ctx __kptr *ctx;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct key_slot);
} keys SEC(".maps");

__u8 key[KEY_LEN];
/* What the next block is mixed with: the last one, across all arrivals. */
__u8 iv[BLOCK_LEN];

static struct key_slot *the_slot(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&keys, &zero);
}

/* The kernel has its own copy of the key afterwards. */
SEC("syscall")
int make_key(void *ctx)
{
	static struct bpf_crypto_params params = {
		.type = "skcipher",
		.algo = "cbc(aes)",
		.key_len = KEY_LEN,
	};
	struct key_slot *slot = the_slot();
	struct bpf_crypto_ctx *new;
	int err = 0;

	if (!slot)
		return -ENOENT;
	__builtin_memcpy(params.key, key, KEY_LEN);
	new = bpf_crypto_ctx_create(&params, sizeof(params), &err);
	__builtin_memset(params.key, 0, KEY_LEN);
	__builtin_memset(key, 0, KEY_LEN);
	if (!new)
		return err;
	new = bpf_kptr_xchg(&slot->ctx, new);
	if (new)
		bpf_crypto_ctx_release(new);
	return 0;
}

SEC("xdp")
int encrypt(struct xdp_md *xdp)
{
	__u32 pad = -bpf_xdp_get_buff_len(xdp) % BLOCK_LEN;
	struct bpf_dynptr data, state;
	struct key_slot *slot = the_slot();
	struct bpf_crypto_ctx *ctx;

	if (!slot)
		return XDP_ABORTED;
	ctx = slot->ctx;
	if (!ctx)
		return XDP_ABORTED;
	/* Whole blocks, at the end of the stream as well: zeroes are added. */
	if (pad && bpf_xdp_adjust_tail(xdp, pad))
		return XDP_ABORTED;
	if (bpf_dynptr_from_xdp(xdp, 0, &data) || bpf_dynptr_from_mem(iv, sizeof(iv), 0, &state) ||
	    bpf_crypto_encrypt(ctx, &data, &data, &state))
		return XDP_ABORTED;
	return XDP_PASS;
}
