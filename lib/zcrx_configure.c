// SPDX-License-Identifier: GPL-2.0
/*
 * Makes a NIC's queue fit for zero-copy receive, and undoes it: one row of the table for
 * each thing, done in this order and undone in the other.
 */
#include <net/if.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "nic.h"
#include "zcrx.h"

/* What was before. A row's bit in @done says that it changed something. */
struct unified_io_zcrx_config {
	struct unified_io_nic nic;
	__u16 port;
	unsigned int done;
	int claim;
	struct ethtool_channels channels;
	struct unified_io_nic_split split;
	struct ethtool_rxfh_indir *rss;
	__u32 rule;
};

/* apply() functions: 1 if they changed something, 0 if all was well, or a negative errno. */

static int no_zcrx(struct unified_io_zcrx_config *c)
{
	int ret = unified_io_zcrx_probe();

	(void)c;
	return ret == -EFAULT ? 0 : ret == -EPERM ? ret : -EOPNOTSUPP;
}

/*
 * One process at a time: two would undo each other's settings. The name goes with the
 * process, and with the network namespace.
 */
static int claim(struct unified_io_zcrx_config *c)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int len = snprintf(name.sun_path + 1, sizeof(name.sun_path) - 1, "unified-io-nic-%u",
			   if_nametoindex(c->nic.ifname));
	int err = 0;

	c->claim = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (c->claim < 0)
		return -errno;
	if (bind(c->claim, (struct sockaddr *)&name,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len)))
		err = errno == EADDRINUSE ? -EBUSY : -errno;
	if (err)
		close(c->claim);
	return err ?: 1;
}

static int disclaim(struct unified_io_zcrx_config *c)
{
	close(c->claim);
	return 0;
}

static int up(struct unified_io_zcrx_config *c)
{
	return unified_io_nic_is_up(&c->nic) ? 0 : unified_io_nic_set_up(&c->nic, true) ?: 1;
}

static int down(struct unified_io_zcrx_config *c)
{
	return unified_io_nic_set_up(&c->nic, false);
}

static int add_queues(struct unified_io_zcrx_config *c)
{
	struct ethtool_channels more;
	int err;

	if (c->nic.rxq < unified_io_nic_queues(&c->nic))
		return 0;
	err = unified_io_nic_get_channels(&c->nic, &c->channels);
	if (err)
		return err;
	more = c->channels;
	more.combined_count = c->nic.rxq + 1 - more.rx_count;
	return unified_io_nic_set_channels(&c->nic, &more) ?: 1;
}

static int remove_queues(struct unified_io_zcrx_config *c)
{
	return unified_io_nic_set_channels(&c->nic, &c->channels);
}

static int split(struct unified_io_zcrx_config *c)
{
	struct unified_io_nic_split want;
	int err = unified_io_nic_get_split(&c->nic, &c->split);

	if (err)
		return err;
	want = c->split;
	want.split = ETHTOOL_TCP_DATA_SPLIT_ENABLED;
	want.thresh = 0;
	if (c->split.split == want.split && !c->split.thresh)
		return 0;
	return unified_io_nic_set_split(&c->nic, &want) ?: 1;
}

static int unsplit(struct unified_io_zcrx_config *c)
{
	return unified_io_nic_set_split(&c->nic, &c->split);
}

/* What led to the queue leads to the others, in turn. Returns how many entries did. */
static __u32 lead_away(struct ethtool_rxfh_indir *table, __u32 rxq, __u32 queues)
{
	__u32 i, nr = 0;

	for (i = 0; i < table->size; i++)
		if (table->ring_index[i] == rxq)
			table->ring_index[i] = (rxq + 1 + nr++ % (queues - 1)) % queues;
	return nr;
}

static size_t rss_bytes(const struct ethtool_rxfh_indir *table)
{
	return sizeof(*table) + table->size * sizeof(table->ring_index[0]);
}

static int spare(struct unified_io_zcrx_config *c)
{
	struct ethtool_rxfh_indir *table;
	__u32 queues = unified_io_nic_queues(&c->nic);
	int ret = 0;

	c->rss = unified_io_nic_get_rss(&c->nic);
	if (!c->rss || queues < 2)
		return 0;
	table = malloc(rss_bytes(c->rss));
	if (!table)
		return -ENOMEM;
	memcpy(table, c->rss, rss_bytes(c->rss));
	if (lead_away(table, c->nic.rxq, queues))
		ret = unified_io_nic_set_rss(&c->nic, table) ?: 1;
	free(table);
	return ret;
}

static bool is_default(const struct ethtool_rxfh_indir *table, __u32 queues)
{
	__u32 i = 0;

	while (i < table->size && table->ring_index[i] == i % queues)
		i++;
	return i == table->size;
}

