# Everything there is to do. CI and the documents name only these targets.

.DEFAULT_GOAL := help
SHELL := /bin/sh

PORT ?= 9000
BIN := target/debug
DATA := tests/data/cdnow-sample.csv

.PHONY: help run up demo test check

help: ## list what there is to do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Always the whole workspace: another selection would build the dependencies anew, with other features.
.PHONY: binaries
binaries:
	@cargo build --workspace

run: binaries ## start the local stack, load a real purchase log, show what came out, go on serving
	@$(BIN)/local --port $(PORT) --stay -- $(BIN)/ctl demo $(DATA)

demo: binaries ## the same, and exit
	@$(BIN)/local --port $(PORT) -- $(BIN)/ctl demo $(DATA)

up: binaries ## start the local stack alone, empty
	@$(BIN)/local --port $(PORT)
