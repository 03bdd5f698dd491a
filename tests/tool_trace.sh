#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# unified-io trace: counts what the region counts, and for a stream that was held open measures that long.

set -eu
. "$(dirname -- "$0")/tool_common.sh"

says 0 '^no operation went by$' trace --seconds 0.1
says 1 'no region 77' trace 77
says 2 "--seconds '-1': want seconds" trace --seconds=-1
says 2 'one region, or none' trace 1 2

# tracing OPTION...: it has begun; sets 'trace'
tracing() {
	"$tool" trace "$@" >/tmp/traced 2>/tmp/said &
	trace=$!
	until_true grep -q 'tracing; SIGINT' /tmp/said
}

# region JSON: the one region's
region() { "$tool" stat --json | python3 -c 'import json, sys; print(json.dumps(json.load(sys.stdin)["regions"][0]))'; }

echo "# a stream from its beginning to its end, open for 2.5 seconds"
tracing --json
started=$(date +%s%N)
feed_pipe 7310
head -c 1000000 /dev/urandom >&5
sleep 2.5
id=$(region | field region)
end_pipe
lasted=$(($(date +%s%N) - started))
kill -INT $trace
wait $trace
python3 - "$id" $lasted <<'END'
import json, sys
all = json.load(open("/tmp/traced"))
[region] = all["regions"]
assert region["region"] == int(sys.argv[1]) and region["closed"], region
latency = region["latency"]
assert set(latency) == {"recv", "bpf", "write", "flush", "operation"}, latency.keys()
for what, got in latency.items():
    classes = got["histogram"]
    assert [c["le_us"] for c in classes] == [1 << i for i in range(27)] + [None], classes
    assert sum(c["count"] for c in classes) == got["count"] > 0, (what, got)
    assert 0 < got["sum_ns"] < got["count"] * int(sys.argv[2]), (what, got)
    # each is at most its class, and above the one before
    most = sum(c["count"] * (c["le_us"] or 1 << 40) for c in classes) * 1000
    least = sum(c["count"] * ((c["le_us"] or 1 << 27) // 2) for c in classes[1:]) * 1000
    assert least <= got["sum_ns"] <= most, (what, got, least, most)
for what in "recv", "operation":
    long = sum(c["count"] for c in latency[what]["histogram"] if c["le_us"] is None or c["le_us"] > 1 << 20)
    assert long == 1 and latency[what]["sum_ns"] >= 2.5e9, (what, latency[what])
END

echo "# one of two regions, from the middle of a stream: as many as the region counts"
feed_pipe 7311
head -c 100000 /dev/urandom >&5
until_true counted recv_bytes 100000
id=$(region | field region)
"$tool" pipe -q tcp-listen:7312 file:/tmp/other &
other=$!
listening 7312
tracing --json "$id"
region >/tmp/before
for _ in {1..20}; do head -c 100000 /dev/urandom >&5; done
head -c 1000000 /dev/urandom | nc -N 127.0.0.1 7312
wait $other
until_true counted recv_bytes 2100000
until_true idle
kill -TERM $trace
wait $trace
region >/tmp/after
python3 - "$id" $pipe <<'END'
import json, sys
before, after, traced = (json.load(open(f"/tmp/{name}")) for name in ("before", "after", "traced"))
[region] = traced["regions"]
assert (region["region"], region["pid"], region["closed"]) == (int(sys.argv[1]), int(sys.argv[2]), False), region
for what, got in region["latency"].items():
    nr = (after["completed"] - before["completed"] if what == "operation" else
          after["stages"][what]["ops"] - before["stages"][what]["ops"])
    assert nr - traced["missed"] <= got["count"] <= nr, (what, got, nr, traced["missed"])
assert set(region["latency"]) == {"recv", "bpf", "write", "operation"}, region
END

echo "# as text"
tracing
echo more >&5
until_true counted recv_bytes 2100005
until_true idle
kill -INT $trace
wait $trace
for line in "^region $id: unified-io (pid $pipe)$" '^ *recv *bpf *write *operation$' '^  <= *[0-9]* us .* 1' \
	'^  mean .* us' '^  median .*<= [0-9]* us' '^  99% .*<= [0-9]* us'; do
	grep -q -e "$line" /tmp/traced || { echo "no '$line'"; bad=1; }
done
[ $bad = 0 ] || cat /tmp/traced
end_pipe

cp "$tool" /tmp/unified-io
status=0
setpriv --reuid 65534 --clear-groups /tmp/unified-io trace >/tmp/said 2>&1 || status=$?
same "no rights" "$status $(cat /tmp/said)" "4 unified-io trace: /sys/kernel/debug is root's: run as root"
