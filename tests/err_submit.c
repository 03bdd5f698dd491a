// SPDX-License-Identifier: GPL-2.0
/*
 * Malformed descriptors: one errno each, the same whether the descriptor comes
 * by value (from the ioctl) or through the ring (in its completion).
 */
#include "common.h"

static int tcp_slot;

struct row {
	const char *what;
	int want;
	void (*make)(struct unified_descriptor *d);
};

#define ROW(name, base, code) static void name(struct unified_descriptor *d) { *d = base; code; }
#define READ	desc_nvme(NVME_CMD_READ, 0, 4096, 0)
#define WRITE	desc_nvme(NVME_CMD_WRITE, 0, 4096, 0)
#define FLUSH	desc_nvme(NVME_CMD_FLUSH, 0, 0, 0)
#define RECV	desc_recv(tcp_slot, 0, 4096)
#define SEND	desc_send(tcp_slot, 0, 4096)
#define MULTI	desc_multishot(tcp_slot)
#define BPF	desc_bpf(0, 4096)

ROW(type_none, READ, d->type = 0)
ROW(type_next, READ, d->type |= UNIFIED_REGION_F_BPF << 1)
ROW(type_all, READ, d->type = 0xffff)
ROW(flags_next, READ, d->flags = UNIFIED_IO_DESC_F_XDP_THEN_OPS << 1)
ROW(flags_top, READ, d->flags = 0x8000)
ROW(read_multishot, READ, d->flags = UNIFIED_IO_DESC_F_MULTISHOT)
ROW(read_waitall, READ, d->flags = UNIFIED_IO_DESC_F_WAITALL)
ROW(read_recycle, READ, d->flags = UNIFIED_IO_DESC_F_RECYCLE)
ROW(read_skip, READ, d->flags = UNIFIED_IO_DESC_F_CQE_SKIP)
ROW(recv_recycle, RECV, d->flags = UNIFIED_IO_DESC_F_RECYCLE)
ROW(recv_skip, RECV, d->flags = UNIFIED_IO_DESC_F_CQE_SKIP)
ROW(send_waitall, SEND, d->flags = UNIFIED_IO_DESC_F_WAITALL)
ROW(send_multishot, SEND, d->flags = UNIFIED_IO_DESC_F_MULTISHOT)
ROW(read_then_ops, READ, d->flags = UNIFIED_IO_DESC_F_XDP_THEN_OPS)
ROW(ops_then_ops, BPF, d->flags = UNIFIED_IO_DESC_F_XDP_THEN_OPS)
ROW(read_pad, READ, d->flags = UNIFIED_IO_DESC_F_PAD)
ROW(opcode_next, READ, d->nvme.opcode = 3)
ROW(opcode_vendor, READ, d->nvme.opcode = 0x80)
ROW(opcode_last, READ, d->nvme.opcode = 0xff)
ROW(nvme_flags, WRITE, d->nvme.flags = UNIFIED_IO_NVME_F_FLUSH << 1)
ROW(nvme_flags_top, WRITE, d->nvme.flags = 0x80)
ROW(read_fua, READ, d->nvme.flags = UNIFIED_IO_NVME_F_FUA)
ROW(read_flush, READ, d->nvme.flags = UNIFIED_IO_NVME_F_FLUSH)
ROW(nvme_resv, READ, d->nvme.resv = 1)
ROW(nsid_two, READ, d->nvme.nsid = 2)
ROW(nsid_all, READ, d->nvme.nsid = ~0U)
ROW(addr_end, READ, d->addr = 1ULL << 40)
ROW(addr_last, READ, d->addr = ~4095ULL)
ROW(addr_wrap, READ, (d->addr = ~0ULL - 4095, d->len = 8192))
ROW(len_over, READ, d->len = 8 * MiB)
ROW(send_over, SEND, d->len = 8 * MiB)
ROW(bpf_over, BPF, d->len = 8 * MiB)
ROW(len_zero, READ, d->len = 0)
ROW(write_zero, WRITE, d->len = 0)
ROW(recv_zero, RECV, d->len = 0)
ROW(send_zero, SEND, d->len = 0)
ROW(bpf_zero, BPF, d->len = 0)
ROW(len_limit, READ, d->len = UNIFIED_IO_MAX_LEN + 1)
ROW(len_all, READ, d->len = ~0U)
ROW(len_block, READ, d->len = 100)
ROW(write_block, WRITE, d->len = 4095)
ROW(addr_align, READ, d->addr = 1)
ROW(slba_end, READ, d->nvme.slba = 1ULL << 40)
ROW(slba_all, READ, d->nvme.slba = ~0ULL)
ROW(slba_wrap, WRITE, d->nvme.slba = ~0ULL >> 9)
ROW(proto_five, RECV, d->net.proto = 5)
ROW(proto_254, RECV, d->net.proto = 254)
ROW(proto_other, RECV, d->net.proto = UNIFIED_IO_PROTO_UDP)
ROW(proto_raw, SEND, d->net.proto = UNIFIED_IO_PROTO_RAW)
ROW(net_flags, SEND, d->net.flags |= UNIFIED_IO_NET_F_ZEROCOPY << 1)
ROW(net_both, SEND, d->net.flags |= UNIFIED_IO_NET_F_COPY | UNIFIED_IO_NET_F_ZEROCOPY)
ROW(net_flags_top, RECV, d->net.flags |= 0x80)
ROW(tcp_port, SEND, d->net.port = 80)
ROW(tcp_addr, SEND, d->net.addr = 0x0100007f)
ROW(slot_empty, RECV, d->net.slot = 900)
ROW(tx_empty, SEND, d->net.tx_slot = 900)
ROW(slot_limit, RECV, d->net.slot = UNIFIED_IO_MAX_SOCKETS)
ROW(tx_limit, SEND, d->net.tx_slot = 0xffff)
ROW(headroom_len, RECV, d->net.headroom = 4096)
ROW(headroom_all, RECV, d->net.headroom = ~0U)
ROW(two_sources, RECV, (d->type |= UNIFIED_REGION_F_NVME, d->nvme.opcode = NVME_CMD_READ))
ROW(prog_unknown, BPF, d->bpf.prog_id = 0x7fffffff)
ROW(multi_addr, MULTI, (d->type |= UNIFIED_REGION_F_NVME, d->nvme.opcode = NVME_CMD_READ))

