#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# tests/follow does what a text says, and fails on the first command that does not.

set -eu
follow=$PWD/tests/follow
cd /tmp

# says STATUS PATTERN ARGUMENT...: tests/follow on what comes on stdin
says() {
	local want=$1 pattern=$2 status=0
	shift 2
	cat >text
	"$follow" "$@" text >said 2>&1 || status=$?
	[ $status = "$want" ] && grep -q -e "$pattern" said && return
	echo "status $status, not $want, or no '$pattern' in:"
	cat said
	exit 1
}

# text COMMAND OUTPUT: a text in which this is the second command of two
text() { printf 'Title\n=====\n\n.. code-block:: console\n\n   $ echo one\n   one\n   $ %s\n%s\nThe end.\n' "$1" "${2:+   $2}"; }

text 'echo two' 'two' | says 0 '2 steps'
text 'echo two' 'three' | says 1 '^  \$ echo two'
text 'echo two' '' | says 1 'not do what the text says'
text 'true' 'two' | says 1 'not do what the text says'
text 'false' '' | says 1 'status 1'
text 'echo "[a-z]* two!"' '[a-z]* ...!' | says 0 '2 steps'
text 'echo "a two!"' '[a-z]* ...!' | says 1 'not do'
text 'echo two' '...' | says 0 '2 steps'
printf 'T\n=\n\n.. code-block:: console\n\n   $ number=5\n   $ (exit $number)\n   $ echo $?\n   5\n   $ echo a \\\n     b; echo; echo c\n   a b\n\n   c\n' |
	says 0 '4 steps'

# files, sections, Markdown
files='Title
=====

.. code-block:: c
   :name: file

   first

     indented

Other
-----

.. code-block:: c

   $ false

.. code-block:: console

   $ false
'
rm -f file
says 0 '1 steps' --only Title <<<"$files"
printf 'first\n\n  indented\n' | cmp - file
says 0 '1 steps' --but Other <<<"$files"
says 1 '^  \$ false' <<<"$files"
says 2 "no section 'Third'" --but Third <<<"$files"
says 1 'nothing to do' --but Other --but Title <<<"$files"
printf '# Title\n\n    $ false\n\n## One\n\n```console\n$ echo 1\n2\n```\n## Two\n```console\n$ echo 1\n1\n```\n' >markdown
says 1 '^  \$ echo 1' <markdown
says 0 '1 steps' --only Two <markdown
