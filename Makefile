# What a person types. Every target does its own set-up; `make help` lists them.
# Needed beforehand: Python 3.11, 3.12 or 3.13 with venv, make and git.

ROM_HOME ?= rom-home
PYTEST_ARGS ?=
TEST_WORKERS ?= 2
WEB_PORT ?= 3000

VENV := .venv
PY := $(VENV)/bin/python
ROM := $(PY) -m pipelines.cli --home "$(ROM_HOME)"
PIP := $(PY) -m pip --disable-pip-version-check
UV ?= uv

export DAGSTER_DISABLE_TELEMETRY := 1

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev run test test-long mutate check format bench dev docs lock clean

help: ## list the targets
	@echo 'MBT-ROM: routine outcome monitoring for MBT programmes'
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo
	@echo '  ROM_HOME=FOLDER  where the data live (now: $(ROM_HOME))'
	@echo '  MODULE=NAME      with mutate: only this module (scoring, valuation)'
	@echo '  PYTHON=COMMAND   which Python makes the environment (3.11, 3.12 or 3.13)'

# The environment. A stamp inside it says from which lock file it was last filled, so nothing is done twice.

$(PY):
	@sh scripts/make-venv "$(PYTHON)" $(VENV)

$(VENV)/.for-running: requirements.lock pyproject.toml | $(PY)
	@echo 'Installing what the system needs from requirements.lock: one to three minutes, once ...'
	@$(PIP) install --quiet --require-hashes -r requirements.lock
	@$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.for-testing: requirements-dev.lock $(VENV)/.for-running
	@echo 'Installing what the tests need from requirements-dev.lock: about a minute, once ...'
	@$(PIP) install --quiet --require-hashes -r requirements-dev.lock
	@touch $@

setup: $(VENV)/.for-running ## make .venv and fill it from requirements.lock

setup-dev: $(VENV)/.for-testing ## the same, with what tests and checks need

run: setup ## synthetic consortium in, nightly run, site out
	@ROM_HOME="$(ROM_HOME)" PYTHON="$(PY)" sh scripts/run-demo

test: setup-dev ## all tests but the long ones (under ten minutes on two cores)
	$(PY) -m pytest -n $(TEST_WORKERS) -m "not long" $(PYTEST_ARGS)

test-long: setup-dev ## the long tests, with a wide search for counterexamples
	HYPOTHESIS_PROFILE=long $(PY) -m pytest -n $(TEST_WORKERS) $(PYTEST_ARGS)

mutate: setup-dev ## change the scoring in small ways and see what the tests notice (hours)
	@PYTHON="$(PY)" WORKERS="$(TEST_WORKERS)" sh scripts/mutate $(MODULE)

check: setup-dev ## format, lint, types, import contracts
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports

format: setup-dev ## put the code in order
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

bench: setup-dev ## timings side by side, as ratios
	$(PY) -m benchmarks.run

dev: setup ## Dagster's web page and daemon on the home (stop with Ctrl-C)
	@ROM_HOME="$(ROM_HOME)" PYTHON="$(PY)" WEB_PORT="$(WEB_PORT)" sh scripts/dev

docs: setup ## write the generated pages anew
	@PYTHON="$(PY)" sh scripts/generate

lock: ## renew both lock files (needs uv)
	UV="$(UV)" sh scripts/lock

clean: ## remove environment, caches and build products; never a home
	rm -rf $(VENV) build dist mutants *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
