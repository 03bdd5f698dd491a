// SPDX-License-Identifier: GPL-2.0
/* The devices, transmission, and the cable between them. */
#include <linux/debugfs.h>
#include <linux/dma-mapping.h>
#include <linux/etherdevice.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/rtnetlink.h>

#include "zcnic.h"

static struct platform_device *zcnic_pdev;
static struct zcnic *zcnics[2];
static bool zcnic_cable = true;	/* plugged in; RTNL */
static struct dentry *zcnic_dir;

/* There is a link if both ends are up. RTNL. */
static void zcnic_update_link(void)
{
	bool up = zcnic_cable && netif_running(zcnics[0]->dev) && netif_running(zcnics[1]->dev);
	int i;

	for (i = 0; i < 2; i++) {
		if (up)
			netif_carrier_on(zcnics[i]->dev);
		else
			netif_carrier_off(zcnics[i]->dev);
	}
}

static int zcnic_open(struct net_device *dev)
{
	int ret = zcnic_rx_open(netdev_priv(dev));

	if (ret)
		return ret;
	netif_tx_start_all_queues(dev);
	zcnic_update_link();
	return 0;
}

static int zcnic_stop(struct net_device *dev)
{
	netif_tx_disable(dev);
	zcnic_update_link();
	synchronize_net();	/* the peer has seen that the link is down */
	zcnic_rx_stop(netdev_priv(dev));
	return 0;
}

static netdev_tx_t zcnic_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct zcnic *zc = netdev_priv(dev), *peer = zc->peer;
	struct netdev_queue *txq = skb_get_tx_queue(dev, skb);
	struct zcnic_queue *q;

	dev_sw_netstats_tx_add(dev, 1, skb->len);
	if (!netif_carrier_ok(dev) || zcnic_chance(READ_ONCE(peer->faults.drop))) {
		atomic64_inc(&peer->dropped);
		dev_kfree_skb_any(skb);
		return NETDEV_TX_OK;
	}
	skb_tx_timestamp(skb);
	q = zcnic_rx_steer(peer, skb);
	skb_queue_tail(&q->wire, skb);
	netif_txq_maybe_stop(txq, ZCNIC_WIRE - (int)skb_queue_len_lockless(&q->wire), 1, ZCNIC_WIRE / 2);
	napi_schedule(&q->napi);
	return NETDEV_TX_OK;
}

/* A packet that no queue discipline has seen: AF_XDP's, or one that XDP sends back. BH off. */
void zcnic_send(struct zcnic *zc, struct sk_buff *skb)
{
	struct zcnic *peer = zc->peer;
	struct zcnic_queue *q;

	skb_reset_mac_header(skb);
	skb->protocol = eth_hdr(skb)->h_proto;
	skb_set_network_header(skb, ETH_HLEN);
	q = zcnic_rx_steer(peer, skb);
	if (!netif_carrier_ok(zc->dev) || skb_queue_len_lockless(&q->wire) > 4 * ZCNIC_WIRE) {
		atomic64_inc(&peer->dropped);
		kfree_skb(skb);
		return;
	}
	dev_sw_netstats_tx_add(zc->dev, 1, skb->len);
	skb_queue_tail(&q->wire, skb);
	napi_schedule(&q->napi);
}

static void zcnic_get_stats64(struct net_device *dev, struct rtnl_link_stats64 *stats)
{
	struct zcnic *zc = netdev_priv(dev);
	int i;

	dev_get_tstats64(dev, stats);
	for (i = 0; i < ZCNIC_QUEUES; i++) {
		stats->rx_packets += READ_ONCE(zc->queues[i].packets);
		stats->rx_bytes += READ_ONCE(zc->queues[i].bytes);
		stats->rx_missed_errors += READ_ONCE(zc->queues[i].missed);
	}
	stats->rx_dropped = atomic64_read(&zc->dropped);
}

static const struct net_device_ops zcnic_netdev_ops = {
	.ndo_open		= zcnic_open,
	.ndo_stop		= zcnic_stop,
	.ndo_start_xmit		= zcnic_xmit,
	.ndo_get_stats64	= zcnic_get_stats64,
	.ndo_set_mac_address	= eth_mac_addr,
	.ndo_validate_addr	= eth_validate_addr,
	.ndo_bpf		= zcnic_bpf,
	.ndo_xsk_wakeup		= zcnic_xsk_wakeup,
};

static struct zcnic *zcnic_alloc(int nr)
{
	const u8 addr[ETH_ALEN] = { 0x02, 'z', 'c', 'n', 'i', nr };
	struct net_device *dev = alloc_etherdev_mq(sizeof(struct zcnic), ZCNIC_QUEUES);
	struct zcnic *zc;

