# Tags: X11 only, as touch is dead on native Wayland (x11, migrated_fynedo);
# full-text search in SQLite (sqlite_fts5).
export GOFLAGS := -tags=x11,migrated_fynedo,sqlite_fts5 -buildvcs=false
export CGO_ENABLED := 1
SHELL := /bin/bash

# Every package but the end-to-end tests, which want the machine to themselves.
units = $$(go list ./... | grep -v '^parvis/e2e')

# The end-to-end tests, but for those that need a whole Debian or an emulator and
# have a target of their own.
driven = $$(go list ./e2e/... | grep -vE '/(image|packages)$$')

.DEFAULT_GOAL := help
.PHONY: image imagetest help run test unit e2e packages deb bench scale lint build screens fuzz deps clean

help: ## list what make can do
	@echo "Parvis. The two to start with: make run, make test."
	@sed -n 's/^\([a-z0-9]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

run: build ## try a borne with a demo site and a desk of simulated devices (SECONDS=20 stops by itself)
	@sh packaging/run-demo.sh "$(SECONDS)"

test: deps lint unit e2e ## install what is missing, then every check and test

unit: deps ## the tests of single packages
	go test $(units)

e2e: build ## drive the real program in a virtual screen, by touch and by keypad
	go test -count=1 -p=2 -timeout=20m $(driven)

deb: deps ## build the Debian packages into dist/, for amd64 and arm64 (VERSION=1.2.3; else git tells it)
	@rm -rf dist
	go run ./packaging/deb --arch=amd64,arm64 $(if $(VERSION),--version=$(VERSION))
	lintian --fail-on=error --tag-display-limit=0 dist/*.deb

packages: deps ## install, enrol, upgrade, break and purge the packages on a fresh Debian 12 (needs root)
	go test -count=1 -v -timeout=30m ./e2e/packages ./packaging/deb

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
	PARVIS_SCREENS=$(CURDIR)/docs/screens go test -count=1 -timeout=10m ./hub/console

scale: build ## measure how many bornes a hub bears here, on both databases (15 minutes)
	sh packaging/measure-scale.sh sqlite 1000 10000
	sh packaging/measure-scale.sh postgres 1000 10000

FUZZTIME ?= 1m
fuzz: deps ## run each fuzz target for FUZZTIME (1m)
	@grep -rlE '^func Fuzz' --include='*_test.go' . | while read -r file; do \
		for target in $$(sed -nE 's/^func (Fuzz[A-Za-z0-9_]*).*/\1/p' "$$file"); do \
			echo "$$file: $$target"; \
			go test -run='^$$' -fuzz="^$$target\$$" -fuzztime=$(FUZZTIME) "$$(dirname "$$file")" || exit 1; \
		done; \
	done

IMAGE ?= dist/parvis-borne.raw
image: ## build the disk image of a borne, IMAGE (as root; HUB= and APT_KEY= make it a city's own)
	go run ./packaging/deb --package=parvis-borne --out=run/image/deb
	sh packaging/image/make-image.sh "$$(ls -t run/image/deb/parvis-borne_*_amd64.deb | head -n 1)" $(IMAGE)

# Screenshots and what the machines said go to run/image. CUTS is how often the
# power is cut in a first boot, and in an update; SEED repeats a run's choices.
imagetest: build ## start a disk image in an emulator: first boot, enrolment, update, power cuts (hours)
	go run ./packaging/deb --package=parvis-borne --version=1.0.0 --out=run/image/deb
	go run ./packaging/deb --package=parvis-borne --version=1.1.0 --out=run/image/deb
	sh packaging/image/make-image.sh run/image/deb/parvis-borne_1.0.0_amd64.deb run/image/test.raw
	PARVIS_IMAGE=$(CURDIR)/run/image PARVIS_CUTS=$(CUTS) PARVIS_SEED=$(SEED) go test -count=1 -v -timeout=24h ./e2e/image

deps: ## install the Debian packages that are missing
	@sh packaging/install-build-deps.sh

clean: ## remove what make has made
	rm -rf bin dist run
