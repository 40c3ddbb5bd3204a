#!/usr/bin/env bash
# Runs every test, none from the cache, with the race detector. Packages may be
# given; all by default. TIMEOUT bounds each package (20m). The last line says
# how many tests passed, failed and were skipped; it is also in .tools/tests.txt.
set -euo pipefail
cd "$(dirname "$0")/.."

mkdir -p .tools/bin
rm -f .tools/tests.txt
go build -o .tools/bin/testsum ./tools/testsum

race=(-race)
export CGO_ENABLED=1 # the race detector needs it; the program does not
if ! command -v "$(go env CC)" >/dev/null; then
	echo "test: NO C COMPILER: the race detector is off" >&2
	race=()
	export CGO_ENABLED=0
fi

if [ $# = 0 ]; then set -- ./...; fi
go test ${race[@]+"${race[@]}"} -count=1 -timeout "${TIMEOUT:-20m}" -json "$@" |
	.tools/bin/testsum -o .tools/tests.txt
