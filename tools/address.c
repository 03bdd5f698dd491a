// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "address.h"
#include "tool.h"
#include "unified_io_zcrx.h"

const char address_help[] =
	"  tcp-listen:[HOST:]PORT   wait for one TCP connection\n"
	"  tcp:HOST:PORT            connect\n"
	"  udp-listen:[HOST:]PORT   datagrams; a source\n"
	"  zcrx:IF,queue=N,port=P[,mode=MODE][,configure]\n"
	"                           one TCP connection, without a copy where the NIC can; a source\n"
	"                           MODE: auto, device (no copy), nodev or socket (one copy each)\n"
	"  xdp:IF[,queue=N[-M]][,port=P][,mode=MODE]\n"
	"                           packets, as a capture (pcapng): all of the queues' or TCP and UDP to\n"
	"                           a port; they go nowhere else; a source. MODE: auto, zerocopy, copy\n"
	"  nvme:DRIVE[,offset=N][,len=N][,append]\n"
	"                           a log on a block device (any: /dev/nvme0n1, /dev/sda2), from byte\n"
	"                           offset on, of at most len bytes; append to the one that is there\n"
	"  file:PATH                a file, by read() or write()\n"
	"  -                        stdin or stdout\n"
	"  bpf:OBJECT[,sec=NAME]    a BPF object file: unified_io_bpf_ops or XDP; NAME of the section,\n"
	"                           program or struct_ops where there are several\n";

void split_host(char *text, char **host, char **port)
{
	char *colon = strrchr(text, ':');

	*host = NULL;
	*port = text;
	if (!colon)
		return;
	*port = colon + 1;
	*colon = '\0';
	if (text[0] == '[' && colon[-1] == ']') {
		colon[-1] = '\0';
		text++;
	}
	if (*text)
		*host = text;
}

static void take_host(struct address *address, char *rest)
{
	split_host(rest, &address->host, &address->port);
	if (!*address->port)
		die(EXIT_USAGE, "%s: no port", address->text);
	if (address->kind == ADDRESS_TCP && !address->host)
		die(EXIT_USAGE, "%s: want tcp:HOST:PORT", address->text);
}

static void take_path(struct address *address, char *rest)
{
	if (!*rest)
		die(EXIT_USAGE, "%s: no path", address->text);
	address->path = rest;
}

static uint64_t size_of(const struct address *address, const char *name, const char *value)
{
	char what[64];

	snprintf(what, sizeof(what), "%.40s: %s", address->text, name);
	if (!value)
		die(EXIT_USAGE, "%s needs a value", what);
	return size_arg(what, value, 0, INT64_MAX);
}

/* enum unified_io_zcrx_mode, or enum unified_io_xsk_mode. */
static unsigned int mode_of(const struct address *address, const char *value)
{
	static const char *const modes[][5] = {
		{ "auto", "device", "nodev", "socket" }, { "auto", "zerocopy", "copy" },
	};
	bool xdp = address->kind == ADDRESS_XDP;
	unsigned int i;

	for (i = 0; modes[xdp][i]; i++)
		if (!strcmp(modes[xdp][i], value))
			return i;
	die(EXIT_USAGE, "%s: mode is %s", address->text,
	    xdp ? "auto, zerocopy or copy" : "auto, device, nodev or socket");
}

/* "3", of xdp also "0-3" */
static void take_queues(struct address *address, char *value)
{
	char *to = value && address->kind == ADDRESS_XDP ? strchr(value, '-') : NULL;
	uint64_t first, last;

	if (to)
		*to++ = '\0';
	first = size_of(address, "queue", value);
	last = to ? size_of(address, "queue", to) : first;
	if (last > MAX_QUEUE || last < first || last - first >= MAX_QUEUES)
		die(EXIT_USAGE, "%s: queue=N or N-M: up to %d, of up to %d", address->text, MAX_QUEUES,
		    MAX_QUEUE);
	address->queue = first;
	address->nr_queues = last - first + 1;
}

