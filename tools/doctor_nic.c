// SPDX-License-Identifier: GPL-2.0
/* unified-io doctor: the network interface. */
#include <bpf/bpf.h>
#include <net/if.h>
#include <stdio.h>
#include <unistd.h>

#include "doctor.h"
#include "nic.h"
#include "unified_io_xsk.h"
#include "unified_io_zcrx.h"

#define AREA_LEN	(1U << 20)
#define RING		64U

/* Whether the kernel takes the queue, which nobody can ask. */
static void try_zcrx(struct doctor *doctor, struct unified_io *io)
{
	struct unified_io_zcrx_params params = {
		.mode = UNIFIED_IO_ZCRX_DEVICE, .ifname = doctor->ifname, .rxq = doctor->queue,
		.len = AREA_LEN, .entries = 4,
	};
	struct unified_io_zcrx *zc;
	int err = unified_io_zcrx_open(&zc, io, &params);

	if (err) {
		found(doctor, "TCP receive", STATE_COPIES, unified_io_hint(UNIFIED_IO_CALL_ZCRX, err),
		      "queue %u refuses to receive into the region: %s", doctor->queue,
		      strerror(-err));
		return;
	}
	unified_io_zcrx_close(zc);
	found(doctor, "TCP receive", STATE_OK, NULL, "by queue %u straight into the region",
	      doctor->queue);
}

/* "what is missing: the command" */
static void missing_line(struct doctor *doctor, char *line)
{
	char *how = strstr(line, ": ");

	if (how) {
		*how = '\0';
		how += 2;
	}
	found(doctor, "TCP receive", STATE_COPIES, how, "%s", line);
}

static void look_at_zcrx(struct doctor *doctor, struct unified_io *io)
{
	char text[2048], *rest = text, *line;
	int missing = unified_io_zcrx_check(doctor->ifname, doctor->queue, text, sizeof(text));

	if (missing < 0)
		found(doctor, "TCP receive", STATE_FAILS, NULL, "%s", strerror(-missing));
	else if (!missing)
		try_zcrx(doctor, io);
	else
		while ((line = strsep(&rest, "\n")))
			if (*line)
				missing_line(doctor, line);
}

/* A socket on the queue, and no program that leads to it: traffic goes on as before. */
static void try_xsk(struct doctor *doctor, struct unified_io *io)
{
	struct unified_io_xsk_queue queue = {
		.ifname = doctor->ifname, .rxq = doctor->queue,
		.map_fd = bpf_map_create(BPF_MAP_TYPE_XSKMAP, NULL, 4, 4, doctor->queue + 1, NULL),
	};
	struct unified_io_xsk_params params = {
		.queues = &queue, .nr_queues = 1, .ring = RING, .len = AREA_LEN,
	};
	struct unified_io_xsk *xsk;
	int err = queue.map_fd < 0 ? queue.map_fd : unified_io_xsk_open(&xsk, io, &params);

	if (queue.map_fd >= 0)
		close(queue.map_fd);
	if (err) {
		found(doctor, "AF_XDP", STATE_FAILS, unified_io_hint(UNIFIED_IO_CALL_XSK, err), "%s",
		      strerror(-err));
		return;
	}
	err = unified_io_xsk_why(xsk);
	unified_io_xsk_close(xsk);
	if (err)
		found(doctor, "AF_XDP", STATE_COPIES, unified_io_hint(UNIFIED_IO_CALL_XSK, err),
		      "packets are copied once: %s", strerror(-err));
	else
		found(doctor, "AF_XDP", STATE_OK, NULL, "packets by queue %u straight into the region",
		      doctor->queue);
}

static void look_at_send(struct doctor *doctor)
{
	struct unified_io_nic nic;
	char how[64];

	if (unified_io_nic_open(&nic, doctor->ifname, doctor->queue))
		return;
	snprintf(how, sizeof(how), "ethtool -K %s sg on tx on", doctor->ifname);
	if (unified_io_nic_gathers(&nic))
		found(doctor, "send", STATE_OK, NULL, "of 32 KiB and more, from where it lies");
	else
		found(doctor, "send", STATE_COPIES, how,
		      "copies: no scatter-gather, or no checksums by the NIC");
	unified_io_nic_close(&nic);
}

void look_at_nic(struct doctor *doctor, struct unified_io *io)
{
	char device[64];

	if (!if_nametoindex(doctor->ifname)) {
		found(doctor, "interface", STATE_FAILS, "ip link", "there is no %s", doctor->ifname);
		return;
	}
	look_at_zcrx(doctor, io);
	try_xsk(doctor, io);
	look_at_send(doctor);
	snprintf(device, sizeof(device), "/sys/class/net/%s/device", doctor->ifname);
	look_at_iommu(doctor, "interface", device);
}
