// SPDX-License-Identifier: GPL-2.0
/*
 * UNIFIED_IO_EXPORT: a part of the data area as a dma-buf, for importers that know
 * nothing of us. The dma-buf holds the region: its pages stay when the device is
 * closed.
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/iosys-map.h>
#include <linux/module.h>
#include <linux/scatterlist.h>

#include "uior.h"

/**
 * struct uior_dmabuf - what was exported
 * @region: held
 * @off: from the start of the region, bytes
 * @size: bytes
 * @lock: guards @attached
 * @attached: of struct uior_dmabuf_dev
 */
struct uior_dmabuf {
	struct uior_region *region;
	size_t off;
	size_t size;
	struct mutex lock;
	struct list_head attached;
};

/* One importer's device. */
struct uior_dmabuf_dev {
	struct list_head node;
	struct device *dev;
	struct sg_table sgt;
	bool mapped;
};

static int uior_dmabuf_pages(const struct uior_dmabuf *buf, struct uior_dmabuf_dev *dev)
{
	unsigned int nr = buf->size >> PAGE_SHIFT;
	struct page **pages = kvmalloc_array(nr, sizeof(*pages), UIOR_GFP);
	int ret;

	if (!pages)
		return -ENOMEM;
	uior_mem_pages(&buf->region->mem, buf->off, nr, pages);
	ret = sg_alloc_table_from_pages_segment(&dev->sgt, pages, nr, 0, buf->size,
						dma_get_max_seg_size(dev->dev), UIOR_GFP);
	kvfree(pages);
	return ret;
}

static int uior_dmabuf_attach(struct dma_buf *dmabuf, struct dma_buf_attachment *attachment)
{
	struct uior_dmabuf *buf = dmabuf->priv;
	struct uior_dmabuf_dev *dev = kzalloc(sizeof(*dev), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!dev)
		return -ENOMEM;
	dev->dev = attachment->dev;
	ret = uior_dmabuf_pages(buf, dev);
	if (ret) {
		kfree(dev);
		return ret;
	}
	attachment->priv = dev;
	guard(mutex)(&buf->lock);
	list_add(&dev->node, &buf->attached);
	return 0;
}

static void uior_dmabuf_detach(struct dma_buf *dmabuf, struct dma_buf_attachment *attachment)
{
	struct uior_dmabuf *buf = dmabuf->priv;
	struct uior_dmabuf_dev *dev = attachment->priv;

	scoped_guard(mutex, &buf->lock)
		list_del(&dev->node);
	sg_free_table(&dev->sgt);
	kfree(dev);
}

static struct sg_table *uior_dmabuf_map(struct dma_buf_attachment *attachment,
					enum dma_data_direction dir)
{
	struct uior_dmabuf *buf = attachment->dmabuf->priv;
	struct uior_dmabuf_dev *dev = attachment->priv;
	int ret;

	guard(mutex)(&buf->lock);
	ret = dma_map_sgtable(dev->dev, &dev->sgt, dir, 0);
	if (ret)
		return ERR_PTR(ret);
	dev->mapped = true;
	return &dev->sgt;
}

static void uior_dmabuf_unmap(struct dma_buf_attachment *attachment, struct sg_table *sgt,
			      enum dma_data_direction dir)
{
	struct uior_dmabuf *buf = attachment->dmabuf->priv;
	struct uior_dmabuf_dev *dev = attachment->priv;

	guard(mutex)(&buf->lock);
	dev->mapped = false;
	dma_unmap_sgtable(dev->dev, sgt, dir, 0);
}

static int uior_dmabuf_begin_cpu(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct uior_dmabuf *buf = dmabuf->priv;
	struct uior_dmabuf_dev *dev;

	guard(mutex)(&buf->lock);
	list_for_each_entry(dev, &buf->attached, node)
		if (dev->mapped)
			dma_sync_sgtable_for_cpu(dev->dev, &dev->sgt, dir);
	return 0;
}

static int uior_dmabuf_end_cpu(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct uior_dmabuf *buf = dmabuf->priv;
	struct uior_dmabuf_dev *dev;

	guard(mutex)(&buf->lock);
	list_for_each_entry(dev, &buf->attached, node)
		if (dev->mapped)
			dma_sync_sgtable_for_device(dev->dev, &dev->sgt, dir);
	return 0;
}

/* Within the dma-buf: its core has checked that. */
static int uior_dmabuf_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	struct uior_dmabuf *buf = dmabuf->priv;

	vma->vm_pgoff += buf->off >> PAGE_SHIFT;
	return uior_mem_map(buf->region, vma);
}

static int uior_dmabuf_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct uior_dmabuf *buf = dmabuf->priv;

	iosys_map_set_vaddr(map, buf->region->mem.vaddr + buf->off);
	return 0;
}

static void uior_dmabuf_release(struct dma_buf *dmabuf)
{
	struct uior_dmabuf *buf = dmabuf->priv;

	percpu_ref_put(&buf->region->refs);
	kfree(buf);
}

static const struct dma_buf_ops uior_dmabuf_ops = {
	.attach = uior_dmabuf_attach,
	.detach = uior_dmabuf_detach,
	.map_dma_buf = uior_dmabuf_map,
	.unmap_dma_buf = uior_dmabuf_unmap,
	.begin_cpu_access = uior_dmabuf_begin_cpu,
	.end_cpu_access = uior_dmabuf_end_cpu,
	.mmap = uior_dmabuf_mmap,
	.vmap = uior_dmabuf_vmap,
	.release = uior_dmabuf_release,
};

/**
 * uior_dmabuf_export - UNIFIED_IO_EXPORT
 * @region: the region
 * @arg: from the process
 *
 * Context: process, may sleep. Return: the dma-buf, or an ERR_PTR() of -EINVAL,
 * -ERANGE or -ENOMEM.
 */
struct dma_buf *uior_dmabuf_export(struct uior_region *region,
				   const struct unified_io_export *arg)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dmabuf;
	struct uior_dmabuf *buf;

	if (arg->flags || !PAGE_ALIGNED(arg->offset) || !PAGE_ALIGNED(arg->len))
		return ERR_PTR(-EINVAL);
	if (arg->offset >= region->data_size || arg->len > region->data_size - arg->offset)
		return ERR_PTR(-ERANGE);
	buf = kzalloc(sizeof(*buf), GFP_KERNEL_ACCOUNT);
	if (!buf)
		return ERR_PTR(-ENOMEM);
	buf->region = region;
	buf->off = region->data_offset + arg->offset;
	buf->size = arg->len ?: region->data_size - arg->offset;
	mutex_init(&buf->lock);
	INIT_LIST_HEAD(&buf->attached);
	info.ops = &uior_dmabuf_ops;
	info.size = buf->size;
	info.flags = O_RDWR;
	info.priv = buf;
	percpu_ref_get(&region->refs);
	dmabuf = dma_buf_export(&info);
	if (IS_ERR(dmabuf)) {
		percpu_ref_put(&region->refs);
		kfree(buf);
	}
	return dmabuf;
}

#ifdef UIOR_HAVE_NS_STRING
MODULE_IMPORT_NS("DMA_BUF");
#else
MODULE_IMPORT_NS(DMA_BUF);
#endif
