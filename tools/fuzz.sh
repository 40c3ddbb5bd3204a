#!/usr/bin/env bash
# Runs every fuzz target for a time each:  tools/fuzz.sh [TIME] [PACKAGE...]
# Targets are found, not listed. FUZZBUDGET, in seconds, bounds the whole: when it
# would not do, each target gets an equal part, of at least one second. FUZZTARGETS
# bounds how many are run: another part of them with each commit, so that all get their turn.
# An input that fails is written to the package's testdata/fuzz and shown.
set -euo pipefail
cd "$(dirname "$0")/.."

time=${1:-10s}
[ $# -gt 0 ] && shift
if [ $# = 0 ]; then set -- ./...; fi
seconds=${time%s}
case $seconds in *m) seconds=$((${seconds%m} * 60)) ;; esac
case $seconds in '' | *[!0-9]*) echo "fuzz: time $time: want a number with s or m, such as 10s" >&2 && exit 2 ;; esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export CGO_ENABLED=0
GOFLAGS="$(go env GOFLAGS) -trimpath" # as make build compiles, so that what was built serves here too
export GOFLAGS

# Only packages that have a target are built.
targets=()
while IFS=' ' read -r pkg dir; do
	while read -r name; do
		[ -n "$name" ] && targets+=("$pkg $dir $name")
	done < <(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$dir"/*_test.go 2>/dev/null || true)
done < <(go list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}} {{.Dir}}{{end}}' "$@" | grep .)
if [ ${#targets[@]} = 0 ]; then
	echo "fuzz: no target found" >&2
	exit 1
fi

if [ -n "${FUZZTARGETS:-}" ] && [ "${#targets[@]}" -gt "$FUZZTARGETS" ]; then
	turn=$(git rev-list --count HEAD 2>/dev/null || echo 0)
	first=$((turn * FUZZTARGETS % ${#targets[@]}))
	targets=("${targets[@]:first}" "${targets[@]:0:first}")
	targets=("${targets[@]:0:FUZZTARGETS}")
fi

# Each package is built once, with the coverage counters that fuzzing needs.
declare -A binary=()
for target in "${targets[@]}"; do
	read -r pkg _ _ <<<"$target"
	if [ -z "${binary[$pkg]:-}" ]; then
		binary[$pkg]="$work/${#binary[@]}.test"
		go test -c -fuzz=. -o "${binary[$pkg]}" "$pkg"
	fi
done

if [ -n "${FUZZBUDGET:-}" ] && [ $((seconds * ${#targets[@]})) -gt "$FUZZBUDGET" ]; then
	seconds=$((FUZZBUDGET / ${#targets[@]}))
	[ "$seconds" -ge 1 ] || seconds=1
fi

failed=0
for target in "${targets[@]}"; do
	read -r pkg dir name <<<"$target"
	log="$work/log"
	if (cd "$dir" && "${binary[$pkg]}" -test.run='^$' -test.fuzz="^$name\$" -test.fuzztime="${seconds}s" \
		-test.fuzzcachedir="$work/cache/$pkg" -test.timeout=10m) >"$log" 2>&1; then
		execs=$(grep -o 'execs: [0-9]*' "$log" | tail -1 || true)
		printf 'ok    %s %s  %s\n' "$pkg" "$name" "${execs:-its seeds alone: slow to start, give it more time}"
	elif grep -q 'context deadline exceeded' "$log" && ! grep -Eq 'Failing input|panic:|hung or terminated' "$log"; then
		# The toolchain's own race at the end of its time: nothing was found.
		printf 'ok    %s %s  (its time ran out)\n' "$pkg" "$name"
	else
		printf 'FAIL  %s %s\n' "$pkg" "$name"
		cat "$log"
		failed=$((failed + 1))
	fi
done
echo "${#targets[@]} fuzz targets, ${seconds}s each, $failed failed"
[ "$failed" = 0 ]
