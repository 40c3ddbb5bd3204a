#!/usr/bin/env bash
# Checks the code: gofmt, all of go vet by way of golangci-lint (.golangci.yml), and the
# scripts. golangci-lint is built once, at a pinned version, into .tools/bin.
set -euo pipefail
cd "$(dirname "$0")/.."

version=v2.15.0
bin="$PWD/.tools/bin"
stamp="$bin/.golangci-lint-$version-$(go env GOVERSION)"
if [ ! -x "$bin/golangci-lint" ] || [ ! -e "$stamp" ]; then
	echo "lint: building golangci-lint $version into .tools/bin (some minutes, once)" >&2
	mkdir -p "$bin"
	# Outside of our module, so that its requirements stay out of go.mod.
	(cd "$bin" && GOWORK=off GOFLAGS='' CGO_ENABLED=0 GOBIN="$bin" \
		go install -trimpath -ldflags '-s -w' "github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$version")
	rm -f "$bin"/.golangci-lint-*
	: >"$stamp"
fi

status=0
mapfile -t files < <(find . -name '*.go' -not -path './.*/*' -print)
unformatted=$(gofmt -l "${files[@]}")
if [ -n "$unformatted" ]; then
	printf 'lint: not as gofmt writes it:\n%s\n' "$unformatted" >&2
	status=1
fi

# As make build compiles, so that what was built serves here too.
CGO_ENABLED=0 GOFLAGS="$(go env GOFLAGS) -trimpath" "$bin/golangci-lint" run --timeout 15m "$@" || status=1

for script in tools/*.sh .ci/run; do
	bash -n "$script" || status=1
done
if command -v shellcheck >/dev/null; then
	shellcheck -e SC1007 tools/*.sh .ci/run || status=1
else
	echo "lint: shellcheck is not here; the scripts were only parsed" >&2
fi
exit "$status"
