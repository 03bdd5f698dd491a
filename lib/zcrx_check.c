// SPDX-License-Identifier: GPL-2.0
/*
 * What is missing for zero-copy receive on a NIC's queue, and the command that mends
 * it: one row of the table each, in the order in which to mend them.
 */
#include <linux/ethtool.h>
#include <linux/ethtool_netlink.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "zcrx.h"

struct check {
	const char *ifname;
	__u32 rxq;
	int inet;	/* for ioctls */
};

static int interface_ioctl(const struct check *check, unsigned long cmd, struct ifreq *ifr)
{
	snprintf(ifr->ifr_name, sizeof(ifr->ifr_name), "%s", check->ifname);
	return ioctl(check->inet, cmd, ifr) ? -errno : 0;
}

static int ethtool_ioctl(const struct check *check, void *arg)
{
	struct ifreq ifr = { .ifr_data = arg };

	return interface_ioctl(check, SIOCETHTOOL, &ifr);
}

/* The kernel looks at rights and flags before it reads its argument, which is bad. */
static int probe(void)
{
	struct io_uring_params params = {
		.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQE32,
	};
	struct io_uring ring;
	int ret = io_uring_queue_init_params(1, &ring, &params);

	if (ret)
		return ret;
	ret = io_uring_register(ring.ring_fd, IORING_REGISTER_ZCRX_IFQ, (void *)8, 1);
	io_uring_queue_exit(&ring);
	return ret;
}

static bool has_zcrx(const struct check *check)
{
	int ret = probe();

	(void)check;
	return ret == -EFAULT || ret == -EPERM;
}

static bool may(const struct check *check)
{
	(void)check;
	return probe() != -EPERM;
}

static bool is_up(const struct check *check)
{
	struct ifreq ifr = { 0 };

	return !interface_ioctl(check, SIOCGIFFLAGS, &ifr) && ifr.ifr_flags & IFF_UP;
}

static bool has_queue(const struct check *check)
{
	struct ethtool_channels channels = { .cmd = ETHTOOL_GCHANNELS };
	int err = ethtool_ioctl(check, &channels);

	return err ? err == -EOPNOTSUPP && !check->rxq :
		     check->rxq < channels.combined_count + channels.rx_count;
}

/* netlink: the ring parameters, which no ioctl tells in full */

static struct nlattr *put_attr(struct nlmsghdr *msg, __u16 type, const void *data, size_t len)
{
	struct nlattr *attr = (void *)((char *)msg + NLMSG_ALIGN(msg->nlmsg_len));

	attr->nla_type = type;
	attr->nla_len = (__u16)(NLA_HDRLEN + len);
	memcpy((char *)attr + NLA_HDRLEN, data, len);
	msg->nlmsg_len = NLMSG_ALIGN(msg->nlmsg_len) + NLA_ALIGN(attr->nla_len);
	return attr;
}

/* The value of an attribute of a reply: up to four bytes of it, or @otherwise. */
static __u32 get_attr(const struct nlmsghdr *msg, __u16 type, __u32 otherwise)
{
	const char *at = (const char *)msg + NLMSG_HDRLEN + GENL_HDRLEN, *end = (const char *)msg + msg->nlmsg_len;
	const struct nlattr *attr;

	for (; at + NLA_HDRLEN <= end; at += NLA_ALIGN(attr->nla_len)) {
		__u32 value = 0;
		size_t len;

		attr = (const void *)at;
		if (attr->nla_len < NLA_HDRLEN || attr->nla_len > end - at)
			break;
		if ((attr->nla_type & NLA_TYPE_MASK) != type)
			continue;
		len = attr->nla_len - (size_t)NLA_HDRLEN;
		memcpy(&value, at + NLA_HDRLEN, len < sizeof(value) ? len : sizeof(value));
		return value;
	}
	return otherwise;
}

/* One question in @msg, of which the answer takes the place: 0 or a negative errno. */
static int ask(int fd, struct nlmsghdr *msg, size_t size, __u16 family, __u8 cmd)
{
	struct genlmsghdr *genl = NLMSG_DATA(msg);
	ssize_t len;

	msg->nlmsg_type = family;
	msg->nlmsg_flags = NLM_F_REQUEST;
	genl->cmd = cmd;
	genl->version = 1;
	if (send(fd, msg, msg->nlmsg_len, 0) < 0)
		return -errno;
	len = recv(fd, msg, size, 0);
	if (len < 0)
		return -errno;
	if (!NLMSG_OK(msg, (size_t)len))
		return -EPROTO;
	return msg->nlmsg_type == NLMSG_ERROR ? ((struct nlmsgerr *)NLMSG_DATA(msg))->error : 0;
}

