# Siaga: `make run` starts everything with a simulated city, `make test` tests everything.
#
# Needs Python 3.11 or later, and nothing else: Node comes from a wheel where the PATH has none.
# What is up to date is not made again; a changed pyproject.toml, constraints.txt, package-lock.json
# or source of the web map is noticed.

SHELL := /bin/sh
.DELETE_ON_ERROR:
.PHONY: run test lint format check web bench pins clean help

PYTHON ?= $(shell .ci/python)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
NPM := .ci/with-node npm --prefix web_map
ARGS ?=
# Tests wait more than they work: two at a time take half the time. A file's tests stay
# together, for they share its servers.
WORKERS ?= 2

WEB_SOURCES := $(shell find web_map/src web_map/public web_map/index.html web_map/*.json \
	web_map/*.ts web_map/*.js 2>/dev/null)
# Git doesn't keep times, but a stamp is always newer than the files that it was made from.
RUN_STAMP := .venv/.stamps/run
TEST_STAMP := .venv/.stamps/test
NODE_STAMP := web_map/node_modules/.stamp
WEB := web_map/dist/index.html

help:
	@echo 'make run      install and start the whole system with a simulated city (Ctrl-C stops it)'
	@echo 'make test     install what tests need, check and test everything (ARGS="-k live" chooses,'
	@echo '              WORKERS=0 tests one after another)'
	@echo 'make lint     formatting, lint and types only'
	@echo 'make format   put all sources into the house format'
	@echo 'make bench    measure capture to map on this machine'
	@echo 'make pins     write constraints.txt anew from what is installed in .venv'
	@echo 'make clean    remove everything that was installed or built (keeps data/)'

run: $(RUN_STAMP) $(WEB)
	@exec $(BIN)/siaga demo $(ARGS)

# The types take as long as all that Node does. Pytest comes last: its closing line is the run's.
test:
	@$(MAKE) --no-print-directory -j 2 lint check web
	.ci/chromium
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

lint: $(TEST_STAMP) $(NODE_STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(NPM) run --silent lint

check: $(NODE_STAMP)
	$(NPM) run --silent check
	$(NPM) test --silent

format: $(TEST_STAMP) $(NODE_STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(NPM) run --silent format

web: $(WEB)

bench: $(RUN_STAMP)
	$(BIN)/siaga bench feed $(ARGS)

pins: $(TEST_STAMP)
	$(BIN)/python .ci/pins.py constraints.txt

clean:
	rm -rf .venv .node web_map/node_modules web_map/dist *.egg-info
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(BIN)/python:
	$(PYTHON) -m venv .venv

$(RUN_STAMP): pyproject.toml constraints.txt | $(BIN)/python
	@echo 'Installing Siaga into .venv (about a minute the first time) ...'
	@mkdir -p $(@D)
	$(PIP) install --quiet --constraint constraints.txt --editable .
	@touch $@

# It brings what running needs, too.
$(TEST_STAMP): pyproject.toml constraints.txt | $(BIN)/python
	@echo 'Installing Siaga and what tests need into .venv (about a minute the first time) ...'
	@mkdir -p $(@D)
	$(PIP) install --quiet --constraint constraints.txt --editable '.[test]'
	@touch $(RUN_STAMP) $@

$(NODE_STAMP): web_map/package.json web_map/package-lock.json | $(BIN)/python
	@echo 'Installing what the web map is built with ...'
	$(NPM) ci --loglevel=error --no-audit --no-fund
	@touch $@

$(WEB): $(NODE_STAMP) $(WEB_SOURCES)
	@echo 'Building the web map ...'
	$(NPM) run --silent build
	@touch $@
