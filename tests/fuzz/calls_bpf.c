// SPDX-License-Identifier: GPL-2.0
/*
 * Calls on BPF programs, and on a drive that vanishes. The programs are those of
 * the tests, which do as they are told; they are loaded once, struct_ops for the
 * ids of the first regions (ids are given out anew, the least first).
 */
#include "fuzz.h"
#include "../bpf.h"

#include <sys/stat.h>

static const struct { uint32_t region, order; } places[] = { { 1, 0 }, { 1, 0 }, { 2, 0 }, { 1, 3 } };
static struct ops *ops[ARRAY_SIZE(places)];
static struct xdp *xdp;
static int xdp_fds[5];
static int links[4] = { -1, -1, -1, -1 };
static bool *drive_is_gone;	/* shared */

/* Attached once by libbpf, a map can be attached by its fd alone. */
static struct ops *ops_ready(uint32_t id, uint32_t order)
{
	struct region r[2];
	struct bpf_link *link;
	struct ops *o = ops_load_at(id, order);

	for (uint32_t i = 0; i < id; i++)
		region_open(&r[i], NULL);
	CHECK_EQ(r[id - 1].setup.region_id, id);
	link = bpf_map__attach_struct_ops(o->maps.remote_ops);
	CHECK(link);
	bpf_link__destroy(link);
	for (uint32_t i = 0; i < id; i++)
		region_close(&r[i]);
	return o;
}

void bpf_calls_init(void)
{
	drive_is_gone = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(drive_is_gone != MAP_FAILED);
	for (size_t i = 0; i < ARRAY_SIZE(ops); i++)
		ops[i] = ops_ready(places[i].region, places[i].order);
	xdp = xdp_load();
	xdp_fds[0] = bpf_program__fd(xdp->progs.remote_xdp);
	xdp_fds[1] = bpf_program__fd(xdp->progs.pass);
	xdp_fds[2] = bpf_program__fd(xdp->progs.drop);
	xdp_fds[3] = bpf_program__fd(xdp->progs.parse);
	xdp_fds[4] = bpf_program__fd(xdp->progs.not_xdp);
}

void bpf_calls_reset(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(ops); i++)
		memset(ops[i]->bss, 0, sizeof(*ops[i]->bss));
	memset(xdp->bss, 0, sizeof(*xdp->bss));
	xdp->bss->verdict = 2;	/* XDP_PASS */
}

static uint64_t step_arg(uint8_t byte)
{
	return byte < 64 ? byte : byte < 128 ? byte * 64 : byte < 192 ? byte * 512ULL : wild(byte);
}

/* What the programs do from now on, and what they say. */
void call_bpf_steps(const uint8_t *a)
{
	struct ops__bss *bss = ops[a[0] < 192 ? 0 : a[0] % ARRAY_SIZE(ops)]->bss;
	static const int verdicts[] = { UNIFIED_IO_BPF_PASS, UNIFIED_IO_BPF_DROP, UNIFIED_IO_BPF_REPLY,
		UNIFIED_IO_BPF_RESUBMIT, -EIO, 4, -4096, 0x7fffffff, -1000000 };

	bss->verdict = PICK(verdicts, 4, a[1]);
	bss->early_verdict = PICK(verdicts, 4, a[2]);
	bss->calls_until_verdict = a[2] & 7;
	bss->steps[a[3] % NR_STEPS] = (struct step){
		.op = a[4] % STEP_NR,
		.a = step_arg(a[5]), .b = step_arg(a[6]), .c = step_arg(a[7]),
	};
	for (int i = 0; a[8] & 1 && i < NR_KEEPS; i++)
		bss->keeps[i] = (struct keep){ step_arg(a[9]) + i * a[10], step_arg(a[11]) };
	xdp->bss->verdict = a[1] < 240 ? a[1] % 5 : a[1];
	xdp->bss->head_delta = (int8_t)a[12] * 4;
	xdp->bss->tail_delta = (int8_t)a[13] * 4;
	xdp->bss->meta_delta = a[8] & 2 ? (int8_t)a[12] * 4 : 0;
}

void call_struct_ops(const uint8_t *a)
{
	struct ops *o = ops[a[0] < 128 ? 0 : a[0] % ARRAY_SIZE(ops)];
	int fd = bpf_map__fd(o->maps.remote_ops), *link = &links[a[1] % ARRAY_SIZE(links)];
	LIBBPF_OPTS(bpf_link_update_opts, replace);

	switch (a[2] % 4) {
	case 0:
	case 1:
		if (*link < 0)
			*link = bpf_link_create(fd, 0, BPF_STRUCT_OPS, NULL);
		break;
	case 2:
		bpf_link_update(*link, bpf_map__fd(ops[a[3] % ARRAY_SIZE(ops)]->maps.remote_ops), &replace);
		break;
	default:
		if (a[3] & 1)
			bpf_link_detach(*link);
		close(*link);
		*link = -1;
	}
}

static uint32_t prog_id(int fd)
{
	struct bpf_prog_info info = {};
	uint32_t len = sizeof(info);

	return bpf_prog_get_info_by_fd(fd, &info, &len) ? 0 : info.id;
}

void call_attach_bpf(const uint8_t *a)
{
	int fd = a[0] < 240 ? xdp_fds[a[0] % 5] : (int)wild(a[0]);
	uint32_t id = a[2] < 240 ? prog_id(xdp_fds[a[2] % 5]) : wild(a[2]);
	struct unified_io_attach_bpf arg = {
		.prog_fd = fd, .flags = a[1] < 128 ? 0 : a[1] < 240 ? a[1] & 3 : a[1],
		.prog_id = a[1] < 128 ? 0 : id, .resv = a[3] < 250 ? 0 : a[3],
	};

	if (arg.flags == UNIFIED_IO_BPF_F_DETACH && a[0] < 200)
		arg.prog_fd = -1;
	call_ioctl(region_of(a[4])->fd, UNIFIED_IO_ATTACH_BPF, &arg, sizeof(arg), a[5]);
}

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, text, strlen(text)) < 0 && errno != EBUSY)
		complain("%s: %s", path, strerror(errno));
	close(fd);
}

/* VANISH is a null_blk drive with a switch in configfs; the second NVMe drive can be reset. */
void call_drive_gone(const uint8_t *a)
{
	if (a[0] >= 224) {
		write_text("/sys/class/nvme/nvme1/reset_controller", "1");
	} else if (getenv("VANISH_POWER")) {
		*drive_is_gone = true;
		write_text(getenv("VANISH_POWER"), "0");
	}
}

void drive_restore(void)
{
	uint64_t end = now_ns() + 10 * NSEC_PER_SEC * slow;

	if (!*drive_is_gone)
		return;
	*drive_is_gone = false;
	write_text(getenv("VANISH_POWER"), "1");
	while (access(getenv("VANISH"), F_OK) && now_ns() < end)
		usleep(1000);
}
