// SPDX-License-Identifier: GPL-2.0
/* answer's programs: the filter on the NIC, and what makes a request its own answer. */
#include "vmlinux.h"
#include <asm-generic/errno.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include <unified_io_bpf.h>
#include "udp_port.bpf.h"

char LICENSE[] SEC("license") = "GPL";

#define swap(a, b) do { typeof(a) old = a; a = b; b = old; } while (0)

/* Back to where it came from. The IP header's checksum stays right; none for UDP is allowed. */
static void turn_round(struct udp_packet *packet)
{
	__u8 mac[ETH_ALEN];

	__builtin_memcpy(mac, packet->eth.h_dest, ETH_ALEN);
	__builtin_memcpy(packet->eth.h_dest, packet->eth.h_source, ETH_ALEN);
	__builtin_memcpy(packet->eth.h_source, mac, ETH_ALEN);
	swap(packet->ip.saddr, packet->ip.daddr);
	swap(packet->udp.source, packet->udp.dest);
	packet->udp.check = 0;
}

SEC("struct_ops/process")
int BPF_PROG(process, struct unified_io_bpf_ctx *op)
{
	struct udp_packet *packet = (void *)bpf_uior_data(op, op->off, sizeof(*packet));
	__u32 i;
	__u8 *c;

	if (!packet)
		return UNIFIED_IO_BPF_DROP;
	turn_round(packet);
	bpf_for(i, sizeof(*packet), op->len) {
		c = bpf_uior_data(op, op->off + i, 1);
		if (c && *c >= 'a' && *c <= 'z')
			*c -= 'a' - 'A';
	}
	return UNIFIED_IO_BPF_PASS;
}

SEC(".struct_ops.link")
struct unified_io_bpf_ops answer = {
	.process = (void *)process,
};
