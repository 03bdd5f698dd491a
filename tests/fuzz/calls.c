// SPDX-License-Identifier: GPL-2.0
/*
 * The calls on the device itself. An argument is made of bytes through tables
 * whose first elements make sense, so that most calls get past the first check.
 */
#include "fuzz.h"

#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#define NR_DRIVES	12

struct world world;

static int drives[NR_DRIVES], nr_drives;
static int event_fd;
static char *pages;	/* for arguments: read-write, none, read-only */

/* The errnos of the uapi header. */
static const int documented[] = {
	EINVAL, EFAULT, EBUSY, ENXIO, EPERM, ENOMEM, EBADF, ENOTBLK, ENOTSOCK, EPROTONOSUPPORT, ENOTCONN,
	ENODEV, ERANGE, EMSGSIZE, EREMOTEIO, EROFS, ENOENT, EXDEV, ENOSPC, EPROTO, ELOOP, ECANCELED, EOPNOTSUPP,
	EIO, ETIME, EINTR, ENOTTY, EMFILE,
};

uint64_t wild(uint8_t byte)
{
	static const uint64_t numbers[] = {
		~0ULL, 0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 1ULL << 63, ~0ULL >> 1, 4095, 4096,
		65535, 65536, 1 << 20, 1 << 30, (1 << 30) + 1, 1ULL << 36, UNIFIED_IO_OFF_DATA,
		UNIFIED_IO_OFF_DATA - 4096, ~0ULL - 4095, ~0ULL - 511,
	};

	return byte < 128 ? numbers[byte % ARRAY_SIZE(numbers)] : byte * 0x0101010101010101ULL;
}

struct fuzz_region *region_of(uint8_t byte)
{
	return &world.region[byte < 192 ? byte & 1 : byte % NR_REGIONS];
}

struct unified_io_control *control_of(struct fuzz_region *r)
{
	return r->map;
}

/* drives: opened once, but for the one that vanishes */

static void drive_add(const char *path, int mode)
{
	int fd = path ? open(path, mode | O_CLOEXEC) : -1;

	drives[nr_drives++] = fd;
}

static void drives_init(void)
{
	drive_add(getenv("NVME0"), O_RDWR);
	drive_add(getenv("NULLBLK"), O_RDWR);
	drive_add(getenv("PARTITION"), O_RDWR);
	drive_add(getenv("NVME1"), O_RDWR);
	drive_add(getenv("LOOP"), O_RDWR);
	drive_add(getenv("NVME0"), O_RDONLY);
	drive_add(getenv("NVME0"), O_WRONLY);
	drive_add("/dev/ng0n1", O_RDWR);
	drive_add("/dev/zero", O_RDWR);
	drive_add("/tmp", O_RDWR | O_TMPFILE);
}

int drive_of(uint8_t byte)
{
	const char *vanish = getenv("VANISH");

	if (byte < 64)
		return drives[0];
	if (byte >= 192 && byte < 240)
		return vanish ? open(vanish, O_RDWR | O_CLOEXEC) : -1;
	return byte == 255 ? 9999 : drives[byte % nr_drives];
}

void calls_init(void)
{
	drives_init();
	event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	CHECK(event_fd >= 0);
	pages = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(pages != MAP_FAILED);
	CHECK(mprotect(pages + 4096, 4096, PROT_NONE) == 0);
	CHECK(mprotect(pages + 8192, 4096, PROT_READ) == 0);
	bpf_calls_init();
}

void world_init(void)
{
	for (int i = 0; i < NR_REGIONS; i++)
		world.region[i].fd = -1;
	for (int i = 0; i < NR_SOCKS; i++)
		world.sock[i] = (struct fuzz_sock){ -1, -1 };
}

static void region_check(struct fuzz_region *r)
{
	struct unified_io_info before, now;

	if (r->fd < 0 || !r->map || ioctl(r->fd, UNIFIED_IO_GET_INFO, &before) ||
	    ioctl(r->fd, UNIFIED_IO_GET_INFO, &now))
		return;
	if (before.completed > now.submitted)
		complain("%llu operations completed, %llu submitted", before.completed, now.submitted);
	if (now.inflight > now.cq_entries)
		complain("%u operations in flight, the CQ has %u", now.inflight, now.cq_entries);
}

void world_check(void)
{
	for (int i = 0; i < NR_REGIONS; i++)
		region_check(&world.region[i]);
}

/* ioctls */

