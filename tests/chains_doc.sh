#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The table of chains in the documentation is what the kernel answers.

set -eu
document=../Documentation/block/unified-io-region.rst
chains --rst >/tmp/chains.rst
python3 - /tmp/chains.rst "$document" <<'END'
import sys
table, document = (open(name).read() for name in sys.argv[1:])
if table not in document:
    sys.exit(f"{sys.argv[2]} does not have this table (tests/chains --rst):\n{table}")
END
