// SPDX-License-Identifier: GPL-2.0
/* Receive queues: steering, NAPI, and what the core wants of a queue that takes foreign memory. */
#include <linux/etherdevice.h>
#include <linux/tcp.h>
#include <net/netdev_lock.h>
#include <net/page_pool/helpers.h>

#include "zcnic.h"

/* steering */

static bool zcnic_matches(const struct ethtool_rx_flow_spec *rule, const struct flow_keys *keys)
{
	const struct ethtool_tcpip4_spec *want = &rule->h_u.tcp_ip4_spec, *mask = &rule->m_u.tcp_ip4_spec;
	u8 proto = rule->flow_type == TCP_V4_FLOW ? IPPROTO_TCP : IPPROTO_UDP;

	return keys->basic.n_proto == htons(ETH_P_IP) && keys->basic.ip_proto == proto &&
	       !((want->ip4src ^ keys->addrs.v4addrs.src) & mask->ip4src) &&
	       !((want->ip4dst ^ keys->addrs.v4addrs.dst) & mask->ip4dst) &&
	       !((want->psrc ^ keys->ports.src) & mask->psrc) &&
	       !((want->pdst ^ keys->ports.dst) & mask->pdst);
}

static u32 zcnic_pick(struct zcnic *zc, struct flow_keys *keys)
{
	const struct ethtool_rx_flow_spec *rule;
	int i;

	for (i = 0; i < ZCNIC_RULES && zc->dev->features & NETIF_F_NTUPLE; i++) {
		rule = rcu_dereference_bh(zc->rules[i]);
		if (rule && zcnic_matches(rule, keys))
			return rule->ring_cookie;
	}
	return READ_ONCE(zc->indir[flow_hash_from_keys(keys) % ZCNIC_INDIR]);
}

static u32 zcnic_tcp_headers(const struct sk_buff *skb, const struct flow_keys *keys)
{
	const struct tcphdr *th;
	struct tcphdr copy;

	if (keys->basic.ip_proto != IPPROTO_TCP || keys->control.flags & FLOW_DIS_IS_FRAGMENT)
		return 0;
	th = skb_header_pointer(skb, keys->control.thoff, sizeof(copy), &copy);
	return th ? keys->control.thoff + th->doff * 4 : 0;
}

/* Where the NIC puts what it receives: looked up when the peer sends. */
struct zcnic_queue *zcnic_rx_steer(struct zcnic *zc, struct sk_buff *skb)
{
	struct flow_keys keys;

	ZCNIC_CB(skb)->headers = 0;
	if (!skb_flow_dissect_flow_keys(skb, &keys, 0))
		return &zc->queues[READ_ONCE(zc->indir[0])];
	ZCNIC_CB(skb)->headers = zcnic_tcp_headers(skb, &keys);
	return &zc->queues[zcnic_pick(zc, &keys)];
}

/* reception */

/* A buffer for up to *@len bytes, which begin at *@off; says how large it is in *@size. */
static netmem_ref zcnic_buffer(struct zcnic_queue *q, u32 *off, u32 *len, u32 *size)
{
	const struct zcnic_faults *faults = &q->zc->faults;
	u32 skew = min(READ_ONCE(faults->skew), q->mem.buf_len / 2);
	netmem_ref netmem;

	if (READ_ONCE(faults->nobuf))
		return 0;
	*len = min(*len, q->mem.buf_len - skew);
	*size = q->mem.buf_len;
	*off = 0;
	if (READ_ONCE(faults->pack)) {
		*size = *len + skew;
		netmem = page_pool_alloc_frag_netmem(q->mem.pool, off, *size, GFP_ATOMIC | __GFP_NOWARN);
	} else {
		netmem = page_pool_alloc_netmems(q->mem.pool, GFP_ATOMIC | __GFP_NOWARN);
	}
	*off += skew;
	return netmem;
}

/* The DMA engine: bytes of @wire from @pos on go to memory, of which @skb is told. Returns how many. */
static u32 zcnic_dma(struct zcnic_queue *q, struct sk_buff *skb, const struct sk_buff *wire, u32 pos)
{
	u32 off, len = wire->len - pos, size;
	netmem_ref netmem;
	void *to;

	if (skb_shinfo(skb)->nr_frags == MAX_SKB_FRAGS)
		return 0;
	netmem = zcnic_buffer(q, &off, &len, &size);
	if (!netmem)
		return 0;
	to = zcnic_dma_to_virt(q->zc, page_pool_get_dma_addr_netmem(netmem));
	skb_copy_bits(wire, pos, to + off, len);
	page_pool_dma_sync_netmem_for_cpu(q->mem.pool, netmem, off, len);
	skb_add_rx_frag_netmem(skb, skb_shinfo(skb)->nr_frags, netmem, off, len, size);
	if (netmem_is_net_iov(netmem))
		WRITE_ONCE(q->niovs, q->niovs + 1);
	return len;
}

