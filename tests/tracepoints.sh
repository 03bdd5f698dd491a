#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The plain sample (one read with a BPF stage) fires: submit once, each stage's start and end once,
# complete once, in this order.

set -eu
trace=/sys/kernel/tracing
trap 'echo 0 >$trace/events/unified_io_region/enable' EXIT
for event in uior_submit uior_stage_start uior_stage_end uior_complete; do
	[ -d "$trace/events/unified_io_region/$event" ]
done
: >$trace/trace
echo 1 >$trace/events/unified_io_region/enable
"$BUILD/user/samples/unified_io_test" "$NVME0"
echo 0 >$trace/events/unified_io_region/enable
got=$(sed -n 's/.*: \(uior_[a-z_]*\):.*\(stage=[a-z]*\|user_data=[0-9a-fx]*\).*/\1 \2/p' $trace/trace |
	sed 's/ user_data.*//' | tr '\n' ';')
want='uior_submit;uior_stage_start stage=read;uior_stage_end stage=read;'
want+='uior_stage_start stage=bpf;uior_stage_end stage=bpf;uior_complete;'
if [ "$got" != "$want" ]; then
	cat $trace/trace
	printf 'got:  %s\nwant: %s\n' "$got" "$want"
	exit 1
fi
