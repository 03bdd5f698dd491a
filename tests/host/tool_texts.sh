#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Manual pages without a complaint, which tell every option; completion in bash and zsh that offers what there is.

set -eu
tool=$PWD/build/user/tools/unified-io

for page in man/*.1; do
	mandoc -Tlint -Wwarning "$page"
	said=$(groff -mandoc -Kutf8 -Tutf8 -ww -z "$page" 2>&1)
	[ -z "$said" ] || { echo "$said"; exit 1; }
done
commands=$("$tool" --help | sed -n 's/^  \([a-z]*\)  .*/\1/p')
for command in $commands; do
	page=man/unified-io-$command.1
	[ -e "$page" ] || page=man/unified-io.1
	mandoc -Tascii "$page" | sed 's/.\x08//g' >/tmp/page
	for option in $("$tool" $command --help | grep -o -e '--[a-z][a-z-]*' | sort -u); do
		[ "$option" = --help ] || grep -q -e "$option" /tmp/page || { echo "$page does not tell of $option"; exit 1; }
	done
done

# offers LINE WORD: bash offers the word for the line
offers() {
	COMP_LINE=$1 COMP_POINT=${#1}
	read -ra COMP_WORDS <<<"$1"
	[[ $1 != *' ' ]] || COMP_WORDS+=('')
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	_unified_io
	[[ " ${COMPREPLY[*]} " == *" $2 "* ]] && return
	echo "bash, '$1': '${COMPREPLY[*]}' without $2"
	exit 1
}
PATH=$(dirname "$tool"):$PATH
. tools/completion/unified-io.bash
offers 'unified-io ' pipe
offers 'unified-io i' info
offers 'unified-io log v' verify
offers 'unified-io pipe tcp-l' tcp-listen:
offers 'unified-io pipe --sy' --sync=
offers 'unified-io pipe zcrx:l' lo
offers 'unified-io pipe zcrx:lo,qu' lo,queue=
offers 'unified-io log ls --j' --json
offers 'unified-io pipe xdp:lo,mo' lo,mode=
offers 'unified-io doctor l' lo
offers 'unified-io stat --in' --interval=
offers 'unified-io t' trace
offers 'unified-io exporter --l' --listen=
drive=$(lsblk -dnpo NAME | head -n 1)
[ -z "$drive" ] || offers 'unified-io pipe nvme:' "$drive"

# zsh: in a terminal, as a user would
cat >/tmp/zsh.py <<'END'
import os, pty, select, sys, time
pid, fd = pty.fork()
if not pid:
    os.execvp("zsh", ["zsh", "-f", "-i"])
def expect(text, what, limit=120):
    got, end = "", time.time() + limit
    while text not in got:
        if time.time() > end or not select.select([fd], [], [], 1)[0] and time.time() > end:
            sys.exit(f"zsh: {what}: no {text!r} in {got!r}")
        if select.select([fd], [], [], 1)[0]:
            got += os.read(fd, 4096).decode(errors="replace")
def say(text):
    os.write(fd, text.encode())
say("PS1='> '; fpath=(/src/tools/completion $fpath); autoload -U compinit; compinit -D -u; echo rea''dy\n")
expect("ready", "start")
say("unified-io inf\t")
expect("info", "commands")
say("\x15unified-io pipe --sy\t")
expect("--sync", "options")
say("\x15unified-io pipe tcp-l\t")
expect("tcp-listen:", "addresses")
say("\x15unified-io pipe zcrx:lo,qu\t")
expect("queue=", "options of an address")
END
python3 /tmp/zsh.py
