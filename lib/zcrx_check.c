// SPDX-License-Identifier: GPL-2.0
/*
 * What is missing for zero-copy receive on a NIC's queue, and the command that mends
 * it: one row of the table each, in the order in which to mend them.
 */
#include <stdio.h>
#include <stdlib.h>

#include "nic.h"
#include "zcrx.h"

/* The kernel looks at rights and flags before it reads its argument, which is bad. */
int unified_io_zcrx_probe(void)
{
	struct io_uring_params params = {
		.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
			 IORING_SETUP_CQE32,
	};
	struct io_uring ring;
	int ret = io_uring_queue_init_params(1, &ring, &params);

	if (ret)
		return ret;
	ret = io_uring_register(ring.ring_fd, IORING_REGISTER_ZCRX_IFQ, (void *)8, 1);
	io_uring_queue_exit(&ring);
	return ret;
}

static bool has_zcrx(struct unified_io_nic *nic)
{
	int ret = unified_io_zcrx_probe();

	(void)nic;
	return ret == -EFAULT || ret == -EPERM;
}

static bool may(struct unified_io_nic *nic)
{
	(void)nic;
	return unified_io_zcrx_probe() != -EPERM;
}

static bool has_queue(struct unified_io_nic *nic)
{
	return nic->rxq < unified_io_nic_queues(nic);
}

static bool splits(struct unified_io_nic *nic)
{
	struct unified_io_nic_split split;

	return !unified_io_nic_get_split(nic, &split) &&
	       split.split == ETHTOOL_TCP_DATA_SPLIT_ENABLED;
}

/* A NIC without such a threshold splits all or nothing. */
static bool splits_all(struct unified_io_nic *nic)
{
	struct unified_io_nic_split split;

	return unified_io_nic_get_split(nic, &split) || !split.thresh;
}

/* With one queue there is nowhere else to lead to. */
static bool rss_spares(struct unified_io_nic *nic)
{
	struct ethtool_rxfh_indir *table = unified_io_nic_get_rss(nic);
	bool one = unified_io_nic_queues(nic) < 2, spared = true;
	__u32 i;

	for (i = 0; !one && table && i < table->size; i++)
		spared &= table->ring_index[i] != nic->rxq;
	free(table);
	return spared;
}

static bool rss_spares_first(struct unified_io_nic *nic)
{
	return nic->rxq || rss_spares(nic);
}

static bool rss_spares_other(struct unified_io_nic *nic)
{
	return !nic->rxq || rss_spares(nic);
}

/*
 * In the texts, %1$s is the interface, %2$u the queue, %3$u the number of queues that
 * makes, %4$u how many others there are.
 */
static const struct row {
	bool (*good)(struct unified_io_nic *nic);
	const char *text;
	bool last;	/* without it there is nothing more to look at */
} rows[] = {
	{ has_zcrx, "this kernel has no ZCRX: take a newer one, with CONFIG_IO_URING_ZCRX", true },
	{ may, "CAP_NET_ADMIN is missing: run as root", false },
	{ unified_io_nic_is_up, "%1$s is not there or not up: ip link set %1$s up", true },
	{ has_queue, "%1$s has no queue %2$u: ethtool -L %1$s combined %3$u", true },
	{ splits, "header split is off: ethtool -G %1$s tcp-data-split on", false },
	{ splits_all,
	  "header split leaves short packets out: ethtool -G %1$s hds-thresh 0", false },
	{ rss_spares_first,
	  "RSS leads other traffic to the queue: ethtool -X %1$s start 1 equal %4$u", false },
	{ rss_spares_other,
	  "RSS leads other traffic to the queue: ethtool -X %1$s equal %2$u", false },
	{ unified_io_nic_filters, "rules have no effect: ethtool -K %1$s ntuple on", false },
	{ unified_io_nic_is_steered,
	  "no rule leads to the queue: ethtool -N %1$s flow-type tcp4 dst-port PORT action %2$u",
	  false },
};

/* Appends the text of @row, and a new line. */
static size_t tell(const struct row *row, struct unified_io_nic *nic, char *text, size_t used,
		   size_t size)
{
	int len = snprintf(text + used, size - used, row->text, nic->ifname, nic->rxq, nic->rxq + 1,
			   unified_io_nic_queues(nic) - 1);

	used = len < 0 || used + (size_t)len >= size ? size : used + (size_t)len;
	if (used + 1 < size)
		memcpy(text + used++, "\n", 2);
	return used;
}

int unified_io_zcrx_check(const char *ifname, __u32 rxq, char *text, size_t size)
{
	struct unified_io_nic nic;
	int missing = 0, err = unified_io_nic_open(&nic, ifname, rxq);
	size_t i, used = 0;

	if (err)
		return err;
	if (size)
		*text = '\0';
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].good(&nic))
			continue;
		missing++;
		used = tell(&rows[i], &nic, text, used, size);
		if (rows[i].last)
			break;
	}
	unified_io_nic_close(&nic);
	return missing;
}
