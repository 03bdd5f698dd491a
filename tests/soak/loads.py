# SPDX-License-Identifier: GPL-2.0
"""What runs during a soak: each load is a thread that keeps processes going, and ends them in bad ways."""
import os
import random
import shutil
import signal
import subprocess
import threading
import time
from collections import Counter

BIN = "/run/soak/"  # copies, which no later build touches
SLOW = int(os.environ.get("SLOW", 1))
PATIENCE = 60 * SLOW  # longer than anything takes: a hang


class Failure(Exception):
    pass


def disk(serial):
    """/dev/NAME of the drive with this serial, or None."""
    for name in sorted(os.listdir("/sys/block")):
        for path in (f"/sys/block/{name}/serial", f"/sys/block/{name}/device/serial"):
            try:
                with open(path, encoding="ascii") as file:
                    if file.read().strip() == serial:
                        return f"/dev/{name}"
            except OSError:
                pass
    return None


def spawn(args, **kwargs):
    return subprocess.Popen(args, stdin=subprocess.DEVNULL, start_new_session=True, **kwargs)


def kill(process):
    """SIGKILL to all of the process's session."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def state(pid):
    """What there is to know of a process that hangs: where it waits, its regions, the sockets."""
    command = f"cat /proc/{pid}/task/*/stack /sys/kernel/debug/unified_io_region/*/stats; ss -Hantp"
    return subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False).stdout


def wait(process, what):
    try:
        return process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        told = state(process.pid)
        kill(process)
        raise Failure(f"{what} hangs:\n{told}") from None


def copy_programs():
    os.makedirs(BIN, exist_ok=True)
    for program in {"crash_server", "crash_client", "crash_check", *(name.split()[0] for name in Programs.NAMES)}:
        shutil.copy(f"build/user/tests/{program}", BIN)
    shutil.copy("build/user/samples/kv", BIN)


class Load(threading.Thread):
    """Runs rounds until it is told to stop; a Failure ends it, and the soak."""

    def __init__(self, soak):
        super().__init__(daemon=True)
        self.soak = soak
        self.random = random.Random(f"{soak.seed} {soak.cycle} {self.name_of()}")

    def name_of(self):
        return type(self).__name__

    def count(self, what, n=1):
        with self.soak.lock:
            self.soak.counts[what] += n

    def pause(self, least, most):
        """Returns False if it was cut short."""
        return not self.soak.stop.wait(self.random.uniform(least, most))

    def run(self):
        try:
            while not self.soak.stop.is_set():
                self.round()
        except Failure as failure:
            self.soak.fail(f"{self.name_of()}: {failure}")
        except Exception as error:  # whatever it is, the soak must hear of it
            self.soak.fail(f"{self.name_of()}: {error!r}")


class Store(Load):
    """Streams go network -> BPF -> drive -> answer, until something is killed, reset or unplugged; then every byte
    that was acknowledged is in the logs. Each round has a part of the drive of its own, for some rounds: what a
    killed server had under way may reach the drive after its death."""

    CONNS, AREA, GENERATIONS = 4, 8 << 20, 6
    COUNTED = {"server": "kills", "client": "kills", "reset": "connections reset", "unplug": "unplugs",
               "controller": "controller resets", "end": "ends"}
    generation = Counter()

    def __init__(self, soak, serial, port, durable, unplug=False):
        self.serial, self.port, self.durable = serial, str(port), durable
        self.events = (["server", "client", "reset", "end"] + ["unplug"] * 4 * unplug
                       + ["controller"] * serial.startswith("nvme"))
        super().__init__(soak)

    def name_of(self):
        return f"store on {self.serial}"

    def start_server(self, drive, seed, base):
        with open(f"/tmp/server-{self.serial}", "w", encoding="utf-8") as file:
            server = spawn([BIN + "crash_server", self.port, drive, seed, str(self.CONNS), str(self.AREA), self.durable,
                            str(base)], stdout=file, stderr=file)
        end = time.monotonic() + PATIENCE
        while not subprocess.run(["ss", "-Hltn", "sport", "=", ":" + self.port], capture_output=True,
                                 check=False).stdout:
            if server.poll() is not None:
                raise Failure(f"the server does not start: status {server.returncode}: {self.said()}")
            if time.monotonic() > end:
                raise Failure("the server does not listen")
            time.sleep(0.05)
        return server

    def start_client(self, seed, acks):
        with open(acks, "w", encoding="ascii") as file:
            client = spawn([BIN + "crash_client", self.port, seed, str(self.CONNS), str(self.AREA),
                            str(self.AREA * 3 // 4)], stdout=file)
        end = time.monotonic() + PATIENCE
        while "serving" not in self.said():
            if time.monotonic() > end:
                raise Failure(f"the server does not accept: {self.said()}")
            time.sleep(0.05)
        return client

    def said(self):
        with open(f"/tmp/server-{self.serial}", encoding="utf-8") as file:
            return file.read()

    def disturb(self, event, server, client):
        if event == "server":
            kill(server)
        elif event == "client":
            kill(client)
        elif event == "reset":
            subprocess.run(["ss", "-K", "dport", "=", ":" + self.port], capture_output=True, check=False)
        elif event == "unplug":
            subprocess.run(["unplug", self.serial], check=True)
        elif event == "controller":
            with open(f"/sys/block/{disk(self.serial)[5:]}/device/reset_controller", "w", encoding="ascii") as file:
                file.write("1")
        self.count(self.COUNTED[event])

    def end(self, event, server, client):
        """Both processes end by themselves, unless the soak's cycle is over."""
        if event != "end" or self.soak.stop.is_set():
            if event in ("unplug", "controller"):
                wait(client, "a client whose server lost its drive, or some writes")
            kill(client)
        else:
            wait(client, "a client whose server is well")
        status = wait(server, f"the server after '{event}'")
        if event in ("end", "reset", "client") and status not in (0, -signal.SIGKILL):
            raise Failure(f"the server ended with status {status} after '{event}': {self.said()}")

    def check(self, seed, base, acks):
        command = (f"dd if={disk(self.serial)} iflag=direct bs=1M skip={base >> 20} count={self.CONNS * self.AREA >> 20}"
                   f" status=none | {BIN}crash_check {seed} {self.CONNS} {self.AREA} {acks}")
        result = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
        if result.returncode not in (0, 2):
            raise Failure(f"seed {seed}: {result.stdout}{result.stderr}")
        if result.returncode == 0:
            words = result.stdout.split()
            tally = dict(zip(words[::2], map(int, words[1::2])))
            self.count("records checked", tally["records"])
            self.count("bytes acknowledged", tally["acknowledged"])

    def round(self):
        Store.generation[self.serial] += 1
        seed = str(Store.generation[self.serial])
        base = Store.generation[self.serial] % self.GENERATIONS * self.CONNS * self.AREA
        event = self.random.choice(self.events)
        acks = f"/tmp/acks-{self.serial}"
        server = self.start_server(disk(self.serial), seed, base)
        client = self.start_client(seed, acks)
        if event != "end":
            self.pause(0.3, 4)
        self.disturb(event, server, client)
        self.end(event, server, client)
        if event == "unplug":
            subprocess.run(["replug", self.serial], check=True)
        self.check(seed, base, acks)
        self.count("streams", self.CONNS)


