// SPDX-License-Identifier: GPL-2.0
/* Header split by ethtool's netlink, and why the kernel refuses it. */
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nic.h"

#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif

/* A message, and what becomes of it: its answer. */
union message {
	struct nlmsghdr head;
	char space[16384];
};

static void begin(union message *msg)
{
	memset(msg, 0, sizeof(*msg));
	msg->head.nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN);
}

static struct nlattr *put_attr(union message *msg, __u16 type, const void *data, size_t len)
{
	struct nlattr *attr = (void *)(msg->space + NLMSG_ALIGN(msg->head.nlmsg_len));

	attr->nla_type = type;
	attr->nla_len = (__u16)(NLA_HDRLEN + len);
	memcpy((char *)attr + NLA_HDRLEN, data, len);
	msg->head.nlmsg_len = NLMSG_ALIGN(msg->head.nlmsg_len) + NLA_ALIGN(attr->nla_len);
	return attr;
}

/* The value of an attribute in the answer, which begin at @from; NULL if it has none. */
static const void *find_attr(const union message *msg, size_t from, __u16 type, size_t *len)
{
	const char *at = msg->space + from, *end = msg->space + msg->head.nlmsg_len;
	const struct nlattr *attr;

	for (; at + NLA_HDRLEN <= end; at += NLA_ALIGN(attr->nla_len)) {
		attr = (const void *)at;
		if (attr->nla_len < NLA_HDRLEN || attr->nla_len > end - at)
			return NULL;
		if ((attr->nla_type & NLA_TYPE_MASK) != type)
			continue;
		*len = attr->nla_len - (size_t)NLA_HDRLEN;
		return at + NLA_HDRLEN;
	}
	return NULL;
}

/* Up to four bytes of it. False: there is none. */
static bool get_attr(const union message *msg, __u16 type, __u32 *value)
{
	size_t len;
	const void *at = find_attr(msg, NLMSG_HDRLEN + GENL_HDRLEN, type, &len);

	*value = 0;
	if (at)
		memcpy(value, at, len < sizeof(*value) ? len : sizeof(*value));
	return at;
}

/* What the kernel says of its refusal. */
static int refusal(const union message *msg, char *reason, size_t size)
{
	const struct nlmsgerr *err = NLMSG_DATA(&msg->head);
	const char *text;
	size_t len;

	text = find_attr(msg, NLMSG_LENGTH(sizeof(*err)), NLMSGERR_ATTR_MSG, &len);
	if (err->error && text)
		snprintf(reason, size, "%.*s", (int)len, text);
	return err->error;
}

/* One question in @msg, of which the answer takes the place. */
static int ask(int fd, union message *msg, __u16 family, __u8 cmd, struct unified_io_nic *nic)
{
	struct genlmsghdr *genl = NLMSG_DATA(&msg->head);
	ssize_t len;

	msg->head.nlmsg_type = family;
	msg->head.nlmsg_flags = NLM_F_REQUEST | (cmd == ETHTOOL_MSG_RINGS_SET ? NLM_F_ACK : 0);
	genl->cmd = cmd;
	genl->version = 1;
	if (send(fd, msg, msg->head.nlmsg_len, 0) < 0)
		return -errno;
	len = recv(fd, msg, sizeof(*msg), 0);
	if (len < 0)
		return -errno;
	if (!NLMSG_OK(&msg->head, (size_t)len))
		return -EPROTO;
	if (msg->head.nlmsg_type != NLMSG_ERROR)
		return 0;
	return refusal(msg, nic->reason, sizeof(nic->reason));
}

/* ethtool's family, or a negative errno; @msg is used for it. */
static int family(int fd, union message *msg, struct unified_io_nic *nic)
{
	__u32 id;
	int err;

	begin(msg);
	put_attr(msg, CTRL_ATTR_FAMILY_NAME, ETHTOOL_GENL_NAME, sizeof(ETHTOOL_GENL_NAME));
	err = ask(fd, msg, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, nic);
	if (err)
		return err;
	return get_attr(msg, CTRL_ATTR_FAMILY_ID, &id) ? (int)id : -EPROTO;
}

static int netlink(void)
{
	int one = 1, fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);

	if (fd < 0)
		return -errno;
	/* Reasons, and errors that do not repeat the message: for that it does without. */
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	return fd;
}

/* RINGS_GET, or RINGS_SET with @set. */
static int rings(struct unified_io_nic *nic, const struct unified_io_nic_split *set,
		 union message *msg)
{
	struct nlattr *header;
	__u8 cmd = set ? ETHTOOL_MSG_RINGS_SET : ETHTOOL_MSG_RINGS_GET;
	int fd = netlink(), id;

	nic->reason[0] = '\0';
	if (fd < 0)
		return fd;
	id = family(fd, msg, nic);
	begin(msg);
	header = put_attr(msg, ETHTOOL_A_RINGS_HEADER | NLA_F_NESTED, "", 0);
	put_attr(msg, ETHTOOL_A_HEADER_DEV_NAME, nic->ifname, strlen(nic->ifname) + 1);
	header->nla_len = (__u16)(msg->space + msg->head.nlmsg_len - (char *)header);
	if (set)
		put_attr(msg, ETHTOOL_A_RINGS_TCP_DATA_SPLIT, &set->split, sizeof(set->split));
	if (set && set->has_thresh)
		put_attr(msg, ETHTOOL_A_RINGS_HDS_THRESH, &set->thresh, sizeof(set->thresh));
	if (id >= 0)
		id = ask(fd, msg, (__u16)id, cmd, nic);
	close(fd);
	return id;
}

int unified_io_nic_get_split(struct unified_io_nic *nic, struct unified_io_nic_split *split)
{
	union message msg;
	__u32 value;
	int err = rings(nic, NULL, &msg);

	*split = (struct unified_io_nic_split){ 0 };
	if (err)
		return err;
	get_attr(&msg, ETHTOOL_A_RINGS_TCP_DATA_SPLIT, &value);
	split->split = (__u8)value;
	split->has_thresh = get_attr(&msg, ETHTOOL_A_RINGS_HDS_THRESH, &split->thresh);
	return 0;
}

int unified_io_nic_set_split(struct unified_io_nic *nic, const struct unified_io_nic_split *split)
{
	union message msg;

	return rings(nic, split, &msg);
}
