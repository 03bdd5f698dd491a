// SPDX-License-Identifier: GPL-2.0
/*
 * XDP programs as they are for an interface. 'remote_xdp' does what the test says;
 * 'parse' is an ordinary filter: drops UDP to one port, passes the rest.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

/* written by the test */
int verdict;
int head_delta, tail_delta, meta_delta;
__u16 drop_port;

/* read by the test */
__u64 nr_calls;
__u32 seen_len, seen_ifindex, seen_rxq;
int head_ret, tail_ret, meta_ret, seen_byte;

SEC("xdp")
int remote_xdp(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;

	__sync_fetch_and_add(&nr_calls, 1);
	seen_len = end - data;
	seen_ifindex = ctx->ingress_ifindex;
	seen_rxq = ctx->rx_queue_index;
	if (data + 1 <= end)
		seen_byte = *(__u8 *)data;
	meta_ret = meta_delta ? bpf_xdp_adjust_meta(ctx, meta_delta) : 0;
	head_ret = head_delta ? bpf_xdp_adjust_head(ctx, head_delta) : 0;
	tail_ret = tail_delta ? bpf_xdp_adjust_tail(ctx, tail_delta) : 0;
	return verdict;
}

SEC("xdp")
int parse(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	struct iphdr *ip = data + sizeof(*eth);
	struct udphdr *udp = (void *)ip + sizeof(*ip);

	__sync_fetch_and_add(&nr_calls, 1);
	if ((void *)(udp + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP) ||
	    ip->ihl != 5 || ip->protocol != IPPROTO_UDP)
		return XDP_PASS;
	return udp->dest == bpf_htons(drop_port) ? XDP_DROP : XDP_PASS;
}

/* two more programs, for tests that need several */
SEC("xdp")
int pass(struct xdp_md *ctx)
{
	return XDP_PASS;
}

SEC("xdp")
int drop(struct xdp_md *ctx)
{
	return XDP_DROP;
}

/* no XDP program at all */
SEC("socket")
int not_xdp(struct __sk_buff *skb)
{
	return 0;
}
