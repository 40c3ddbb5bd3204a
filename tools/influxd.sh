#!/bin/sh
# Builds the InfluxDB server that tests write to and ask,
# into .tools/bin/influxd, from a pinned Go module and the checksum database.
# It does nothing when that version is already there.
#
#   tools/influxd.sh            build when missing
#   tools/influxd.sh --force    build again
#
# InfluxDB 1.8.10 is the newest version that builds with nothing but Go, and it
# answers the parts of the v2 API that vigil uses (health, write, query).
set -eu

version=v1.8.10
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
bin="$root/.tools/bin"
stamp="$bin/.influxd-$version"

if [ "${1:-}" != --force ] && [ -x "$bin/influxd" ] && [ -e "$stamp" ]; then
	exit 0
fi

mkdir -p "$bin"
echo "building influxd $version into .tools/bin (about a minute, once)" >&2

# Outside of our module, so that the server's old requirements stay out of
# go.mod; without cgo and without GOFLAGS such as -mod=vendor of the caller.
cd "$bin"
GOWORK=off GOFLAGS= CGO_ENABLED=0 GOBIN="$bin" \
	go install -trimpath -ldflags '-s -w' "github.com/influxdata/influxdb/cmd/influxd@$version"

# The server must start before it may be called built.
"$bin/influxd" version >/dev/null
: >"$stamp"
