# What people run. The work is done by the scripts in tools/.

FUZZTIME  ?= 10s
BENCHTIME ?= 1s
DATA      ?= ../shared/data

.DEFAULT_GOAL := help
.PHONY: help build test lint fuzz bench bench-detection record torture clean

help: ## say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' Makefile

build: ## build bin/vigil, without cgo
	CGO_ENABLED=0 go build -trimpath -o bin/vigil ./cmd/vigil

test: ## run every test with the race detector; installs what they need
	tools/setup.sh
	tools/test.sh

lint: ## check style, mistakes and shell scripts
	tools/lint.sh

fuzz: ## run each fuzz target for FUZZTIME (10s)
	tools/fuzz.sh $(FUZZTIME)

bench: ## speed and memory of a scan of a million events, and the packages' benchmarks
	go run ./tools/bench
	go test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) ./...

bench-detection: ## detection on public data in DATA (../shared/data); writes docs/benchmarks.md
	go run ./tools/benchdetection -data "$(DATA)"

record: ## record the demo's help desk anew (starts PostgreSQL 15 with pgaudit)
	tools/setup.sh
	go run ./internal/demo/record -out internal/demo

torture: ## the long tests: VIGIL_TORTURE=1, up to two hours
	tools/setup.sh
	VIGIL_TORTURE=1 TIMEOUT=2h tools/test.sh

clean: ## remove what was built, tools included
	rm -rf bin .tools
