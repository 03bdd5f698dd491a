// SPDX-License-Identifier: GPL-2.0
/*
 * Counts latencies: uior_submit and uior_stage_start note the time, uior_stage_end
 * and uior_complete look how long it has been. An operation whose beginning was
 * not seen is not counted. No tracepoint hands over NULL, but the verifier, which
 * does not know a module's, wants that ruled out.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "latency.h"

#define MAX_FLIGHT	(1 << 20)	/* operations that are timed at once */
#define MAX_HISTOGRAMS	(1 << 16)

char LICENSE[] SEC("license") = "GPL";

/* What we need of the module's types; where in them it is, its BTF tells. */
struct uior_region {
	u32 id;
	u64 created;
} __attribute__((preserve_access_index));

struct uior_op {
	struct uior_region *region;
} __attribute__((preserve_access_index));

const volatile __u32 only_region;		/* 0: all */
__u64 lost;				/* events for which there was no room */

struct begun {
	u64 operation;
	u64 stage;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_FLIGHT);
	__type(key, u64);		/* address of the operation */
	__type(value, struct begun);
} flight SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_HISTOGRAMS);
	__type(key, struct latency_key);
	__type(value, struct latency);
} histograms SEC(".maps");

static const struct latency empty;

static u32 class_of(u64 ns)
{
	u32 i;

	for (i = 0; i < LATENCY_CLASSES - 1; i++)
		if (ns <= 1000ULL << i)
			break;
	return i;
}

static void count(const struct uior_op *op, u32 what, u64 ns)
{
	struct latency_key key = {
		.created = op->region->created,
		.region = op->region->id,
		.what = what,
	};
	struct latency *latency = bpf_map_lookup_elem(&histograms, &key);
	u32 class = class_of(ns);

	if (!latency) {
		bpf_map_update_elem(&histograms, &key, &empty, BPF_NOEXIST);
		latency = bpf_map_lookup_elem(&histograms, &key);
	}
	if (!latency || class >= LATENCY_CLASSES) {
		__sync_fetch_and_add(&lost, 1);
		return;
	}
	__sync_fetch_and_add(&latency->count[class], 1);
	__sync_fetch_and_add(&latency->total_ns, ns);
}

SEC("tp_btf/uior_submit")
int BPF_PROG(on_submit, const struct uior_op *op)
{
	u64 key = (u64)op, now = bpf_ktime_get_ns();
	struct begun begun = { .operation = now, .stage = now };

	if (!op || (only_region && op->region->id != only_region))
		return 0;
	if (bpf_map_update_elem(&flight, &key, &begun, BPF_ANY))
		__sync_fetch_and_add(&lost, 1);
	return 0;
}

SEC("tp_btf/uior_stage_start")
int BPF_PROG(on_stage_start, const struct uior_op *op)
{
	u64 key = (u64)op;
	struct begun *begun = bpf_map_lookup_elem(&flight, &key);

	if (begun)
		begun->stage = bpf_ktime_get_ns();
	return 0;
}

SEC("tp_btf/uior_stage_end")
int BPF_PROG(on_stage_end, const struct uior_op *op, u32 stage)
{
	u64 key = (u64)op;
	struct begun *begun = bpf_map_lookup_elem(&flight, &key);

	if (op && begun)
		count(op, stage, bpf_ktime_get_ns() - begun->stage);
	return 0;
}

SEC("tp_btf/uior_complete")
int BPF_PROG(on_complete, const struct uior_op *op)
{
	u64 key = (u64)op;
	struct begun *begun = bpf_map_lookup_elem(&flight, &key);

	if (!op || !begun)
		return 0;
	count(op, LATENCY_OPERATION, bpf_ktime_get_ns() - begun->operation);
	bpf_map_delete_elem(&flight, &key);
	return 0;
}
