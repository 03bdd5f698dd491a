// SPDX-License-Identifier: GPL-2.0
/*
 * KCOV for a kernel that has none: the same file and calls, as far as the fuzzer
 * uses them (Documentation/dev-tools/kcov.rst), for modules that are compiled with
 * -fsanitize-coverage=trace-pc. A distribution's kernel runs many times as many
 * programs in a second as one with KASAN.
 */
#include <linux/debugfs.h>
#include <linux/kcov.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/vmalloc.h>

#define NR_TRACES	16
#define TRACE_WORDS	(32 << 10)

/**
 * struct trace - of one task; memory is there as long as the module, so that nobody has to look whether it is
 * @used: by an open file
 * @task: whose; compared, never followed
 * @words: the first counts those in use; shared with the process
 */
static struct trace {
	bool used;
	struct task_struct *task;
	unsigned long *words;
} traces[NR_TRACES];

static DEFINE_MUTEX(traces_lock);

void __sanitizer_cov_trace_pc(void);

/* The compiler puts a call of this into every block of code. */
void notrace __sanitizer_cov_trace_pc(void)
{
	unsigned int i;

	if (!in_task())
		return;
	for (i = 0; i < NR_TRACES; i++) {
		unsigned long *words = traces[i].words, n;

		if (READ_ONCE(traces[i].task) != current)
			continue;
		n = READ_ONCE(words[0]) + 1;
		if (n >= TRACE_WORDS)
			return;
		words[n] = _RET_IP_;
		WRITE_ONCE(words[0], n);
		return;
	}
}
EXPORT_SYMBOL(__sanitizer_cov_trace_pc);

static long trace_init(struct file *file)
{
	unsigned int i;

	for (i = 0; i < NR_TRACES; i++) {
		if (traces[i].used)
			continue;
		traces[i].used = true;
		file->private_data = &traces[i];
		return 0;
	}
	return -EBUSY;
}

static long kcov_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct trace *trace = file->private_data;

	guard(mutex)(&traces_lock);
	if (cmd == KCOV_INIT_TRACE && arg == TRACE_WORDS && !trace)
		return trace_init(file);
	if (cmd != KCOV_ENABLE || arg != KCOV_TRACE_PC || !trace)
		return -EINVAL;
	WRITE_ONCE(trace->task, current);
	return 0;
}

static int kcov_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct trace *trace = file->private_data;

	return trace ? remap_vmalloc_range(vma, trace->words, vma->vm_pgoff) : -EINVAL;
}

static int kcov_release(struct inode *inode, struct file *file)
{
	struct trace *trace = file->private_data;

	if (!trace)
		return 0;
	WRITE_ONCE(trace->task, NULL);
	WRITE_ONCE(trace->used, false);
	return 0;
}

static const struct file_operations kcov_fops = {
	.owner = THIS_MODULE,
	.open = nonseekable_open,
	.unlocked_ioctl = kcov_ioctl,
	.mmap = kcov_mmap,
	.release = kcov_release,
};

static struct dentry *kcov_file;

static void kcov_exit(void)
{
	unsigned int i;

	debugfs_remove(kcov_file);
	for (i = 0; i < NR_TRACES; i++)
		vfree(traces[i].words);
}
module_exit(kcov_exit);

static int __init kcov_init(void)
{
	unsigned int i;

	for (i = 0; i < NR_TRACES; i++) {
		traces[i].words = vmalloc_user(TRACE_WORDS * sizeof(unsigned long));
		if (!traces[i].words) {
			kcov_exit();
			return -ENOMEM;
		}
	}
	kcov_file = debugfs_create_file_unsafe("kcov", 0600, NULL, NULL, &kcov_fops);
	return 0;
}
module_init(kcov_init);

MODULE_DESCRIPTION("KCOV for the fuzzer of Unified I/O Region");
MODULE_LICENSE("GPL");
