// SPDX-License-Identifier: GPL-2.0
/* capture's program on the NIC. */
#include "vmlinux.h"
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "udp_port.bpf.h"

char LICENSE[] SEC("license") = "GPL";
