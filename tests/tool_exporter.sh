#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# unified-io exporter, read by curl and a strict parser: it says what stat and trace say, and clients that are
# slow, silent, greedy or wrong do it no harm.

set -eu
. "$(dirname -- "$0")/tool_common.sh"

says 2 'other machines could reach that: say --allow-remote' exporter --listen 0.0.0.0:9943
says 2 'other machines could reach that' exporter --listen '[::]:9943'
says 2 "want an address such as 127.0.0.1:9943" exporter --listen localhost:9943
says 1 'Cannot assign requested address' exporter --listen 192.0.2.1:9943 --allow-remote

# serve OPTION...: sets 'exporter' and 'url'
serve() {
	"$tool" exporter --listen 127.0.0.1:0 "$@" 2>/tmp/served 5>&- &
	exporter=$!
	until_true grep -q '/metrics$' /tmp/served
	url=$(sed 's/.* http/http/' /tmp/served)
}
get() { curl -sS --max-time $((60 * SLOW)) "$@"; }
code() { get -o /tmp/page -w '%{http_code}' "$@"; }
files() { ls /proc/$exporter/fd | wc -l; }

echo "# what it says"
serve
files=$(files)
same "no region" "$(get "$url" | grep -v '^#')" $'unified_io_regions 0\nunified_io_trace_missed_events_total 0'
"$tool" trace --json >/tmp/traced 2>/tmp/said &
trace=$!
until_true grep -q tracing /tmp/said
name=$'/tmp/a"\\\n\xff'
cp "$tool" "$name"
feed_pipe 7320 "$name"
for _ in {1..10}; do head -c 100000 /dev/urandom >&5; done
until_true counted recv_bytes 1000000
until_true idle
kill -INT $trace
wait $trace
get -D /tmp/headers "$url" >/tmp/page
grep -qx $'Content-Type: text/plain; version=0.0.4; charset=utf-8\r' /tmp/headers
grep -qx "Content-Length: $(stat -c %s /tmp/page)"$'\r' /tmp/headers
"$tool" stat --json >/tmp/stat
python3 -B exporter.py /tmp/page /tmp/stat /tmp/traced

echo "# other requests"
same "HEAD" "$(get -I "$url")" "$(cat /tmp/headers)"
same "query" "$(code "$url?x=y")" 200
same "root" "$(code "${url%metrics}")" 200
same "elsewhere" "$(code "${url%metrics}x")" 404
same "POST" "$(code -d x "$url")" 405
same "not HTTP" "$(code --request 'GET nothing at all' "$url")" 400
same "long" "$(code -H "X: $(head -c 5000 /dev/zero | tr '\0' x)" "$url")" 431

echo "# bad clients: silent, slow, deaf, gone, no text"
python3 - "$url" <<'END'
import socket, subprocess, sys, time
port = int(sys.argv[1].split(":")[2].split("/")[0])
def client(data=b""):
    s = socket.create_connection(("127.0.0.1", port))
    s.sendall(data)
    return s
silent = [client() for _ in range(12)]
slow = [client(b"GET /metrics") for _ in range(4)]
deaf = [client(b"GET /metrics HTTP/1.0\r\n\r\n") for _ in range(4)]
binary = client(b"\0" * 5000)
for _ in range(10):
    client(b"GET /metrics HTTP/1.0\r\n\r\n").close()
page = subprocess.run(["curl", "-sS", sys.argv[1]], stdout=subprocess.PIPE, check=True).stdout
assert b"unified_io_regions 1\n" in page
for s in silent + slow + [binary]:
    try:
        assert s.recv(1) == b""
    except ConnectionResetError:
        pass
END
files_back() { [ "$(files)" = "$files" ]; }
until_true files_back

echo "# the region goes, and another one takes its number"
end_pipe
same "closed" "$(get "$url" | grep -v '^#' | grep -v missed)" "unified_io_regions 0"
feed_pipe 7321
echo x >&5
until_true counted recv_bytes 2
until_true idle
kept=$(get "$url" | sed -n 's/^unified_io_stage_duration_seconds_count{region="1",stage="recv"} //p')
[ "${kept:-0}" -le 1 ] || { echo "$kept arrivals counted, of 1"; bad=1; }
kill -TERM $exporter
wait $exporter

echo "# without latencies"
serve --no-latency
get "$url" >/tmp/page
"$tool" stat --json >/tmp/stat
python3 -B exporter.py /tmp/page /tmp/stat
end_pipe
kill -INT $exporter
wait $exporter

cp "$tool" /tmp/unified-io
status=0
setpriv --reuid 65534 --clear-groups /tmp/unified-io exporter >/tmp/said 2>&1 || status=$?
same "no rights" "$status $(cat /tmp/said)" "4 unified-io exporter: /sys/kernel/debug is root's: run as root"
