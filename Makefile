# setup | serve | test | check | bench | e2e        .ci/run calls the same targets.
# Variables: PYTHON (default: the first Python >= 3.11 found), VENV (.venv), JOBS (test processes, 2),
# RUN (for bench: the fine-tuning run of the bundle, so that both sides have the same weights).

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
JOBS ?= 2

BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --constraint constraints.txt
# On two cores a library's own threads only get in each other's way.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS)

.PHONY: setup serve test coverage check docs bench e2e pins wheel offline
.DELETE_ON_ERROR:

setup: $(VENV)/base ## what serving needs, without torch

serve: $(VENV)/base ## http://127.0.0.1:8000
	$(BIN)/petition serve

test: $(VENV)/dev ## every test; those that need a browser, PostgreSQL or ../shared/data say so where it is missing
	$(PYTEST)

coverage: $(VENV)/dev
	$(PYTEST) --cov --cov-report=term:skip-covered

check: $(VENV)/dev ## style, types, layers, generated pages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m serving.configuration | diff -u docs/configuration.md -
	$(BIN)/python -m nlp.knowledge.render | diff -u docs/knowledge.md -
	$(BIN)/python -m nlp.taxonomy.reference | diff -u docs/labels.md -

docs: $(VENV)/base ## write the generated pages
	$(BIN)/python -m serving.configuration > docs/configuration.md
	$(BIN)/python -m nlp.knowledge.render > docs/knowledge.md
	$(BIN)/python -m nlp.taxonomy.reference > docs/labels.md

bench: $(VENV)/dev ## speed beside a peer in the same run; for a quiet machine
	$(BIN)/python -m bench.runtime $(if $(RUN),--run $(RUN))
	$(BIN)/python -m bench.one_text
	$(BIN)/python -m bench.related 100000
	$(BIN)/python -m bench.load

e2e: $(VENV)/dev ## a real browser before a real server
	$(PYTEST) -m e2e tests/e2e

wheel: $(VENV)/dev ## build it, install it where there is no torch, run every program
	PYTHON=$(BIN)/python deploy/check_wheel.sh

offline: $(VENV)/dev ## build the archive for a machine without network, install it with no index, judge a text
	PYTHON=$(BIN)/python deploy/check_offline.sh

pins: ## resolve constraints.txt anew, in an environment of its own
	deploy/make_pins.sh $(PYTHON)

# The stamps say which set of dependencies the environment holds.
$(VENV)/base: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) --editable .
	@touch $@

$(VENV)/dev: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) --editable '.[train,postgres,telemetry,dev]'
	@touch $@ $(VENV)/base

$(BIN)/python:
	@test -n '$(PYTHON)' || { echo 'Python 3.11 or newer is needed; say which with PYTHON=/path/to/python'; exit 1; }
	$(PYTHON) -m venv $(VENV)