	if (!dev)
		return NULL;
	zc = netdev_priv(dev);
	zc->dev = dev;
	SET_NETDEV_DEV(dev, &zcnic_pdev->dev);
	strscpy(dev->name, "zc%d");
	eth_hw_addr_set(dev, addr);
	dev->netdev_ops = &zcnic_netdev_ops;
	dev->queue_mgmt_ops = &zcnic_queue_ops;
	dev->ethtool_ops = &zcnic_ethtool_ops;
	dev->pcpu_stat_type = NETDEV_PCPU_STAT_TSTATS;
	dev->features = NETIF_F_SG | NETIF_F_HIGHDMA | NETIF_F_HW_CSUM | NETIF_F_RXCSUM | NETIF_F_NTUPLE;
	dev->hw_features = NETIF_F_SG | NETIF_F_HW_CSUM | NETIF_F_NTUPLE;
	dev->max_mtu = ETH_MAX_MTU;
	dev->xdp_features = NETDEV_XDP_ACT_BASIC | NETDEV_XDP_ACT_REDIRECT | NETDEV_XDP_ACT_RX_SG |
			    NETDEV_XDP_ACT_XSK_ZEROCOPY;
	dev->xdp_zc_max_segs = ZCNIC_SEGS;
	zcnic_rx_init(zc);
	zcnic_ethtool_init(zc);
	netif_carrier_off(dev);
	return zc;
}

static int zcnic_cable_get(void *data, u64 *val)
{
	*val = zcnic_cable;
	return 0;
}

static int zcnic_cable_set(void *data, u64 val)
{
	rtnl_lock();
	zcnic_cable = val;
	zcnic_update_link();
	rtnl_unlock();
	return 0;
}

DEFINE_DEBUGFS_ATTRIBUTE(zcnic_cable_fops, zcnic_cable_get, zcnic_cable_set, "%llu\n");

static void zcnic_debugfs(struct zcnic *zc)
{
	struct dentry *dir = debugfs_create_dir(netdev_name(zc->dev), zcnic_dir);

	debugfs_create_u32("drop", 0600, dir, &zc->faults.drop);
	debugfs_create_u32("reorder", 0600, dir, &zc->faults.reorder);
	debugfs_create_bool("nobuf", 0600, dir, &zc->faults.nobuf);
	debugfs_create_bool("pack", 0600, dir, &zc->faults.pack);
	debugfs_create_u32("skew", 0600, dir, &zc->faults.skew);
}

/* Of all that there is; each end needs the other until both are unregistered. */
static void zcnic_undo(void)
{
	int i;

	debugfs_remove_recursive(zcnic_dir);
	for (i = 0; i < 2; i++)
		if (zcnics[i] && zcnics[i]->dev->reg_state == NETREG_REGISTERED)
			unregister_netdev(zcnics[i]->dev);
	for (i = 0; i < 2; i++) {
		if (!zcnics[i])
			continue;
		zcnic_ethtool_exit(zcnics[i]);
		zcnic_rx_exit(zcnics[i]);
		free_netdev(zcnics[i]->dev);
	}
	platform_device_unregister(zcnic_pdev);
}

static int __init zcnic_init(void)
{
	int i, ret;

	zcnic_pdev = platform_device_register_simple("zcnic", PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(zcnic_pdev))
		return PTR_ERR(zcnic_pdev);
	ret = dma_coerce_mask_and_coherent(&zcnic_pdev->dev, DMA_BIT_MASK(64));
	dma_set_max_seg_size(&zcnic_pdev->dev, UINT_MAX);
	dma_set_seg_boundary(&zcnic_pdev->dev, ULONG_MAX);
	for (i = 0; i < 2 && !ret; i++) {
		zcnics[i] = zcnic_alloc(i);
		if (!zcnics[i])
			ret = -ENOMEM;
	}
	if (ret)
		goto err;
	zcnics[0]->peer = zcnics[1];
	zcnics[1]->peer = zcnics[0];

	zcnic_dir = debugfs_create_dir("zcnic", NULL);
	debugfs_create_file("cable", 0600, zcnic_dir, NULL, &zcnic_cable_fops);
	for (i = 0; i < 2; i++) {
		ret = register_netdev(zcnics[i]->dev);
		if (ret)
			goto err;
		zcnic_debugfs(zcnics[i]);
	}
	return 0;
err:
	zcnic_undo();
	return ret;
}

static void __exit zcnic_exit(void)
{
	zcnic_undo();
}

module_init(zcnic_init);
module_exit(zcnic_exit);
MODULE_DESCRIPTION("A pair of simulated NICs for zero-copy receive and AF_XDP");
MODULE_LICENSE("GPL");