static const struct row rows[] = {
	{ "no type", -EINVAL, type_none },
	{ "first unknown type", -EINVAL, type_next },
	{ "all types", -EINVAL, type_all },
	{ "first unknown flag", -EINVAL, flags_next },
	{ "top flag", -EINVAL, flags_top },
	{ "MULTISHOT read", -EINVAL, read_multishot },
	{ "WAITALL read", -EINVAL, read_waitall },
	{ "RECYCLE read", -EINVAL, read_recycle },
	{ "CQE_SKIP read", -EINVAL, read_skip },
	{ "RECYCLE without MULTISHOT", -EINVAL, recv_recycle },
	{ "CQE_SKIP without MULTISHOT", -EINVAL, recv_skip },
	{ "WAITALL send", -EINVAL, send_waitall },
	{ "MULTISHOT send", -EINVAL, send_multishot },
	{ "XDP_THEN_OPS without BPF", -EINVAL, read_then_ops },
	{ "XDP_THEN_OPS without an XDP program", -EINVAL, ops_then_ops },
	{ "PAD read", -EINVAL, read_pad },
	{ "opcode 3", -EINVAL, opcode_next },
	{ "opcode 0x80", -EINVAL, opcode_vendor },
	{ "opcode 0xff", -EINVAL, opcode_last },
	{ "first unknown nvme flag", -EINVAL, nvme_flags },
	{ "top nvme flag", -EINVAL, nvme_flags_top },
	{ "FUA read", -EINVAL, read_fua },
	{ "FLUSH read", -EINVAL, read_flush },
	{ "nvme.resv", -EINVAL, nvme_resv },
	{ "nsid 2", -ENODEV, nsid_two },
	{ "nsid 2^32-1", -ENODEV, nsid_all },
	{ "addr far outside", -ERANGE, addr_end },
	{ "addr 2^64-4096", -ERANGE, addr_last },
	{ "addr + len wraps", -ERANGE, addr_wrap },
	{ "read len beyond the data", -ERANGE, len_over },
	{ "send len beyond the data", -ERANGE, send_over },
	{ "bpf len beyond the data", -ERANGE, bpf_over },
	{ "read len 0", -EMSGSIZE, len_zero },
	{ "write len 0", -EMSGSIZE, write_zero },
	{ "recv len 0", -EMSGSIZE, recv_zero },
	{ "send len 0", -EMSGSIZE, send_zero },
	{ "bpf len 0", -EMSGSIZE, bpf_zero },
	{ "len above the limit", -EMSGSIZE, len_limit },
	{ "len 2^32-1", -EMSGSIZE, len_all },
	{ "read of 100 bytes", -EREMOTEIO, len_block },
	{ "write of 4095 bytes", -EREMOTEIO, write_block },
	{ "addr 1", -EREMOTEIO, addr_align },
	{ "slba outside", -ERANGE, slba_end },
	{ "slba 2^64-1", -ERANGE, slba_all },
	{ "slba that wraps in bytes", -ERANGE, slba_wrap },
	{ "proto 5", -EINVAL, proto_five },
	{ "proto 254", -EINVAL, proto_254 },
	{ "UDP on a TCP slot", -EPROTONOSUPPORT, proto_other },
	{ "RAW on a TCP slot", -EPROTONOSUPPORT, proto_raw },
	{ "first unknown net flag", -EINVAL, net_flags },
	{ "copy and zero copy", -EINVAL, net_both },
	{ "top net flag", -EINVAL, net_flags_top },
	{ "port on TCP", -EINVAL, tcp_port },
	{ "address on TCP", -EINVAL, tcp_addr },
	{ "empty slot", -ENOTCONN, slot_empty },
	{ "empty tx_slot", -ENOTCONN, tx_empty },
	{ "slot above the limit", -ENOTCONN, slot_limit },
	{ "tx_slot above the limit", -ENOTCONN, tx_limit },
	{ "headroom of the whole buffer", -EMSGSIZE, headroom_len },
	{ "headroom 2^32-1", -EMSGSIZE, headroom_all },
	{ "receive and read", -EINVAL, two_sources },
	{ "unknown program", -ENOENT, prog_unknown },
	{ "MULTISHOT with a read", -EINVAL, multi_addr },
};

