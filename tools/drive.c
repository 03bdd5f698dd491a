// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <blkid/blkid.h>

#include "address.h"
#include "drive.h"
#include "logread.h"
#include "tool.h"

static void cannot_open(const char *path)
{
	if (errno == EBUSY)
		die(EXIT_REFUSED, "%s is in use (mounted, or another program's): see lsblk %s and fuser -v %s",
		    path, path, path);
	if (errno == EACCES || errno == EPERM)
		die(EXIT_DEVICE, "%s: %s: run as root, or be in the group that may write to it",
		    path, strerror(errno));
	die(EXIT_FAILED, "%s: %s", path, strerror(errno));
}

/* Is there a region, open or closed a moment ago? */
static bool any_region(void)
{
	FILE *file = fopen("/sys/module/unified_io_region/refcnt", "re");
	int users = 0;

	if (!file)
		return false;
	if (fscanf(file, "%d", &users) != 1)
		users = 0;
	fclose(file);
	return users > 0;
}

/*
 * A region that was closed lets go of its drive only a while after: who ends may be followed at once. Without a
 * region it is another's drive, or all but free.
 */
static int open_patiently(const char *path, int flags)
{
	int fd, tries = 0;

	while ((fd = open(path, flags | O_CLOEXEC)) < 0 && errno == EBUSY &&
	       ++tries < (any_region() ? 1000 : 100))
		usleep(10000);
	return fd;
}

void drive_open(struct drive *drive, const char *path, bool write)
{
	int flags = write ? O_RDWR | O_EXCL : O_RDONLY, lba_size;
	struct stat found;

	if (stat(path, &found))
		cannot_open(path);
	if (!S_ISBLK(found.st_mode))
		die(EXIT_USAGE, "%s is not a block device: want /dev/nvme0n1 or the like; file:PATH is for files",
		    path);
	drive->fd = open_patiently(path, flags);
	if (drive->fd < 0)
		cannot_open(path);
	if (ioctl(drive->fd, BLKSSZGET, &lba_size) || ioctl(drive->fd, BLKGETSIZE64, &drive->size))
		die(EXIT_FAILED, "%s: %s", path, strerror(errno));
	drive->lba_size = lba_size;
}

bool drive_content(int fd, char **content)
{
	blkid_probe probe = blkid_new_probe();
	const char *what = NULL;
	int found;

	if (!probe || blkid_probe_set_device(probe, fd, 0, 0))
		die(EXIT_FAILED, "libblkid cannot look at the drive");
	blkid_probe_enable_superblocks(probe, 1);
	blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_TYPE);
	blkid_probe_enable_partitions(probe, 1);
	found = blkid_do_safeprobe(probe);
	if (found == -2)
		what = "more than one thing";
	else if (found == 0 && blkid_probe_lookup_value(probe, "TYPE", &what, NULL) &&
		 blkid_probe_lookup_value(probe, "PTTYPE", &what, NULL))
		what = "something";
	*content = what ? strdup(what) : NULL;
	blkid_free_probe(probe);
	return found >= 0 || what;
}

/* Where the signature is that the probe has found last. */
static uint64_t found_at(blkid_probe probe)
{
	const char *at = NULL;

	if (blkid_probe_lookup_value(probe, "SBMAGIC_OFFSET", &at, NULL))
		blkid_probe_lookup_value(probe, "PTMAGIC_OFFSET", &at, NULL);
	return at ? strtoull(at, NULL, 10) : UINT64_MAX;
}

void drive_wipe(const struct drive *drive, uint64_t from, uint64_t to)
{
	blkid_probe probe = blkid_new_probe();
	int found;

	if (!probe || blkid_probe_set_device(probe, drive->fd, 0, 0))
		die(EXIT_FAILED, "libblkid cannot look at the drive");
	blkid_probe_enable_superblocks(probe, 1);
	blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_MAGIC);
	blkid_probe_enable_partitions(probe, 1);
	blkid_probe_set_partitions_flags(probe, BLKID_PARTS_MAGIC);
	while (!(found = blkid_do_probe(probe))) {
		uint64_t at = found_at(probe);

		if (at >= from && at < to && blkid_do_wipe(probe, 0))
			die(EXIT_FAILED, "the drive: %s", strerror(errno));
	}
	if (found < 0)
		warn("the drive: a read failed: signatures may be left that wipefs shows");
	blkid_free_probe(probe);
	if (fsync(drive->fd))
		die(EXIT_FAILED, "the drive: %s", strerror(errno));
}

void drive_refuse(const struct drive *drive, const struct address *address)
{
	const struct unified_io_log_header *header;
	struct log_reader *reader;
	char *what;

	if (!drive_content(drive->fd, &what))
		die(EXIT_FAILED, "%s: no telling what it holds: a read failed (see dmesg): --force overwrites it",
		    address->path);
	if (what)
		die(EXIT_REFUSED, "%s holds %s (see wipefs %s): --force overwrites it",
		    address->path, what, address->path);
	reader = log_open(address->path, address->offset, address->len);
	header = log_next_header(reader);
	log_close(reader);
	if (header)
		die(EXIT_REFUSED, "%s holds a log: %s,append continues it, --force overwrites it",
		    address->path, address->text);
}
