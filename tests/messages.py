#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# messages.py send ADDRESS: 200 datagrams to port 7000, some more to 7001. messages.py check: are the former what
# 'tshark -T fields -e udp.dstport -e udp.payload' has found? Several queues have no order among each other.
import socket, sys, time

messages = [(b'message %d ' % i + b'abcdefghij' * 150)[:i * 37 % 1460 + 12] for i in range(200)]
if sys.argv[1] == 'send':
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for i in range(16)]
    for n, message in enumerate(messages):
        s = sockets[n % len(sockets)]
        s.sendto(message, (sys.argv[2], 7000))
        if n % 10 == 0:
            s.sendto(b'not this', (sys.argv[2], 7001))
        if n % 16 == 15:
            time.sleep(0.02)
else:
    fields = [line.split() for line in sys.stdin]
    assert all(port == '7000' for port, payload in fields)
    got = sorted(bytes.fromhex(payload.replace(':', '')) for port, payload in fields)
    assert got == sorted(messages), '%d packets' % len(got)
