#!/bin/sh
# go build with a count of the packages compiled; the result appears whole or not at all.
# Packages that the build cache has are not counted, so a build may end early.
#
# usage: gobuild.sh OUTPUT PACKAGE [go build flags...]     in the package's module
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
out=$1 package=$2
shift 2
name=${out##*/}
list=$(mktemp "${TMPDIR:-/tmp}/gobuild.XXXXXX")
trap 'rm -f "$list" "$out.new.$$"' EXIT
trap 'exit 130' INT TERM HUP

"$here/progress.sh" "$name" 0 go list -deps "$package" >"$list"
"$here/progress.sh" "$name" "$(awk 'END { print NR }' "$list")" go build -v "$@" -o "$out.new.$$" "$package"
mv -f "$out.new.$$" "$out"
