// SPDX-License-Identifier: GPL-2.0
/*
 * An ordinary XDP program, which knows nothing of regions: of IPv4 it lets UDP to port 7000 pass and nothing else.
 * On a NIC it would be attached by 'ip link set eth0 xdp object filter.bpf.o'.
 */
#include "vmlinux.h"
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define ETH_P_IP	0x0800
#define PORT		7000

char LICENSE[] SEC("license") = "GPL";

struct packet {
	struct ethhdr eth;
	struct iphdr ip;
	struct udphdr udp;
} __attribute__((packed));

SEC("xdp")
int filter(struct xdp_md *ctx)
{
	struct packet *packet = (void *)(long)ctx->data;
	struct ethhdr *eth = (void *)packet;

	if ((void *)(eth + 1) > (void *)(long)ctx->data_end)
		return XDP_DROP;
	if (eth->h_proto != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	if ((void *)(packet + 1) > (void *)(long)ctx->data_end || packet->ip.ihl != 5)
		return XDP_DROP;
	if (packet->ip.protocol != IPPROTO_UDP || packet->udp.dest != bpf_htons(PORT))
		return XDP_DROP;
	return XDP_PASS;
}
