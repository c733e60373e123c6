#!/bin/sh
# Shows that the linter rules which hold the architecture bite: puts one offence
# after another into a module of its own beside this repository's go.mod and
# .golangci.yml, and fails where golangci-lint does not complain, or complains
# about what is allowed.
#
# usage: lint-bites.sh [golangci-lint]
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
lint=${1:-$root/bin/golangci-lint}
work=$(mktemp -d "${TMPDIR:-/tmp}/lint-bites.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
cd "$work"
cp "$root/go.mod" "$root/go.sum" "$root/.golangci.yml" .

# Something to import.
for package in api/v1alpha1 controllers/a controllers/b internal/governance internal/rotation internal/observe \
	internal/status internal/platform internal/platform/x internal/platform/platformtest hack/tool; do
	mkdir -p "$package"
	printf '// Package %s is a stand-in.\npackage %s\n' "${package##*/}" "${package##*/}" >"$package/doc.go"
done

n=0
: >expected

# import_in DIR VERDICT PACKAGE [_test]: a package below DIR, which nothing imports,
# imports PACKAGE; VERDICT is refused or allowed.
import_in() {
	n=$((n + 1))
	dir=$1/probe name=probe file=$1/probe/case$n${4:-}.go
	if [ "$1" = . ]; then dir=. name=main file=main.go; fi
	mkdir -p "$dir"
	printf '// Package %s is a stand-in.\npackage %s\n\nimport _ "%s" // the case\n' "$name" "$name" "$3" >"$file"
	[ "$1" != . ] || printf '\nfunc main() {}\n' >>"$file"
	echo "$2 $file depguard $3" >>expected
}

m=mithaq.dev/mithaq
import_in api/v1alpha1 allowed k8s.io/apimachinery/pkg/apis/meta/v1
import_in api/v1alpha1 refused sigs.k8s.io/controller-runtime/pkg/scheme
import_in api/v1alpha1 refused k8s.io/client-go/rest
import_in api/v1alpha1 refused $m/internal/status
for pure in internal/governance internal/rotation; do
	import_in $pure allowed $m/api/v1alpha1
	import_in $pure allowed k8s.io/apimachinery/pkg/types
	import_in $pure allowed regexp
	import_in $pure refused context
	import_in $pure refused net/http
	import_in $pure refused k8s.io/utils/clock
	import_in $pure refused k8s.io/client-go/rest
	import_in $pure refused sigs.k8s.io/controller-runtime/pkg/client
	import_in $pure refused $m/internal/platform
done
import_in internal/governance allowed github.com/google/cel-go/cel
for platform in internal/platform internal/platform/x internal/platform/platformtest; do
	import_in $platform allowed net/http
	import_in $platform refused k8s.io/apimachinery/pkg/types
	import_in $platform refused sigs.k8s.io/controller-runtime/pkg/client
	import_in $platform refused $m/api/v1alpha1
	import_in $platform refused $m/controllers/a
done
for shared in internal/observe internal/status; do
	import_in $shared allowed $m/internal/platform
	import_in $shared refused $m/controllers/a
	import_in $shared refused $m/internal/platform/x
done
import_in controllers/a allowed $m/internal/observe
import_in controllers/a refused $m/controllers/b
import_in controllers/a refused $m/internal/platform/x
import_in controllers/a refused net/http
import_in controllers/a refused $m/hack/tool
import_in controllers/a allowed $m/hack/tool _test
import_in internal/observe allowed $m/internal/platform/platformtest _test
import_in hack/tool refused $m/internal/platform/x
import_in . allowed $m/internal/platform/x

# Code that must be complained about, and by which linter.
offend() { # FILE LINTER, code on standard input
	mkdir -p "${1%/*}"
	cat >"$1"
	echo "refused $1 $2 " >>expected
}
offend internal/status/sleep.go forbidigo <<'GO'
package status

import "time"

func nap() { time.Sleep(time.Second) }

var _ = nap
GO
offend internal/status/now.go forbidigo <<'GO'
package status

import "time"

func now() time.Time { return time.Now() }

var _ = now
GO
offend internal/status/sleep_test.go forbidigo <<'GO'
package status

import "time"

func napInTest() { time.Sleep(time.Second) }

var _ = napInTest
GO
offend internal/status/text.go errorlint <<'GO'
package status

import "io"

func ended(err error) bool { return err == io.EOF }

var _ = ended
GO
offend internal/status/fat.go interfacebloat <<'GO'
package status

type fat interface {
	A()
	B()
	C()
	D()
	E()
	F()
}

var _ fat
GO
offend internal/status/wide.go revive <<'GO'
package status

func wide(_, _, _, _, _, _ int) {}

var _ = wide
GO
{
	printf 'package status\n\nfunc long() {\n'
	i=0
	while [ $i -lt 60 ]; do
		echo '	_ = 0'
		i=$((i + 1))
	done
	printf '}\n\nvar _ = long\n'
} | offend internal/status/long.go funlen
{
	printf 'package status\n\nfunc tangled(n int) int {\n'
	i=0
	while [ $i -lt 11 ]; do
		echo "	if n == $i { return $i }"
		i=$((i + 1))
	done
	printf '	return n\n}\n\nvar _ = tangled\n'
} | offend internal/status/tangled.go gocyclo

GOWORK=off "$lint" run --allow-parallel-runners --output.text.path=stdout --output.text.colors=false --output.text.print-issued-lines=false ./... >found 2>errors || true
if ! grep -q '(depguard)' found; then
	echo "lint-bites: golangci-lint did not run:" >&2
	cat found errors >&2
	exit 1
fi

failed=0
while read -r verdict file linter import; do
	if grep "^$file:" found | grep -F "${import:+import '$import'}" | grep -qF "($linter)"; then got=refused; else got=allowed; fi
	if [ "$got" != "$verdict" ]; then
		echo "lint-bites: $file: $linter ${import:-this code}: $got, want $verdict" >&2
		failed=1
	fi
done <expected
[ $failed = 0 ] || exit 1
echo "lint-bites: $(awk 'END { print NR }' expected) cases judged as they should be"
