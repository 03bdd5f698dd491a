#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A ring for all: clients side by side each get back what they sent, which is on the drive, each message in its place.

set -eu
"$BUILD/user/samples/uring" 7000 "$NVME0" >/tmp/report 2>&1 &
sample=$!
trap 'kill $sample 2>/dev/null || true' EXIT
cat >/tmp/clients.py <<'END'
import socket, sys, time
messages = [b"message %d " % i * (i * 400 + 1) for i in range(12)]
def connect():
    for _ in range(600):
        try:
            return socket.create_connection(("127.0.0.1", 7000), 60)
        except ConnectionRefusedError:
            time.sleep(0.1)
    sys.exit("nobody listens")
clients = [connect() for m in messages]
for client, message in zip(clients, messages): # all of them are in mid-message
    client.sendall(message[:len(message) // 2])
for client, message in zip(clients, messages):
    client.sendall(message[len(message) // 2:])
    client.shutdown(socket.SHUT_WR)
for client, message in zip(clients, messages):
    got = b""
    while len(got) < len(message):
        part = client.recv(1 << 16)
        assert part, f"{len(got)} of {len(message)} bytes came back"
        got += part
    assert got == message
END
cat >/tmp/drive.py <<'END'
import sys
drive = open(sys.argv[1], "rb").read(12 << 16)
for i in range(12):
    message = b"message %d " % i * (i * 400 + 1)
    assert any(drive[slot << 16:].startswith(message) for slot in range(12)), f"message {i} is not there"
END
python3 /tmp/clients.py
kill -INT $sample
wait $sample || { cat /tmp/report; exit 1; }
cat /tmp/report
[ "$(tail -n 1 /tmp/report)" = '12 messages' ]
[ "$(grep -c '^block .* bytes received' /tmp/report)" = 12 ]
python3 /tmp/drive.py "$NVME0"
