/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A pair of simulated NICs, zc0 and zc1, at the two ends of a cable.
 *
 * They exist to have io_uring's zero-copy receive (ZCRX) and AF_XDP zero copy on
 * several queues run on a stock kernel in a VM: queue management, page pools that
 * take foreign memory, header split, ntuple steering, RSS, large receive buffers.
 * The hardware is played here: what is sent waits in @wire of the receiving queue
 * until its NAPI "DMAs" it, through the DMA address, to where the page pool or the
 * fill ring says. No other copy is made.
 *
 *	main.c		the devices, transmission, the cable
 *	rx.c		receive queues: steering, NAPI, queue management
 *	xdp.c		XDP programs, and queues that AF_XDP has
 *	ethtool.c	what ethtool sets and shows
 *
 * Locks. Configuration is written under the netdev's lock, and read without;
 * @rules and @prog are RCU. A page pool is used by its queue's NAPI alone.
 */
#ifndef _ZCNIC_H
#define _ZCNIC_H

#include <linux/dma-direct.h>
#include <linux/ethtool.h>
#include <linux/netdevice.h>
#include <linux/random.h>
#include <linux/skbuff.h>
#include <net/flow_dissector.h>
#include <net/netdev_queues.h>
#include <net/page_pool/types.h>
#include <net/xdp.h>

#define ZCNIC_QUEUES		4
#define ZCNIC_INDIR		64	/* entries of the RSS table */
#define ZCNIC_RULES		16	/* ntuple */
#define ZCNIC_WIRE		256	/* packets on their way to a queue */
#define ZCNIC_MAX_BUF		(1U << 21)
#define ZCNIC_SEGS		8	/* frames of an AF_XDP packet */

/* Memory of a queue, while the queue is up or about to be. */
struct zcnic_mem {
	struct page_pool *pool;
	u32 buf_len;
};

/**
 * struct zcnic_queue - a receive queue
 * @zc: whose it is
 * @napi: receives
 * @mem: where to
 * @wire: packets that the peer has sent
 * @xsk: AF_XDP's, which then has the queue
 * @rxq: what its programs are told
 * @sending: a packet of which not all frames have been fetched
 * @packets: received; this and the rest by NAPI alone
 * @bytes: of them
 * @split: packets of which the payload went to the page pool
 * @niovs: fragments of them that went to memory which a provider lends, not to pages
 * @frames: packets that went to AF_XDP's frames
 * @missed: packets lost for want of a buffer
 * @reordered: packets that overtook another
 */
struct zcnic_queue {
	struct zcnic *zc;
	struct napi_struct napi;
	struct zcnic_mem mem;
	struct sk_buff_head wire;
	struct xsk_buff_pool *xsk;
	struct xdp_rxq_info rxq;
	struct sk_buff *sending;
	u64 packets;
	u64 bytes;
	u64 split;
	u64 niovs;
	u64 frames;
	u64 missed;
	u64 reordered;
};

/**
 * struct zcnic_faults - what goes wrong; one file each in debugfs
 * @drop: of 1000 packets, lost on the way to this NIC
 * @reorder: of 1000 packets, overtaken by the next one
 * @nobuf: nothing can be received for want of buffers
 * @pack: payload of several packets into one buffer, so that it begins anywhere
 * @skew: bytes left free in front of it
 */
struct zcnic_faults {
	u32 drop;
	u32 reorder;
	bool nobuf;
	bool pack;
	u32 skew;
};

/**
 * struct zcnic - one NIC
 * @dev: its interface
 * @peer: at the other end of the cable
 * @queues: receive queues
 * @split_thresh: payloads longer than this are split from their headers; -1 for none
 * @indir: RSS table
 * @rules: ntuple rules, by location
 * @prog: XDP program
 * @dropped: packets that the peer sent and that were lost
 * @faults: see there
 */
struct zcnic {
	struct net_device *dev;
	struct zcnic *peer;
	struct zcnic_queue queues[ZCNIC_QUEUES];
	int split_thresh;
	u32 indir[ZCNIC_INDIR];
	struct ethtool_rx_flow_spec __rcu *rules[ZCNIC_RULES];
	struct bpf_prog __rcu *prog;
	atomic64_t dropped;
	struct zcnic_faults faults;
};

/* What transmission leaves in skb->cb for the receiver. */
struct zcnic_cb {
	u32 headers;	/* length, if it is TCP */
};

#define ZCNIC_CB(skb)	((struct zcnic_cb *)(skb)->cb)

static inline bool zcnic_chance(u32 of_1000)
{
	return of_1000 && get_random_u32_below(1000) < of_1000;
}

/* The memory at a DMA address, as the device's own hands find it. */
static inline void *zcnic_dma_to_virt(const struct zcnic *zc, dma_addr_t dma)
{
	return phys_to_virt(dma_to_phys(zc->dev->dev.parent, dma));
}

/* main.c */
void zcnic_send(struct zcnic *zc, struct sk_buff *skb);

/* rx.c */
extern const struct netdev_queue_mgmt_ops zcnic_queue_ops;
void zcnic_rx_init(struct zcnic *zc);
void zcnic_rx_exit(struct zcnic *zc);
int zcnic_rx_open(struct zcnic *zc);
void zcnic_rx_stop(struct zcnic *zc);
struct zcnic_queue *zcnic_rx_steer(struct zcnic *zc, struct sk_buff *skb);
void zcnic_kick(struct zcnic_queue *q);

/* xdp.c */
int zcnic_bpf(struct net_device *dev, struct netdev_bpf *bpf);
int zcnic_xsk_wakeup(struct net_device *dev, u32 queue_id, u32 flags);
bool zcnic_xsk_receive(struct zcnic_queue *q, const struct sk_buff *wire);
int zcnic_xsk_send(struct zcnic_queue *q, int budget);
bool zcnic_xdp_passes(struct zcnic_queue *q, struct sk_buff **skb);

/* ethtool.c */
extern const struct ethtool_ops zcnic_ethtool_ops;
void zcnic_ethtool_init(struct zcnic *zc);
void zcnic_ethtool_exit(struct zcnic *zc);

#endif /* _ZCNIC_H */
