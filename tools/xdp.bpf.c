// SPDX-License-Identifier: GPL-2.0
/* On the NIC of unified-io pipe xdp:, packets go to the pipe: all, or TCP and UDP to one port. */
#include "vmlinux.h"
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define ETH_P_IP	0x0800
#define ETH_P_IPV6	0x86dd

char LICENSE[] SEC("license") = "GPL";

const volatile __u16 port;	/* host byte order; 0: any */

struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, __u32);
} sockets SEC(".maps");

/* TCP's and UDP's begin alike. */
struct ports {
	__be16 source;
	__be16 dest;
};

static bool is_stream(__u8 protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP;
}

/* Where the transport header is, or NULL. Fragments but the first, and extensions, have none. */
static struct ports *find_ports(void *data, void *end)
{
	struct ethhdr *eth = data;
	struct iphdr *ip = (void *)(eth + 1);
	struct ipv6hdr *ip6 = (void *)(eth + 1);

	if ((void *)(eth + 1) > end)
		return NULL;
	if (eth->h_proto == bpf_htons(ETH_P_IPV6))
		return (void *)(ip6 + 1) <= end && is_stream(ip6->nexthdr) ? (void *)(ip6 + 1) : NULL;
	if (eth->h_proto != bpf_htons(ETH_P_IP) || (void *)(ip + 1) > end ||
	    !is_stream(ip->protocol) || ip->frag_off & bpf_htons(0x1fff))
		return NULL;
	return (void *)ip + ip->ihl * 4;
}

SEC("xdp")
int take(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end;
	struct ports *ports;

	if (port) {
		ports = find_ports((void *)(long)ctx->data, end);
		if (!ports || (void *)(ports + 1) > end || ports->dest != bpf_htons(port))
			return XDP_PASS;
	}
	return bpf_redirect_map(&sockets, ctx->rx_queue_index, XDP_PASS);
}
