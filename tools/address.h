/* SPDX-License-Identifier: GPL-2.0 */
/* The addresses of unified-io pipe: KIND:WHAT[,NAME=VALUE]... */
#ifndef ADDRESS_H
#define ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#define MAX_QUEUE	1023	/* of an interface; xdp.bpf.c has a place for each */
#define MAX_QUEUES	64	/* for one pipe */

enum address_kind {
	ADDRESS_TCP_LISTEN,
	ADDRESS_TCP,
	ADDRESS_UDP_LISTEN,
	ADDRESS_ZCRX,
	ADDRESS_XDP,
	ADDRESS_DRIVE,
	ADDRESS_FILE,
	ADDRESS_STDIO,
	ADDRESS_BPF,
};

struct address {
	enum address_kind kind;
	const char *text;	/* as it was given */
	char *host;		/* NULL: any */
	char *port;
	char *path;		/* zcrx, xdp: the interface */
	char *section;		/* of a BPF object; NULL: its only program */
	uint32_t queue;		/* zcrx, xdp: of the interface */
	uint32_t nr_queues;	/* xdp: from that one on */
	unsigned int mode;	/* enum unified_io_zcrx_mode, unified_io_xsk_mode */
	bool configure;		/* zcrx: make the interface fit */
	uint64_t offset;	/* of a log on a drive, bytes */
	uint64_t len;		/* 0: up to the end of the drive */
	bool append;
};

/* Ends the program if @text is no address. */
void address_parse(struct address *address, const char *text);

/*
 * Parts "[HOST:]PORT" in place; HOST is in brackets if it is an IPv6 address, and NULL
 * if there is none.
 */
void split_host(char *text, char **host, char **port);

/* What there is, for --help. */
extern const char address_help[];

/* One that the kernel receives from or sends to by itself. */
static inline bool is_socket(const struct address *address)
{
	return address->kind <= ADDRESS_UDP_LISTEN;
}

static inline bool is_file(const struct address *address)
{
	return address->kind == ADDRESS_FILE || address->kind == ADDRESS_STDIO;
}

/* What comes has been put into the region by others: see intake.h. */
static inline bool is_nic(const struct address *address)
{
	return address->kind == ADDRESS_ZCRX || address->kind == ADDRESS_XDP;
}

static inline bool is_listener(const struct address *address)
{
	return address->kind == ADDRESS_TCP_LISTEN || address->kind == ADDRESS_ZCRX;
}

#endif /* ADDRESS_H */
