#!/usr/bin/env bash
# Runs every test, none from the cache, with the race detector. Packages may be
# given; all by default. TIMEOUT bounds each package (20m). The last line says
# how many tests passed, failed and were skipped; it is also in .tools/tests.txt.
#
# The race detector makes a test ten times as slow. What it can't help with, such as
# how well a desk's breaches are found, lies in files that begin with "//go:build !race";
# packages that have any are run a second time, whole and without it.
# "go vet" is left to make lint, which runs all of it.
set -euo pipefail
cd "$(dirname "$0")/.."

mkdir -p .tools/bin
rm -f .tools/tests.txt
# As make build and make lint compile, so that neither has to anew.
plain=(env CGO_ENABLED=0 GOFLAGS="$(go env GOFLAGS) -trimpath")
"${plain[@]}" go build -o .tools/bin/testsum ./tools/testsum

race=(-race)
export CGO_ENABLED=1 # the race detector needs it; the program does not
if ! command -v "$(go env CC)" >/dev/null; then
	echo "test: NO C COMPILER: the race detector is off" >&2
	race=()
	export CGO_ENABLED=0
fi

if [ $# = 0 ]; then set -- ./...; fi
flags=(-vet=off -count=1 -timeout "${TIMEOUT:-20m}" -json)

slow=()
while IFS=' ' read -r pkg dir; do
	if grep -qs '^//go:build !race$' "$dir"/*_test.go; then slow+=("$pkg"); fi
done < <(go list -f '{{.ImportPath}} {{.Dir}}' "$@")

run() {
	local status=0
	go test ${race[@]+"${race[@]}"} "${flags[@]}" "$@" || status=1
	if [ ${#race[@]} -gt 0 ] && [ ${#slow[@]} -gt 0 ]; then
		"${plain[@]}" go test "${flags[@]}" "${slow[@]}" || status=1
	fi
	return "$status"
}
run "$@" | .tools/bin/testsum -o .tools/tests.txt
