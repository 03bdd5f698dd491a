/* SPDX-License-Identifier: GPL-2.0 */
/* The XDP program of capture and answer: UDP to one port goes to AF_XDP sockets. */
#ifndef UDP_PORT_BPF_H
#define UDP_PORT_BPF_H

#define ETH_P_IP 0x0800
#define ETH_ALEN 6

const volatile __u16 port;

struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __u32);
} sockets SEC(".maps");

struct udp_packet {
	struct ethhdr eth;
	struct iphdr ip;
	struct udphdr udp;
} __attribute__((packed));

SEC("xdp")
int filter(struct xdp_md *ctx)
{
	struct udp_packet *packet = (void *)(long)ctx->data;

	if ((void *)(packet + 1) > (void *)(long)ctx->data_end ||
	    packet->eth.h_proto != bpf_htons(ETH_P_IP) || packet->ip.ihl != 5 ||
	    packet->ip.protocol != IPPROTO_UDP || packet->udp.dest != bpf_htons(port))
		return XDP_PASS;
	return bpf_redirect_map(&sockets, ctx->rx_queue_index, XDP_PASS);
}

#endif /* UDP_PORT_BPF_H */
