# SPDX-License-Identifier: GPL-2.0
"""The machine's memory: samples, what they say, and a picture of them."""
import csv

KERNEL = ("SUnreclaim", "VmallocUsed", "Percpu", "KernelStack", "PageTables")
FIELDS = ("seconds", "idle", "available", "kernel", "pinned", "users")

# Idle samples that it takes to judge.
ENOUGH = 6

# Growth over the whole soak that still counts as flat, in KiB: below what one region lost would be.
LIMITS = {"available": 16 << 10, "kernel": 6 << 10}


class Memory:
    def __init__(self, path):
        self.rows = []
        self.file = open(path, "w", encoding="ascii", newline="")  # as long as the soak
        self.csv = csv.DictWriter(self.file, FIELDS)
        self.csv.writeheader()

    @staticmethod
    def now():
        with open("/proc/meminfo", encoding="ascii") as file:
            return {line.split(":")[0]: int(line.split()[1]) for line in file}

    @staticmethod
    def pinned():
        # Each processor keeps a part of these counters to itself until it is asked.
        with open("/proc/sys/vm/stat_refresh", "w", encoding="ascii") as file:
            file.write("1")
        with open("/proc/vmstat", encoding="ascii") as file:
            stat = dict(line.split() for line in file)
        return int(stat["nr_foll_pin_acquired"]) - int(stat["nr_foll_pin_released"])

    @staticmethod
    def users():
        with open("/sys/module/unified_io_region/refcnt", encoding="ascii") as file:
            return int(file.read())

    def sample(self, seconds, idle):
        meminfo = self.now()
        row = {"seconds": round(seconds, 1), "idle": int(idle), "available": meminfo["MemAvailable"],
               "kernel": sum(meminfo[name] for name in KERNEL), "pinned": self.pinned(), "users": self.users()}
        self.rows.append(row)
        self.csv.writerow(row)
        self.file.flush()

    def idle(self):
        """The samples to judge by: the first cycles fill caches."""
        rows = [row for row in self.rows if row["idle"]]
        return rows[min(3, len(rows) // 3):]


def line(rows, field):
    """Least squares: (KiB at second 0, KiB a second)."""
    n = len(rows)
    mean_x = sum(row["seconds"] for row in rows) / n
    mean_y = sum(row[field] for row in rows) / n
    spread = sum((row["seconds"] - mean_x) ** 2 for row in rows)
    slope = sum((row["seconds"] - mean_x) * (row[field] - mean_y) for row in rows) / spread if spread else 0
    return mean_y - slope * mean_x, slope


def verdict(memory):
    """Returns (flat?, what to say)."""
    rows = memory.idle()
    if len(rows) < ENOUGH:
        return True, f"too short to judge the memory: {len(rows)} idle samples of {ENOUGH}"
    seconds = rows[-1]["seconds"] - rows[0]["seconds"]
    flat, words = True, []
    for field, sign in (("available", -1), ("kernel", 1)):
        slope = line(rows, field)[1]
        lost = sign * slope * seconds
        flat = flat and lost <= LIMITS[field]
        words.append(f"{field} memory {slope:+.3f} KiB a second, {lost:.0f} KiB lost in {seconds:.0f} s "
                     f"(limit {LIMITS[field]})")
    return flat, f"{'flat' if flat else 'NOT flat'} over {len(rows)} idle samples: " + "; ".join(words)


def panel(memory, field, top, height, width):
    """One curve: every sample, the idle ones as dots, their line."""
    rows, idle = memory.rows, memory.idle()
    values = [row[field] for row in rows]
    low, high, end = min(values), max(values), max(rows[-1]["seconds"], 1)
    scale = height / max(high - low, 1)

    def at(seconds, kib):
        return f"{60 + seconds / end * width:.1f},{top + height - (kib - low) * scale:.1f}"

    out = [f'<text x="60" y="{top - 8}">{field} memory, {low >> 10} to {high >> 10} MiB</text>',
           f'<rect x="60" y="{top}" width="{width}" height="{height}" fill="none" stroke="#ccc"/>',
           '<polyline fill="none" stroke="#9bd" points="'
           + " ".join(at(row["seconds"], row[field]) for row in rows) + '"/>']
    for row in idle:
        x, y = at(row["seconds"], row[field]).split(",")
        out.append(f'<circle cx="{x}" cy="{y}" r="2" fill="#024"/>')
    if len(idle) > 1:
        first, slope = line(idle, field)
        points = [at(row["seconds"], first + slope * row["seconds"]) for row in (idle[0], idle[-1])]
        out.append(f'<polyline fill="none" stroke="#d40" points="{" ".join(points)}"/>')
    return "\n".join(out)


def plot(memory, path):
    panels = [panel(memory, field, 40 + i * 240, 180, 800) for i, field in enumerate(("available", "kernel"))]
    with open(path, "w", encoding="ascii") as file:
        file.write('<svg xmlns="http://www.w3.org/2000/svg" width="900" height="500" font-family="sans-serif" '
                   'font-size="13"><rect width="900" height="500" fill="#fff"/>\n' + "\n".join(panels)
                   + f'\n<text x="60" y="488">0 to {memory.rows[-1]["seconds"]:.0f} s; dots: idle, module unused; '
                   'red: their regression line</text></svg>\n')
