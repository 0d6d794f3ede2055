# Everything a user or a change needs; `make help` lists it.
# Paths in here are relative, so that a clone may lie in a folder with a space in its name.
.DEFAULT_GOAL := help
.PHONY: help run test check bench soak eval clean
.DELETE_ON_ERROR:

PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python3)
PY := .venv/bin/python
# Modules are compiled when first used: that takes a quarter off the installation.
PIP := $(PY) -m pip --disable-pip-version-check --quiet install --no-compile
ARGS ?=

help: ## list these commands
	@grep -E '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 16

run: .venv/.stamp-run ## start LogStream with demo traffic; more options in ARGS="--port 8100"
	@exec $(PY) -m logstream up --demo $(ARGS)

test: .venv/.stamp-dev ## everything: checks, then all tests, browser and fault tests included
	@scripts/test

check: .venv/.stamp-dev ## format, lint, types, imports, then the fast tests
	@scripts/check
	$(PY) -m pytest -q tests/unit tests/contract

bench: .venv/.stamp-dev ## measure, and print the ratios of the budgets
	@$(PY) -m scripts.bench.run $(ARGS)

soak: .venv/.stamp-dev ## kill, hang and fill for long under load, then count; ARGS="--rounds 200"
	@$(PY) -m scripts.soak.run $(ARGS)

eval: ## measure the quality of answers
	@if ls scripts/eval/*.py >/dev/null 2>&1; then \
	  $(MAKE) --no-print-directory .venv/.stamp-dev && \
	  for script in scripts/eval/*.py; do $(PY) "$$script" || exit 1; done; \
	else echo "nothing to evaluate yet: scripts/eval/ holds no script"; fi

clean: ## remove the virtual environment and caches; stored logs (.logstream) stay
	rm -rf .venv .clients .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.stamp-venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "LogStream needs Python 3.11 or newer; '$(PYTHON)' is not. Name one: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "Python's venv module is missing; install it first (Debian and Ubuntu: apt-get install python3-venv)" >&2; exit 1; }
	@$(PYTHON) -m venv .venv
	@touch $@

.venv/.stamp-run: .venv/.stamp-venv requirements.txt pyproject.toml
	@echo "installing LogStream's packages (once)"
	@$(PIP) -r requirements.txt
	@$(PIP) --no-deps -e .
	@touch $@

.venv/.stamp-dev: .venv/.stamp-run requirements-dev.txt
	@echo "installing what the tests need (once)"
	@$(PIP) -r requirements-dev.txt
	@touch $@
