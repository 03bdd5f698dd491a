// SPDX-License-Identifier: GPL-2.0
/*
 * Unified I/O Region: module and device node.
 */
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/poll.h>

#include "ring.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

struct workqueue_struct *uior_wq;

static int uior_open(struct inode *inode, struct file *file)
{
	/* misc_open() left itself here; SETUP puts the region. */
	file->private_data = NULL;
	return nonseekable_open(inode, file);
}

static int uior_release(struct inode *inode, struct file *file)
{
	if (file->private_data)
		uior_region_close(file->private_data);
	return 0;
}

static __poll_t uior_poll(struct file *file, poll_table *wait)
{
	struct uior_region *region = uior_file_region(file);
	__poll_t mask = 0;

	if (!region)
		return EPOLLERR;
	poll_wait(file, &region->cq_wait, wait);
	if (uior_cq_ready(region))
		mask |= EPOLLIN | EPOLLRDNORM;
	return mask;
}

static int uior_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct uior_region *region = uior_file_region(file);

	return region ? uior_mem_map(region, vma) : -ENXIO;
}

static const struct file_operations uior_fops = {
	.owner = THIS_MODULE,
	.open = uior_open,
	.release = uior_release,
	.poll = uior_poll,
	.mmap = uior_mmap,
	.get_unmapped_area = thp_get_unmapped_area,
	.unlocked_ioctl = uior_ioctl,
	.uring_cmd = uior_uring_cmd,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice uior_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "unified_io_region",
	.fops = &uior_fops,
	.mode = 0600,
};

static int __init uior_init(void)
{
	int ret;

	uior_wq = alloc_workqueue("unified_io", WQ_UNBOUND, 0);
	if (!uior_wq)
		return -ENOMEM;
	ret = uior_bpf_init();
	if (ret)
		goto err_wq;
	uior_debugfs_init();
	ret = misc_register(&uior_misc);
	if (ret)
		goto err_debugfs;
	return 0;

err_debugfs:
	uior_debugfs_exit();
	uior_bpf_exit();
err_wq:
	destroy_workqueue(uior_wq);
	return ret;
}

static void __exit uior_exit(void)
{
	misc_deregister(&uior_misc);
	/* The last region may still be on its way out. */
	destroy_workqueue(uior_wq);
	uior_debugfs_exit();
	uior_bpf_exit();
	/* Who put the last reference of a region may be preempted a few instructions behind that, here. */
	synchronize_rcu_tasks();
}

module_init(uior_init);
module_exit(uior_exit);

MODULE_DESCRIPTION("Unified I/O Region: network, NVMe and BPF on one memory region");
MODULE_LICENSE("GPL");
