#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The plain sample, which includes the uapi header alone, reads what is on the drive.

set -eu
printf 'unified region test data' | dd of="$NVME0" conv=notrunc,fsync status=none
output=$("$BUILD/user/samples/unified_io_test" "$NVME0")
echo "$output"
hex=$(printf 'unified ' | xxd -p)
grep -q 'result 4096' <<<"$output"
tr -d ' \n' <<<"$output" | grep -q "$hex"
# and says why, with another status, when it cannot
! "$BUILD/user/samples/unified_io_test" /dev/null
