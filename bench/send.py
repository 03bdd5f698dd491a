# SPDX-License-Identifier: GPL-2.0
"""The guest's side of bench/quick --only send: paths, sinks, runs of the send program, and the table."""
import argparse
import json
import math
import os
import statistics
import subprocess
import sys

PROGRAM = "build/user/bench/send"
SIZES = {"64": 64, "1K": 1024, "4K": 4096, "16K": 16384, "64K": 65536, "1M": 1 << 20}
DATAGRAM_MAX = 65507
# Path: where the sink is, and the address of its end
PATHS = {
    "loopback": (None, "127.0.0.1"),
    "veth": ("sink", "10.8.0.2"),
    "wire": ("sink", "10.8.1.2"),           # NICs that gather and compute checksums
    "plain wire": ("sink", "10.8.2.2"),     # NICs that do neither
}


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def sh(command):
    subprocess.run(command, shell=True, check=True)


def nic(mac):
    """The interface with this address"""
    return next(name for name in os.listdir("/sys/class/net")
                if open(f"/sys/class/net/{name}/address").read().strip() == mac)


def link(here, there, net):
    sh(f"ip link set {there} netns sink && ip address add 10.8.{net}.1/24 dev {here} && ip link set {here} up &&"
       f"ip -n sink address add 10.8.{net}.2/24 dev {there} && ip -n sink link set {there} up")


def prepare():
    sh("modprobe e1000e && ip netns add sink && ip link set lo up &&"
       "ip link add bench0 type veth peer name bench1")
    link("bench0", "bench1", 0)
    link(nic("52:54:00:99:00:00"), nic("52:54:00:99:00:01"), 1)
    link("eth0", "eth1", 2)
    for _, address in PATHS.values():
        sh(f"ping -q -c 1 -w 20 {address} >/dev/null")


class Sink:
    def __init__(self, netns, port, udp):
        inside = ["ip", "netns", "exec", netns] if netns else []
        self.process = subprocess.Popen([*inside, PROGRAM, "--sink", "--port", str(port), *udp],
                                        stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "ready\n":
            sys.exit("no sink")

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.process.kill()
        self.process.wait()


def run(path, proto, size, args, port):
    """{contender: [slice]}: as many rounds as were asked for"""
    netns, address = PATHS[path]
    udp = ["--udp"] if proto == "UDP" else []
    with Sink(netns, port, udp):
        out = subprocess.run([PROGRAM, "--to", address, "--port", str(port), "--size", str(size), *udp,
                              "--rounds", str(args.rounds), "--slice", str(args.slice)],
                             check=True, stdout=subprocess.PIPE, text=True).stdout
    slices = {}
    for s in json.loads(out):
        slices.setdefault(s["contender"], []).append(s)
    return slices


def rate(s):
    return s["bytes"] / s["seconds"]


def quartiles(values):
    """Median and the middle half"""
    low, mid, high = statistics.quantiles(values, n=4)
    return f"{mid:.2f} ({low:.2f}..{high:.2f})"


def ratios(slices, rival):
    """To send(), slice by slice of the same round, where anything got through"""
    return [rate(a) / rate(b) for a, b in zip(slices[rival], slices["send()"]) if b["bytes"]]


def median_between(values):
    """Two of the values, between which the median of all that could be measured is, with 95%"""
    skip = max(0, int(len(values) / 2 - 0.98 * math.sqrt(len(values))))
    values = sorted(values)
    return values[skip], values[-1 - skip]


def measure(cell, args, port):
    """{contender: [slice]}: with --least, of so many rounds that they tell, or of --most"""
    slices = run(*cell, args, port)
    while len(slices["ours"]) < args.most:
        low, high = median_between(ratios(slices, "ours"))
        if not low < args.least <= high:
            break
        for name, more in run(*cell, args, port).items():
            slices[name] += more
    return slices


def cpu(slices, name):
    return sum(s["guest_cpu"] for s in slices[name]) / sum(s["bytes"] for s in slices[name])


def row(path, proto, label, size, slices):
    ours = slices["ours"]
    sent = sum(s["messages"] for s in ours) * size
    return [path, proto, label, str(len(ours)), f"{statistics.median(map(rate, slices['send()'])) / size:.0f}",
            *(quartiles(ratios(slices, name)) if name in slices else "-"
              for name in ("ours", "ours, a call each", "SEND_ZC", "sendfile()")),
            f"{cpu(slices, 'ours') / cpu(slices, 'send()'):.2f}",
            f"{sum(s['copied'] for s in ours) / sent:.2f}"]


def print_table(lines):
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())


def cells(args):
    for path in PATHS:
        for proto in "TCP", "UDP":
            for label, size in SIZES.items():
                if proto == "UDP" and size > 1 << 16:
                    continue
                if all(word in (*path.split(), proto, label) for word in args.cells):
                    yield path, proto, label, min(size, DATAGRAM_MAX) if proto == "UDP" else size


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--slice", type=float, default=0.1)
    parser.add_argument("--json", required=True)
    parser.add_argument("--least", type=float, default=0, help="of ours : send(), or the run fails")
    parser.add_argument("--most", type=int, default=300, help="rounds, to find out")
    parser.add_argument("cells", nargs="*", help="path, protocol or size: only those")
    args = parser.parse_args()
    prepare()
    lines = [["path", "", "bytes", "rounds", "send(), messages/s", "ours : send()", "a call each : send()",
              "SEND_ZC : send()", "sendfile : send()", "CPU, ours : send()", "copied/byte"]]
    samples, behind = [], []
    for number, (path, proto, label, size) in enumerate(cells(args)):
        slices = measure((path, proto, size), args, 9000 + number)
        lines.append(row(path, proto, label, size, slices))
        samples.append({"path": path, "proto": proto, "size": size, "slices": slices})
        if statistics.median(ratios(slices, "ours")) < args.least:
            behind.append(f"{path} {proto} {label}")
        say("  ".join(lines[-1]))
    print("\nsend  (emulated; ratios of rates: median and middle half of the rounds)")
    print_table(lines)
    os.makedirs(os.path.dirname(args.json), exist_ok=True)
    with open(args.json, "w") as f:
        json.dump({"emulated": True, "kernel": os.uname().release, "samples": samples}, f, indent=1)
    if behind:
        sys.exit(f"ours : send() is below {args.least}: {', '.join(behind)}")


main()
