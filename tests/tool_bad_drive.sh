#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# tool_bad_drive.sh DRIVE: its last blocks are bad. What unified-io cannot read it does not take for empty.

set -eu
. "$(dirname -- "$0")/tool_common.sh"
drive=$1

says 1 'what it holds: a read failed' pipe - "nvme:$drive"
says 1 'what it holds: a read failed' doctor "$drive"
says 0 'in 0:00' pipe - "nvme:$drive" --force
says 1 'Input/output error' pipe - "nvme:$drive,append"
says 0 'in 0:00' pipe - "nvme:$drive,len=32M,append"
