#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# unified-io top: in batches the rates and latencies of what goes by; on a terminal the same until q.

set -eu
. "$(dirname -- "$0")/tool_common.sh"

says 2 'no terminal: use --batch' top
says 1 'no region 77' top --batch 1 77
says 2 "--batch '0': want 1" top --batch 0

feed_pipe 7330
echo start >&5
until_true counted recv_bytes 6
until_true idle
id=$(ls /sys/kernel/debug/unified_io_region)

echo "# nothing, then something, then nothing"
"$tool" top --interval $((4 + SLOW / 2)) --batch 3 >/tmp/tables &	# all of it within one interval
top=$!
until_true grep -q recv /tmp/tables
head -c 1000000 /dev/zero >&5
wait $top
same "tables" "$(grep -c '^  stage .*ops/s .*bytes/s .*errors/s .*copied/B .*median .*99%$' /tmp/tables)" 3
same "regions" "$(grep -c "^region $id: unified-io (pid $pipe), ${NVME0##*/}, [0-9]* in flight$" /tmp/tables)" 3
for stage in recv bpf write operation; do
	same "idle $stage" "$(awk -v s=$stage '$1 == s { print $2, $(NF - 1), $NF; exit }' /tmp/tables)" "0 - -"
	busy=$(awk -v s=$stage '$1 == s && $2 > 0' /tmp/tables | head -n 1)
	[[ $busy =~ \<=\ [0-9]+\ us\ +\<=\ [0-9]+\ us$ ]] || { echo "$stage: '$busy'"; bad=1; }
done
same "copied" "$(awk '$1 == "recv" && $2 > 0 { print $6; exit }' /tmp/tables)" 1.00
[ $bad = 0 ] || cat /tmp/tables
"$tool" top --no-latency --interval 0.1 --batch 1 "$id" >/tmp/tables
if grep -e median /tmp/tables; then bad=1; fi

echo "# on a terminal"
cat >/tmp/terminal.py <<'END'
import fcntl, os, pty, select, struct, sys, termios, time
tool, pipe, limit = sys.argv[1], sys.argv[2], time.time() + 60 * int(sys.argv[3])
pid, fd = pty.fork()
if not pid:
    os.execve(tool, [tool, "top", "--interval", "0.3"], {"TERM": "xterm"})
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 120, 0, 0))
got = b""
def expect(text):
    global got
    while text not in got:
        assert time.time() < limit, (text, got)
        if select.select([fd], [], [], 1)[0]:
            try:
                got += os.read(fd, 4096)
            except OSError:
                sys.exit(f"ended without {text}: {got}")
expect(b"unified-io (pid %s)" % pipe.encode())
expect(b"operation")
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 5, 20, 0, 0))
os.write(fd, b"\x1b[B\x1b[A ")
time.sleep(1)
os.write(fd, b"q")
expect(b"\x1b[?1049l")  # the screen is as it was
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
END
python3 /tmp/terminal.py "$tool" $pipe "$SLOW"
status=0
TERM=nothing script -qec "$tool top" /dev/null </dev/null >/tmp/said 2>&1 || status=$?
same "status" $status 1
grep -q "the terminal 'nothing' is not known" /tmp/said
end_pipe