/* Where the kernel finds the argument. */
static void *place_arg(const void *arg, size_t size, uint8_t place)
{
	struct fuzz_region *r = region_of(place);
	void *to;

	switch (place) {
	case 255:
		return NULL;
	case 254:
		return (void *)-4096L;
	case 253:
		return pages + 8192;
	case 252:
		return pages + 4096 - size / 2;
	case 251:
		return pages + 4096;
	case 232 ... 250:		/* in the region, where others write */
		to = r->map ? r->map + control_of(r)->data_offset % r->map_len / 8 * 8 : NULL;
		if (!to || to + size > r->map + r->map_len)
			return NULL;
		break;
	default:
		return (void *)arg;
	}
	memcpy(to, arg, size);
	return to;
}

int call_ioctl(int fd, unsigned long cmd, void *arg, size_t size, uint8_t place)
{
	void *at = place_arg(arg, size, place);
	int ret = ioctl(fd, cmd, at);

	if (ret >= 0) {
		if (at != arg && at)
			memcpy(arg, at, size);
		return ret;
	}
	for (size_t i = 0; i < ARRAY_SIZE(documented); i++)
		if (errno == documented[i])
			return ret;
	complain("ioctl %#lx: undocumented errno %s", cmd, strerrorname_np(errno));
	return ret;
}

static void fill_setup(struct unified_io_setup *s, const uint8_t *a)
{
	static const uint32_t entries[] = { 64, 1, 2, 4, 16, 256, 32768, 0, 3, 65536, 1U << 31, ~0U };
	static const uint32_t niovs[] = { 0, 1, 2, 16, 32768, 3, 65536, ~0U };
	static const uint64_t sizes[] = { MiB, 2 * MiB, 3 * MiB + 4096, 4 * MiB, 16 * MiB, MiB - 4096, 0, 1 * MiB + 1,
		1ULL << 36, (1ULL << 36) + 4096, ~0ULL, ~0ULL - 4095 };
	static const uint32_t interfaces[] = { 0, 1, 2, 99999, ~0U };

	*s = (struct unified_io_setup){
		.sq_entries = PICK(entries, 5, a[0]),
		.cq_entries = PICK(entries, 5, a[1]),
		.region_size = PICK(sizes, 3, a[2]),
		.nvme_fd = a[3] ? drive_of(a[3]) : -1,
		.uring_fd = a[4] < 192 ? -1 : a[4] < 240 ? uring_fd_of(0) : a[4],
		.net_ifindex = PICK(interfaces, 2, a[5]),
		.net_rxq = a[6] < 240 ? 0 : wild(a[6]),
		.flags = a[7] < 240 ? (a[7] & 0xf) : a[7],
		.niov_entries = PICK(niovs, 4, a[8]),
		.event_fd = a[9] < 224 ? event_fd : (int)wild(a[9]),
		.numa_node = a[10] < 240 ? 0 : (int)wild(a[10]),
		.resv = a[11] < 250 ? 0 : 1,
	};
}

