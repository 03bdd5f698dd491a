// SPDX-License-Identifier: GPL-2.0
/* What ethtool sets and shows: header split, RSS, ntuple rules, counters. */
#include "zcnic.h"

/* ring parameters */

static void zcnic_get_ringparam(struct net_device *dev, struct ethtool_ringparam *ring,
				struct kernel_ethtool_ringparam *kernel_ring, struct netlink_ext_ack *extack)
{
	ring->rx_max_pending = ZCNIC_WIRE;
	ring->rx_pending = ZCNIC_WIRE;
	kernel_ring->hds_thresh_max = ETH_MAX_MTU;
}

static int zcnic_set_ringparam(struct net_device *dev, struct ethtool_ringparam *ring,
			       struct kernel_ethtool_ringparam *kernel_ring, struct netlink_ext_ack *extack)
{
	struct zcnic *zc = netdev_priv(dev);
	bool split = kernel_ring->tcp_data_split == ETHTOOL_TCP_DATA_SPLIT_ENABLED;

	if (ring->rx_pending != ZCNIC_WIRE) {
		NL_SET_ERR_MSG(extack, "the ring has one size");
		return -EINVAL;
	}
	WRITE_ONCE(zc->split_thresh, split ? (int)kernel_ring->hds_thresh : -1);
	return 0;
}

static void zcnic_get_channels(struct net_device *dev, struct ethtool_channels *channels)
{
	channels->max_combined = ZCNIC_QUEUES;
	channels->combined_count = dev->real_num_rx_queues;
}

static void zcnic_default_indir(struct zcnic *zc, u32 queues)
{
	int i;

	for (i = 0; i < ZCNIC_INDIR; i++)
		WRITE_ONCE(zc->indir[i], ethtool_rxfh_indir_default(i, queues));
}

/* All queues are there all the time; those above the number get nothing to do. */
static int zcnic_set_channels(struct net_device *dev, struct ethtool_channels *channels)
{
	u32 queues = channels->combined_count;
	int ret = netif_set_real_num_queues(dev, queues, queues);

	if (!ret && !netif_is_rxfh_configured(dev))
		zcnic_default_indir(netdev_priv(dev), queues);
	return ret;
}

/* RSS */

static u32 zcnic_get_rx_ring_count(struct net_device *dev)
{
	return dev->real_num_rx_queues;
}

static u32 zcnic_get_rxfh_indir_size(struct net_device *dev)
{
	return ZCNIC_INDIR;
}

static int zcnic_get_rxfh(struct net_device *dev, struct ethtool_rxfh_param *rxfh)
{
	struct zcnic *zc = netdev_priv(dev);

	if (rxfh->indir)
		memcpy(rxfh->indir, zc->indir, sizeof(zc->indir));
	return 0;
}

static int zcnic_set_rxfh(struct net_device *dev, struct ethtool_rxfh_param *rxfh, struct netlink_ext_ack *extack)
{
	struct zcnic *zc = netdev_priv(dev);
	int i;

	if (rxfh->hfunc || rxfh->key) {
		NL_SET_ERR_MSG(extack, "the hash function is fixed");
		return -EOPNOTSUPP;
	}
	for (i = 0; rxfh->indir && i < ZCNIC_INDIR; i++)
		WRITE_ONCE(zc->indir[i], rxfh->indir[i]);
	return 0;
}

/* ntuple rules */

static int zcnic_count_rules(struct zcnic *zc, u32 *locs)
{
	int i, nr = 0;

	for (i = 0; i < ZCNIC_RULES; i++) {
		if (!rcu_access_pointer(zc->rules[i]))
			continue;
		if (locs)
			locs[nr] = i;
		nr++;
	}
	return nr;
}

static int zcnic_get_rule(struct zcnic *zc, struct ethtool_rxnfc *info)
{
	const struct ethtool_rx_flow_spec *rule;

	if (info->fs.location >= ZCNIC_RULES)
		return -EINVAL;
	rule = rcu_dereference_protected(zc->rules[info->fs.location], lockdep_is_held(&zc->dev->lock));
	if (!rule)
		return -ENOENT;
	info->fs = *rule;
	return 0;
}

static int zcnic_get_rxnfc(struct net_device *dev, struct ethtool_rxnfc *info, u32 *locs)
{
	struct zcnic *zc = netdev_priv(dev);

	switch (info->cmd) {
	case ETHTOOL_GRXCLSRLCNT:
		info->rule_cnt = zcnic_count_rules(zc, NULL);
		info->data = ZCNIC_RULES | RX_CLS_LOC_SPECIAL;
		return 0;
	case ETHTOOL_GRXCLSRULE:
		return zcnic_get_rule(zc, info);
	case ETHTOOL_GRXCLSRLALL:
		if (info->rule_cnt < zcnic_count_rules(zc, NULL))
			return -EMSGSIZE;
		info->rule_cnt = zcnic_count_rules(zc, locs);
		info->data = ZCNIC_RULES;
		return 0;
	}
	return -EOPNOTSUPP;
}

static void zcnic_put_rule(struct zcnic *zc, u32 loc, struct ethtool_rx_flow_spec *rule)
{
	struct ethtool_rx_flow_spec *old;

	old = rcu_replace_pointer(zc->rules[loc], rule, lockdep_is_held(&zc->dev->lock));
	kvfree_rcu_mightsleep(old);
}

