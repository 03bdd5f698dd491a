/* SPDX-License-Identifier: GPL-2.0 */
/* unified-io doctor: what it looks at, and what it finds. */
#ifndef DOCTOR_H
#define DOCTOR_H

#include "tool.h"

/* From good to bad. */
enum state {
	STATE_OK,
	STATE_NOTE,	/* all works, nothing is copied that need not be; worth knowing */
	STATE_COPIES,	/* works, but the processor copies */
	STATE_FAILS,
};

struct doctor {
	const char *ifname;	/* NULL: none to look at */
	uint32_t queue;
	const char *drive;	/* ditto */
	bool json;
	struct json_object *findings;
	enum state worst;
};

/* One thing; @how: the command that mends it, or NULL. */
void found(struct doctor *doctor, const char *name, enum state state, const char *how,
	   const char *format, ...) __attribute__((format(printf, 5, 6)));

/* How DMA of the device at this place of sysfs is translated. */
void look_at_iommu(struct doctor *doctor, const char *name, const char *device);

/* doctor_drive.c, doctor_nic.c: without using them, but for a moment of a queue */
void look_at_drive(struct doctor *doctor, const struct unified_io_info *info);
void look_at_nic(struct doctor *doctor, struct unified_io *io);

/* doctor_run.c: the small real run; with the drive and the interface in between. */
void run_all(struct doctor *doctor);

#endif /* DOCTOR_H */
