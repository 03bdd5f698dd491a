#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Each message that the documentation explains is one that the command or the library has.

set -euo pipefail
python3 - Documentation/block/unified-io-region-troubleshooting.rst lib/*.[ch] tools/*.[ch] <<'END'
import re, sys
document, *sources = sys.argv[1:]
literal = r'"(?:[^"\\\n]|\\.)*"'
strings = []
for source in sources:
    for run in re.findall(rf"{literal}(?:\s*(?:PRIu64|PRIx64)?\s*{literal})*", open(source).read()):
        parts = re.findall(literal, run)
        strings.append("".join(p[1:-1] for p in parts).replace('\\"', '"'))
# what printf() fills in
strings = [re.sub(r"%(?:\d\$)?[a-z]+|%", "...", s) for s in strings]
messages = re.findall(r"^``(.*)``$", open(document).read(), re.M)
assert len(messages) > 30, messages
bad = 0
for message in messages:
    pattern = ".*".join(map(re.escape, message.split("...")))
    if not any(re.search(pattern, s) for s in strings):
        print(f"no message: {message}")
        bad = 1
sys.exit(bad)
END
