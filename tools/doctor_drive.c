// SPDX-License-Identifier: GPL-2.0
/* unified-io doctor: the drive. */
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "doctor.h"
#include "drive.h"
#include "info.h"

/* A controller with SGLs takes ranges that are multiples of so much. */
#define SGL_ALIGNMENT	4U

static void look_at_kind(struct doctor *doctor, const struct unified_io_info *info,
			 const char *sysfs)
{
	char path[128];
	bool partition;

	snprintf(path, sizeof(path), "%s/partition", sysfs);
	partition = !access(path, F_OK);
	if (info->device_kind == UNIFIED_IO_DEV_NVME)
		found(doctor, "drive", STATE_OK, NULL, "%s in blocks of %u bytes, %s",
		      show_size(info->device_size), info->lba_size, device_kind(info->device_kind));
	else
		found(doctor, "drive", STATE_NOTE, partition ?
		      "give the whole namespace (lsblk -s shows it), if it is NVMe" :
		      "an NVMe namespace saves a little work for each command",
		      "%s in blocks of %u bytes, %s%s", show_size(info->device_size), info->lba_size,
		      device_kind(info->device_kind), partition ? ": it is a partition" : "");
}

static void look_at_gather(struct doctor *doctor, const struct unified_io_info *info)
{
	if (info->range_alignment <= SGL_ALIGNMENT)
		found(doctor, "drive gathers", STATE_OK, NULL,
		      "pieces that begin and end at multiples of %u bytes (SGL)",
		      info->range_alignment);
	else
		found(doctor, "drive gathers", STATE_COPIES,
		      "an NVMe controller with SGLs does (nvme id-ctrl -H DRIVE), on Linux 7.0 and later",
		      "only pieces that begin and end at multiples of %u bytes: others are copied",
		      info->range_alignment);
	found(doctor, "drive DMA", STATE_OK, NULL, "to multiples of %u bytes, %s in one command",
	      info->dma_alignment, show_size(info->max_transfer));
}

static void look_at_content(struct doctor *doctor, int fd)
{
	int excl = open(doctor->drive, O_RDWR | O_EXCL | O_CLOEXEC), read_only = 0;
	bool known;
	char how[256], *content;

	ioctl(fd, BLKROGET, &read_only);
	snprintf(how, sizeof(how), "blockdev --setrw %s", doctor->drive);
	if (read_only)
		found(doctor, "drive writes", STATE_FAILS, how, "it is read-only");
	snprintf(how, sizeof(how), "lsblk %s; fuser -v %s", doctor->drive, doctor->drive);
	if (excl < 0 && errno == EBUSY)
		found(doctor, "drive is free", STATE_NOTE, how,
		      "no: mounted, or another program's: a pipe would not write to it");
	known = drive_content(fd, &content);
	if (!known)
		found(doctor, "drive is empty", STATE_FAILS, NULL,
		      "no telling what it holds: a read failed (see dmesg)");
	snprintf(how, sizeof(how), "wipefs %s", doctor->drive);
	if (content)
		found(doctor, "drive is empty", STATE_NOTE, how,
		      "no, it holds %s: a pipe would want --force to write to it", content);
	if (excl >= 0)
		close(excl);
	free(content);
}

void look_at_drive(struct doctor *doctor, const struct unified_io_info *info)
{
	int fd = open(doctor->drive, O_RDONLY | O_CLOEXEC);
	char sysfs[64], device[96];
	struct stat stat;

	if (fd < 0 || fstat(fd, &stat)) {
		found(doctor, "drive", STATE_FAILS, NULL, "%s: %s", doctor->drive, strerror(errno));
		return;
	}
	snprintf(sysfs, sizeof(sysfs), "/sys/dev/block/%u:%u", major(stat.st_rdev),
		 minor(stat.st_rdev));
	look_at_kind(doctor, info, sysfs);
	look_at_gather(doctor, info);
	look_at_content(doctor, fd);
	snprintf(device, sizeof(device), "%s/device/device", sysfs);
	look_at_iommu(doctor, "drive", device);
	close(fd);
}
