/* SPDX-License-Identifier: GPL-2.0 */
/*
 * unified-io pipe. A source, programs, a sink:
 *
 *	source		socket	    the kernel receives; see stream.c
 *			zcrx	    the NIC does; see intake.h, zcrx.c
 *			xdp	    packets, as a pcapng file; see xdp.c
 *			file	    read() into the region; see feed.c
 *			log	    records read from the drive; see feed.c
 *	programs	[split] users' programs [frame]; see programs.c
 *	sink		log	    records, written where the one before ended
 *			socket	    sent
 *			file	    write() out of the region
 */
#ifndef PIPE_H
#define PIPE_H

#include <signal.h>

#include "address.h"
#include "framing.h"
#include "logread.h"
#include "tool.h"

struct pipe_bpf;	/* the skeleton */
struct bpf_link;
struct bpf_object;

#define MAX_PROGRAMS	6	/* users': those of the tool take the first and the last place */
#define HEADROOM	sizeof(struct unified_io_log_header)
#define MIN_BATCH	4096U
#define MAX_BATCH	(1U << 20)	/* what a program's checksum takes at once */

#define LOG_FULL	"the log is full: it has come to len, or to the drive's end"

enum sync { SYNC_NONE, SYNC_FLUSH, SYNC_FUA };

struct pipe_options {
	enum framing framing;
	enum sync sync;
	uint32_t batch;		/* bytes of a buffer, headroom included */
	uint32_t depth;		/* buffers */
	uint64_t region;	/* bytes; 0: as many as depth buffers take */
	uint64_t expect;	/* bytes that will come; 0: not known */
	const char *cpus;
	int numa_node;		/* -1: any */
	bool small_pages;
	bool fill;
	bool force;
	bool configure;
	bool json;
	bool quiet;
	bool progress;
};

struct pipe {
	struct pipe_options options;
	struct address source, sink;
	struct address programs[MAX_PROGRAMS];
	unsigned int nr_programs;

	struct unified_io io;
	uint32_t lba_size;
	int source_fd;		/* socket, file */
	int sink_fd;
	int drive_fd;
	int signal_fd;		/* does not block */
	int source_slot, sink_slot;	/* -1: not a socket */

	/* the BPF stage */
	struct pipe_bpf *bpf;
	struct bpf_object *objects[MAX_PROGRAMS];
	struct bpf_link *links[MAX_PROGRAMS + 2];
	unsigned int nr_links;
	uint32_t xdp_id;
	bool has_bpf;
	bool one_piece;		/* programs and records want what a NIC has scattered in one piece */

	/* the logs */
	uint64_t log_id;
	uint64_t log_end;	/* bytes, whole blocks: where the sink's log must end */
	struct log_cursor tail;	/* what its next record will say, and where */
	struct log_reader *reader;	/* of the source's */

	/* counted here, because the kernel does not */
	uint64_t bytes_read, bytes_written, copied;
	uint64_t copied_in;	/* by the kernel, receiving, where the region does not count it */
	uint64_t packets, packets_lost;	/* xdp: stored; come while there was no room */
	const char *mode;	/* of what a NIC receives; NULL: not from a NIC */
	bool stopped;		/* by a signal */
};

/* open.c: endpoints. Each ends the program where it fails. */
void open_listeners(struct pipe *pipe);
void open_drive(struct pipe *pipe);
void open_region(struct pipe *pipe);
/* False if a signal came while it waited for the peer. */
bool open_peers(struct pipe *pipe);

/* programs.c */
void load_programs(struct pipe *pipe);
void unload_programs(struct pipe *pipe);

/* stream.c, feed.c, zcrx.c, xdp.c: to the end. Return 0 or a negative errno, having said why. */
int run_stream(struct pipe *pipe);
int run_feed(struct pipe *pipe);
int run_zcrx(struct pipe *pipe);
int run_xdp(struct pipe *pipe);
/* Before anybody connects. */
void open_zcrx(struct pipe *pipe);
void close_zcrx(void);
void open_xdp(struct pipe *pipe);

/* signals.c: from here on the first is read, not delivered. */
void catch_signals(struct pipe *pipe);
/* True, once, when it has come; the next then ends the program. */
bool take_signal(struct pipe *pipe);
/* Where exit() must not come between. What was blocked before is in @before, which may be NULL. */
void hold_signals(sigset_t *before);

/* configure.c: the NIC of the source, made fit; and made what it was: 0 or a negative errno. */
void configure(struct pipe *pipe);
int configure_undo(void);

/* sink.c */
/* For a record of one block, at the least the writer's last. */
bool has_room(const struct pipe *pipe);
void add_stages(const struct pipe *pipe, struct unified_descriptor *desc, uint32_t arg);
int write_out(struct pipe *pipe, const void *data, size_t len);
int failed(const struct unified_completion *cqe);	/* says why; its error */
int end_log(struct pipe *pipe);

/* progress.c */
void progress_begin(const struct pipe *pipe);
int progress_timeout(const struct pipe *pipe);	/* for poll() */
void progress_show(const struct pipe *pipe);
void progress_end(const struct pipe *pipe, int result);

#endif /* PIPE_H */
