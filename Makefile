# Each target sets up .venv by itself: all it needs is make and a Python of 3.11 or newer with venv and pip in it.
# PYTHON=/path/to/python picks another one.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest

# Quiet, and the same whatever pip's own configuration says of notices.
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install --constraint constraints.txt

# pyenv and others leave shims that exist and fail, so a Python is one that runs.
FIND_PYTHON = for python in "$(PYTHON)" python3 python3.13 python3.12 python3.11 python3.14 python; do \
	    [ -n "$$python" ] || continue; \
	    "$$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
	    python=; \
	done; \
	[ -n "$$python" ] || { \
	    echo "make: no Python >= 3.11 with venv and ensurepip found: install one (Debian: python3 python3-venv), or give PYTHON=/path/to/python" >&2; \
	    exit 1; \
	}

.PHONY: help
help: ## Show what can be made
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

# A Python that went away, or moved with the folder, leaves an environment that does not run: make it anew.
$(BIN)/python:
	@$(FIND_PYTHON); rm -rf $(VENV); "$$python" -m venv $(VENV)

# The stamps stand for what was installed from these very files.
$(VENV)/product.stamp: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --editable .
	@touch $@

$(VENV)/dev.stamp: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --editable '.[dev,grpc]'
	@touch $@ $(VENV)/product.stamp

.PHONY: demo
demo: $(VENV)/product.stamp ## Run the whole way from credential to accepted span, on this machine alone
	@$(BIN)/otelctl smoke --local
	@$(BIN)/python docs/demo.py

.PHONY: test
test: $(VENV)/dev.stamp ## Run the tests that need Python alone
	$(PYTEST) -m 'not real' --numprocesses auto

.PHONY: real
real: $(VENV)/dev.stamp collector jaeger ## Run the tests against a Collector, Jaeger, nginx, moto and the OTel SDK
	$(PYTEST) tests/real

# Without Go there is neither, and their tests say so when they are skipped (OTELCTL_REQUIRE_REAL=1: when they fail).
.PHONY: collector
collector:
	@if command -v go >/dev/null || [ "$$OTELCTL_REQUIRE_REAL" = 1 ]; then sh tests/real/build_collector.sh >/dev/null; fi

.PHONY: jaeger
jaeger:
	@if command -v go >/dev/null || [ "$$OTELCTL_REQUIRE_REAL" = 1 ]; then sh tests/real/build_jaeger.sh >/dev/null; fi

.PHONY: lint
lint: $(VENV)/dev.stamp ## Check style, types and layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: docs-check
docs-check: $(VENV)/dev.stamp
	$(BIN)/python docs/generate.py --check

.PHONY: check
check: lint docs-check test real ## Check everything

.PHONY: docs
docs: $(VENV)/dev.stamp ## Generate what is generated in docs/ and README.md
	$(BIN)/python docs/generate.py

.PHONY: bench
bench: $(VENV)/dev.stamp ## Measure against named peers
	$(BIN)/python bench/run.py

.PHONY: clean
clean: ## Remove what was made here
	rm -rf $(VENV) .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