static void setup(struct fuzz_region *r, const uint8_t *a)
{
	struct unified_io_setup s;

	fill_setup(&s, a);
	call_ioctl(r->fd, UNIFIED_IO_SETUP, &s, sizeof(s), a[12]);
	if (a[3] >= 192 && a[3] < 240)
		close(s.nvme_fd);
	if (!s.data_size || r->map)
		return;
	r->setup = s;
	r->map_len = s.region_size;
	r->map = mmap(NULL, r->map_len, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
	if (r->map == MAP_FAILED)
		r->map = NULL;
}

static void call_open(const uint8_t *a)
{
	static const int modes[] = { O_RDWR, O_RDWR | O_NONBLOCK, O_RDONLY, O_WRONLY };
	struct fuzz_region *r = region_of(a[0]);

	if (r->fd < 0)
		r->fd = open(DEVICE, PICK(modes, 2, a[1]) | O_CLOEXEC);
}

static void call_setup(const uint8_t *a)
{
	setup(region_of(a[13]), a);
}

/* The usual beginning, in one call. */
static void call_region(const uint8_t *a)
{
	struct fuzz_region *r = region_of(a[13]);

	if (r->fd < 0)
		r->fd = open(DEVICE, (a[12] & 1 ? O_NONBLOCK : 0) | O_RDWR | O_CLOEXEC);
	setup(r, a);
}

static void call_close(const uint8_t *a)
{
	struct fuzz_region *r = region_of(a[0]);

	if (a[1] & 1 && r->map)
		munmap(r->map, r->map_len);
	if (a[1] & 1)
		r->map = NULL;
	close(r->fd);
	r->fd = -1;
}

static void call_dup(const uint8_t *a)
{
	struct fuzz_region *from = region_of(a[0]), *to = &world.region[a[1] % NR_REGIONS];

	if (to->fd < 0)
		*to = (struct fuzz_region){ .fd = dup(from->fd), .setup = from->setup };
}

/* The descriptor's buffer becomes a table of up to 79 ranges there, of which most make sense. */
static void fill_ranges(struct unified_descriptor *d, const struct fuzz_region *r, const uint8_t *a)
{
	static const uint32_t lens[] = { 4096, 512, 1024, 65536, 100, 1, 0, ~0U };
	static const uint8_t numbers[] = { 1, 2, 3, 8, 64, 0, 65, 79 };
	uint64_t nr = PICK(numbers, 5, a[3]), place = r->setup.data_offset + d->addr;
	struct unified_net_iov *table;

	if (!r->map || place > r->map_len || nr * sizeof(*table) > r->map_len - place)
		return;
	table = r->map + place / 8 * 8;
	for (uint64_t i = 0; i < nr; i++)
		table[i] = (struct unified_net_iov){
			.addr = a[12] < 240 ? (a[12] + i * a[3]) % 256 * 2048 : wild(a[12]) - i,
			.len = PICK(lens, 4, a[3] + a[12] * i), .resv = a[4] == 255 && i,
		};
	d->len = nr * sizeof(*table) + (a[3] == 254);
}

void fill_desc(struct unified_descriptor *d, const struct fuzz_region *r, const uint8_t *a)
{
	static const uint32_t lens[] = { 4096, 512, 8192, 65536, 1, 100, 262144, 0, 4095, 4097, 1 << 20, 1 << 30,
		(1 << 30) + 1, 0x7fffffff, 0xffffffff };
	static const uint16_t flags[] = { 0, UNIFIED_IO_DESC_F_MULTISHOT, UNIFIED_IO_DESC_F_WAITALL,
		UNIFIED_IO_DESC_F_PAD, UNIFIED_IO_DESC_F_MULTISHOT | UNIFIED_IO_DESC_F_RECYCLE |
		UNIFIED_IO_DESC_F_CQE_SKIP | UNIFIED_IO_DESC_F_PAD, UNIFIED_IO_DESC_F_MULTISHOT |
		UNIFIED_IO_DESC_F_RECYCLE, UNIFIED_IO_DESC_F_MULTISHOT | UNIFIED_IO_DESC_F_PAD,
		UNIFIED_IO_DESC_F_XDP_THEN_OPS,
		UNIFIED_IO_DESC_F_XDP_THEN_OPS | UNIFIED_IO_DESC_F_MULTISHOT };
	static const uint16_t types[] = { 4, 1, 2, 5, 6, 3, 7, 0, 8, 0xffff };	/* mask of UNIFIED_REGION_F_* */
	static const uint8_t opcodes[] = { NVME_CMD_WRITE, NVME_CMD_READ, NVME_CMD_FLUSH, 3, 0x81, 0xff };
	static const uint8_t protos[] = { 0, UNIFIED_IO_PROTO_TCP, UNIFIED_IO_PROTO_UDP, UNIFIED_IO_PROTO_RAW, 1 };
	static const uint32_t headrooms[] = { 0, 256, 512, 4096, 4095, 1 << 20, ~0U };
	uint64_t size = r->setup.data_size;

	*d = (struct unified_descriptor){
		.addr = a[2] < 144 ? (a[2] & 63) * 4096ULL : a[2] < 208 ? size - 4096 * (a[2] & 15) :
			a[2] < 240 ? a[2] * 4ULL : wild(a[2]),
		.len = PICK(lens, 7, a[3]),
		.flags = a[1] < 176 ? flags[a[1] % ARRAY_SIZE(flags)] :
			a[1] < 224 ? UNIFIED_IO_DESC_F_RANGES | (a[1] & 1 ? UNIFIED_IO_DESC_F_XDP_THEN_OPS : 0) :
			wild(a[1]),
		.type = PICK(types, 7, a[0]),
		.user_data = a[4],
		.nvme = {
			.opcode = PICK(opcodes, 3, a[5]), .flags = a[6] < 160 ? 0 : a[6] < 240 ? a[6] & 3 : a[6],
			.resv = a[6] == 255, .nsid = a[7] < 240 ? 0 : a[7] - 240,
			.slba = a[7] < 200 ? a[7] * 64 : a[7] < 224 ? size : wild(a[7]),
		},
		.net = {
			.proto = a[8] < 200 ? 0 : PICK(protos, 4, a[8] * 7), .flags = a[9] < 240 ? a[9] & 15 : a[9],
			.port = a[8] & 16 ? 0 : a[8] * 257, .addr = a[8] & 32 ? 0x0100007f : 0,
			.slot = a[10] < 240 ? a[10] & 3 : wild(a[10]), .tx_slot = a[11] < 240 ? a[11] & 3 : wild(a[11]),
			.headroom = a[12] < 128 ? 0 : PICK(headrooms, 4, a[12] * 3),
		},
		.bpf = { .prog_id = a[13] < 192 ? 0 : a[13] - 192, .arg = a[13] },
	};
	if (!(a[8] & 128)) {
		d->net.port = 0;
		d->net.addr = 0;
	}
	if (d->flags & UNIFIED_IO_DESC_F_RANGES)
		fill_ranges(d, r, a);
}

static void call_submit(const uint8_t *a)
{
	struct fuzz_region *r = region_of(a[4]);
	struct unified_io_submit arg;
	int ret;

	fill_desc(&arg.desc, r, a);
	ret = call_ioctl(r->fd, UNIFIED_IO_SUBMIT, &arg, sizeof(arg), a[4]);
	if (ret == 0 && a[4] < 232 && r->map && arg.desc.len &&
	    !(arg.desc.flags & UNIFIED_IO_DESC_F_MULTISHOT) &&
	    (arg.desc.addr > r->setup.data_size || arg.desc.len > r->setup.data_size - arg.desc.addr))
		complain("SUBMIT took a buffer beyond the data area");
}

/* Into the SQ, and the doorbell, most of the time. */
static void call_queue(const uint8_t *a)
{
	struct fuzz_region *r = region_of(a[4]);
	struct unified_io_enter enter = { .to_submit = a[4] & 2 ? 1 : ~0U };
	struct unified_io_control *ctl = r->map;

	if (!ctl || r->hostile)
		return;
	fill_desc(r->map + sizeof(*ctl) + (ctl->sq_tail & (r->setup.sq_entries - 1)) * 64, r, a);
	__atomic_store_n(&ctl->sq_tail, ctl->sq_tail + 1, __ATOMIC_RELEASE);
	if (a[4] & 4)
		call_ioctl(r->fd, UNIFIED_IO_ENTER, &enter, sizeof(enter), 0);
}

static void call_enter(const uint8_t *a)
{
	static const uint64_t timeouts[] = { 1000000, 1, 10000000, 0, ~0ULL, 1ULL << 63 };
	struct fuzz_region *r = region_of(a[0]);
	struct unified_io_enter enter = {
		.to_submit = a[1] < 224 ? a[1] % 8 : wild(a[1]),
		.min_complete = a[2] < 224 ? a[2] % 8 : wild(a[2]),
		.flags = a[3] < 250 ? 0 : a[3], .resv = a[4] < 250 ? 0 : a[4],
		.timeout_ns = PICK(timeouts, 3, a[5]),
	};

	call_ioctl(r->fd, UNIFIED_IO_ENTER, &enter, sizeof(enter), a[6]);
}

static void call_complete(const uint8_t *a)
{
	struct unified_io_complete complete;

	call_ioctl(region_of(a[0])->fd, UNIFIED_IO_COMPLETE, &complete, sizeof(complete), a[1]);
	if (a[1] < 200 && complete.count > UNIFIED_IO_COMPLETE_MAX && a[2] == 1)
		complain("COMPLETE says %u", complete.count);
}

static void call_info(const uint8_t *a)
{
	struct unified_io_info info;

	call_ioctl(region_of(a[0])->fd, UNIFIED_IO_GET_INFO, &info, sizeof(info), a[1]);
}

static void call_query(const uint8_t *a)
{
	struct unified_io_query query;

	call_ioctl(region_of(a[0])->fd, UNIFIED_IO_QUERY, &query, sizeof(query), a[1]);
}

static void call_any_ioctl(const uint8_t *a)
{
	char arg[16384];
	unsigned long cmd = _IOC(a[1] & 3, a[2] < 200 ? UNIFIED_IO_IOC_MAGIC : a[2], 0x40 + a[3] % 12,
				 a[4] << 4 | a[5]);

	memset(arg, a[6], sizeof(arg));
	if (cmd != UNIFIED_IO_SETUP && _IOC_TYPE(cmd) == UNIFIED_IO_IOC_MAGIC)
		call_ioctl(region_of(a[0])->fd, cmd, arg, 256, a[7]);
}

/* the file, the process */

static void call_file(const uint8_t *a)
{
	int fd = region_of(a[0])->fd;
	struct pollfd ready = { .fd = fd, .events = POLLIN | POLLOUT };
	char byte;

	switch (a[1] % 8) {
	case 0:
		poll(&ready, 1, a[2] & 7);
		break;
	case 1:
		fcntl(fd, F_SETFL, a[2] & 1 ? O_NONBLOCK : 0);
		break;
	case 2:
		if (read(fd, &byte, 1) >= 0 || write(fd, &byte, 1) >= 0)
			complain("read() or write() works on the device");
		break;
	case 3:
		fcntl(fd, F_SETFL, O_ASYNC | (a[2] & 1 ? O_DIRECT : 0));
		break;
	case 4:
		lseek(fd, wild(a[2]), SEEK_SET);
		break;
	case 5:
		if (read(event_fd, (char [8]){}, 8) < 0 && errno != EAGAIN)
			complain("eventfd: %s", strerror(errno));
		break;
	case 6:
		fsync(fd);
		break;
	default:
		ftruncate(fd, wild(a[2]));
	}
}

/* Of this thread alone: the others go on with all rights. */
static void call_rights(const uint8_t *a)
{
	struct rlimit limit = { .rlim_cur = a[1] * 65536UL, .rlim_max = a[1] * 65536UL };

	if (a[0] & 1)
		setrlimit(RLIMIT_MEMLOCK, &limit);
	if (a[0] & 2)
		syscall(SYS_setresgid, 65534, 65534, 65534);
	syscall(SYS_setresuid, 65534, 65534, 65534);
}

static void call_sleep(const uint8_t *a)
{
	usleep(a[0] * 20 * slow);
}

static void call_stats(const uint8_t *a)
{
	char path[80], text[4096];
	int fd;

	snprintf(path, sizeof(path), "/sys/kernel/debug/unified_io_region/%u/stats", 1 + a[0] % 3);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && read(fd, text, 1 + a[1] * 16) < 0)
		complain("%s: %s", path, strerror(errno));
	if (a[2] & 1)
		usleep(a[3] * 10);	/* open while the region goes */
	close(fd);
}

