# One line per task; `make` lists them. Nothing here is needed to use Signet: go build ./cmd/signet does.

VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
FUZZTIME ?= 20s

# One PostgreSQL server for all packages, for as long as the command runs.
WITH_POSTGRES = go run ./storage/storagetest/postgrestest/run --

# The race detector is C code. Where CI is set the tests fail rather than do without it.
RACE = $$({ command -v "$$(go env CC)" || [ -n "$$CI" ]; } >/dev/null && echo -race)

.PHONY: help test deps vet build demo bench fuzz lint fmt

help: ## List the tasks
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

test: deps vet ## Install what the tests need, then vet and test on SQLite and PostgreSQL
	$(WITH_POSTGRES) go test $(RACE) ./...

deps: ## Install what the tests need from Debian's packages, and say what is missing
	@bash -euo pipefail -c "$$DEPS"

vet: ## Let the compiler and go vet look at everything
	go vet ./...

build: ## Make ./signet, one static binary
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o signet ./cmd/signet

demo: ## Start the demo: server, a third-party app and a microservice
	go run ./cmd/signet demo

bench: ## Run every benchmark, with allocations
	$(WITH_POSTGRES) go test -run '^$$' -bench . -benchmem ./...

fuzz: ## Run every fuzz target for FUZZTIME (20s)
	@bash -euo pipefail -c "$$FUZZ"

lint: vet ## Check formatting, vet, and golangci-lint if it is installed
	@bash -euo pipefail -c "$$LINT"

fmt: ## Format every Go file
	gofmt -s -w .

# need PROGRAM PACKAGES CONSEQUENCE: what is missing is installed where this user may, else named with what follows.
define DEPS
PATH=$$PATH:/usr/sbin:/sbin
apt=
if command -v apt-get >/dev/null; then
	if [ "$$(id -u)" = 0 ]; then apt="env DEBIAN_FRONTEND=noninteractive apt-get"
	elif sudo -n true 2>/dev/null; then apt="sudo -n env DEBIAN_FRONTEND=noninteractive apt-get"
	fi
fi
updated=

have() {
	command -v "$$1" >/dev/null && return
	for folder in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql*/bin /usr/local/opt/postgresql*/bin; do
		[ -x "$$folder/$$1" ] && return
	done
	return 1
}

install() {
	[ -n "$$apt" ] || return 1
	[ -n "$$updated" ] || $$apt update -qq || echo "deps: the package lists could not be updated; trying with the old ones" >&2
	updated=yes
	$$apt install -qq -y --no-install-recommends "$$@" >/dev/null
}

need() {
	have "$$1" && return
	echo "deps: $$1 is missing, Debian's packages for it: $$2"
	if install $$2 && have "$$1"; then return; fi
	echo "deps: MISSING $$1 (could not install $$2): $$3" >&2
}

need gcc      "gcc libc6-dev"               "the tests run without the race detector; with CI set they fail"
need initdb   "postgresql"                  "every test on PostgreSQL is skipped; with CI set it fails"
need chromium "chromium fonts-liberation"   "every test in a real browser is skipped; with CI set it fails"
need nginx    "nginx"                       "every test behind nginx is skipped; with CI set it fails"
need caddy    "caddy"                       "every test behind Caddy is skipped; with CI set it fails"
endef
export DEPS

define FUZZ
grep -rHoE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' . | while IFS=: read -r file target; do
	go test -run '^$$' -fuzz "^$${target#func }\$$" -fuzztime $(FUZZTIME) "$$(dirname "$$file")" </dev/null
done
endef
export FUZZ

define LINT
unformatted=$$(gofmt -s -l .)
if [ -n "$$unformatted" ]; then
	echo "not formatted, run make fmt: $$unformatted" >&2
	exit 1
fi
if command -v golangci-lint >/dev/null; then
	golangci-lint run
else
	echo "lint: golangci-lint is not installed; only gofmt and go vet have looked"
fi
endef
export LINT
