# SPDX-License-Identifier: GPL-2.0
"""The guest's side of bench/quick: runs the contenders in rounds and prints what they did."""
import argparse
import json
import os
import statistics
import subprocess
import sys

BIN = "build/user/bench/"
STREAM = 256 << 20          # bytes of a stream, at most
DRIVE = 1 << 30             # bytes of a drive that are used
MIB = 1 << 20
SERVER, CLIENT = "10.7.0.1", "10.7.0.2"


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def sh(command):
    subprocess.run(command, shell=True, check=True)


def run(argv, env=None):
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True, env=env).stdout


def lba(device):
    with open(f"/sys/block/{device}/queue/logical_block_size") as f:
        return f.read().strip()


def environment(count):
    """For a contender whose meter is to count system calls, or not"""
    return {**os.environ, "BENCH_COUNT": "1"} if count else None


class Ingest:
    """Receive records, filter them, store what is kept."""

    runs = 0                # numbers the runs: stamp, place on the drive and port differ

    def __init__(self, program, device, batch, *flags):
        self.program, self.device, self.batch, self.flags = program, device, batch, flags

    def argv(self, record, offset):
        return [BIN + self.program, "--device", f"/dev/{self.device}", "--lba", lba("nvme0n1"),
                "--record", str(record), "--batch", str(max(self.batch, record)),
                "--port", str(7000 + Ingest.runs), "--stamp", str(Ingest.runs),
                "--offset", str(offset), *self.flags]

    def run(self, record, seconds, count=False):
        Ingest.runs += 1
        # Each run is one record further on, so that nothing it should have written is there already.
        offset = record * Ingest.runs
        stream = f"/run/records/{record}"
        receiver = subprocess.Popen(self.argv(record, offset), env=environment(count),
                                    stdout=subprocess.PIPE, text=True)
        if receiver.stdout.readline() != "ready\n":
            sys.exit(f"{self.program} did not start")
        sent = json.loads(run(["ip", "netns", "exec", "client", BIN + "sender", stream, str(record),
                               str(seconds), SERVER, str(7000 + Ingest.runs)]))
        got = json.loads(receiver.communicate()[0])
        if receiver.returncode:
            sys.exit(f"{self.program} failed")
        self.verify(stream, record, offset, sent, got)
        return self.result(record, sent, got)

    def verify(self, stream, record, offset, sent, got):
        there = json.loads(run([BIN + "records", "verify", stream, str(record), str(sent["bytes"]),
                                str(Ingest.runs), "/dev/nvme0n1", str(offset)]))
        if got["in"] != sent["bytes"] or got["out"] != there["bytes"]:
            sys.exit(f"{self.program}: sent {sent['bytes']}, received {got['in']}, "
                     f"written {got['out']}, on the drive {there['bytes']}")

    @staticmethod
    def result(record, sent, got):
        ops = got["in"] / record
        gib = got["in"] / 2**30
        return {
            "rate": got["in"] / got["seconds"] / MIB,
            "cpu": got["guest_cpu"] / gib,
            "sender_cpu": sent["cpu"] / gib,
            "switches": (got["guest_switches"] - sent["switches"]) / ops,
            "copied": got["copied"] / got["in"],
            "moved": got["moved"] / got["in"],
            "calls": got["calls"] / ops,
        }


def read_result(reads, seconds, cpu, switches, copied, calls):
    return {
        "rate": reads / seconds,
        "cpu": cpu / (reads * 4096 / 2**30),
        "switches": switches / reads,
        "copied": copied / (reads * 4096),
        "calls": calls / reads,
    }


class Read:
    """Random reads by one of the randread programs."""

    def __init__(self, program, device, disk, batch):
        self.program, self.device, self.disk, self.batch = program, device, disk, batch

    def run(self, depth, seconds, count=False):
        argv = [BIN + self.program, "--device", f"/dev/{self.device}", "--lba", lba(self.disk),
                "--depth", str(depth), "--batch", str(min(self.batch, depth)),
                "--seconds", str(seconds), "--bytes", str(DRIVE)]
        if self.disk != "nullb0":
            argv.append("--check")
        r = json.loads(run(argv, environment(count)))
        return read_result(r["reads"], r["seconds"], r["guest_cpu"], r["guest_switches"], r["copied"],
                           r["calls"])