/* A table that was the NIC's own becomes that again, which follows the number of queues. */
static int unspare(struct unified_io_zcrx_config *c)
{
	if (is_default(c->rss, unified_io_nic_queues(&c->nic)))
		c->rss->size = 0;
	return unified_io_nic_set_rss(&c->nic, c->rss);
}

static int filters_on(struct unified_io_zcrx_config *c)
{
	if (!c->port || unified_io_nic_filters(&c->nic))
		return 0;
	return unified_io_nic_set_filters(&c->nic, true) ?: 1;
}

static int filters_off(struct unified_io_zcrx_config *c)
{
	return unified_io_nic_set_filters(&c->nic, false);
}

static int steer(struct unified_io_zcrx_config *c)
{
	int rule = c->port ? unified_io_nic_add_rule(&c->nic, c->port) : 0;

	c->rule = (__u32)rule;
	return rule < 0 ? rule : c->port != 0;
}

static int unsteer(struct unified_io_zcrx_config *c)
{
	return unified_io_nic_del_rule(&c->nic, c->rule);
}

/* In the texts, %1$s is the interface, %2$u the queue, %3$u the number of queues, %4$u the port. */
static const struct row {
	int (*apply)(struct unified_io_zcrx_config *c);
	int (*undo)(struct unified_io_zcrx_config *c);
	const char *command;
} rows[] = {
	{ no_zcrx, NULL, "io_uring ZCRX, as root and with CONFIG_IO_URING_ZCRX" },
	{ claim, disclaim, "%1$s is configured by another process, which will set it back: set it up by hand for both" },
	{ up, down, "ip link set %1$s up" },
	{ add_queues, remove_queues, "ethtool -L %1$s combined %3$u" },
	{ split, unsplit, "ethtool -G %1$s tcp-data-split on hds-thresh 0" },
	{ spare, unspare, "ethtool -X %1$s (RSS to all queues but %2$u)" },
	{ filters_on, filters_off, "ethtool -K %1$s ntuple on" },
	{ steer, unsteer, "ethtool -N %1$s flow-type tcp4 dst-port %4$u action %2$u" },
};

#define NR_ROWS	((int)(sizeof(rows) / sizeof(rows[0])))

/* Appends what the row's command is, and why it did not work. */
static void tell(const struct unified_io_zcrx_config *c, int row, int err, const char *what,
		 char *text, size_t size)
{
	const char *reason = c->nic.reason[0] ? c->nic.reason : strerror(-err);
	size_t used = size ? strlen(text) : 0;
	char command[128];

	snprintf(command, sizeof(command), rows[row].command, c->nic.ifname, c->nic.rxq,
		 c->nic.rxq + 1, c->port);
	snprintf(text + used, size - used, "%s%s: %s\n", what, command, reason);
}

/* The kernel lets go of a queue only a while after its ring was closed. */
static int undo_row(struct unified_io_zcrx_config *c, int row)
{
	int err, tries = 500;

	while ((err = rows[row].undo(c)) && err != -ENODEV && --tries)
		usleep(10000);
	return err;
}

/* Tells what cannot be undone, behind what @text says already. */
static int undo_all(struct unified_io_zcrx_config *c, char *text, size_t size)
{
	int row, err, first = 0;

	for (row = NR_ROWS - 1; row >= 0; row--) {
		if (!(c->done & 1U << row))
			continue;
		err = undo_row(c, row);
		if (err)
			tell(c, row, err, "cannot undo: ", text, size);
		first = first ?: err;
	}
	unified_io_nic_close(&c->nic);
	free(c->rss);
	free(c);
	return first;
}

int unified_io_zcrx_configure(struct unified_io_zcrx_config **config, const char *ifname,
			      __u32 rxq, __u16 port, char *text, size_t size)
{
	struct unified_io_zcrx_config *c = calloc(1, sizeof(*c));
	int row, ret = c ? unified_io_nic_open(&c->nic, ifname, rxq) : -ENOMEM;

	if (size)
		*text = '\0';
	if (ret) {
		free(c);
		return ret;
	}
	c->port = port;
	for (row = 0; row < NR_ROWS; row++) {
		c->nic.reason[0] = '\0';
		ret = rows[row].apply(c);
		if (ret < 0) {
			tell(c, row, ret, "", text, size);
			undo_all(c, text, size);
			return ret;
		}
		c->done |= (unsigned int)ret << row;
	}
	*config = c;
	return 0;
}

int unified_io_zcrx_undo(struct unified_io_zcrx_config *config, char *text, size_t size)
{
	if (size)
		*text = '\0';
	return undo_all(config, text, size);
}
