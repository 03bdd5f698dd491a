#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""kv_check.py KV BLOCK_DEVICE: is the kv sample a correct server?

Several connections send random SETs, GETs and PINGs, pipelined and cut into
packets at random; every answer is compared with a model. Then the server is
killed with SIGKILL in the middle of such traffic, and started with --recover:
every SET that was answered must be there.
"""
import random
import socket
import subprocess
import sys
import threading
import time

PORT = 7379


def request(*args):
    return b"*%d\r\n" % len(args) + b"".join(b"$%d\r\n%s\r\n" % (len(a), a) for a in args)


def bulk(value):
    return b"$-1\r\n" if value is None else b"$%d\r\n%s\r\n" % (len(value), value)


class Client(threading.Thread):
    """One connection with keys of its own.

    self.table is what was answered for; self.sets are the values of each key that
    are on their way.
    """

    def __init__(self, nr, rounds):
        super().__init__()
        self.nr, self.rounds = nr, rounds
        self.random = random.Random(nr)
        self.table, self.sets, self.error = {}, {}, None
        self.sock = socket.create_connection(("127.0.0.1", PORT))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.settimeout(60)

    def key(self):
        key = b"%d:%d:" % (self.nr, self.random.randrange(200))
        return key + b"k" * (self.random.choice((0, 1, 64)) % (65 - len(key)))

    def value(self):
        return self.random.randbytes(self.random.choice((0, 1, 3, 7, 8, 9, 100, 1023, 1024)))

    def batch(self):
        """Returns the bytes of some requests, their answers, and the table after them."""
        out, answers, table, self.sets = b"", b"", dict(self.table), {}
        for _ in range(self.random.randrange(1, 40)):
            kind, key = self.random.random(), self.key()
            if kind < 0.3:
                table[key] = self.value()
                self.sets.setdefault(key, []).append(table[key])
                out += request(b"SET", key, table[key])
                answers += b"+OK\r\n"
            elif kind < 0.9:
                out += request(b"get", key)
                answers += bulk(table.get(key))
            else:
                out += self.random.choice((b"PING\r\n", request(b"PING")))
                answers += b"+PONG\r\n"
        return out, answers, table

    def get(self, key):
        self.sock.sendall(request(b"GET", key))
        head = b""
        while not head.endswith(b"\r\n"):
            head += self.sock.recv(1)
        length = int(head[1:])
        return None if length < 0 else self.sock.recv(length + 2, socket.MSG_WAITALL)[:-2]

    def send(self, out):
        while out:
            cut = self.random.choice((1, 10, 100, 1000, 10000, len(out)))
            self.sock.sendall(out[:cut])
            out = out[cut:]
            if self.random.random() < 0.3:
                time.sleep(0.001)

    def expect(self, answers):
        got = b""
        while len(got) < len(answers):
            part = self.sock.recv(len(answers) - len(got))
            if not part:
                raise ConnectionError("closed")
            got += part
            if not answers.startswith(got):
                at = next(i for i in range(len(got)) if got[i] != answers[i])
                raise ValueError(f"client {self.nr}: answer differs at byte {at}: "
                                 f"{got[at:at + 40]} instead of {answers[at:at + 40]}")

    def run(self):
        try:
            for _ in range(self.rounds):
                out, answers, table = self.batch()
                self.send(out)
                self.expect(answers)
                self.table, self.sets = table, {}
        except (ConnectionError, TimeoutError) as error:
            self.error = error
        except ValueError as error:
            self.error = error
            print(error)


def start(kv, drive, *options):
    server = subprocess.Popen([kv, "--port", str(PORT), *options, drive], stdout=subprocess.PIPE,
                              text=True)
    for line in server.stdout:
        print("kv:", line.strip())
        if line.startswith("serving"):
            return server
    sys.exit("kv did not start")


def check_recovered(clients):
    """The value of each key is the one answered for, or one that was on its way."""
    reader = Client(-1, 0)
    for client in clients:
        for key in sorted(client.table.keys() | client.sets.keys()):
            value = reader.get(key)
            if value != client.table.get(key) and value not in client.sets.get(key, []):
                raise ValueError(f"{key}: {value} instead of {client.table.get(key)}")
    return sum(len(client.table) for client in clients)


def main():
    kv, drive = sys.argv[1:]
    server = start(kv, drive)
    clients = [Client(nr, 60) for nr in range(4)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    ok = not any(client.error for client in clients)
    print("ok 1 - answers" if ok else f"not ok 1 - answers: {[c.error for c in clients]}")

    more = [Client(nr, 100000) for nr in range(4, 8)]
    for client in more:
        client.start()
    time.sleep(3)
    server.kill()
    server.wait()
    for client in more:
        client.join()
    server = start(kv, drive, "--recover")
    try:
        print(f"ok 2 - recovered {check_recovered(clients + more)} keys")
    except ValueError as error:
        print(f"not ok 2 - recovered: {error}")
        ok = False
    server.kill()
    server.wait()
    return not ok


sys.exit(main())