static int get_rings(int fd, const char *ifname, struct nlmsghdr *msg, size_t size)
{
	struct nlattr *header;
	__u16 family;
	int err;

	memset(msg, 0, size);
	msg->nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN);
	put_attr(msg, CTRL_ATTR_FAMILY_NAME, ETHTOOL_GENL_NAME, sizeof(ETHTOOL_GENL_NAME));
	err = ask(fd, msg, size, GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
	if (err)
		return err;
	family = (__u16)get_attr(msg, CTRL_ATTR_FAMILY_ID, 0);

	memset(msg, 0, size);
	msg->nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN);
	header = put_attr(msg, ETHTOOL_A_RINGS_HEADER | NLA_F_NESTED, "", 0);
	put_attr(msg, ETHTOOL_A_HEADER_DEV_NAME, ifname, strlen(ifname) + 1);
	header->nla_len = (__u16)((char *)msg + msg->nlmsg_len - (char *)header);
	return ask(fd, msg, size, family, ETHTOOL_MSG_RINGS_GET);
}

/* A ring parameter, or @otherwise if the NIC has no such thing. */
static __u32 ring_param(const struct check *check, __u16 type, __u32 otherwise)
{
	union {
		struct nlmsghdr msg;
		char space[16384];
	} reply;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);

	if (fd < 0)
		return otherwise;
	if (!get_rings(fd, check->ifname, &reply.msg, sizeof(reply)))
		otherwise = get_attr(&reply.msg, type, otherwise);
	close(fd);
	return otherwise;
}

static bool splits(const struct check *check)
{
	return ring_param(check, ETHTOOL_A_RINGS_TCP_DATA_SPLIT, 0) == ETHTOOL_TCP_DATA_SPLIT_ENABLED;
}

static bool splits_all(const struct check *check)
{
	return !ring_param(check, ETHTOOL_A_RINGS_HDS_THRESH, 0);
}

/* steering */

static bool rss_spares(const struct check *check)
{
	struct ethtool_rxfh_indir size = { .cmd = ETHTOOL_GRXFHINDIR }, *table;
	bool spared = true;
	__u32 i;

	if (ethtool_ioctl(check, &size) || !size.size)
		return true;
	table = calloc(1, sizeof(*table) + size.size * sizeof(table->ring_index[0]));
	if (!table)
		return true;
	*table = size;
	if (!ethtool_ioctl(check, table))
		for (i = 0; i < size.size; i++)
			spared &= table->ring_index[i] != check->rxq;
	free(table);
	return spared;
}

static bool rule_leads(const struct check *check, __u32 location)
{
	struct ethtool_rxnfc rule = { .cmd = ETHTOOL_GRXCLSRULE, .fs.location = location };

	return !ethtool_ioctl(check, &rule) && rule.fs.ring_cookie == check->rxq;
}

static bool is_steered(const struct check *check)
{
	struct ethtool_rxnfc count = { .cmd = ETHTOOL_GRXCLSRLCNT }, *rules;
	bool found = false;
	__u32 i;

	if (ethtool_ioctl(check, &count))
		return false;
	rules = calloc(1, sizeof(*rules) + count.rule_cnt * sizeof(rules->rule_locs[0]));
	if (!rules)
		return false;
	rules->cmd = ETHTOOL_GRXCLSRLALL;
	rules->rule_cnt = count.rule_cnt;
	if (!ethtool_ioctl(check, rules))
		for (i = 0; i < rules->rule_cnt && i < count.rule_cnt && !found; i++)
			found = rule_leads(check, rules->rule_locs[i]);
	free(rules);
	return found;
}

/* In the texts, %1$s is the interface, %2$u the queue, %3$u the number of queues that makes. */
static const struct row {
	bool (*good)(const struct check *check);
	const char *text;
	bool last;	/* without it there is nothing more to look at */
} rows[] = {
	{ has_zcrx, "this kernel has no ZCRX: take a newer one, with CONFIG_IO_URING_ZCRX", true },
	{ may, "CAP_NET_ADMIN is missing: run as root", false },
	{ is_up, "%1$s is not there or not up: ip link set %1$s up", true },
	{ has_queue, "%1$s has no queue %2$u: ethtool -L %1$s combined %3$u", true },
	{ splits, "header split is off: ethtool -G %1$s tcp-data-split on", false },
	{ splits_all, "header split leaves short packets out: ethtool -G %1$s hds-thresh 0", false },
	{ rss_spares, "RSS leads other traffic to the queue: ethtool -X %1$s equal %2$u", false },
	{ is_steered, "no rule leads to the queue: ethtool -N %1$s flow-type tcp4 dst-port PORT action %2$u", false },
};

int unified_io_zcrx_check(const char *ifname, __u32 rxq, char *text, size_t size)
{
	struct check check = {
		.ifname = ifname,
		.rxq = rxq,
		.inet = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0),
	};
	size_t i, used = 0;
	int missing = 0, len;

	if (check.inet < 0)
		return -errno;
	if (size)
		*text = '\0';
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].good(&check))
			continue;
		missing++;
		len = snprintf(text + used, size - used, rows[i].text, ifname, rxq, rxq + 1);
		used = len < 0 || used + (size_t)len >= size ? size : used + (size_t)len;
		if (used + 1 < size)
			memcpy(text + used++, "\n", 2);
		if (rows[i].last)
			break;
	}
	close(check.inet);
	return missing;
}
