// SPDX-License-Identifier: GPL-2.0
/*
 * bpf_uior_lz4_compress(): what it makes is what liblz4 reads, bad arguments get their error and
 * change nothing, and no byte outside the target is written, whatever the source does meanwhile.
 */
#include <dlfcn.h>

#include "bpf.h"
#include "lz4.skel.h"

#define ADDR	8192
#define CAP	(256 * KiB)
#define MAX	(64 * KiB)
#define DST	(128 * KiB)
#define ALL	(ADDR + CAP + 64 * KiB)

typedef int decompress_fn(const char *from, char *to, int len, int room);

static struct region r;
static struct lz4 *lz4;
static decompress_fn *decompress;
static unsigned char was[ALL];

static int compress(uint32_t dst, uint32_t dst_len, uint32_t src, uint32_t len)
{
	lz4->bss->dst = dst;
	lz4->bss->dst_len = dst_len;
	lz4->bss->src = src;
	lz4->bss->len = len;
	CHECK_RES(run(&r, desc_bpf(ADDR, CAP)).res, CAP);
	return lz4->bss->ret;
}

/* All but the target is as it was. */
static void untouched(uint32_t dst, uint32_t dst_len)
{
	CHECK(!memcmp(r.data, was, ADDR + dst));
	CHECK(!memcmp(r.data + ADDR + dst + dst_len, was + ADDR + dst + dst_len,
		      ALL - ADDR - dst - dst_len));
}

/* Numbers as text, which has repetitions; or noise, which has none. */
static void fill(bool text)
{
	uint32_t noise = 1;

	for (size_t i = 0; i < ALL; i++) {
		noise = noise * 1664525 + 1013904223;
		r.data[i] = text ? '0' + (noise >> 24) % 4 : noise >> 24;
	}
	memcpy(was, r.data, ALL);
}

static void good(bool text, uint32_t len, uint32_t src)
{
	static char back[MAX];
	uint64_t moved = region_info(&r).moved;
	uint32_t room = len + len / 255 + 16;
	int ret;

	fill(text);
	ret = compress(DST, room, src, len);
	CHECK(ret > 0 && (!text || len < 4096 || ret < (int)len * 3 / 4));
	untouched(DST, room);
	CHECK_EQ(decompress((char *)r.data + ADDR + DST, back, ret, MAX), len);
	CHECK(!memcmp(back, was + ADDR + src, len));
	CHECK_EQ(region_info(&r).moved - moved, ret);

	/* the shortest room that it fits, and what there is none for */
	fill(text);
	CHECK_EQ(compress(DST, ret / 2, src, len), -ENOSPC);
	untouched(DST, ret / 2);
}

static void bad(void)
{
	static const struct {
		uint32_t dst, dst_len, src, len;
		int want;
	} calls[] = {
		{ DST, MAX, 0, CAP + 1, -ERANGE }, { DST, MAX, CAP, 1, -ERANGE },
		{ DST, MAX, 0xffffffff, 1, -ERANGE }, { DST, MAX, 1, 0xffffffff, -ERANGE },
		{ CAP, 1, 0, 100, -ERANGE }, { DST, CAP - DST + 1, 0, 100, -ERANGE },
		{ 0xffffffff, 0xffffffff, 0, 100, -ERANGE }, { DST, 0xffffffff, 0, 100, -ERANGE },
		{ DST, MAX, 0, MAX + 1, -EMSGSIZE }, { DST, 0, 0, 100, -EINVAL },
		{ DST, MAX, 0, 0, -EINVAL }, { 0, MAX, 0, MAX, -EINVAL },
		{ MAX - 1, MAX, 0, MAX, -EINVAL }, { 0, MAX, MAX - 1, MAX, -EINVAL },
		{ 0, CAP, MAX, 100, -EINVAL }, { DST, 1, 0, MAX, -ENOSPC },
	};

	fill(true);
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		CHECK_RES(compress(calls[i].dst, calls[i].dst_len, calls[i].src, calls[i].len),
			  calls[i].want);
		if (calls[i].want != -ENOSPC)
			CHECK(!memcmp(r.data, was, ALL));
	}
}

/* Of a table of ranges each of the two has to be in one. */
static void ranges(void)
{
	struct unified_net_iov *table = (void *)(r.data + ALL);
	struct unified_descriptor d = desc_bpf(ALL, 2 * sizeof(*table));

	fill(true);
	table[0] = (struct unified_net_iov){ .addr = ADDR, .len = 1000 };
	table[1] = (struct unified_net_iov){ .addr = ADDR + 4096, .len = 1000 };
	d.flags = UNIFIED_IO_DESC_F_RANGES;
	compress(1000, 1000, 0, 1000);
	CHECK_RES(run(&r, d).res, 2000);
	CHECK(lz4->bss->ret > 0);
	compress(999, 1000, 0, 999);
	CHECK_RES(run(&r, d).res, 2000);
	CHECK_RES(lz4->bss->ret, -EOPNOTSUPP);
	compress(0, 999, 999, 1000);
	CHECK_RES(run(&r, d).res, 2000);
	CHECK_RES(lz4->bss->ret, -EOPNOTSUPP);
}

static bool stop;

static void *scribble(void *arg)
{
	uint32_t noise = 7;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		noise = noise * 1664525 + 1013904223;
		memset(r.data + ADDR + (noise >> 8) % (MAX - 300), noise >> 28, (noise & 255) + 1);
	}
	return arg;
}

/* The source changes while it is read. */
static void hostile(void)
{
	uint64_t end = now_ns() + NSEC_PER_SEC;
	pthread_t thread;
	uint32_t room;

	fill(true);
	CHECK(!pthread_create(&thread, NULL, scribble, NULL));
	while (now_ns() < end) {
		for (room = 1000; room <= 66000; room += 13000) {
			int ret;

			memcpy(r.data + ADDR + DST, was + ADDR + DST, ALL - ADDR - DST);
			ret = compress(DST, room, 0, MAX);
			CHECK(ret == -ENOSPC || (ret > 0 && ret <= (int)room));
			CHECK(!memcmp(r.data + ADDR + DST + room, was + ADDR + DST + room,
				      ALL - ADDR - DST - room));
			CHECK(!memcmp(r.data + ADDR + MAX, was + ADDR + MAX, DST - MAX));
		}
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
}

int main(void)
{
	void *liblz4 = dlopen("liblz4.so.1", RTLD_NOW);
	struct bpf_link *link;

	CHECK(liblz4);
	decompress = (decompress_fn *)dlsym(liblz4, "LZ4_decompress_safe");
	CHECK(decompress);
	region_open(&r, NULL);
	need(UNIFIED_IO_FEAT_STRUCT_OPS);
	if (shell("grep -q bpf_uior_lz4_compress /proc/kallsyms")) {
		printf("a kernel without CONFIG_LZ4_COMPRESS\n");
		return 77;
	}
	lz4 = lz4__open();
	CHECK(lz4);
	lz4->struct_ops.lz4_ops->region_id = r.setup.region_id;
	CHECK_RES(lz4__load(lz4), 0);
	link = bpf_map__attach_struct_ops(lz4->maps.lz4_ops);
	CHECK(link);
	for (int text = 0; text < 2; text++) {
		good(text, MAX, 0);
		good(text, MAX, MAX);
		good(text, 1000, 7);
		good(text, 1, CAP - 1);
	}
	bad();
	ranges();
	hostile();
	bpf_link__destroy(link);
	lz4__destroy(lz4);
	region_close(&r);
	return 0;
}
