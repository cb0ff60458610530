# The commands a person needs. `make help` lists them.

SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
# A toolchain that rustup has just installed is not on the PATH of an old shell.
export PATH := $(PATH):$(if $(CARGO_HOME),$(CARGO_HOME),$(HOME)/.cargo)/bin

GO_IMAGE ?=
ARGS ?=
no_engine := $(if $(filter-out 0,$(SKIP_ENGINE_TESTS)),--no-engine)

.PHONY: help setup previous-go action-tools demo catalogue recordings test newer-engine campaign bench fuzz fmt

help: ## list these commands
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14

# Only a scenario needs the Go release before; a first demo does not wait for it.
previous-go: setup
	@$(if $(no_engine),:,scripts/go-image --previous >/dev/null)

# Only the tests of real actions need these.
action-tools: setup
	@$(if $(no_engine),:,scripts/action-tools)

setup: ## make this machine ready: Rust, a Docker Engine, a Go image
	@scripts/setup $(no_engine)

demo: ## prove the healthy sample: two fresh runners, one verdict (ARGS="--control" adds to it)
	@scripts/demo $(if $(GO_IMAGE),--go-image '$(GO_IMAGE)') $(ARGS)

catalogue: previous-go ## run every scenario and show which codes it ends in (ARGS="cache-locked --jobs 1" chooses)
	cargo run --quiet -- scenarios run --matrix $(if $(GO_IMAGE),--go-image '$(GO_IMAGE)') $(ARGS)

recordings: previous-go ## record anew what `demo` replays (ARGS="cache-locked" chooses)
	cargo run --quiet -- scenarios run --record recordings $(if $(GO_IMAGE),--go-image '$(GO_IMAGE)') $(ARGS)
	cargo run --quiet -- scenarios run --fixed --record recordings $(if $(GO_IMAGE),--go-image '$(GO_IMAGE)') $(ARGS)

test: previous-go action-tools ## check everything; SKIP_ENGINE_TESTS=1 does without a Docker Engine
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings
	RUSTDOCFLAGS=-Dwarnings cargo doc --no-deps
	cargo test

newer-engine: setup ## hold the engine's contract on a newer Docker Engine, too (SUITE=sid IMAGE_STORE=containerd)
	scripts/newer-engine cargo test --test engine_contract docker

campaign: previous-go ## kill runs at random moments and count what the next start leaves (CAMPAIGN_KILLS=25 of each kind)
	cargo test --test campaign

bench: setup ## measure the reading of logs beside grep, and inject and extract beside cp -a and cp in RUN
	cargo bench --bench logs
	cargo bench --bench carry

fuzz: ## fuzz the reader, with any bytes and with logs made to fool it, five minutes each (FUZZ_SECONDS)
	scripts/fuzz

fmt: ## format the code
	cargo fmt
