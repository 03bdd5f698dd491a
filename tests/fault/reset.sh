#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# reset.sh DRIVE passthrough|bio: the NVMe controller is reset three times under load. What is in flight
# through the block layer is sent again by the driver; a passthrough command is not, and fails.

set -eu
reset=/sys/block/${1##*/}/device/reset_controller
[ "$2" = bio ] && errors=- || errors=EIO
fault_load "$1" "$2" $errors good "for i in 1 2 3; do sleep 0.3; echo 1 >$reset || exit; done; sleep 0.3"
