#!/bin/sh
# Installs a tool of the version pinned in hack/tools/versions as bin/NAME-VERSION,
# with bin/NAME pointing to it, and prints its path. What this machine has built
# before, with this Go, is taken from its cache.
#
# usage: install.sh NAME...
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
mkdir -p "$here/../../bin"
bin=$(CDPATH='' cd -- "$here/../../bin" && pwd)
cache=${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/mithaq/tools

say() { printf 'tools: %s\n' "$*" >&2; }

# place FILE TARGET: whole or not at all, as a hard link where that is possible.
place() {
	rm -f "$2.new.$$"
	ln "$1" "$2.new.$$" 2>/dev/null || cp "$1" "$2.new.$$"
	mv -f "$2.new.$$" "$2"
}

build() { # NAME VERSION PACKAGE TARGET
	work=$bin/.tool-$1.$$
	trap 'rm -rf "$work"' EXIT
	trap 'exit 130' INT TERM HUP
	mkdir -p "$work"
	began=$(date +%s)
	say "building $1 $2"
	ldflags="-s -w"
	if [ "$1" = golangci-lint ]; then ldflags="$ldflags -X main.version=${2#v}"; fi
	(cd "$work" && GOWORK=off GOBIN="$work" "$here/progress.sh" "$1" 0 go install -v -trimpath -ldflags "$ldflags" "$3@$2") || {
		say "building $1 $2 failed"
		return 1
	}
	file=$work/${3##*/}
	[ -x "$file" ] || file=$work/$1 # a package path that ends in /vN is named after what precedes it
	[ -x "$file" ] || return 1
	mv -f "$file" "$4"
	rm -rf "$work"
	say "built $1 $2 in $(($(date +%s) - began))s"
}

install() {
	name=$1
	version=$(awk -v n="$name" '$1 == n { print $2 }' "$here/versions")
	package=$(awk -v n="$name" '$1 == n { print $3 }' "$here/versions")
	if [ -z "$version" ] || [ -z "$package" ]; then
		say "$name is not in $here/versions"
		return 1
	fi
	target=$bin/$name-$version
	if [ ! -x "$target" ]; then
		kept=$cache/$name-$version-$(go env GOVERSION)-$(go env GOARCH)
		if [ -x "$kept" ]; then
			place "$kept" "$target"
		else
			build "$name" "$version" "$package" "$target"
			{ mkdir -p "$cache" && place "$target" "$kept"; } 2>/dev/null || say "could not keep a copy in $cache"
		fi
	fi
	if [ "$(readlink "$bin/$name" 2>/dev/null)" != "$name-$version" ]; then ln -sf "$name-$version" "$bin/$name"; fi
	printf '%s\n' "$target"
}

for tool in "$@"; do install "$tool"; done
