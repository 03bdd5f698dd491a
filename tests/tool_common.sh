# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# For the tests of unified-io. Source it.

tool=$BUILD/user/tools/unified-io
objects=$BUILD/user/tests

# A check that failed says so, and the test goes on: there may be more. A test that hangs is told where. What a
# test that gives up has started must not hold the module for those behind it.
bad=0
trap 'status=$?; jobs -p | xargs -r kill 2>/dev/null || true; [ $bad = 0 ] || exit 1; exit $status' EXIT
trap 'echo "ended in line ${BASH_LINENO[0]-} ($BASH_COMMAND)"; exit 1' TERM

# says STATUS PATTERN ARG...: the command ends so, and says that
says() {
	local want=$1 pattern=$2 status=0
	shift 2
	"$tool" "$@" >/tmp/said 2>&1 </dev/null || status=$?
	[ $status = "$want" ] && grep -q -e "$pattern" /tmp/said && return
	echo "unified-io $*: status $status, not $want, or no '$pattern' in:"
	cat /tmp/said
	bad=1
}

# same WHAT GOT WANTED
same() {
	[ "$2" = "$3" ] && return
	echo "$1: $2, not $3"
	bad=1
}

sha() { sha256sum | cut -d ' ' -f 1; }

# listening PORT: wait until somebody does, over TCP or UDP
listening() {
	for _ in $(seq $((100 * SLOW))); do
		[ -z "$(ss -Hltun "sport = :$1")" ] || return 0
		sleep 0.1
	done
	echo "nobody listens on port $1"
	exit 1
}

# field NAME <JSON
field() { python3 -c "import json, sys; print(json.load(sys.stdin)['$1'])"; }

# flip POSITION: one bit there, on $NVME0
flip() {
	python3 - "$NVME0" "$1" <<-'END'
		import os, sys
		fd = os.open(sys.argv[1], os.O_RDWR)
		at = int(sys.argv[2])
		byte = os.pread(fd, 1, at)[0] ^ 1
		os.pwrite(fd, bytes([byte]), at)
		os.fsync(fd)
	END
}

# feed_pipe PORT [COMMAND]: a pipe from the port to $NVME0 by that command ($tool); what is written to file
# descriptor 5 goes there, and end_pipe ends it. Sets 'pipe', its process.
feed_pipe() {
	rm -f /tmp/feed
	mkfifo /tmp/feed
	"${2:-$tool}" pipe -q "tcp-listen:$1" "nvme:$NVME0" --force &
	pipe=$!
	listening "$1"
	socat -u - "TCP:127.0.0.1:$1" </tmp/feed &
	exec 5>/tmp/feed
}

end_pipe() {
	exec 5>&-
	wait $pipe
}

# counted NAME VALUE: some region's counter, in debugfs
counted() { grep -qsx "$1 $2" /sys/kernel/debug/unified_io_region/*/stats; }

# total NAME: the sum of a counter over all regions
total() { cat /sys/kernel/debug/unified_io_region/*/stats 2>/dev/null | awk -v n="$1" '$1 == n { s += $2 } END { print s + 0 }'; }

# stuck NAME: a counter that is not 0 any more, and does not grow
stuck() {
	local before
	before=$(total "$1")
	sleep 1
	[ "$before" -gt 0 ] && [ "$(total "$1")" = "$before" ]
}

# idle: no chain is in the middle: the stream and its next arrival alone are not complete
idle() {
	cat /sys/kernel/debug/unified_io_region/*/stats 2>/dev/null |
		awk '{ n[$1] = $2 } END { exit n["inflight"] != 2 || n["submitted"] != n["completed"] + 1 }'
}

# unblocked PROCESS NUMBER: the process takes this signal now, and does not keep it for later
unblocked() { [ $((0x$(awk '/^SigBlk/ { print $2 }' "/proc/$1/status") >> ($2 - 1) & 1)) = 0 ]; }

# ends PROCESS STATUS: soon, and so
ends() {
	local status=0
	timeout $((20 * SLOW)) tail --pid="$1" -f /dev/null || kill -9 "$1"
	wait "$1" || status=$?
	same "status of $(caller 0)" $status "$2"
}

# until_true COMMAND: it succeeds, in the end
until_true() {
	for _ in $(seq $((100 * SLOW))); do
		! "$@" || return 0
		sleep 0.1
	done
	echo "in vain: $*"
	exit 1
}
