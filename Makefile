# Tags: X11 only, as touch is dead on native Wayland (x11, migrated_fynedo);
# full-text search in SQLite (sqlite_fts5).
export GOFLAGS := -tags=x11,migrated_fynedo,sqlite_fts5 -buildvcs=false
export CGO_ENABLED := 1
SHELL := /bin/bash

# Every package but the end-to-end tests, which want the machine to themselves.
units = $$(go list ./... | grep -v '^parvis/e2e')

.DEFAULT_GOAL := help
.PHONY: help run test unit e2e bench lint build screens fuzz deps clean

help: ## list what make can do
	@echo "Parvis. The two to start with: make run, make test."
	@sed -n 's/^\([a-z0-9]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

run: build ## try a borne with a demo site and a desk of simulated devices (SECONDS=20 stops by itself)
	@sh packaging/run-demo.sh "$(SECONDS)"

test: deps lint unit e2e ## install what is missing, then every check and test

unit: deps ## the tests of single packages
	go test $(units)

e2e: build ## drive the real program in a virtual screen, by touch and by keypad
	go test -count=1 -p=1 -timeout=10m ./e2e/...

bench: build ## measure the speeds Parvis promises, and print them
	go test -run='^$$' -bench=. -benchmem $(units)
	go test -run='^$$' -bench=. -p=1 -timeout=30m ./e2e/...

lint: deps ## gofmt, go vet, staticcheck, govulncheck
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "not gofmt'ed:"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	go tool staticcheck ./...
	@bash .ci/vulnerabilities

build: deps ## build every program into bin/
	@mkdir -p bin
	go build -o bin/ ./cmd/...

screens: build ## draw all pages anew into docs/screens
	PARVIS_SCREENS=$(CURDIR)/docs/screens go test -count=1 -timeout=30m -run='^TestScreens$$' ./e2e

FUZZTIME ?= 1m
fuzz: deps ## run each fuzz target for FUZZTIME (1m)
	@grep -rlE '^func Fuzz' --include='*_test.go' . | while read -r file; do \
		for target in $$(sed -nE 's/^func (Fuzz[A-Za-z0-9_]*).*/\1/p' "$$file"); do \
			echo "$$file: $$target"; \
			go test -run='^$$' -fuzz="^$$target\$$" -fuzztime=$(FUZZTIME) "$$(dirname "$$file")" || exit 1; \
		done; \
	done

deps: ## install the Debian packages that are missing
	@sh packaging/install-build-deps.sh

clean: ## remove what make has made
	rm -rf bin run
