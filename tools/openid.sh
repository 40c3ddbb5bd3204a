#!/bin/sh
# Builds the OpenID provider with which tests sign in, into
# .tools/bin/openid-provider: the server that comes with zitadel/oidc, a certified
# implementation of OpenID Connect, from a pinned Go module and the checksum database. It
# does nothing when that version is already there.
#
#   tools/openid.sh            build when missing
#   tools/openid.sh --force    build again
set -eu

version=v3.52.0
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
bin="$root/.tools/bin"
stamp="$bin/.openid-provider-$version"

if [ "${1:-}" != --force ] && [ -x "$bin/openid-provider" ] && [ -e "$stamp" ]; then
	exit 0
fi

mkdir -p "$bin"
echo "building an OpenID provider $version into .tools/bin (about fifteen seconds, once)" >&2

# Outside of our module, so that its requirements stay out of go.mod; without cgo and
# without GOFLAGS such as -mod=vendor of the caller.
new=$(mktemp -d "$bin/openid.XXXXXX")
trap 'rm -rf "$new"' EXIT
cd "$new"
GOWORK=off GOFLAGS= CGO_ENABLED=0 GOBIN="$new" \
	go install -trimpath -ldflags '-s -w' "github.com/zitadel/oidc/v3/example/server@$version"
mv "$new/server" "$bin/openid-provider"
: >"$stamp"
