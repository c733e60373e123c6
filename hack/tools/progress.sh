#!/bin/sh
# Runs a go command given -v and shows how far it is instead of what it says: a
# line that moves on a terminal, now and then a line elsewhere. What it said is
# printed when it fails. Its standard output and exit code are kept.
#
# usage: progress.sh TITLE TOTAL COMMAND...     TOTAL: packages at most, 0 if unknown
set -eu

title=$1 total=$2
shift 2
work=$(mktemp -d "${TMPDIR:-/tmp}/progress.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
: >"$work/log"
echo 1 >"$work/code"

show() { # WHAT COUNT STEP
	if [ -t 2 ]; then
		printf '\r\033[K%s  [%s] %s' "$title" "$2" "$1" >&2
	elif [ $((${2%%/*} % $3)) -eq 0 ]; then
		printf '%s  [%s] %s\n' "$title" "$2" "$1" >&2
	fi
}

watch() {
	packages=0 modules=0
	while IFS= read -r line; do
		printf '%s\n' "$line" >>"$work/log"
		case $line in
		"go: downloading "*)
			modules=$((modules + 1))
			show "modules downloaded" "$modules" 20
			;;
		*[!A-Za-z0-9._/~-]*) ;;
		*)
			packages=$((packages + 1))
			if [ "$total" -gt 0 ]; then count=$packages/$total; else count=$packages; fi
			show "packages compiled" "$count" 100
			;;
		esac
	done
	[ ! -t 2 ] || printf '\r\033[K' >&2
}

{
	{
		code=0
		"$@" 2>&1 >&3 3>&- || code=$?
		echo "$code" >"$work/code"
	} | watch
} 3>&1

code=$(cat "$work/code")
if [ "$code" != 0 ]; then
	grep -v -e '^[A-Za-z0-9._/~-]*$' -e '^go: downloading ' "$work/log" >&2 || true
fi
exit "$code"
