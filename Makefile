# Plazo: every command a person needs. `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: help setup run test test-postgresql lint types fmt demo bench manual mutations faults faults-long faults-kills faults-channels record-histories screenshots lock licences sbom audit

help: ## list these targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

setup: $(READY) ## build .venv from the hash-pinned lock (once per change of the lock)

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Plazo needs Python 3.11 or newer; name one with: make setup PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

run: $(READY) ## start everything on embedded parts: Temporal and its UI, database, worker, web, mailroom
	@exec $(BIN)/plazo run

test: $(READY) ## all tests, with branch coverage of the rules and the workflow
	$(BIN)/pytest -n 2 --dist loadfile --cov --cov-report=term

test-postgresql: $(READY) ## all tests, their records in a PostgreSQL that they start themselves
	$(BIN)/pytest -n 2 --dist loadfile --records=postgresql

lint: $(READY) ## ruff and the arrows between packages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(READY) ## mypy, strict
	$(BIN)/mypy

fmt: $(READY) ## format the code
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

demo: $(READY) ## one complaint's whole life, told as a story, in a few seconds
	@$(BIN)/plazo demo

bench: $(READY) ## measure, print the table, write it as JSON
	$(BIN)/python -m bench

manual: $(READY) ## each rule of the manual, the tests that show it, pass or fail
	$(BIN)/python -m tests.manual

faults: $(READY) ## the fault experiments at a tenth, with one seed, in two towns: some minutes
	$(BIN)/python -m tests.faults.experiments --seed 1 --scale 0.1

faults-long: $(READY) ## the same at full size and the trial of kills, with new seeds, for an hour
	$(BIN)/python -m tests.faults.experiments --scale 1 --hours 1

faults-kills: $(READY) ## kill worker, web and Temporal 30 times each under a load and count what was kept
	$(BIN)/python -m tests.faults --kills 30

faults-channels: $(READY) ## all channels at once while Temporal is away and processes are killed: 1,000 messages
	$(BIN)/python -m tests.faults.channels

mutations: $(READY) ## break each rule on purpose and see its tests turn red
	$(BIN)/python -m tests.mutations

record-histories: $(READY) ## record new workflow histories for the replay tests
	$(BIN)/python -m tests.replay.record

screenshots: $(READY) ## pictures of Temporal's UI for docs/
	$(BIN)/python -m docs.screenshots

lock: $(READY) ## resolve requirements.in and requirements-otel.in into requirements.lock, with hashes and no index addresses
	$(PYTHON) -m venv .venv/lock
	.venv/lock/bin/pip install --quiet --disable-pip-version-check uv
	.venv/lock/bin/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --upgrade --output-file requirements.lock requirements.in requirements-otel.in
	rm -rf .venv/lock

licences: $(READY) ## write docs/licences.md: every package of the lock and its licence
	$(BIN)/python -m deploy.supply licences

sbom: $(READY) ## write build/sbom.json: the bill of materials, in CycloneDX
	$(BIN)/python -m deploy.supply sbom

audit: $(READY) ## look the lock's packages up among the known vulnerabilities
	$(PYTHON) -m venv .venv/audit
	.venv/audit/bin/pip install --quiet --disable-pip-version-check pip-audit
	.venv/audit/bin/pip-audit --disable-pip --require-hashes --strict --requirement requirements.lock
	rm -rf .venv/audit