static const char *name(int res)
{
	return res < 0 ? strerrorname_np(-res) : "success";
}

static int through_ring(struct region *r, struct unified_descriptor d)
{
	struct unified_io_enter e;
	struct unified_completion c;

	queue(r, d);
	CHECK_RES(enter(r, 1, 1, WAIT_NS, &e), 0);
	CHECK_EQ(e.submitted, 1);
	c = reap(r);
	CHECK_EQ(c.user_data, d.user_data);
	return c.res;
}

int main(void)
{
	struct region r;
	int tcp[2], bad = 0;

	region_open(&r, env("NVME0"));
	tcp_pair(tcp);
	tcp_slot = attach(&r, tcp[0]);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct unified_descriptor d;
		int by_value, by_ring;

		rows[i].make(&d);
		d.user_data = i + 1;
		by_value = result(&r, d);
		by_ring = through_ring(&r, d);
		if (by_value == rows[i].want && by_ring == rows[i].want)
			continue;
		bad++;
		printf("%s: %s by value, %s by ring, want %s\n", rows[i].what, name(by_value),
		       name(by_ring), name(rows[i].want));
	}
	CHECK_EQ(bad, 0);

	/* nothing of it stuck, and good ones still go */
	CHECK_EQ(region_info(&r).inflight, 0);
	CHECK_EQ(nr_ready(&r), 0);
	CHECK_EQ(run(&r, READ).res, 4096);
	CHECK_RES(run(&r, FLUSH).res, 0);
	region_close(&r);
	return 0;
}
