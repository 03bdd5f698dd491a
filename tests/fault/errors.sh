#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# errors.sh SERIAL passthrough|bio: fault_errors on a drive with errors in it, which QEMU's blkdebug makes.

set -eu
. fault/qemu.sh
execute blockdev-add '{"driver":"blkdebug","node-name":"bad","image":"'"$1"'-disk","inject-error":[
	{"event":"none","iotype":"read","sector":2048,"errno":5,"once":false},
	{"event":"none","iotype":"write","sector":4096,"errno":5,"once":false},
	{"event":"none","iotype":"flush","errno":5,"once":false}]}'
trap 'put_back "$1"; execute blockdev-del "{\"node-name\":\"bad\"}"' EXIT
put bad "$1"
fault_errors "$drive" "$2"