def proc_stat(path):
    """CPU seconds and context switches of the whole guest"""
    with open(path) as f:
        lines = [line.split() for line in f]
    cpu = [int(n) for n in lines[0][1:8]]
    switches = next(int(line[1]) for line in lines if line[0] == "ctxt")
    return (sum(cpu[:3]) + sum(cpu[5:7])) / os.sysconf("SC_CLK_TCK"), switches


class Fio:
    """Random reads by fio; what it does before and after its job is not measured."""

    # Its start-up makes thousands of calls: only the data path's own is counted.
    COUNTER = ["perf", "stat", "-x,", "-o", "calls", "-e", "syscalls:sys_enter_io_uring_enter", "--"]

    def __init__(self, device, batch, *options):
        self.device, self.batch, self.options = device, batch, options

    def run(self, depth, seconds, count=False):
        batch = min(self.batch, depth)
        argv = ["fio", "--name=job", *self.options, "--rw=randread", "--bs=4k", f"--filename=/dev/{self.device}",
                f"--iodepth={depth}", f"--iodepth_batch_submit={batch}",
                f"--iodepth_batch_complete_min={batch}", f"--iodepth_batch_complete_max={depth}",
                "--fixedbufs=1", "--registerfiles=1", "--norandommap=1", "--gtod_reduce=1",
                "--thread=1", f"--size={DRIVE}", "--time_based=1", f"--runtime={int(seconds * 1000)}ms",
                "--exec_prerun=cat /proc/stat", "--exec_postrun=cat /proc/stat",
                "--output-format=json", "--output=fio.json"]
        if count:
            argv = self.COUNTER + argv
        subprocess.run(argv, check=True, cwd="/run/fio")
        with open("/run/fio/fio.json") as f:
            text = f.read()
        job = json.loads(text[text.index("{"):])["jobs"][0]     # remarks stand before it
        cpu0, switches0 = proc_stat("/run/fio/job.prerun.txt")
        cpu1, switches1 = proc_stat("/run/fio/job.postrun.txt")
        return read_result(job["read"]["total_ios"], job["read"]["runtime"] / 1e3, cpu1 - cpu0,
                           switches1 - switches0, 0, self.calls() if count else 0)

    @staticmethod
    def calls():
        with open("/run/fio/calls") as f:
            return int(next(line for line in f if "io_uring_enter" in line).split(",")[0])


INGEST = {
    "ours": Ingest("ingest-region", "nvme0n1", 256 << 10, "--depth", "8"),
    "recv + O_DIRECT pwritev": Ingest("ingest-pwrite", "nvme0n1", 256 << 10),
    "io_uring + NVMe passthrough": Ingest("ingest-uring", "ng0n1", 256 << 10, "--depth", "8"),
}
CMD = ("--ioengine=io_uring_cmd", "--cmd_type=nvme")
READ = {
    "ours, NVMe": Read("randread-region", "nvme1n1", "nvme1n1", 8),
    "fio io_uring_cmd, NVMe": Fio("ng1n1", 8, *CMD),
    "own loop io_uring_cmd, NVMe": Read("randread-uring", "ng1n1", "nvme1n1", 8),
    "ours, null_blk": Read("randread-region", "nullb0", "nullb0", 8),
    "fio io_uring, null_blk": Fio("nullb0", 8, "--ioengine=io_uring", "--direct=1"),
    "own loop io_uring, null_blk": Read("randread-uring", "nullb0", "nullb0", 8),
}
TESTS = {
    "ingest 4K": (4096, "MiB/s", INGEST),
    "ingest 64K": (65536, "MiB/s", INGEST),
    "read qd1": (1, "IOPS", READ),
    "read qd32": (32, "IOPS", READ),
}


