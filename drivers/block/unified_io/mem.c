// SPDX-License-Identifier: GPL-2.0
/*
 * The pages of a region.
 *
 * Concept: ordinary reference-counted pages, mapped like those of a file. Every
 * subsystem can pin them, and whoever holds a reference keeps its pages alive
 * when the region is gone. The mapping is neither VM_PFNMAP nor VM_MIXEDMAP:
 * the first cannot be pinned, the second loses a folio reference when a PMD
 * mapping is split (__split_huge_pmd_locked() in mm/huge_memory.c).
 *
 * 2 MiB folios come first in the region, then 4 KiB pages where there are no
 * more, so that one table of bio_vecs describes all of it.
 */
#include <linux/sched/signal.h>
#include <linux/sched/user.h>
#include <linux/uio.h>
#include <linux/vmalloc.h>

#include "uior.h"

/* Nor does this one wake the OOM killer. */
#define UIOR_GFP_HUGE	(GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_COMP | \
			 __GFP_NORETRY | __GFP_NOWARN)
#define UIOR_GFP_SMALL	(UIOR_GFP | __GFP_ZERO)

/* Which bio_vec holds the byte at @off, and where in it. */
unsigned int uior_mem_bvec(const struct uior_mem *mem, size_t off, size_t *in_bvec)
{
	size_t huge = (size_t)mem->nr_huge << PMD_SHIFT;

	if (off < huge) {
		*in_bvec = off & ~PMD_MASK;
		return off >> PMD_SHIFT;
	}
	*in_bvec = offset_in_page(off);
	return mem->nr_huge + ((off - huge) >> PAGE_SHIFT);
}

/* An iterator over @len bytes at @off; it points into the immutable table. */
void uior_mem_iter(const struct uior_mem *mem, struct iov_iter *iter,
		   unsigned int direction, size_t off, size_t len)
{
	size_t skip;
	unsigned int first = uior_mem_bvec(mem, off, &skip);

	iov_iter_bvec(iter, direction, mem->bvecs + first, mem->nr_bvecs - first, len);
	iter->iov_offset = skip;	/* less than the first has, so there is nothing to advance over */
}

static int uior_mem_try_charge(struct uior_mem *mem)
{
	unsigned long limit = rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;
	unsigned long pages = mem->size >> PAGE_SHIFT;
	struct user_struct *user;
	long old;

	if (capable(CAP_IPC_LOCK))
		return 0;
	user = current_user();
	old = atomic_long_read(&user->locked_vm);
	do {
		if (pages > limit || old > limit - pages)
			return -EPERM;
	} while (!atomic_long_try_cmpxchg(&user->locked_vm, &old, old + pages));
	mem->user = get_uid(user);
	return 0;
}

/*
 * Charged to the user, as io_uring and AF_XDP do. A region that was closed keeps its
 * charge until it is freed, which is soon: who closes one may open the next.
 */
static int uior_mem_charge(struct uior_mem *mem)
{
	int ret = uior_mem_try_charge(mem), closed;

	if (ret)	/* with none left before it failed, it has failed for good */
		wait_event_killable_timeout(uior_freed,
					    (closed = atomic_read_acquire(&uior_nr_closed),
					     !(ret = uior_mem_try_charge(mem)) || !closed), 10 * HZ);
	return ret;
}

static void uior_mem_uncharge(struct uior_mem *mem)
{
	if (!mem->user)
		return;
	atomic_long_sub(mem->size >> PAGE_SHIFT, &mem->user->locked_vm);
	free_uid(mem->user);
	mem->user = NULL;
}

static int uior_mem_add(struct uior_mem *mem, int node, gfp_t gfp, unsigned int order)
{
	struct page *page = alloc_pages_node(node, gfp, order);

	if (!page)
		return -ENOMEM;
	bvec_set_page(&mem->bvecs[mem->nr_bvecs++], page, PAGE_SIZE << order, 0);
	return 0;
}

static int uior_mem_populate(struct uior_mem *mem, int node, bool small)
{
	size_t left = mem->size;

	while (!small && left >= PMD_SIZE) {
		if (uior_mem_add(mem, node, UIOR_GFP_HUGE, PMD_ORDER))
			break;
		mem->nr_huge++;
		left -= PMD_SIZE;
		cond_resched();
	}
	for (; left; left -= PAGE_SIZE) {
		if (fatal_signal_pending(current))
			return -EINTR;
		if (uior_mem_add(mem, node, UIOR_GFP_SMALL, 0))
			return -ENOMEM;
		cond_resched();
	}
	return 0;
}

/* The @nr pages from @off on, a multiple of the page size. */
void uior_mem_pages(const struct uior_mem *mem, size_t off, unsigned int nr, struct page **pages)
{
	size_t in_bvec;

	for (; nr; nr--, off += PAGE_SIZE) {
		unsigned int i = uior_mem_bvec(mem, off, &in_bvec);

		*pages++ = mem->bvecs[i].bv_page + (in_bvec >> PAGE_SHIFT);
	}
}