static int zcnic_add_rule(struct zcnic *zc, struct ethtool_rx_flow_spec *fs)
{
	struct ethtool_rx_flow_spec *rule;
	u32 loc = fs->location;

	if (fs->flow_type != TCP_V4_FLOW && fs->flow_type != UDP_V4_FLOW)
		return -EOPNOTSUPP;
	if (fs->ring_cookie >= ZCNIC_QUEUES || fs->m_u.tcp_ip4_spec.tos)
		return -EINVAL;
	if (loc & RX_CLS_LOC_SPECIAL)
		for (loc = 0; loc < ZCNIC_RULES && rcu_access_pointer(zc->rules[loc]); loc++)
			;
	if (loc >= ZCNIC_RULES)
		return -ENOSPC;
	rule = kvmalloc_obj(*rule);
	if (!rule)
		return -ENOMEM;
	fs->location = loc;
	*rule = *fs;
	zcnic_put_rule(zc, loc, rule);
	return 0;
}

static int zcnic_set_rxnfc(struct net_device *dev, struct ethtool_rxnfc *info)
{
	struct zcnic *zc = netdev_priv(dev);
	u32 loc = info->fs.location;

	switch (info->cmd) {
	case ETHTOOL_SRXCLSRLINS:
		return zcnic_add_rule(zc, &info->fs);
	case ETHTOOL_SRXCLSRLDEL:
		if (loc >= ZCNIC_RULES)
			return -EINVAL;
		if (!rcu_access_pointer(zc->rules[loc]))
			return -ENOENT;
		zcnic_put_rule(zc, loc, NULL);
		return 0;
	}
	return -EOPNOTSUPP;
}

/* counters */

#define ZCNIC_STATS	7	/* of a queue */

static int zcnic_get_sset_count(struct net_device *dev, int sset)
{
	return sset == ETH_SS_STATS ? ZCNIC_QUEUES * ZCNIC_STATS : -EOPNOTSUPP;
}

static void zcnic_get_strings(struct net_device *dev, u32 sset, u8 *data)
{
	int i;

	for (i = 0; i < ZCNIC_QUEUES; i++) {
		ethtool_sprintf(&data, "rx%d_packets", i);
		ethtool_sprintf(&data, "rx%d_bytes", i);
		ethtool_sprintf(&data, "rx%d_split", i);
		ethtool_sprintf(&data, "rx%d_niovs", i);
		ethtool_sprintf(&data, "rx%d_frames", i);
		ethtool_sprintf(&data, "rx%d_missed", i);
		ethtool_sprintf(&data, "rx%d_reordered", i);
	}
}

static void zcnic_get_ethtool_stats(struct net_device *dev, struct ethtool_stats *stats, u64 *data)
{
	struct zcnic *zc = netdev_priv(dev);
	const struct zcnic_queue *q;

	for (q = zc->queues; q < zc->queues + ZCNIC_QUEUES; q++) {
		*data++ = READ_ONCE(q->packets);
		*data++ = READ_ONCE(q->bytes);
		*data++ = READ_ONCE(q->split);
		*data++ = READ_ONCE(q->niovs);
		*data++ = READ_ONCE(q->frames);
		*data++ = READ_ONCE(q->missed);
		*data++ = READ_ONCE(q->reordered);
	}
}

const struct ethtool_ops zcnic_ethtool_ops = {
	.op_needs_rtnl		= ETHTOOL_OP_NEEDS_RTNL_SCHANNELS,
	.supported_ring_params	= ETHTOOL_RING_USE_TCP_DATA_SPLIT | ETHTOOL_RING_USE_HDS_THRS,
	.get_link		= ethtool_op_get_link,
	.get_ringparam		= zcnic_get_ringparam,
	.set_ringparam		= zcnic_set_ringparam,
	.get_channels		= zcnic_get_channels,
	.set_channels		= zcnic_set_channels,
	.get_rx_ring_count	= zcnic_get_rx_ring_count,
	.get_rxfh_indir_size	= zcnic_get_rxfh_indir_size,
	.get_rxfh		= zcnic_get_rxfh,
	.set_rxfh		= zcnic_set_rxfh,
	.get_rxnfc		= zcnic_get_rxnfc,
	.set_rxnfc		= zcnic_set_rxnfc,
	.get_sset_count		= zcnic_get_sset_count,
	.get_strings		= zcnic_get_strings,
	.get_ethtool_stats	= zcnic_get_ethtool_stats,
};

/* Header split is off until somebody wants it. */
void zcnic_ethtool_init(struct zcnic *zc)
{
	zc->dev->cfg->hds_config = ETHTOOL_TCP_DATA_SPLIT_DISABLED;
	zc->split_thresh = -1;
	zcnic_default_indir(zc, ZCNIC_QUEUES);
}

/* Nobody sends any more, and nobody asks. */
void zcnic_ethtool_exit(struct zcnic *zc)
{
	int i;

	for (i = 0; i < ZCNIC_RULES; i++)
		kvfree(rcu_dereference_protected(zc->rules[i], true));
}
