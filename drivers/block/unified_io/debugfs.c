// SPDX-License-Identifier: GPL-2.0
/*
 * The region as it is now: UNIFIED_IO_GET_INFO, and the same as text in
 * /sys/kernel/debug/unified_io_region/<id>/stats, a "name value" a line, with
 * what its own process need not ask: whose it is, since when, on which drive.
 */
#include <linux/debugfs.h>
#include <linux/pid.h>
#include <linux/seq_file.h>

#include "uior.h"

static struct dentry *uior_debugfs;

static void uior_info_dev(struct uior_region *region, struct unified_io_info *info)
{
	struct uior_dev *dev = &region->dev;

	info->device_kind = dev->kind;
	if (!dev->bdev)
		return;
	info->nsid = dev->nsid;
	info->lba_size = 1U << dev->lba_shift;
	info->device_size = bdev_nr_bytes(dev->bdev);
	info->max_transfer = dev->max_bytes;
	info->dma_alignment = bdev_dma_alignment(dev->bdev) + 1;
	info->range_alignment = dev->range_mask + 1;
}

static void uior_info_counts(struct uior_region *region, struct unified_io_info *info)
{
	int cpu, i;

	for_each_possible_cpu(cpu) {
		const struct uior_counts *counts = per_cpu_ptr(region->counts, cpu);

		info->submitted += READ_ONCE(counts->submitted);
		info->completed += READ_ONCE(counts->completed);
		info->dropped += READ_ONCE(counts->dropped);
		info->replied += READ_ONCE(counts->replied);
		info->resubmitted += READ_ONCE(counts->resubmitted);
		info->moved += READ_ONCE(counts->moved);
		info->carried += READ_ONCE(counts->carried);
		for (i = 0; i < UNIFIED_IO_STAGE_NR; i++) {
			info->stage[i].ops += READ_ONCE(counts->stage[i].ops);
			info->stage[i].bytes += READ_ONCE(counts->stage[i].bytes);
			info->stage[i].errors += READ_ONCE(counts->stage[i].errors);
			info->stage[i].copied += READ_ONCE(counts->stage[i].copied);
		}
	}
}

/*
 * What the program says of payload that we do not see. It may say anything: nothing else
 * looks at it.
 */
static void uior_info_bypass(struct uior_region *region, struct unified_io_info *info)
{
	const struct unified_io_control *ctrl = region->ctrl;

	info->bypass_mode = READ_ONCE(ctrl->bypass_mode);
	info->bypass_bytes = READ_ONCE(ctrl->bypass_bytes);
	info->bypass_copied = READ_ONCE(ctrl->bypass_copied);
}

/**
 * uior_info - describe the region
 * @region: set up
 * @info: all of it is filled in
 *
 * Context: process, may sleep. The counters are read one by one while
 * operations go on.
 */
void uior_info(struct uior_region *region, struct unified_io_info *info)
{
	*info = (struct unified_io_info) {
		.region_id = region->id,
		.region_size = region->mem.size,
		.data_offset = region->data_offset,
		.data_size = region->data_size,
		.huge_bytes = (u64)region->mem.nr_huge << PMD_SHIFT,
		.numa_node = page_to_nid(region->mem.bvecs[0].bv_page),
		.nr_sockets = READ_ONCE(region->nr_socks),
		.nr_progs = uior_xdp_count(region),
		.struct_ops = uior_bpf_count(region),
		.inflight = READ_ONCE(region->cq_reserved),
		.sq_entries = region->sq_entries,
		.cq_entries = region->cq_entries,
		.niov_entries = region->niov_entries,
		.niov_held = READ_ONCE(region->nr_spare),
	};
	uior_info_dev(region, info);
	uior_info_counts(region, info);
	uior_info_bypass(region, info);
}

#define UIOR_STAT(m, info, name) \
	seq_printf(m, #name " %llu\n", (unsigned long long)(info)->name)

/* As the reader's namespace numbers it; 0 if it is gone, or is not seen there. */
static pid_t uior_owner(const struct uior_region *region)
{
	guard(rcu)();
	return pid_task(region->owner, PIDTYPE_TGID) ? pid_vnr(region->owner) : 0;
}

static void uior_show_identity(struct seq_file *m, const struct uior_region *region)
{
	seq_printf(m, "pid %d\n", uior_owner(region));
	seq_printf(m, "created_ns %llu\n", region->created);
	if (region->dev.bdev)
		seq_printf(m, "device %pg\n", region->dev.bdev);
}

static int uior_stats_show(struct seq_file *m, void *unused)
{
	static const char * const stages[] = { "recv", "read", "bpf", "write", "flush", "send" };
	struct unified_io_info info;
	u32 i;

	uior_info(m->private, &info);
	uior_show_identity(m, m->private);
	UIOR_STAT(m, &info, device_kind);
	UIOR_STAT(m, &info, region_size);
	UIOR_STAT(m, &info, data_size);
	UIOR_STAT(m, &info, huge_bytes);
	UIOR_STAT(m, &info, numa_node);
	UIOR_STAT(m, &info, sq_entries);
	UIOR_STAT(m, &info, cq_entries);
	UIOR_STAT(m, &info, niov_entries);
	UIOR_STAT(m, &info, nr_sockets);
	UIOR_STAT(m, &info, nr_progs);
	UIOR_STAT(m, &info, struct_ops);
	UIOR_STAT(m, &info, inflight);
	UIOR_STAT(m, &info, niov_held);
	UIOR_STAT(m, &info, submitted);
	UIOR_STAT(m, &info, completed);
	UIOR_STAT(m, &info, dropped);
	UIOR_STAT(m, &info, replied);
	UIOR_STAT(m, &info, resubmitted);
	UIOR_STAT(m, &info, moved);
	UIOR_STAT(m, &info, carried);
	UIOR_STAT(m, &info, bypass_mode);
	UIOR_STAT(m, &info, bypass_bytes);
	UIOR_STAT(m, &info, bypass_copied);
	for (i = 0; i < UNIFIED_IO_STAGE_NR; i++)
		seq_printf(m, "%s_ops %llu\n%s_bytes %llu\n%s_errors %llu\n%s_copied %llu\n",
			   stages[i], info.stage[i].ops, stages[i], info.stage[i].bytes,
			   stages[i], info.stage[i].errors, stages[i], info.stage[i].copied);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(uior_stats);

void uior_debugfs_init(void)
{
	uior_debugfs = debugfs_create_dir("unified_io_region", NULL);
}

void uior_debugfs_exit(void)
{
	debugfs_remove_recursive(uior_debugfs);
}

void uior_debugfs_add(struct uior_region *region)
{
	char name[16];

	snprintf(name, sizeof(name), "%u", region->id);
	region->debugfs = debugfs_create_dir(name, uior_debugfs);
	debugfs_create_file("stats", 0400, region->debugfs, region, &uior_stats_fops);
}