/* Bytes of a packet that go to the head of the skb: all, unless its payload is split off. */
static u32 zcnic_linear(const struct zcnic_queue *q, const struct sk_buff *wire)
{
	u32 headers = ZCNIC_CB(wire)->headers;
	int thresh = READ_ONCE(q->zc->split_thresh);

	if (!headers || thresh < 0 || headers >= wire->len || wire->len - headers <= thresh)
		return wire->len;
	return headers;
}

static struct sk_buff *zcnic_build(struct zcnic_queue *q, const struct sk_buff *wire)
{
	u32 pos = zcnic_linear(q, wire), n;
	struct sk_buff *skb = napi_alloc_skb(&q->napi, pos);

	if (!skb)
		return NULL;
	skb_copy_bits(wire, 0, skb_put(skb, pos), pos);
	skb_mark_for_recycle(skb);
	if (pos < wire->len)
		WRITE_ONCE(q->split, q->split + 1);
	for (; pos < wire->len; pos += n) {
		n = zcnic_dma(q, skb, wire, pos);
		if (!n) {
			kfree_skb(skb);
			return NULL;
		}
	}
	return skb;
}

/* False: there is no buffer. */
static bool zcnic_receive(struct zcnic_queue *q, const struct sk_buff *wire)
{
	struct sk_buff *skb = zcnic_build(q, wire);

	if (!skb)
		return false;
	skb->protocol = eth_type_trans(skb, q->zc->dev);
	/* The sender left the checksum to its NIC, which played its part by not losing a bit. */
	if (wire->ip_summed == CHECKSUM_PARTIAL)
		skb->ip_summed = CHECKSUM_UNNECESSARY;
	skb_record_rx_queue(skb, q - q->zc->queues);
	if (zcnic_xdp_passes(q, &skb))
		napi_gro_receive(&q->napi, skb);
	return true;
}

static void zcnic_take(struct zcnic_queue *q, const struct sk_buff *wire)
{
	if (!(q->xsk ? zcnic_xsk_receive(q, wire) : zcnic_receive(q, wire))) {
		WRITE_ONCE(q->missed, q->missed + 1);
		return;
	}
	WRITE_ONCE(q->packets, q->packets + 1);
	WRITE_ONCE(q->bytes, q->bytes + wire->len);
}

static struct sk_buff *zcnic_next(struct zcnic_queue *q)
{
	struct sk_buff *skb = skb_dequeue(&q->wire), *next;

	if (!skb || !zcnic_chance(READ_ONCE(q->zc->faults.reorder)))
		return skb;
	next = skb_dequeue(&q->wire);
	if (!next)
		return skb;
	skb_queue_head(&q->wire, skb);
	WRITE_ONCE(q->reordered, q->reordered + 1);
	return next;
}

static void zcnic_wake_peer(struct zcnic_queue *q)
{
	struct net_device *dev = q->zc->peer->dev;
	int i;

	smp_mb();	/* pairs with netif_txq_maybe_stop() in zcnic_xmit() */
	if (skb_queue_len_lockless(&q->wire) > ZCNIC_WIRE / 2 || !netif_running(dev))
		return;
	for (i = 0; i < dev->real_num_tx_queues; i++)
		if (netif_tx_queue_stopped(netdev_get_tx_queue(dev, i)))
			netif_tx_wake_queue(netdev_get_tx_queue(dev, i));
}

static int zcnic_poll(struct napi_struct *napi, int budget)
{
	struct zcnic_queue *q = container_of(napi, struct zcnic_queue, napi);
	struct sk_buff *wire;
	int done, sent = 0;

	for (done = 0; done < budget; done++) {
		wire = zcnic_next(q);
		if (!wire)
			break;
		zcnic_take(q, wire);
		napi_consume_skb(wire, budget);
	}
	xdp_do_flush();
	zcnic_wake_peer(q);
	if (q->xsk)
		sent = zcnic_xsk_send(q, budget);
	if (done == budget || sent == budget)
		return budget;
	napi_complete_done(napi, done);
	return done;
}

/* There is something for the queue to do. Process context. */
void zcnic_kick(struct zcnic_queue *q)
{
	local_bh_disable();
	napi_schedule(&q->napi);
	local_bh_enable();
}

/* queue management */

static int zcnic_mem_alloc(struct net_device *dev, struct netdev_queue_config *qcfg, void *per_queue_mem, int idx)
{
	struct zcnic_mem *mem = per_queue_mem;
	struct page_pool_params params = {
		.flags = PP_FLAG_DMA_MAP | PP_FLAG_DMA_SYNC_DEV | PP_FLAG_ALLOW_UNREADABLE_NETMEM,
		.order = get_order(qcfg->rx_page_size),
		.pool_size = ZCNIC_WIRE,
		.nid = NUMA_NO_NODE,
		.dev = dev->dev.parent,
		.dma_dir = DMA_FROM_DEVICE,
		.max_len = qcfg->rx_page_size,
		.netdev = dev,
		.queue_idx = idx,
	};

	mem->buf_len = qcfg->rx_page_size;
	mem->pool = page_pool_create(&params);
	return PTR_ERR_OR_ZERO(mem->pool);
}

