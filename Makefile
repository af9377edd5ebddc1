# What a person types. Every target works on a fresh Debian machine with Rust; what is missing is installed or named.

# Queries are checked against .sqlx; only `make sqlx` and its check ask a database.
export SQLX_OFFLINE := true

.PHONY: help demo test simulate bench accuracy fuzz advisories setup sqlx

help:
	@echo 'make demo        the village at work, in real mail (ARGS="--fast", "--idle", "--dir D")'
	@echo 'make test        everything a change must pass'
	@echo 'make simulate    two years of a village, 200 times, with faults at every boundary (ARGS="--seed 7")'
	@echo 'make bench       how fast, as a table and as target/bench.json'
	@echo 'make accuracy    how well mail is read, into docs/accuracy.md (SETS=DIR adds sets of your own)'
	@echo 'make fuzz        random and damaged input for all that reads (ARGS="letter html"; FUZZ_MINUTES, FUZZ_SEEDS)'
	@echo 'make advisories  known faults in what we depend on (needs the network)'
	@echo 'make setup       install the servers that tests and demo start for themselves'
	@echo 'make sqlx        write .sqlx anew after a change of a query or of the schema'

demo: setup
	cargo run --release --locked -- demo $(ARGS)

test: setup
	scripts/test

simulate: ARGS ?= --runs 200 --years 2
simulate:
	cargo run --release --locked -- simulate $(ARGS)

bench: setup
	cargo bench --locked $(ARGS)

accuracy:
	ACCURACY_WRITE=1 ACCURACY_SETS='$(abspath $(SETS))' cargo test --locked --test it -- accuracy

fuzz:
	scripts/fuzz $(ARGS)

advisories:
	scripts/deny advisories

setup:
	@scripts/setup

sqlx: setup
	scripts/sqlx write