const struct call_type call_types[] = {
	/* new ones go to the end: the index is what programs hold */
	{ "region", 6, call_region },
	{ "open", 1, call_open },
	{ "setup", 2, call_setup },
	{ "close", 3, call_close },
	{ "dup", 1, call_dup },
	{ "submit", 30, call_submit },
	{ "queue", 14, call_queue },
	{ "enter", 10, call_enter },
	{ "complete", 6, call_complete },
	{ "info", 2, call_info },
	{ "query", 1, call_query },
	{ "any_ioctl", 2, call_any_ioctl },
	{ "attach_socket", 6, call_attach_socket },
	{ "attach_bpf", 6, call_attach_bpf },
	{ "sock_new", 8, call_sock_new },
	{ "sock_send", 12, call_sock_send },
	{ "sock_drain", 4, call_sock_drain },
	{ "sock_end", 6, call_sock_end },
	{ "sock_option", 5, call_sock_option },
	{ "niov", 12, call_niov },
	{ "consume", 4, call_consume },
	{ "poke", 6, call_poke },
	{ "race", 3, call_race },
	{ "bpf_steps", 10, call_bpf_steps },
	{ "struct_ops", 8, call_struct_ops },
	{ "mmap", 3, call_mmap },
	{ "mapping", 5, call_mapping },
	{ "touch", 3, call_touch },
	{ "direct_io", 3, call_direct_io },
	{ "fork", 4, call_fork },
	{ "kill", 2, call_kill },
	{ "drive_gone", 1, call_drive_gone },
	{ "rights", 2, call_rights },
	{ "sleep", 5, call_sleep },
	{ "file", 3, call_file },
	{ "stats", 1, call_stats },
	{ "uring_new", 3, call_uring_new },
	{ "uring_desc", 8, call_uring_desc },
	{ "uring_cmd", 12, call_uring_cmd },
	{ "uring_wait", 4, call_uring_wait },
	{ "uring_other", 4, call_uring_other },
	{ "uring_close", 2, call_uring_close },
	{ "cancel", 4, call_cancel },
	{ "export", 2, call_export },
};

const unsigned int nr_call_types = ARRAY_SIZE(call_types);