def prepare():
    sh("ip netns add client && ip link add server type veth peer name client netns client &&"
       f"ip address add {SERVER}/24 dev server && ip link set server up &&"
       f"ip -n client address add {CLIENT}/24 dev client && ip -n client link set client up")
    sh("mkdir -p /run/records /run/fio && mount -t tmpfs -o size=80% records /run/records")
    for record in 4096, 65536:
        sh(f"{BIN}records make /run/records/{record} {record} {STREAM}")
    # A drive's first write to a place costs the host more than the second.
    sh(f"dd if=/dev/zero of=/dev/nvme0n1 bs=1M count={DRIVE // MIB} oflag=direct status=none")
    sh(f"{BIN}records number /dev/nvme1n1 {DRIVE}")


def rotate(names, by):
    by %= len(names)
    return names[by:] + names[:by]


def measure(tests, rounds, seconds):
    """{test: {contender: [result of each round]}}"""
    samples = {test: {name: [] for name in tests[test][2]} for test in tests}
    for number in range(rounds):
        for test, (size, unit, contenders) in tests.items():
            for name in rotate(list(contenders), number):
                result = contenders[name].run(size, seconds)
                samples[test][name].append(result)
                say(f"round {number + 1}/{rounds}, {test}: {name}: {result['rate']:.0f} {unit}")
    return samples


def count(tests):
    """System calls per operation, in runs of their own, that counting does not spoil the others."""
    calls = {test: {} for test in tests}
    for test, (size, _, contenders) in tests.items():
        for name, contender in contenders.items():
            say(f"counting system calls, {test}: {name}")
            calls[test][name] = contender.run(size, 1, count=True)["calls"]
    return calls


def median(results, key):
    return statistics.median(r[key] for r in results)


def spread(results, key, form):
    values = sorted(r[key] for r in results)
    return f"{statistics.median(values):{form}} ({values[0]:{form}}..{values[-1]:{form}})"


def against(ours, rival, key):
    """The rival as 1: median of the rounds' ratios, least and greatest"""
    ratios = sorted(a[key] / b[key] for a, b in zip(ours, rival))
    return f"{statistics.median(ratios):.2f} ({ratios[0]:.2f}..{ratios[-1]:.2f})"


def rows(unit, results, calls):
    for name, r in results.items():
        yield [name, spread(r, "rate", ".0f"), spread(r, "cpu", ".2f"),
               f"{median(r, 'sender_cpu'):.2f}" if unit == "MiB/s" else "-",
               f"{calls[name]:.5f}", f"{median(r, 'switches'):.4f}", f"{median(r, 'copied'):.2f}",
               f"{median(r, 'moved'):.2f}" if unit == "MiB/s" else "-"]


def print_table(lines):
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())


def compare(results):
    """Ours against each rival on the same drive"""
    for ours in (name for name in results if name.startswith("ours")):
        drive = ours.partition(", ")[2]
        for rival in results:
            if rival.startswith("ours") or not rival.endswith(drive):
                continue
            rate = statistics.median(a["rate"] / b["rate"] for a, b in zip(results[ours], results[rival]))
            verdict = "ahead" if rate > 1.02 else "behind" if rate < 0.98 else "level"
            print(f"  {ours} : {rival}: {verdict}; rate {against(results[ours], results[rival], 'rate')}, "
                  f"CPU {against(results[ours], results[rival], 'cpu')}")


def report(tests, samples, calls):
    for test, (_, unit, _) in tests.items():
        print(f"\n{test}  (emulated; medians, least..greatest of the rounds)")
        head = ["contender", f"{unit}, emulated", "guest CPU s/GiB, emulated", "of it the sender",
                "system calls/op", "switches/op", "copied/byte", "moved/byte"]
        print_table([head, *rows(unit, samples[test], calls[test])])
        print("ours by the rival's, round by round:")
        compare(samples[test])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--only", default="")
    parser.add_argument("--json", required=True)
    args = parser.parse_args()
    tests = {name: test for name, test in TESTS.items() if args.only in name}
    if not tests or args.rounds < 1:
        parser.error("nothing to do")
    say("preparing streams and drives")
    prepare()
    samples = measure(tests, args.rounds, args.seconds)
    calls = count(tests)
    report(tests, samples, calls)
    os.makedirs(os.path.dirname(args.json), exist_ok=True)
    with open(args.json, "w") as f:
        json.dump({"emulated": True, "kernel": os.uname().release, "seconds": args.seconds,
                   "samples": samples, "system_calls_per_op": calls}, f, indent=1)


main()
