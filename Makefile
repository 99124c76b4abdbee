# Everything there is to do. CI and the documents name only these targets.

.DEFAULT_GOAL := help
SHELL := /bin/sh

PORT ?= 9000
WATCH_PORT ?= 9002
TARGET := $(or $(CARGO_TARGET_DIR),target)
BIN := $(TARGET)/debug
DATA := tests/data/cdnow-sample.csv

.PHONY: help run demo picture up report verify test soak eval check check-infra check-zones binaries demonstration api \
	check-api check-documents check-requests fuzz-api docs

help: ## list what there is to do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Everything, as the tests need it.
binaries:
	@cargo build --workspace --locked

# What the demonstration runs, without the clients of AWS that the operator's commands need. Libraries are built with the
# same features as for the whole workspace (tests/it/house/packages.rs), so that the tests build none of them anew. Another
# selection would.
demonstration:
	@cargo build --locked -p local -p ctl

# Asking Claude costs money, so the demonstration never does; `make up` does where a key is set.
run demo picture: export ANTHROPIC_API_KEY =

run: demonstration ## start the local stack, load a real purchase log, show what came out, go on serving
	@$(BIN)/local --port $(PORT) --stay -- $(BIN)/demo $(DATA)

demo: demonstration ## the same, and exit
	@$(BIN)/local --port $(PORT) -- $(BIN)/demo $(DATA)

picture: demonstration ## draw infra/demo.svg from what make demo prints
	@$(BIN)/local --port $(PORT) -- $(BIN)/demo $(DATA) | cargo bench --quiet --workspace --locked --profile dev --bench picture

up: demonstration ## start the local stack alone, empty (DYNAMODB_PORT= for make watch)
	@$(BIN)/local --port $(PORT) $(addprefix --dynamodb-port ,$(DYNAMODB_PORT))

