# SPDX-License-Identifier: GPL-2.0
"""Reads what 'gcov --json-format --stdout --branch-probabilities' prints, a JSON document a line; prints a table of
the module's files, and the lines that were never executed. A header's lines count once, however many objects
they are part of."""

import collections
import json
import os
import sys

ours = "drivers/block/"


def collect(documents):
    """{file: {line: (times executed, [times each branch was taken])}}"""
    files = collections.defaultdict(dict)
    for document in documents:
        for entry in document["files"]:
            path = os.path.join(document["current_working_directory"], entry["file"])
            at = path.rfind(ours)
            if at < 0:
                continue
            lines = files[path[at:]]
            for line in entry["lines"]:
                nr = line["line_number"]
                branches = [b["count"] for b in line["branches"]]
                count, before = lines.get(nr, (0, []))
                # Objects may have made different branches of one line: then they are all counted.
                same = len(before) == len(branches)
                lines[nr] = (count + line["count"],
                             [a + b for a, b in zip(before, branches)] if same else before + branches)
    return files


def percent(part, whole):
    return f"{100 * part / whole:5.1f}%" if whole else "     -"


def row(name, lines):
    run = sum(count > 0 for count, _ in lines)
    branches = [taken for _, counts in lines for taken in counts]
    taken = sum(count > 0 for count in branches)
    return (f"{name:32} {run:5} of {len(lines):5} {percent(run, len(lines))}   "
            f"{taken:5} of {len(branches):5} {percent(taken, len(branches))}")


def main():
    files = collect(json.loads(text) for text in sys.stdin if text.strip())
    if not files:
        sys.exit("coverage: nothing counted")
    print(f"{'file':32} {'lines executed':>22}   {'branches taken':>21}")
    for name in sorted(files):
        print(row(os.path.basename(name), list(files[name].values())))
    print(row("all", [line for lines in files.values() for line in lines.values()]))
    print("\nnever executed:")
    for name in sorted(files):
        with open(f"/src/{name}", encoding="utf-8") as source:
            text = source.read().split("\n")
        for nr, (count, _) in sorted(files[name].items()):
            if not count:
                print(f"{name}:{nr}: {text[nr - 1].strip()}")


main()