class Programs(Load):
    """The tests that look at nothing but their own region, one after the other: all chains, XDP and struct_ops
    programs attached and replaced under traffic, UDP, sockets that go. Some are killed in the middle. They have a
    network of their own: some look at every frame of the loopback."""

    ALONE = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$0" "$@"']

    NAMES = ("chains", "carry", "recycle", "multishot", "net tcp", "net udp", "udp", "net_ends", "net_detach",
             "net_full", "datagrams", "bpf_attach", "bpf_verdicts", "bpf_order", "lz4", "xdp", "xdp_traffic",
             "ranges", "ranges_bpf", "uring", "waiting", "counters", "ring_hostile", "fork", "pinnable")

    # All of them this one: the others have the streams' logs.
    DRIVES = ("NVME0", "VIRTIO", "NULLBLK", "PARTITION", "LOOP")

    def round(self):
        name = self.random.choice(self.NAMES)
        with open("/tmp/soak-program", "w+", encoding="utf-8") as output:
            command, *args = name.split()
            process = spawn(self.ALONE + [BIN + command, *args], stdout=output, stderr=subprocess.STDOUT,
                            env=dict(os.environ, **dict.fromkeys(self.DRIVES, disk("nvme0"))))
            if self.random.random() < 0.4:
                self.pause(0.05, 2)
                if process.poll() is None:
                    kill(process)
                    self.count("kills")
                    return
            while process.poll() is None and not self.soak.stop.wait(0.1):
                pass
            if process.poll() is None:
                kill(process)
            elif process.returncode not in (0, 77):
                output.seek(0)
                raise Failure(f"{name}: status {process.returncode}: {output.read()}")
            else:
                self.count("tests passed")


class KeyValue(Load):
    """samples/unified_io/kv under its own checker, which kills it and looks for every SET that was answered."""

    def round(self):
        checker = spawn(["python3", "samples/unified_io/kv_check.py", BIN + "kv", disk("nvme3")],
                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        while checker.poll() is None and not self.soak.stop.wait(0.2):
            pass
        if checker.poll() is None:
            kill(checker)
            self.count("kills")
        elif checker.returncode:
            raise Failure(checker.stdout.read())
        else:
            self.count("kv servers killed and recovered")
            self.count("kills")


class Pressure(Load):
    """Takes most of what memory is left, and reads a drive through the page cache, so that the kernel reclaims.
    The rest is enough for nobody to be killed for it."""

    LEAVE = 256 << 10  # KiB
    HOG = "import sys, time; hog = bytearray(int(sys.argv[1])); hog[::4096] = b'x' * len(hog[::4096]); time.sleep(60)"

    def round(self):
        if not self.pause(1, 5):
            return
        room = self.soak.memory.now()["MemAvailable"] - self.LEAVE
        if room > 0:
            hog = spawn(["python3", "-c", self.HOG, str(room << 10)])
            reader = spawn(["dd", f"if={disk('nvme0')}", "of=/dev/null", "bs=1M", "count=512", "status=none"])
            self.pause(1, 5)
            kill(hog)
            kill(reader)
            self.count("times of memory pressure")
