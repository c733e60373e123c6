#!/bin/sh
# Puts kube-apiserver, kubectl and etcd of the versions pinned in go.mod into bin/.
# Binaries of exactly these versions that the machine already has are used; the
# rest is compiled from the Go modules. Needs only Go and git. See README.md.
#
# usage: build.sh [bin-directory]
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
bin=${1:-$here/../../bin}
mkdir -p "$bin"
bin=$(CDPATH='' cd -- "$bin" && pwd)
binaries="kube-apiserver kubectl etcd"

say() { printf 'control plane: %s\n' "$*" >&2; }
die() {
	say "$*"
	exit 1
}

# pinned MODULE: the version go.mod requires.
pinned() { awk -v m="$1" '$1 == m && $2 ~ /^v/ { print $2; exit }' "$here/go.mod"; }

k8s=$(pinned k8s.io/kubernetes)
etcd=$(pinned go.etcd.io/etcd/server/v3)
[ -n "$k8s" ] && [ -n "$etcd" ] || die "cannot read the pinned versions from $here/go.mod"
pins="kubernetes $k8s etcd $etcd"
stamp=$bin/.controlplane
cache=${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/mithaq/controlplane/$k8s-$etcd

complete() {
	[ -f "$stamp" ] && [ "$(cat "$stamp")" = "$pins" ] || return 1
	for name in $binaries; do [ -x "$bin/$name" ] || return 1; done
}
complete && exit 0

# --- one run at a time ---------------------------------------------------------

lock=$bin/.controlplane.lock
work=$bin/.controlplane.work.$$
locked=

cleanup() {
	rm -rf "$work"
	[ -z "$locked" ] || rm -rf "$lock"
}
trap cleanup EXIT
trap 'say "interrupted, nothing half-built is left; run it again to go on where it stopped"; exit 130' INT TERM HUP

# stale: the lock's holder is gone. A holder that has not yet written its pid counts
# as alive for a moment.
stale() {
	holder=$(cat "$lock/pid" 2>/dev/null || true)
	if [ -z "$holder" ]; then
		sleep 2
		holder=$(cat "$lock/pid" 2>/dev/null || true)
	fi
	[ -d "$lock" ] || return 1
	[ -z "$holder" ] || ! kill -0 "$holder" 2>/dev/null
}

waiting=
until mkdir "$lock" 2>/dev/null; do
	if stale; then
		# Of several that see it stale, the rename lets one take it away.
		mv "$lock" "$lock.stale.$$" 2>/dev/null && rm -rf "$lock.stale.$$"
		continue
	fi
	[ -n "$waiting" ] || say "another run (pid ${holder:-?}) is building; waiting for it"
	waiting=yes
	sleep 1
done
locked=yes
echo $$ >"$lock/pid"
complete && exit 0
for old in "$bin"/.controlplane.work.*; do [ ! -e "$old" ] || rm -rf "$old"; done
mkdir "$work"

# --- what is on the machine already --------------------------------------------

# is NAME FILE: FILE runs and is NAME of exactly the pinned version.
is() {
	[ -f "$2" ] && [ -x "$2" ] || return 1
	case $1 in
	kube-apiserver) [ "$("$2" --version 2>/dev/null)" = "Kubernetes $k8s" ] ;;
	etcd) [ "$("$2" --version 2>/dev/null | sed -n 1p)" = "etcd Version: ${etcd#v}" ] ;;
	kubectl) [ "$("$2" version --client -o yaml 2>/dev/null | awk '$1 == "gitVersion:" { print $2 }')" = "$k8s" ] ;;
	esac
}

# place FILE TARGET: whole or not at all, as a hard link where that is possible.
place() {
	rm -f "$2.new.$$"
	if [ -h "$1" ] || ! ln "$1" "$2.new.$$" 2>/dev/null; then cp -L "$1" "$2.new.$$"; fi
	mv -f "$2.new.$$" "$2"
}

missing=
for name in $binaries; do
	if is "$name" "$bin/$name"; then continue; fi
	found=
	for candidate in "${KUBEBUILDER_ASSETS:+$KUBEBUILDER_ASSETS/$name}" "$cache/$name" "$(command -v "$name" || true)"; do
		[ -n "$candidate" ] && is "$name" "$candidate" || continue
		place "$candidate" "$work/$name"
		is "$name" "$work/$name" || continue
		mv -f "$work/$name" "$bin/$name"
		say "using $candidate"
		found=yes
		break
	done
	[ -n "$found" ] || missing="$missing $name"
done

# --- what has to be compiled ---------------------------------------------------

package() {
	case $1 in
	kube-apiserver) echo k8s.io/kubernetes/cmd/kube-apiserver ;;
	kubectl) echo k8s.io/kubernetes/cmd/kubectl ;;
	etcd) echo go.etcd.io/etcd/server/v3 ;;
	esac
}

need_go() {
	command -v go >/dev/null 2>&1 || die "needs Go $1 or newer, and there is no go command in PATH"
	have=$(cd "$here" && go env GOVERSION 2>/dev/null) || have=$(cd / && go env GOVERSION)
	have=${have#go}
	awk -v have="$have" -v want="$1" 'BEGIN {
		split(have, h, /[.a-z -]/); split(want, w, ".")
		exit !(h[1] + 0 > w[1] + 0 || (h[1] + 0 == w[1] + 0 && h[2] + 0 >= w[2] + 0))
	}' || die "needs Go $1 or newer; this is Go $have. Install a newer Go, or allow Go to fetch one with GOTOOLCHAIN=auto."
}

build() {
	name=$1 target=$(package "$1")
	minor=${k8s#v*.}
	minor=${minor%%.*}
	major=${k8s#v}
	major=${major%%.*}
	version=k8s.io/component-base/version
	began=$(date +%s)
	(cd "$here" && GOWORK=off ../tools/gobuild.sh "$work/$name" "$target" -trimpath \
		-ldflags "-s -w -X $version.gitVersion=$k8s -X $version.gitMajor=$major -X $version.gitMinor=$minor") ||
		die "building $name failed"
	is "$name" "$work/$name" || die "the $name just built does not report version $pins"
	mv -f "$work/$name" "$bin/$name"
	say "built $name in $(($(date +%s) - began))s"
}

if [ -n "$missing" ]; then
	need_go "$(awk '$1 == "go" { print $2; exit }' "$here/go.mod")"
	say "building$missing ($pins) from Go modules, once per machine; a few minutes on two cores"
	for name in $missing; do build "$name"; done
fi

# The next clone on this machine finds them here. Failing to is no reason to fail.
keep() {
	mkdir -p "$cache" || return 1
	for name in $binaries; do
		[ -x "$cache/$name" ] || place "$bin/$name" "$cache/$name" || return 1
	done
}
keep 2>/dev/null || say "could not keep a copy in $cache"

printf '%s\n' "$pins" >"$work/stamp"
mv -f "$work/stamp" "$stamp"
