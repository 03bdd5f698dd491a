#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# held.py HOST PORT SIZE [reset]: sends so many bytes of lines, waits until the peer's TCP has them all, leaves
# them in /tmp/sent, and holds the connection, or resets it.
import fcntl, os, socket, struct, sys, termios, time

size = int(sys.argv[3])
data = b"".join(b"line %d\n" % i for i in range(size // 8))[:size]
s = socket.create_connection((sys.argv[1], int(sys.argv[2])))
s.sendall(data)
while struct.unpack("i", fcntl.ioctl(s, termios.TIOCOUTQ, b"\0" * 4))[0]:
    time.sleep(0.01)
with open("/tmp/sending", "wb") as f:
    f.write(data)
os.rename("/tmp/sending", "/tmp/sent")
if sys.argv[4:]:
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sys.exit()
time.sleep(600)