/* BPF programs and received data want one run of addresses. */
static int uior_mem_vmap(struct uior_mem *mem)
{
	unsigned int nr_pages = mem->size >> PAGE_SHIFT;
	struct page **pages = kvmalloc_array(nr_pages, sizeof(*pages), UIOR_GFP);

	if (!pages)
		return -ENOMEM;
	uior_mem_pages(mem, 0, nr_pages, pages);
	mem->vaddr = vmap(pages, nr_pages, VM_MAP, PAGE_KERNEL);
	kvfree(pages);
	return mem->vaddr ? 0 : -ENOMEM;
}

/**
 * uior_mem_alloc - allocate and map the pages of a region
 * @mem: zeroed; on error the caller calls uior_mem_free()
 * @size: bytes, a multiple of the page size
 * @node: NUMA node to prefer, or NUMA_NO_NODE
 * @small: do not try 2 MiB folios
 *
 * Context: process, may sleep. Return: 0, -EPERM (RLIMIT_MEMLOCK), -ENOMEM, or
 * -EINTR.
 */
int uior_mem_alloc(struct uior_mem *mem, size_t size, int node, bool small)
{
	size_t max_bvecs = size >> PAGE_SHIFT;
	int ret;

	mem->size = size;
	ret = uior_mem_charge(mem);
	if (ret)
		return ret;
	/* Taking the last page would send the OOM killer after somebody else. */
	if (max_bvecs > si_mem_available())
		return -ENOMEM;
	mem->bvecs = kvcalloc(max_bvecs, sizeof(*mem->bvecs), UIOR_GFP);
	if (!mem->bvecs)
		return -ENOMEM;
	ret = uior_mem_populate(mem, node, small);
	return ret ?: uior_mem_vmap(mem);
}

/* Idempotent; pages that somebody pinned stay until he lets go. */
void uior_mem_free(struct uior_mem *mem)
{
	unsigned int i;

	vunmap(mem->vaddr);
	mem->vaddr = NULL;
	for (i = 0; i < mem->nr_bvecs; i++)
		put_page(mem->bvecs[i].bv_page);
	mem->nr_bvecs = 0;
	kvfree(mem->bvecs);
	mem->bvecs = NULL;
	uior_mem_uncharge(mem);
}

/* Offset in the region of a page offset of mmap(). */
static size_t uior_mem_pgoff(const struct uior_region *region, pgoff_t pgoff)
{
	if (pgoff >= UNIFIED_IO_OFF_DATA >> PAGE_SHIFT)
		return ((pgoff << PAGE_SHIFT) - UNIFIED_IO_OFF_DATA) + region->data_offset;
	return pgoff << PAGE_SHIFT;
}

static vm_fault_t uior_vm_fault(struct vm_fault *vmf)
{
	struct uior_region *region = vmf->vma->vm_private_data;
	size_t off = vmf->pgoff << PAGE_SHIFT, in_bvec;
	unsigned int i;

	if (off >= region->mem.size)
		return VM_FAULT_SIGBUS;
	i = uior_mem_bvec(&region->mem, off, &in_bvec);
	vmf->page = region->mem.bvecs[i].bv_page + (in_bvec >> PAGE_SHIFT);
	get_page(vmf->page);
	return 0;
}

#ifdef UIOR_HAVE_FOLIO_PMD
static vm_fault_t uior_vm_huge_fault(struct vm_fault *vmf, unsigned int order)
{
	struct uior_region *region = vmf->vma->vm_private_data;
	unsigned long start = vmf->address & PMD_MASK, into = vmf->address - start;
	size_t off = vmf->pgoff << PAGE_SHIFT, in_bvec;
	unsigned int i;

	if (order != PMD_ORDER || start < vmf->vma->vm_start ||
	    start + PMD_SIZE > vmf->vma->vm_end || off < (into & PAGE_MASK))
		return VM_FAULT_FALLBACK;
	i = uior_mem_bvec(&region->mem, off - (into & PAGE_MASK), &in_bvec);
	if (i >= region->mem.nr_huge || in_bvec)
		return VM_FAULT_FALLBACK;
	return vmf_insert_folio_pmd(vmf, page_folio(region->mem.bvecs[i].bv_page),
				    vmf->flags & FAULT_FLAG_WRITE);
}
#endif

static const struct vm_operations_struct uior_vm_ops = {
	.fault = uior_vm_fault,
#ifdef UIOR_HAVE_FOLIO_PMD
	.huge_fault = uior_vm_huge_fault,
#endif
};

/**
 * uior_mem_map - map a part of the region
 * @region: the VMA's file, the device or a dma-buf, holds it
 * @vma: its page offset says which part
 *
 * Context: of mmap(). Return: 0 or -EINVAL.
 */
int uior_mem_map(struct uior_region *region, struct vm_area_struct *vma)
{
	size_t len = vma->vm_end - vma->vm_start, off, limit;

	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	if (vma->vm_pgoff >= (UNIFIED_IO_OFF_DATA + region->data_size) >> PAGE_SHIFT)
		return -EINVAL;
	off = uior_mem_pgoff(region, vma->vm_pgoff);
	limit = region->mem.size;
	if (off >= limit || len > limit - off)
		return -EINVAL;
	/* VM_HUGEPAGE: PMDs also where the system says 'madvise'. */
	vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP | VM_HUGEPAGE);
	/* From the region's start: what the kernel maps around a fault begins where folios do. */
	vma->vm_pgoff = off >> PAGE_SHIFT;
	vma->vm_private_data = region;
	vma->vm_ops = &uior_vm_ops;
	return 0;
}
