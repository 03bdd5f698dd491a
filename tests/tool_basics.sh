#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# unified-io itself: help, versions, wrong command lines, and 'info'.

set -eu
. "$(dirname -- "$0")/tool_common.sh"


says 0 '^usage: unified-io COMMAND' --help
says 2 '^usage: unified-io COMMAND'
says 0 '^unified-io [0-9]' --version
says 2 "no command 'bogus': see unified-io --help" bogus
commands=$("$tool" --help | sed -n 's/^  \([a-z]*\)  .*/\1/p')
[ -n "$commands" ]
for command in $commands; do
	says 0 "^usage: unified-io $command" "$command" --help
	says 0 "^usage: unified-io $command" help "$command"
	says 0 '^unified-io [0-9]' "$command" --version
	says 2 "Try 'unified-io $command --help'" "$command" --no-such-option
done

says 0 'struct-ops *yes' info
says 0 'driven by *nvme-passthrough' info "$NVME0"
"$tool" info --json "$NVME0" | python3 -c '
import json, sys
info = json.load(sys.stdin)
assert info["drive"]["lba_size"] == 512, info
assert info["limits"]["max_sockets"] == 1024, info
assert all(f["present"] or f["how"] for f in info["features"]), info'
says 2 'one drive at a time' info a b
says 1 'No such file' info /dev/nothing
says 4 'must be a block device' info /dev/null

# no rights: somebody else
chmod 755 "$tool" && cp "$tool" /tmp/unified-io
status=0
setpriv --reuid 65534 --clear-groups /tmp/unified-io info >/tmp/said 2>&1 || status=$?
[ $status = 4 ]
grep -q 'run as root' /tmp/said
