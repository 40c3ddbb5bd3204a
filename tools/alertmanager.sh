#!/bin/sh
# Builds the Prometheus Alertmanager that the test of alerts/alertmanager tells cases to,
# into .tools/bin/alertmanager, from a pinned Go module and the checksum database. It does
# nothing when that version is already there.
#
#   tools/alertmanager.sh            build when missing
#   tools/alertmanager.sh --force    build again
set -eu

version=v0.28.1
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
bin="$root/.tools/bin"
stamp="$bin/.alertmanager-$version"

if [ "${1:-}" != --force ] && [ -x "$bin/alertmanager" ] && [ -e "$stamp" ]; then
	exit 0
fi

mkdir -p "$bin"
echo "building the Alertmanager $version into .tools/bin (about half a minute, once)" >&2

# Outside of our module, so that its requirements stay out of go.mod; without cgo and
# without GOFLAGS such as -mod=vendor of the caller.
cd "$bin"
GOWORK=off GOFLAGS= CGO_ENABLED=0 GOBIN="$bin" \
	go install -trimpath -ldflags '-s -w' "github.com/prometheus/alertmanager/cmd/alertmanager@$version"

# It must start before it may be called built.
"$bin/alertmanager" --version >/dev/null
: >"$stamp"
