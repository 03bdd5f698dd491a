// SPDX-License-Identifier: GPL-2.0
/* What to do about an error: the limit, flag or command behind an errno. */
#include "unified_io.h"

static const struct hint {
	enum unified_io_call call;
	int err;
	const char *text;
} hints[] = {
	{ UNIFIED_IO_CALL_OPEN, ENOENT,
	  "the module is not loaded: modprobe unified_io_region, or insmod it" },
	{ UNIFIED_IO_CALL_OPEN, ENODEV,
	  "net_ifindex names no interface (ip link), or the drive is gone" },
	{ UNIFIED_IO_CALL_OPEN, EACCES,
	  "the device node is root's: run as root, or give the group rights with a udev rule" },
	{ UNIFIED_IO_CALL_OPEN, EPERM,
	  "region_size is above the locked-memory limit: raise it (ulimit -l), make the region smaller, or have CAP_IPC_LOCK" },
	{ UNIFIED_IO_CALL_OPEN, ENOMEM,
	  "no memory for region_size: make it smaller, look at free -m and at the cgroup's memory.max" },
	{ UNIFIED_IO_CALL_OPEN, EINVAL,
	  "entries must be powers of two up to 32768; region_size a multiple of the page size, at least 1 MiB and large enough for the rings; unknown flags are refused; uring_fd must be a ring's" },
	{ UNIFIED_IO_CALL_OPEN, EBADF,
	  "nvme_fd, event_fd or uring_fd is not open: -1 means none" },
	{ UNIFIED_IO_CALL_OPEN, ENOTBLK,
	  "nvme_fd must be a block device: /dev/nvme0n1, not /dev/ng0n1" },
	{ UNIFIED_IO_CALL_OPEN, EOPNOTSUPP,
	  "this kernel lacks what the region was asked for: see UNIFIED_IO_QUERY" },
	{ UNIFIED_IO_CALL_OPEN, EPROTONOSUPPORT,
	  "the module and this library are of different versions: build both from one source" },
	{ UNIFIED_IO_CALL_OPEN, ENOTTY,
	  "the module is too old for this library: reload it from the same source" },

	{ UNIFIED_IO_CALL_SUBMIT, EBUSY,
	  "the completion queue is full: consume completions, then submit again; or ask for more cq_entries" },
	{ UNIFIED_IO_CALL_SUBMIT, ENXIO,
	  "the region is not set up: call unified_io_open() first" },
	{ UNIFIED_IO_CALL_SUBMIT, ETIME,
	  "the timeout passed; what was submitted goes on and completes later" },
	{ UNIFIED_IO_CALL_SUBMIT, ENODATA,
	  "nothing is in flight, so no completion can come" },

	{ UNIFIED_IO_CALL_COMPLETION, EINVAL,
	  "the descriptor is malformed: unknown flag, reserved field not zero, opcode unknown, or stages that do not combine; or a Net IOV is outside the data area or not longer than the headroom" },
	{ UNIFIED_IO_CALL_COMPLETION, EBADF,
	  "the drive is open for reading only: open nvme_fd with O_RDWR to write" },
	{ UNIFIED_IO_CALL_COMPLETION, ENODEV,
	  "no drive: set nvme_fd in the setup; nvme.nsid is not its namespace (0 is always right); or it was unplugged" },
	{ UNIFIED_IO_CALL_COMPLETION, ERANGE,
	  "addr + len is outside the data area, or the blocks are outside the drive (data_size, device_size in GET_INFO), or the buffer has no room to pad the data to a whole block" },
	{ UNIFIED_IO_CALL_COMPLETION, EREMOTEIO,
	  "addr and len do not fit the drive's blocks: see lba_size and dma_alignment in GET_INFO; UNIFIED_IO_DESC_F_PAD fills a write up" },
	{ UNIFIED_IO_CALL_COMPLETION, EMSGSIZE,
	  "len is 0 or above 1 GiB, net.headroom leaves no room, a datagram was larger than its buffer, or a program carried more than 16 KiB or than the next buffer holds" },
	{ UNIFIED_IO_CALL_COMPLETION, ENOTCONN,
	  "no connected socket in the slot: unified_io_attach_socket() first" },
	{ UNIFIED_IO_CALL_COMPLETION, EPROTONOSUPPORT,
	  "net.proto is not the socket's; UNIFIED_IO_PROTO_ANY takes whatever it is" },
	{ UNIFIED_IO_CALL_COMPLETION, ENOENT,
	  "bpf.prog_id names no attached program (use the id that unified_io_attach_xdp() returned), or is 0 and the program has been detached" },
	{ UNIFIED_IO_CALL_COMPLETION, EPROTO,
	  "the BPF program returned no verdict: PASS, DROP, REPLY, RESUBMIT or a negative errno" },
	{ UNIFIED_IO_CALL_COMPLETION, ELOOP,
	  "the BPF program asked for more than 16 dependent reads" },
	{ UNIFIED_IO_CALL_COMPLETION, ECANCELED,
	  "the socket was detached, the region closed, or the program aborted" },
	{ UNIFIED_IO_CALL_COMPLETION, EROFS,
	  "the drive is read-only: see blockdev --getro" },
	{ UNIFIED_IO_CALL_COMPLETION, EIO,
	  "the drive reported an error: see dmesg and nvme error-log" },

	{ UNIFIED_IO_CALL_SOCKET, ENOTSOCK,
	  "the file descriptor is not a socket" },
	{ UNIFIED_IO_CALL_SOCKET, EPROTONOSUPPORT,
	  "only TCP, UDP and AF_PACKET sockets can be attached" },
	{ UNIFIED_IO_CALL_SOCKET, ENOTCONN,
	  "a TCP socket must be connected or accepted before it is attached; or the slot is empty" },
	{ UNIFIED_IO_CALL_SOCKET, ENOSPC,
	  "all 1024 socket slots are in use: detach closed connections, or open another region" },

	{ UNIFIED_IO_CALL_XDP, EINVAL,
	  "prog_fd is no XDP program, or is made for a device: load it as BPF_PROG_TYPE_XDP without an interface" },
	{ UNIFIED_IO_CALL_XDP, ENOSPC,
	  "16 programs are attached: detach or replace one" },

	{ UNIFIED_IO_CALL_OPS, ENOENT,
	  "the object file is missing, holds no unified_io_bpf_ops in SEC(\".struct_ops.link\"), or was not bound to an open region (unified_io_bind_ops() before the load)" },
	{ UNIFIED_IO_CALL_OPS, ESRCH,
	  "the kernel has no type unified_io_bpf_ops: load unified_io_region first; it needs BTF (CONFIG_DEBUG_INFO_BTF_MODULES)" },
	{ UNIFIED_IO_CALL_OPS, EBUSY,
	  "the region has struct_ops already at this place: set another order (0 to 7), destroy that link, or replace with bpf_link__update_map()" },
	{ UNIFIED_IO_CALL_OPS, EINVAL,
	  "the verifier refused the program (its log is on stderr), or the struct lacks region_id" },
	{ UNIFIED_IO_CALL_OPS, E2BIG,
	  "the program is too complex for the verifier: put loops over bytes into global functions, and let no counter in a bpf_for() loop start from a constant" },
	{ UNIFIED_IO_CALL_OPS, EACCES,
	  "the verifier refused the program: its log is on stderr" },
	{ UNIFIED_IO_CALL_OPS, EPERM,
	  "needs CAP_BPF and CAP_SYS_ADMIN: run as root" },

	{ UNIFIED_IO_CALL_ZCRX, EPERM,
	  "a NIC's queue takes CAP_NET_ADMIN: run as root" },
	{ UNIFIED_IO_CALL_ZCRX, ENODEV,
	  "ifname names no interface of this network namespace: ip link" },
	{ UNIFIED_IO_CALL_ZCRX, EOPNOTSUPP,
	  "the NIC's driver has no queue management, or no receive buffers of this length: leave buf_len 0, or use UNIFIED_IO_ZCRX_NODEV" },
	{ UNIFIED_IO_CALL_ZCRX, EINVAL,
	  "header split is off (ethtool -G IF tcp-data-split on), its threshold is not 0 (ethtool -G IF hds-thresh 0), or addr, len or buf_len do not fit the pages; or this kernel has no ZCRX (7.0 and later have)" },
	{ UNIFIED_IO_CALL_ZCRX, EEXIST,
	  "an XDP program is on the interface (ip link set IF xdp off), or the queue is another's already" },
	{ UNIFIED_IO_CALL_ZCRX, EBUSY,
	  "an AF_XDP socket has the queue: take another" },
	{ UNIFIED_IO_CALL_ZCRX, ERANGE,
	  "the interface has no such queue (ethtool -l IF), the area is outside the data area, or it does not consist of pieces of buf_len: use 2 MiB pages, and an area that begins at a multiple of buf_len in the region" },
	{ UNIFIED_IO_CALL_ZCRX, ENOMEM,
	  "the area is above the locked-memory limit: raise it (ulimit -l), make the area smaller, or have CAP_IPC_LOCK" },
};

const char *unified_io_hint(enum unified_io_call call, int err)
{
	size_t i;

	if (err < 0)
		err = -err;
	for (i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
		if (hints[i].call == call && hints[i].err == err)
			return hints[i].text;
	return strerror(err);
}