URL ?= $(if $(STACK),,http://127.0.0.1:$(PORT))
report: binaries ## print an org's last week in figures (ORG=, URL= or STACK=)
	@$(BIN)/ctl report $(addprefix --stack ,$(STACK)) $(addprefix --url ,$(URL)) --org $(ORG)

verify: binaries ## check every system of a stack, in an org of its own (URL= or STACK=, ORG= to look at one too)
	@$(BIN)/ctl verify $(addprefix --stack ,$(STACK)) $(addprefix --url ,$(URL)) $(addprefix --org ,$(ORG))

# Tests under faults wait for time-outs most of the time, so there are more of them at once than cores.
test: export RUST_TEST_THREADS ?= $(shell expr 2 \* $$(getconf _NPROCESSORS_ONLN))
test: binaries ## run every test
	@rm -f $(TARGET)/debug/deps/api-seen-*
	@REGULARS_SEEN=required cargo test --workspace --locked

soak: binaries ## play 200,000 random operations against the model (SEED=), and the liability of all customers of the purchase log
	@cargo test --workspace --locked --test it -- --ignored --nocapture the_model_agrees_after_many_more \
		every_day_of_the_purchase_log

eval: ## score the purchase log as of a day, and print how good the scores were by the 90 days after
	@cargo bench --quiet --workspace --locked --profile dev --bench eval

api: binaries ## write the API documents from the declarations of the operations
	@$(BIN)/api

check: ## formatting, lints with warnings denied, import rules
	@cargo fmt --all --check
	@cargo clippy --workspace --all-targets --locked -- -D warnings
	@cargo check -p shared --no-default-features --locked
	@cargo test --workspace --locked --test it house::

# The tools are Python's, in an environment of their own that is made anew when their list changes.
TOOLS := $(TARGET)/check-infra
$(TOOLS)/made: tests/infra/requirements.txt
	@python3 -m venv --clear $(TOOLS)
	@$(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check -r tests/infra/requirements.txt
	@touch $@

check-infra: binaries $(TOOLS)/made ## the template, translated too, its exceptions, state machine and pre-traffic check (needs python3)
	@$(TOOLS)/bin/python -m pytest -q -p no:cacheprovider tests/infra
	@$(TOOLS)/bin/python tests/infra/zone_data.py || true

check-zones: $(TOOLS)/made ## whether newer time zone rules are out than the build carries (needs python3)
	@$(TOOLS)/bin/python tests/infra/zone_data.py

# Tools of npm and of Python, each in an environment of its own that is made anew when its list changes.
NODE := $(abspath $(TARGET))/check-api/node
PYTHON := $(abspath $(TARGET))/check-api/python
$(NODE)/made: tests/api/package.json tests/api/package-lock.json tests/api/.npmrc
	@rm -rf $(NODE) && mkdir -p $(NODE) && cp $^ $(NODE)
	@cd $(NODE) && npm ci --silent
	@touch $@

$(PYTHON)/made: tests/api/requirements.txt
	@python3 -m venv --clear $(PYTHON)
	@$(PYTHON)/bin/python -m pip install --quiet --disable-pip-version-check -r tests/api/requirements.txt
	@touch $@

check-api: demonstration ## the API documents: lints, a TypeScript client, every curl line, generated requests (needs npm and python3)
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory check-documents; \
		else echo "the lints of the API documents and the TypeScript client were skipped: there is no npm"; fi
	@if command -v python3 >/dev/null; then $(MAKE) --no-print-directory check-requests; \
		else echo "the curl lines and the generated requests were skipped: there is no python3"; fi

# Commands for a local stack of their own, which calls nothing outside. What the stack prints is left out.
STACK_OF_ITS_OWN = CRON_SECRET=local-secret ANTHROPIC_API_KEY= SLACK_WEBHOOK_URL= AWS_ENDPOINT_URL_DYNAMODB= \
	$(BIN)/local --port 0 -- sh -ec '{ $(1); } >&2' >/dev/null

export REDOCLY_TELEMETRY = off
export REDOCLY_SUPPRESS_UPDATE_NOTICE = true
check-documents: $(NODE)/made
	@cp tests/api/*.mjs tests/api/*.ts tests/api/tsconfig.json $(NODE)
	@$(NODE)/node_modules/.bin/redocly lint --config tests/api/redocly.yaml docs/openapi.json functions/*/openapi.json \
		>$(NODE)/lint 2>&1 || { cat $(NODE)/lint; exit 1; }
	@echo "docs/openapi.json and the document of each function: nothing to complain of"
	@node $(NODE)/asyncapi.mjs docs/asyncapi.json
	@$(NODE)/node_modules/.bin/openapi-typescript docs/openapi.json --redocly tests/api/redocly.yaml \
		--output $(NODE)/openapi.d.ts >$(NODE)/types 2>&1 || { cat $(NODE)/types; exit 1; }
	@$(NODE)/node_modules/.bin/tsc --project $(NODE)
	@$(call STACK_OF_ITS_OWN,node $(NODE)/client.js)
	@$(MAKE) --no-print-directory docs

# The same requests in every run. Those of `make fuzz-api` are others each time.
FUZZ = PYTHONPATH=$(CURDIR)/tests/api PYTHONDONTWRITEBYTECODE=1 $(PYTHON)/bin
GENERATED = $(FUZZ)/python tests/api/calls.py; cd $(PYTHON); $(FUZZ)/st --no-color \
	--config-file $(CURDIR)/tests/api/schemathesis.toml run $(CURDIR)/docs/openapi.json --url "$$REGULARS_URL"
check-requests: $(PYTHON)/made
	@$(call STACK_OF_ITS_OWN,$(BIN)/demo $(DATA) >/dev/null 2>&1; $(PYTHON)/bin/python tests/api/samples.py docs/openapi.json)
	@$(call STACK_OF_ITS_OWN,$(GENERATED) --generation-deterministic --max-examples 30)

EXAMPLES ?= 500
fuzz-api: demonstration $(PYTHON)/made ## send many more generated requests to a local stack (EXAMPLES= of each operation, needs python3)
	@$(call STACK_OF_ITS_OWN,$(GENERATED) --generation-database none --max-examples $(EXAMPLES))

docs: $(NODE)/made ## render the API document to one HTML page that loads nothing (needs npm)
	@mkdir -p $(TARGET)/docs && cp tests/api/docs.mjs $(NODE)
	@node $(NODE)/docs.mjs docs/openapi.json $(TARGET)/docs/index.html
	@echo "$(TARGET)/docs/index.html"

# Every folder of functions/ is one function. The compiler is cargo itself, for the machine's own architecture; another
# ARCH needs its Rust target and CARGO_LAMBDA_COMPILER=cargo-zigbuild. Nothing is ever fetched for it.
FUNCTIONS := $(patsubst functions/%/Cargo.toml,%,$(wildcard functions/*/Cargo.toml))
ARCH ?= $(shell uname -m)
ARCH_OPTION := $(if $(filter aarch64 arm64,$(ARCH)),--arm64,--x86-64)
export CARGO_LAMBDA_COMPILER ?= cargo

.PHONY: build watch invoke bench cargo-lambda
cargo-lambda:
	@cargo lambda --version >/dev/null 2>&1 || { echo "cargo-lambda is missing: pip install cargo-lambda" >&2; exit 1; }

build: cargo-lambda ## build every function for Lambda (ARCH=x86_64 or arm64), and print the sizes
	@cargo lambda build --release --locked $(ARCH_OPTION) --skip-target-check $(addprefix -p ,$(FUNCTIONS))
	@for function in $(FUNCTIONS); do printf '%-22s %10s bytes\n' "$$function" \
		"$$(wc -c < "$(TARGET)/lambda/$$function/bootstrap" | tr -d ' ')"; done

# The same functions as processes of their own, under cargo-lambda's stand-in for Lambda, on the table of `make up`.
watch: cargo-lambda ## beside make up: run every function under cargo lambda watch, on its table (DYNAMODB_PORT= of make up)
	@test -n "$(DYNAMODB_PORT)" || { echo "make watch needs the DYNAMODB_PORT that make up was given" >&2; exit 1; }
	@TABLE_NAME=regulars AWS_ENDPOINT_URL_DYNAMODB=http://127.0.0.1:$(DYNAMODB_PORT) \
		CRON_SECRET="$${CRON_SECRET:-local-secret}" \
		cargo lambda watch --invoke-address 127.0.0.1 --invoke-port $(WATCH_PORT)

# What was given, before `make invoke` has a function of its own choice.
GIVEN_FUNCTION := $(FUNCTION)
OF_STACK := $(addprefix --stack ,$(STACK))

FUNCTION ?= back-office
PAYLOAD ?= {"operation":"listOrgs"}
export PAYLOAD
invoke: cargo-lambda ## beside make watch: call a FUNCTION with a PAYLOAD
	@cargo lambda invoke --invoke-address 127.0.0.1 --invoke-port $(WATCH_PORT) $(FUNCTION) --data-ascii "$$PAYLOAD"

# What is done to a deployed stack: STACK is its name, regulars unless told. What is deployed is named in samconfig.toml.
.PHONY: deploy jobs rollback redrive logs
deploy: binaries ## build every function and deploy an environment of samconfig.toml (ENV=staging or production; ANEW=1)
	@$(BIN)/ctl deploy $(ENV) $(if $(ANEW),--anew)

DO ?= list
jobs: binaries ## a deployed stack's jobs (DO=list, run, pause or resume; JOB=, STACK=)
	@$(BIN)/ctl jobs $(DO) $(JOB) $(OF_STACK)

rollback: binaries ## set every function of a deployed stack, or one, back to the version before (FUNCTION=, STACK=)
	@$(BIN)/ctl rollback $(GIVEN_FUNCTION) $(OF_STACK)

redrive: binaries ## replay the calls that a function of a deployed stack failed (FUNCTION=, STACK=)
	@$(BIN)/ctl redrive $(GIVEN_FUNCTION) $(OF_STACK)

logs: binaries ## print the log lines of a function of a deployed stack (FUNCTION=, SINCE=3h, STACK=)
	@$(BIN)/ctl logs $(GIVEN_FUNCTION) $(addprefix --since ,$(SINCE)) $(OF_STACK)

BUILDS ?= $(TARGET)/lambda
bench: build ## measure cold starts of what make build made, or of other BUILDS, and what jobs and the churn model cost as data grows
	@cargo bench --workspace --locked --profile dev --bench cold_start -- $(BUILDS)
	@cargo bench --workspace --locked --profile dev --bench due_index
	@cargo bench --workspace --locked --profile dev --bench sweep
	@cargo bench --workspace --locked --profile dev --bench claude
	@cargo bench --locked -p shared --no-default-features --bench churn_model
