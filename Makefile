# `make` lists what there is. Every target does its own set-up.

# Always --workspace: with -p, cargo would choose other features for shared dependencies and compile them again.
XTASK := target/debug/xtask

# Queries are checked against .sqlx: no database is needed to compile.
export SQLX_OFFLINE := true

.DEFAULT_GOAL := help
.PHONY: help run test bench fuzz lint openapi prepare xtask

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

run: ## installs PostgreSQL if it is missing, builds, and starts everything; Ctrl-C stops it
	@scripts/provide postgresql
	@cargo build --release --bin reservas
	@exec target/release/reservas all

test: ## runs every test against a PostgreSQL, a Redis, an SMTP server, OpenID providers, push services and vendors of messages of its own
	@scripts/provide postgresql redis smtp curl oidc push vendors
	@cargo build --workspace --all-targets
	@$(XTASK) with-servers cargo test --workspace

bench: ## loads the booking service and the gateway, with baselines in the same run; prints tables (docs/performance.md)
	@scripts/provide postgresql nginx
	@cargo build --release --bin reservas --bin reservas-gateway --bin bench
	@target/release/bench

# cargo-fuzz wants flags that a stable compiler takes only this way; nothing but the fuzz targets is built with them.
FUZZ_SECONDS := 60
fuzz: ## looks for route files and paths that break the gateway (cargo install cargo-fuzz)
	@cd crates/gateway && for target in route_file path; do \
		mkdir -p fuzz/corpus/$$target; \
		RUSTC_BOOTSTRAP=1 cargo fuzz run --sanitizer none $$target fuzz/corpus/$$target fuzz/seeds/$$target -- \
			-max_total_time=$(FUZZ_SECONDS) -timeout=10 -max_len=65536 || exit 1; \
	done

lint: xtask ## formatting, clippy, and the rules of ARCHITECTURE.md
	@cargo fmt --all --check
	@$(XTASK) layers
	@$(XTASK) sizes
	@$(XTASK) deps
	@cargo clippy --workspace --all-targets -- -D warnings

openapi: ## writes openapi/ anew from the code
	@cargo run --bin reservas -- openapi --write

prepare: xtask ## writes .sqlx anew from the migrations and the queries
	@scripts/provide postgresql
	@$(XTASK) prepare

xtask:
	@cargo build --workspace --bin xtask
