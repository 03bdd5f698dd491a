// SPDX-License-Identifier: GPL-2.0
/* What ioctls ask and tell a NIC; nic_netlink.c has what no ioctl tells in full. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nic.h"

int unified_io_nic_open(struct unified_io_nic *nic, const char *ifname, __u32 rxq)
{
	*nic = (struct unified_io_nic){
		.ifname = ifname,
		.rxq = rxq,
		.inet = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0),
	};
	return nic->inet < 0 ? -errno : 0;
}

void unified_io_nic_close(struct unified_io_nic *nic)
{
	close(nic->inet);
}

static int interface_ioctl(struct unified_io_nic *nic, unsigned long cmd, struct ifreq *ifr)
{
	nic->reason[0] = '\0';
	snprintf(ifr->ifr_name, sizeof(ifr->ifr_name), "%s", nic->ifname);
	return ioctl(nic->inet, cmd, ifr) ? -errno : 0;
}

static int ethtool_ioctl(struct unified_io_nic *nic, void *arg)
{
	struct ifreq ifr = { .ifr_data = arg };

	return interface_ioctl(nic, SIOCETHTOOL, &ifr);
}

/* the interface */

bool unified_io_nic_is_up(struct unified_io_nic *nic)
{
	struct ifreq ifr = { 0 };

	return !interface_ioctl(nic, SIOCGIFFLAGS, &ifr) && ifr.ifr_flags & IFF_UP;
}

int unified_io_nic_set_up(struct unified_io_nic *nic, bool up)
{
	struct ifreq ifr = { 0 };
	int err = interface_ioctl(nic, SIOCGIFFLAGS, &ifr);

	if (err)
		return err;
	if (up)
		ifr.ifr_flags |= IFF_UP;
	else
		ifr.ifr_flags &= (short)~IFF_UP;
	return interface_ioctl(nic, SIOCSIFFLAGS, &ifr);
}

/* queues */

int unified_io_nic_get_channels(struct unified_io_nic *nic, struct ethtool_channels *channels)
{
	*channels = (struct ethtool_channels){ .cmd = ETHTOOL_GCHANNELS };
	return ethtool_ioctl(nic, channels);
}

int unified_io_nic_set_channels(struct unified_io_nic *nic, struct ethtool_channels *channels)
{
	channels->cmd = ETHTOOL_SCHANNELS;
	return ethtool_ioctl(nic, channels);
}

__u32 unified_io_nic_queues(struct unified_io_nic *nic)
{
	struct ethtool_channels channels;
	int err = unified_io_nic_get_channels(nic, &channels);

	if (err)
		return err == -EOPNOTSUPP ? 1 : 0;
	return channels.combined_count + channels.rx_count;
}

/* RSS */

struct ethtool_rxfh_indir *unified_io_nic_get_rss(struct unified_io_nic *nic)
{
	struct ethtool_rxfh_indir size = { .cmd = ETHTOOL_GRXFHINDIR }, *table;

	if (ethtool_ioctl(nic, &size) || !size.size)
		return NULL;
	table = calloc(1, sizeof(*table) + size.size * sizeof(table->ring_index[0]));
	if (!table)
		return NULL;
	*table = size;
	if (!ethtool_ioctl(nic, table))
		return table;
	free(table);
	return NULL;
}

int unified_io_nic_set_rss(struct unified_io_nic *nic, struct ethtool_rxfh_indir *table)
{
	table->cmd = ETHTOOL_SRXFHINDIR;
	return ethtool_ioctl(nic, table);
}

/* sending */

bool unified_io_nic_gathers(struct unified_io_nic *nic)
{
	struct ethtool_value sg = { .cmd = ETHTOOL_GSG }, csum = { .cmd = ETHTOOL_GTXCSUM };

	return !ethtool_ioctl(nic, &sg) && sg.data && !ethtool_ioctl(nic, &csum) && csum.data;
}

/* rules */

bool unified_io_nic_filters(struct unified_io_nic *nic)
{
	struct ethtool_value flags = { .cmd = ETHTOOL_GFLAGS };

	return !ethtool_ioctl(nic, &flags) && flags.data & ETH_FLAG_NTUPLE;
}

int unified_io_nic_set_filters(struct unified_io_nic *nic, bool on)
{
	struct ethtool_value flags = { .cmd = ETHTOOL_GFLAGS };
	int err = ethtool_ioctl(nic, &flags);

	if (err)
		return err;
	flags.cmd = ETHTOOL_SFLAGS;
	if (on)
		flags.data |= ETH_FLAG_NTUPLE;
	else
		flags.data &= ~(__u32)ETH_FLAG_NTUPLE;
	return ethtool_ioctl(nic, &flags);
}

static int get_rule(struct unified_io_nic *nic, __u32 location, struct ethtool_rxnfc *rule)
{
	*rule = (struct ethtool_rxnfc){ .cmd = ETHTOOL_GRXCLSRULE, .fs.location = location };
	return ethtool_ioctl(nic, rule);
}

static bool rule_leads(struct unified_io_nic *nic, __u32 location)
{
	struct ethtool_rxnfc rule;

	return !get_rule(nic, location, &rule) && rule.fs.ring_cookie == nic->rxq;
}

bool unified_io_nic_is_steered(struct unified_io_nic *nic)
{
	struct ethtool_rxnfc count = { .cmd = ETHTOOL_GRXCLSRLCNT }, *rules;
	bool found = false;
	__u32 i;

	if (ethtool_ioctl(nic, &count))
		return false;
	rules = calloc(1, sizeof(*rules) + count.rule_cnt * sizeof(rules->rule_locs[0]));
	if (!rules)
		return false;
	rules->cmd = ETHTOOL_GRXCLSRLALL;
	rules->rule_cnt = count.rule_cnt;
	if (!ethtool_ioctl(nic, rules))
		for (i = 0; i < rules->rule_cnt && i < count.rule_cnt && !found; i++)
			found = rule_leads(nic, rules->rule_locs[i]);
	free(rules);
	return found;
}

/* Where a rule can go: the driver says, or it is the last free place of its table. */
static int free_location(struct unified_io_nic *nic, __u32 *location)
{
	struct ethtool_rxnfc count = { .cmd = ETHTOOL_GRXCLSRLCNT }, rule;
	int err = ethtool_ioctl(nic, &count);

	if (err)
		return err;
	*location = RX_CLS_LOC_ANY;
	if (count.data & RX_CLS_LOC_SPECIAL)
		return 0;
	for (*location = (__u32)count.data; (*location)--;)
		if (get_rule(nic, *location, &rule))
			return 0;
	return -ENOSPC;
}

int unified_io_nic_add_rule(struct unified_io_nic *nic, __u16 port)
{
	struct ethtool_rxnfc rule = {
		.cmd = ETHTOOL_SRXCLSRLINS,
		.fs = {
			.flow_type = TCP_V4_FLOW,
			.h_u.tcp_ip4_spec.pdst = htons(port),
			.m_u.tcp_ip4_spec.pdst = 0xffff,
			.ring_cookie = nic->rxq,
		},
	};
	int err = free_location(nic, &rule.fs.location);

	return err ?: ethtool_ioctl(nic, &rule) ?: (int)rule.fs.location;
}

int unified_io_nic_del_rule(struct unified_io_nic *nic, __u32 location)
{
	struct ethtool_rxnfc rule = { .cmd = ETHTOOL_SRXCLSRLDEL, .fs.location = location };

	return ethtool_ioctl(nic, &rule);
}
