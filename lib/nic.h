/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What ethtool and ip ask and tell a NIC, as far as zero-copy receive needs it.
 * Return values: 0 or a negative errno, unless said otherwise.
 */
#ifndef UNIFIED_IO_NIC_H
#define UNIFIED_IO_NIC_H

#include <linux/ethtool.h>
#include <linux/ethtool_netlink.h>
#include <stdbool.h>
#include <linux/types.h>

/**
 * struct unified_io_nic - a NIC and one of its queues
 * @ifname: its interface
 * @rxq: the queue
 * @inet: a socket for ioctls
 * @reason: what the kernel said when it refused last, or empty
 */
struct unified_io_nic {
	const char *ifname;
	__u32 rxq;
	int inet;
	char reason[128];
};

/* Header split: ETHTOOL_TCP_DATA_SPLIT_*, and the longest payload that is left where it is. */
struct unified_io_nic_split {
	__u8 split;
	bool has_thresh;
	__u32 thresh;
};

int unified_io_nic_open(struct unified_io_nic *nic, const char *ifname, __u32 rxq);
void unified_io_nic_close(struct unified_io_nic *nic);

bool unified_io_nic_is_up(struct unified_io_nic *nic);
int unified_io_nic_set_up(struct unified_io_nic *nic, bool up);

/* Queues that can receive; a NIC that cannot tell has one. */
__u32 unified_io_nic_queues(struct unified_io_nic *nic);
int unified_io_nic_get_channels(struct unified_io_nic *nic, struct ethtool_channels *channels);
int unified_io_nic_set_channels(struct unified_io_nic *nic, struct ethtool_channels *channels);

int unified_io_nic_get_split(struct unified_io_nic *nic, struct unified_io_nic_split *split);
int unified_io_nic_set_split(struct unified_io_nic *nic, const struct unified_io_nic_split *split);

/* The table of RSS, to be freed; NULL if there is none. With a size of 0 it sets the NIC's own. */
struct ethtool_rxfh_indir *unified_io_nic_get_rss(struct unified_io_nic *nic);
int unified_io_nic_set_rss(struct unified_io_nic *nic, struct ethtool_rxfh_indir *table);

/* Can a packet point at its payload where it lies? Scatter-gather, and checksums by the NIC. */
bool unified_io_nic_gathers(struct unified_io_nic *nic);

bool unified_io_nic_filters(struct unified_io_nic *nic);
int unified_io_nic_set_filters(struct unified_io_nic *nic, bool on);
bool unified_io_nic_is_steered(struct unified_io_nic *nic);
/* TCP over IPv4 to @port comes in by the queue: the rule's location, or a negative errno. */
int unified_io_nic_add_rule(struct unified_io_nic *nic, __u16 port);
int unified_io_nic_del_rule(struct unified_io_nic *nic, __u32 location);

#endif /* UNIFIED_IO_NIC_H */