static void zcnic_mem_free(struct net_device *dev, void *per_queue_mem)
{
	struct zcnic_mem *mem = per_queue_mem;

	page_pool_destroy(mem->pool);
}

static int zcnic_queue_start(struct net_device *dev, struct netdev_queue_config *qcfg, void *per_queue_mem, int idx)
{
	struct zcnic *zc = netdev_priv(dev);
	struct zcnic_queue *q = &zc->queues[idx];

	q->mem = *(struct zcnic_mem *)per_queue_mem;
	page_pool_enable_direct_recycling(q->mem.pool, &q->napi);
	netif_queue_set_napi(dev, idx, NETDEV_QUEUE_TYPE_RX, &q->napi);
	napi_enable_locked(&q->napi);
	zcnic_kick(q);		/* for what has come meanwhile */
	return 0;
}

static int zcnic_queue_stop(struct net_device *dev, void *per_queue_mem, int idx)
{
	struct zcnic *zc = netdev_priv(dev);
	struct zcnic_queue *q = &zc->queues[idx];

	napi_disable_locked(&q->napi);
	netif_queue_set_napi(dev, idx, NETDEV_QUEUE_TYPE_RX, NULL);
	page_pool_disable_direct_recycling(q->mem.pool);
	*(struct zcnic_mem *)per_queue_mem = q->mem;
	q->mem.pool = NULL;
	return 0;
}

static void zcnic_default_qcfg(struct net_device *dev, struct netdev_queue_config *qcfg)
{
	qcfg->rx_page_size = PAGE_SIZE;
}

static int zcnic_validate_qcfg(struct net_device *dev, struct netdev_queue_config *qcfg,
			       struct netlink_ext_ack *extack)
{
	if (is_power_of_2(qcfg->rx_page_size) && qcfg->rx_page_size >= PAGE_SIZE &&
	    qcfg->rx_page_size <= ZCNIC_MAX_BUF)
		return 0;
	NL_SET_ERR_MSG(extack, "receive buffers are powers of two from a page to 2 MiB");
	return -ERANGE;
}

const struct netdev_queue_mgmt_ops zcnic_queue_ops = {
	.ndo_queue_mem_size	= sizeof(struct zcnic_mem),
	.ndo_queue_mem_alloc	= zcnic_mem_alloc,
	.ndo_queue_mem_free	= zcnic_mem_free,
	.ndo_queue_start	= zcnic_queue_start,
	.ndo_queue_stop		= zcnic_queue_stop,
	.ndo_default_qcfg	= zcnic_default_qcfg,
	.ndo_validate_qcfg	= zcnic_validate_qcfg,
	.supported_params	= QCFG_RX_PAGE_SIZE,
};

/* all queues */

static void zcnic_stop_queues(struct zcnic *zc, int nr)
{
	struct zcnic_mem mem;

	while (nr--) {
		zcnic_queue_stop(zc->dev, &mem, nr);
		zcnic_mem_free(zc->dev, &mem);
		skb_queue_purge(&zc->queues[nr].wire);
	}
}

int zcnic_rx_open(struct zcnic *zc)
{
	struct netdev_queue_config qcfg;
	struct zcnic_mem mem;
	int i, ret;

	for (i = 0; i < ZCNIC_QUEUES; i++) {
		netdev_queue_config(zc->dev, i, &qcfg);
		ret = zcnic_mem_alloc(zc->dev, &qcfg, &mem, i);
		if (ret) {
			zcnic_stop_queues(zc, i);
			return ret;
		}
		zcnic_queue_start(zc->dev, &qcfg, &mem, i);
	}
	return 0;
}

void zcnic_rx_stop(struct zcnic *zc)
{
	zcnic_stop_queues(zc, ZCNIC_QUEUES);
}

void zcnic_rx_init(struct zcnic *zc)
{
	int i;

	for (i = 0; i < ZCNIC_QUEUES; i++) {
		zc->queues[i].zc = zc;
		skb_queue_head_init(&zc->queues[i].wire);
		netif_napi_add_config(zc->dev, &zc->queues[i].napi, zcnic_poll, i);
	}
}

/* NAPI goes with the netdev. */
void zcnic_rx_exit(struct zcnic *zc)
{
	int i;

	for (i = 0; i < ZCNIC_QUEUES; i++)
		skb_queue_purge(&zc->queues[i].wire);
}
