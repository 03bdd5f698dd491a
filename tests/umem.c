// SPDX-License-Identifier: GPL-2.0
/*
 * AF_XDP with the data area as its UMEM, by plain sockets: frames that a packet
 * socket at the other end of a veth sends land in the region, and those in the
 * region arrive there.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <linux/if_xdp.h>
#include <net/if.h>
#include <sys/uio.h>

#include "common.h"
#include "redirect.skel.h"

#define FRAME		2048
#define NR_FRAMES	64
#define LEN		1000
#define ETHERTYPE	0xb588	/* for experiments, network byte order */

struct queue {
	uint32_t *producer, *consumer;
	void *desc;
};

static struct region r;
static unsigned char *mem;
static struct queue fill, done, rx, tx;

static struct queue map_queue(int fd, const struct xdp_ring_offset *at, size_t entry, off_t offset)
{
	char *map = mmap(NULL, at->desc + NR_FRAMES * entry, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_POPULATE, fd, offset);

	CHECK(map != MAP_FAILED);
	return (struct queue){ (void *)(map + at->producer), (void *)(map + at->consumer), map + at->desc };
}

static int umem_socket(void)
{
	struct xdp_umem_reg reg = {
		.addr = (uintptr_t)mem, .len = NR_FRAMES * FRAME, .chunk_size = FRAME,
	};
	static const int options[] = {
		XDP_UMEM_FILL_RING, XDP_UMEM_COMPLETION_RING, XDP_RX_RING, XDP_TX_RING,
	};
	int fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0), entries = NR_FRAMES;
	struct xdp_mmap_offsets off;
	socklen_t len = sizeof(off);

	CHECK(fd >= 0);
	CHECK(setsockopt(fd, SOL_XDP, XDP_UMEM_REG, &reg, sizeof(reg)) == 0);
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		CHECK(setsockopt(fd, SOL_XDP, options[i], &entries, sizeof(entries)) == 0);
	CHECK(getsockopt(fd, SOL_XDP, XDP_MMAP_OFFSETS, &off, &len) == 0);
	fill = map_queue(fd, &off.fr, sizeof(uint64_t), XDP_UMEM_PGOFF_FILL_RING);
	done = map_queue(fd, &off.cr, sizeof(uint64_t), XDP_UMEM_PGOFF_COMPLETION_RING);
	rx = map_queue(fd, &off.rx, sizeof(struct xdp_desc), XDP_PGOFF_RX_RING);
	tx = map_queue(fd, &off.tx, sizeof(struct xdp_desc), XDP_PGOFF_TX_RING);
	return fd;
}

static void bind_to(int fd, const char *ifname)
{
	struct sockaddr_xdp at = {
		.sxdp_family = AF_XDP, .sxdp_flags = XDP_COPY, .sxdp_ifindex = if_nametoindex(ifname),
	};

	CHECK(bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0);
}

static struct redirect *redirect_to(int fd, const char *ifname)
{
	struct redirect *skel = redirect__open_and_load();
	uint32_t key = 0;

	CHECK(skel);
	CHECK(bpf_map_update_elem(bpf_map__fd(skel->maps.sockets), &key, &fd, BPF_ANY) == 0);
	CHECK(bpf_xdp_attach(if_nametoindex(ifname), bpf_program__fd(skel->progs.to_socket),
			     XDP_FLAGS_SKB_MODE, NULL) == 0);
	return skel;
}

static void wait_entry(const struct queue *q)
{
	uint64_t end = now_ns() + WAIT_NS;

	while (__atomic_load_n(q->producer, __ATOMIC_ACQUIRE) == *q->consumer) {
		CHECK(now_ns() < end);
		usleep(1000);
	}
}

static void make_frame(unsigned char *frame, uint64_t seed)
{
	static const uint16_t type = ETHERTYPE;

	memset(frame, 0xff, 12);
	memcpy(frame + 12, &type, sizeof(type));
	pattern_fill(frame + 16, LEN - 16, 0, seed);
}

static bool is_frame(const unsigned char *frame)
{
	static const uint16_t type = ETHERTYPE;

	return !memcmp(frame + 12, &type, sizeof(type));
}

/* Others send on a new interface, too. */
static void receives(int peer)
{
	unsigned char frame[LEN];
	struct xdp_desc desc;

	for (uint64_t i = 0; i < NR_FRAMES / 2; i++)
		((uint64_t *)fill.desc)[i] = i * FRAME;
	__atomic_store_n(fill.producer, NR_FRAMES / 2, __ATOMIC_RELEASE);
	make_frame(frame, 1);
	CHECK_EQ(send(peer, frame, LEN, 0), LEN);
	do {
		wait_entry(&rx);
		desc = ((struct xdp_desc *)rx.desc)[*rx.consumer % NR_FRAMES];
		__atomic_store_n(rx.consumer, *rx.consumer + 1, __ATOMIC_RELEASE);
	} while (!is_frame(r.data + desc.addr));
	CHECK_EQ(desc.len, LEN);
	pattern_check(r.data + desc.addr + 16, LEN - 16, 0, 1);
}

static void sends(int fd, int peer)
{
	const uint64_t addr = (NR_FRAMES - 1) * FRAME;
	unsigned char frame[FRAME];

	make_frame(r.data + addr, 2);
	((struct xdp_desc *)tx.desc)[0] = (struct xdp_desc){ .addr = addr, .len = LEN };
	__atomic_store_n(tx.producer, 1, __ATOMIC_RELEASE);
	CHECK(sendto(fd, NULL, 0, MSG_DONTWAIT, NULL, 0) == 0);
	wait_entry(&done);
	CHECK_EQ(((uint64_t *)done.desc)[0], addr);
	do
		CHECK(recv(peer, frame, sizeof(frame), 0) > 0);
	while (!is_frame(frame) || memcmp(frame + 16, r.data + addr + 16, 8));
	pattern_check(frame + 16, LEN - 16, 0, 2);
}

static void umem(unsigned int flags)
{
	struct unified_io_setup setup = SETUP_DEFAULT;
	struct redirect *skel;
	int fd, peer;

	setup.flags = flags;
	region_setup(&r, NULL, setup);
	mem = mmap(NULL, NR_FRAMES * FRAME, PROT_READ | PROT_WRITE, MAP_SHARED, r.fd, UNIFIED_IO_OFF_DATA);
	CHECK(mem != MAP_FAILED);
	CHECK_EQ(shell("ip link add umem0 type veth peer name umem1 && ip link set umem0 up && ip link set umem1 up"), 0);
	fd = umem_socket();
	bind_to(fd, "umem0");
	skel = redirect_to(fd, "umem0");
	peer = packet_socket("umem1");
	receives(peer);
	sends(fd, peer);
	close(peer);
	redirect__destroy(skel);
	close(fd);
	CHECK_EQ(shell("ip link del umem0"), 0);
	CHECK(munmap(mem, NR_FRAMES * FRAME) == 0);
	region_close(&r);
}

int main(void)
{
	umem(0);
	umem(UNIFIED_IO_SETUP_SMALL_PAGES);
	return 0;
}