/* One of the NAME[=VALUE]; false if this kind has no such. */
static bool take_option(struct address *address, char *name, char *value)
{
	if (address->kind == ADDRESS_BPF && !strcmp(name, "sec") && value)
		address->section = value;
	else if (is_nic(address) && !strcmp(name, "queue"))
		take_queues(address, value);
	else if (is_nic(address) && !strcmp(name, "port") && value)
		address->port = value;
	else if (is_nic(address) && !strcmp(name, "mode") && value)
		address->mode = mode_of(address, value);
	else if (address->kind == ADDRESS_ZCRX && !strcmp(name, "configure") && !value)
		address->configure = true;
	else if (address->kind == ADDRESS_DRIVE && !strcmp(name, "append") && !value)
		address->append = true;
	else if (address->kind == ADDRESS_DRIVE && !strcmp(name, "offset"))
		address->offset = size_of(address, name, value);
	else if (address->kind == ADDRESS_DRIVE && !strcmp(name, "len"))
		address->len = size_of(address, name, value);
	else
		return false;
	return true;
}

static void take_options(struct address *address, char *options)
{
	char *name, *value;

	while ((name = strsep(&options, ","))) {
		value = strchr(name, '=');
		if (value)
			*value++ = '\0';
		if (!take_option(address, name, value))
			die(EXIT_USAGE, "%s: no option '%s' here; see --help", address->text, name);
	}
}

static const struct kind {
	const char *name;
	enum address_kind kind;
	void (*take)(struct address *address, char *rest);
} kinds[] = {
	{ "tcp-listen", ADDRESS_TCP_LISTEN, take_host },
	{ "tcp-l", ADDRESS_TCP_LISTEN, take_host },
	{ "tcp", ADDRESS_TCP, take_host },
	{ "tcp-connect", ADDRESS_TCP, take_host },
	{ "udp-listen", ADDRESS_UDP_LISTEN, take_host },
	{ "udp-l", ADDRESS_UDP_LISTEN, take_host },
	{ "zcrx", ADDRESS_ZCRX, take_path },
	{ "xdp", ADDRESS_XDP, take_path },
	{ "nvme", ADDRESS_DRIVE, take_path },
	{ "file", ADDRESS_FILE, take_path },
	{ "open", ADDRESS_FILE, take_path },
	{ "bpf", ADDRESS_BPF, take_path },
};

/* A bare path: a block device, a BPF object, or another file. */
static const struct kind *guess(const char *text)
{
	const char *name = "file";
	struct stat stat_;
	size_t len = strcspn(text, ","), i;
	char path[256];

	snprintf(path, sizeof(path), "%.*s", (int)len, text);
	if (!strchr(path, '/') && (len < 2 || strcmp(path + len - 2, ".o")))
		return NULL;
	if (!stat(path, &stat_) && S_ISBLK(stat_.st_mode))
		name = "nvme";
	else if (len > 2 && !strcmp(path + len - 2, ".o"))
		name = "bpf";
	for (i = 0; strcmp(kinds[i].name, name);)
		i++;
	return &kinds[i];
}

static const struct kind *find_kind(const char *text, char **rest)
{
	char *colon = strchr(*rest, ':');
	size_t i;

	if (strchr(text, '/') && (!colon || colon > strchr(*rest, '/')))
		return guess(text);
	for (i = 0; colon && i < ARRAY_SIZE(kinds); i++) {
		if (strlen(kinds[i].name) != (size_t)(colon - *rest) ||
		    strncasecmp(kinds[i].name, *rest, colon - *rest))
			continue;
		*rest = colon + 1;
		return &kinds[i];
	}
	return colon ? NULL : guess(text);
}

void address_parse(struct address *address, const char *text)
{
	char *rest = strdup(text), *options;
	const struct kind *kind;

	*address = (struct address) { .text = text, .kind = ADDRESS_STDIO, .nr_queues = 1 };
	if (!rest)
		die(EXIT_FAILED, "no memory");
	if (!strcmp(text, "-"))
		return;
	kind = find_kind(text, &rest);
	if (!kind)
		die(EXIT_USAGE, "no address '%s'. There are:\n%s", text, address_help);
	address->kind = kind->kind;
	options = rest + strcspn(rest, ",");
	if (*options)
		*options++ = '\0';
	kind->take(address, rest);
	if (*options)
		take_options(address, options);
	if (address->kind == ADDRESS_ZCRX && !address->port)
		die(EXIT_USAGE, "%s: want zcrx:INTERFACE,queue=N,port=P", text);
}
