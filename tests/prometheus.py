# SPDX-License-Identifier: GPL-2.0
"""A strict parser of Prometheus' text format 0.0.4, stricter than Prometheus: each metric once, with HELP and
then TYPE before its samples, which stand together; counters end in _total; histograms are complete."""
import math
import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)')
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? (\S+)")
NUMBER = re.compile(r"[+-]?(\d+(\.\d+)?([eE][+-]?\d+)?|Inf)|NaN")


def labels_of(text):
    labels, at = {}, 0
    while at < len(text):
        match = LABEL.match(text, at)
        assert match and match[1] not in labels, f"labels: {text!r}"
        assert match[3] or match.end() == len(text)
        labels[match[1]] = re.sub(r"\\(.)", lambda m: {"n": "\n"}.get(m[1], m[1]), match[2])
        at = match.end()
        assert at < len(text) or match[3] == "", f"comma at the end: {text!r}"
    return labels


def check_histogram(name, samples):
    """samples: {(suffix, labels without le): [(le, value)]}"""
    series = {labels for _, labels in samples}
    for labels in series:
        buckets = samples["_bucket", labels]
        limits = [float(le) for le, _ in buckets]
        values = [value for _, value in buckets]
        assert limits == sorted(set(limits)) and limits[-1] == math.inf, f"{name}: {limits}"
        assert values == sorted(values), f"{name}: {values}"
        assert values[-1] == samples["_count", labels][0][1], f"{name}: count"
        assert len(samples["_sum", labels]) == 1


def parse(text):
    """Returns {(name, ((label, value), ...)): value}; fails where anything is odd."""
    assert text.endswith("\n") and "\r" not in text
    values, seen, helped, kind = {}, set(), None, None
    histograms = {}
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            helped = re.fullmatch(rf"# HELP ({NAME}) \S.*", line)[1]
            assert helped not in seen, f"{helped} comes again"
            seen.add(helped)
            kind = None
            continue
        if line.startswith("# TYPE "):
            name, kind = re.fullmatch(rf"# TYPE ({NAME}) (counter|gauge|histogram)", line).groups()
            assert name == helped, line
            assert name.endswith("_total") == (kind == "counter"), line
            continue
        match = SAMPLE.fullmatch(line)
        assert match and NUMBER.fullmatch(match[3]), f"no sample: {line!r}"
        name, labels, value = match[1], labels_of(match[2] or ""), float(match[3])
        assert kind and name.startswith(helped), f"{line!r} stands under {helped}"
        suffix = name[len(helped):]
        assert suffix in (("_bucket", "_sum", "_count") if kind == "histogram" else ("",)), line
        assert kind == "gauge" or value >= 0, line
        key = name, tuple(sorted(labels.items()))
        assert key not in values, f"{key} comes again"
        values[key] = value
        if kind == "histogram":
            le = labels.pop("le", None)
            assert (le is not None) == (suffix == "_bucket"), line
            histograms.setdefault(helped, {}).setdefault(
                (suffix, tuple(sorted(labels.items()))), []).append((le, value))
    for name, samples in histograms.items():
        check_histogram(name, samples)
    return values


def refuses(text):
    try:
        parse(text)
    except (AssertionError, AttributeError, KeyError, TypeError):
        return True
    return False


HEAD = "# HELP a_total Help.\n# TYPE a_total counter\n"
assert parse(HEAD + 'a_total{x="1\\"\\\\"} 1\n') == {("a_total", (("x", '1"\\'),)): 1}
for bad in ("a_total 1\n", HEAD + "a_total 1", HEAD + "a_total 1\na_total 1\n", HEAD + 'a_total{x="1} 1\n',
            HEAD + 'a_total{x="1",} 1\n', HEAD + "b 1\n", HEAD + "a_total x\n", HEAD.replace("_total", "") + "a 1\n",
            HEAD + HEAD, HEAD + "a_total -1\n", HEAD + 'a_total{x="\\q"} 1\n'):
    assert refuses(bad), bad
HEAD = "# HELP h Help.\n# TYPE h histogram\n"
GOOD = HEAD + 'h_bucket{le="1"} 1\nh_bucket{le="+Inf"} 2\nh_sum 3\nh_count 2\n'
assert not refuses(GOOD)
for old, new in (("h_sum 3\n", ""), ('"+Inf"', '"0.5"'), ('"+Inf"} 2', '"+Inf"} 0'), ("h_count 2", "h_count 3")):
    assert old in GOOD and refuses(GOOD.replace(old, new)), new
