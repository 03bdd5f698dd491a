# SPDX-License-Identifier: GPL-2.0
"""exporter.py PAGE STAT [TRACED]: the page that the exporter served is well formed, and says what 'stat --json' (STAT)
says of the one region there is and, with TRACED, 'trace --json'; nothing else."""
import itertools
import json
import sys

import prometheus

COUNTERS = {  # of stat: of the exporter
    "region_size": "region_bytes", "data_size": "data_bytes", "huge_bytes": "huge_bytes", "sq_entries": "sq_entries",
    "cq_entries": "cq_entries", "niov_entries": "niov_entries", "nr_sockets": "sockets", "nr_progs": "xdp_programs",
    "struct_ops": "struct_ops", "inflight": "inflight_operations", "niov_held": "niov_held",
    "submitted": "operations_submitted_total", "completed": "operations_completed_total",
    "dropped": "operations_dropped_total", "replied": "operations_replied_total",
    "resubmitted": "dependent_reads_total", "moved": "moved_bytes_total", "carried": "carried_bytes_total",
    "bypass_bytes": "bypass_bytes_total", "bypass_copied": "bypass_copied_bytes_total"}
STAGE = {"ops": "stage_operations_total", "bytes": "stage_bytes_total", "errors": "stage_errors_total",
         "copied": "stage_copied_bytes_total"}


def histogram(values, region, what):
    """Its count and its sum."""
    name, labels = "unified_io_operation_duration_seconds", (("region", region),)
    if what != "operation":
        name, labels = "unified_io_stage_duration_seconds", labels + (("stage", what),)
    buckets = sorted((float(dict(key[1])["le"]), value) for key, value in values.items()
                     if key[0] == name + "_bucket" and set(labels) <= set(key[1]))
    assert [limit for limit, _ in buckets[:-1]] == [2 ** i / 1e6 for i in range(27)], buckets
    return values[name + "_count", labels], values[name + "_sum", labels], buckets


def median(buckets):
    """The least limit that half of them keep; buckets are cumulative."""
    return next(limit for limit, total in buckets if total * 2 >= buckets[-1][1])


def check_latencies(values, region, stat, traced):
    missed = values["unified_io_trace_missed_events_total", ()]
    for what, told in traced["latency"].items():
        count, seconds, buckets = histogram(values, region, what)
        nr = stat["completed"] if what == "operation" else stat["stages"][what]["ops"]
        assert nr - missed <= count <= nr, (what, count, nr, missed)
        # Both began before the region did. What interrupts one of the two clocks has its part of the sum, not of
        # the median, which may still fall on either side of a class's limit.
        assert seconds / 100 < told["sum_ns"] / 1e9 < seconds * 100, (what, seconds, told)
        limits = [h["le_us"] for h in told["histogram"]]
        totals = list(itertools.accumulate(h["count"] for h in told["histogram"]))
        limit = median(list(zip(limits, totals)))
        assert limit is None or 1 / 4 <= median(buckets) * 1e6 / limit <= 4, (what, buckets, told)


def main():
    values = prometheus.parse(open(sys.argv[1]).read())
    [stat] = json.load(open(sys.argv[2]))["regions"]
    region = str(stat["region"])
    told = dict(values)
    assert told.pop(("unified_io_regions", ())) == 1
    for name, metric in COUNTERS.items():
        assert told.pop(("unified_io_" + metric, (("region", region),))) == stat[name], metric
    for stage, counts in stat["stages"].items():
        for name, metric in STAGE.items():
            key = "unified_io_" + metric, (("region", region), ("stage", stage))
            assert told.pop(key) == counts[name], key
    [info] = [key for key in told if key[0] == "unified_io_region_info"]
    labels = {"region": region, "pid": str(stat["pid"]), "command": stat["command"], "device": stat["device"]}
    assert dict(info[1]) == labels and told.pop(info) == 1, info
    if sys.argv[3:]:
        [traced] = json.load(open(sys.argv[3]))["regions"]
        check_latencies(values, region, stat, traced)
        told = {key: value for key, value in told.items() if "_duration_seconds" not in key[0] and "missed" not in key[0]}
    assert not told, told


main()
