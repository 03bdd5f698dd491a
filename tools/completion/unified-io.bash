# SPDX-License-Identifier: GPL-2.0
# bash completion for unified-io: /usr/share/bash-completion/completions/unified-io
# What there is, the command itself tells: nothing is listed twice.

_unified_io_words() {
	case $1 in
	'') "${COMP_WORDS[0]}" --help | sed -n 's/^  \([a-z]\{1,\}\)  .*/\1/p' ;;
	*) "${COMP_WORDS[0]}" "$1" --help | grep -o -e '--[a-z][a-z-]*=\{0,1\}' | sort -u ;;
	esac 2>/dev/null
}

_unified_io_drives() { lsblk -dnpo NAME 2>/dev/null; }

_unified_io_interfaces() { ls /sys/class/net; }
_unified_io_regions() { ls /sys/kernel/debug/unified_io_region 2>/dev/null; }

_unified_io() {
	local cur=${COMP_LINE:0:COMP_POINT} command=${COMP_WORDS[1]} words=
	cur=${cur##*[[:space:]]}
	COMPREPLY=()
	compopt -o nospace 2>/dev/null || :
	if [ "$COMP_CWORD" = 1 ]; then
		words="$(_unified_io_words '') help --help --version"
	elif [[ $cur == -?* ]]; then
		words=$(_unified_io_words "$command")
	elif [ "$command" = pipe ]; then
		case $cur in
		nvme:*) words=$(_unified_io_drives | sed 's/^/nvme:/') ;;
		bpf:* | file:*) words=$(compgen -f -- "${cur#*:}" | sed "s|^|${cur%%:*}:|") ;;
		zcrx:*,*) words=$(printf "${cur%,*},%s " queue= port= mode= configure) ;;
		xdp:*,*) words=$(printf "${cur%,*},%s " queue= port= mode=) ;;
		zcrx:* | xdp:*) words=$(_unified_io_interfaces | sed "s/^/${cur%%:*}:/") ;;
		*) words='tcp-listen: tcp: udp-listen: zcrx: xdp: nvme: file: bpf: -' ;;
		esac
	elif [ "$command" = log ] && [ "$COMP_CWORD" = 2 ]; then
		words='ls cat verify tail export'
	elif [ "$command" = doctor ]; then
		words="$(_unified_io_interfaces) $(_unified_io_drives)"
	elif [[ $command =~ ^(stat|top|trace)$ ]]; then
		words=$(_unified_io_regions)
	elif [ "$command" = help ]; then
		words=$(_unified_io_words '')
	else
		words="$(_unified_io_drives) $(compgen -f -- "$cur")"
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
	# the shell takes a colon for the end of a word
	[[ $cur != *:* ]] || COMPREPLY=("${COMPREPLY[@]#"${cur%"${cur##*:}"}"}")
}

complete -F _unified_io unified-io
