// SPDX-License-Identifier: GPL-2.0
/*
 * NVMe passthrough: read, write and flush commands of the NVM command set on
 * the namespace behind the block device, past the block layer's file system
 * work. Whole namespaces without metadata and zones only; dev.c sends the rest
 * through bios.
 */
#include <linux/blk-integrity.h>
#include <linux/blk-mq.h>
#include <linux/module.h>
#include <linux/nvme.h>
#include <linux/nvme_ioctl.h>

#include "uior.h"

/* Exported by nvme-core for passthrough; its prototype is in a private header. */
void nvme_init_request(struct request *req, struct nvme_command *cmd);

/* nvme_init_request() writes behind the request: the queue must be NVMe's. */
static bool uior_nvme_owns(const struct gendisk *disk)
{
	if (strncmp(disk->disk_name, "nvme", 4))
		return false;
	if (disk->fops->owner)
		return !strcmp(module_name(disk->fops->owner), "nvme_core");
	return IS_BUILTIN(CONFIG_NVME_CORE);
}

/**
 * uior_nvme_nsid - which namespace is behind the block device?
 * @bdev: any block device
 *
 * Context: process, may sleep. Return: its id, or 0 if it is not NVMe.
 */
u32 uior_nvme_nsid(struct block_device *bdev)
{
	const struct gendisk *disk = bdev->bd_disk;

	if (!uior_nvme_owns(disk) || !disk->fops->ioctl)
		return 0;
	return max(disk->fops->ioctl(bdev, BLK_OPEN_READ, NVME_IOCTL_ID, 0), 0);
}

/*
 * How struct nvme_request of nvme-core's private header begins. Passthrough
 * commands end in batches, which hand the result of none of them on: what the
 * drive said stands here alone.
 */
struct uior_nvme_request {
	struct nvme_command *cmd;
	union nvme_result result;
	u8 genctr;
	u8 retries;
	u8 flags;
	u16 status;
};

static struct uior_nvme_request *uior_nvme_req(struct request *rq)
{
	return blk_mq_rq_to_pdu(rq);
}

/*
 * Are the fields where we look? nvme_init_request() resets three of them, and
 * fills in the command.
 */
static bool uior_nvme_knows(struct request_queue *q)
{
	struct request *rq = blk_mq_alloc_request(q, REQ_OP_DRV_IN, 0);
	struct nvme_command cmd = { .rw.opcode = nvme_cmd_read, .rw.slba = cpu_to_le64(U64_MAX) };
	struct uior_nvme_request *nr, old;
	bool known;

	if (IS_ERR(rq))
		return false;
	nr = uior_nvme_req(rq);
	old = *nr;
	nr->retries = U8_MAX;
	nr->flags = U8_MAX;
	nr->status = U16_MAX;
	nvme_init_request(rq, &cmd);
	known = !nr->retries && !nr->flags && !nr->status && nr->genctr == old.genctr &&
		nr->cmd == old.cmd && !memcmp(nr->cmd, &cmd, sizeof(cmd));
	if (!known)
		*nr = old;
	blk_mq_free_request(rq);
	return known;
}

static const struct device_attribute *uior_nvme_attr(const struct device *dev, const char *name)
{
	const struct attribute_group **group;
	struct attribute **attr;

	for (group = dev->groups; group && *group; group++)
		for (attr = (*group)->attrs; attr && *attr; attr++)
			if (!strcmp((*attr)->name, name))
				return container_of(*attr, struct device_attribute, attr);
	return NULL;
}

/*
 * Is a block nothing but data? The block layer need not know: protection information that
 * the drive makes and checks by itself (PRACT) may stand between the data. nvme-core says
 * it in sysfs.
 */
static bool uior_nvme_plain(struct gendisk *disk)
{
	const struct device_attribute *bytes = uior_nvme_attr(disk_to_dev(disk), "metadata_bytes");
	char *page = (char *)get_zeroed_page(GFP_KERNEL);
	bool plain = false;

	if (bytes && page && bytes->show(disk_to_dev(disk), (void *)bytes, page) > 0)
		plain = !strcmp(page, "0\n");
	free_page((unsigned long)page);
	return plain && !blk_get_integrity(disk);
}

/**
 * uior_nvme_usable - can the namespace be driven by passthrough?
 * @bdev: NVMe
 *
 * A multipath head has no request queue of its own, a partition none that knows
 * its bounds.
 *
 * Context: process, may sleep.
 */
bool uior_nvme_usable(struct block_device *bdev)
{
	struct gendisk *disk = bdev->bd_disk;

	return !bdev_is_partition(bdev) && queue_is_mq(disk->queue) &&
	       !bdev_is_zoned(bdev) && uior_nvme_plain(disk) && uior_nvme_knows(disk->queue);
}

#ifdef UIOR_HAVE_END_IO_BATCH
static enum rq_end_io_ret uior_nvme_end(struct request *rq, blk_status_t status,
					const struct io_comp_batch *iob)
#else
static enum rq_end_io_ret uior_nvme_end(struct request *rq, blk_status_t status)
#endif
{
	struct uior_op *op = rq->end_io_data;

	if (!status && uior_nvme_req(rq)->status & NVME_SCT_SC_MASK)
		status = BLK_STS_IOERR;
	/* Free the tag first: a waiter may want it at once. */
	blk_mq_free_request(rq);
	uior_dev_done(op, status);
	return RQ_END_IO_NONE;
}

/* Is the namespace formatted as SETUP found it? It stays as it is while we hold a request. */
static bool uior_nvme_same(const struct uior_dev *dev)
{
	return bdev_logical_block_size(dev->bdev) == 1U << dev->lba_shift &&
	       !blk_get_integrity(dev->bdev->bd_disk);
}

/**
 * uior_nvme_submit - send one command
 * @op: its bio describes the memory
 * @opcode: NVME_CMD_READ, _WRITE or _FLUSH
 * @lba: first logical block
 * @len: bytes, whole blocks
 * @wait: sleep for a tag
 *
 * Context: process, may sleep. Return: 0: uior_dev_done() will be called; or a
 * negative errno, -EAGAIN if there is no tag now.
 */
int uior_nvme_submit(struct uior_op *op, u8 opcode, u64 lba, u32 len, bool wait)
{
	struct uior_dev *dev = &op->region->dev;
	struct nvme_command cmd = { .rw.opcode = opcode, .rw.nsid = cpu_to_le32(dev->nsid) };
	struct request *rq;
	int ret;

	rq = blk_mq_alloc_request(bdev_get_queue(dev->bdev),
				  opcode == NVME_CMD_READ ? REQ_OP_DRV_IN : REQ_OP_DRV_OUT,
				  wait ? 0 : BLK_MQ_REQ_NOWAIT);
	if (IS_ERR(rq))
		return PTR_ERR(rq);
	ret = uior_nvme_same(dev) ? 0 : -ENODEV;
	if (!ret && len) {
		cmd.rw.slba = cpu_to_le64(lba);
		cmd.rw.length = cpu_to_le16((len >> dev->lba_shift) - 1);
		if (opcode == NVME_CMD_WRITE && op->desc.nvme.flags & UNIFIED_IO_NVME_F_FUA)
			cmd.rw.control = cpu_to_le16(NVME_RW_FUA);
		ret = blk_rq_append_bio(rq, &op->bio);
	}
	if (ret) {
		blk_mq_free_request(rq);
		return ret;
	}
	nvme_init_request(rq, &cmd);
	rq->end_io = uior_nvme_end;
	rq->end_io_data = op;
	blk_execute_rq_nowait(rq, false);
	return 0;
}
