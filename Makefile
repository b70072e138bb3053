# Everything from a fresh clone: python3 (3.11 or later) with venv, and make. `make help` lists what there is.

PYTHON ?= python3
VENV := .venv
PREFIX ?= /opt/crowdd
BIN := $(VENV)/bin
PIP := PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt $(BIN)/python -m pip --quiet --disable-pip-version-check
STEPS := $(BIN)/python scripts/steps.py

LINT := 'ruff check: $(BIN)/ruff check .' \
	'ruff format: $(BIN)/ruff format --check .' \
	'mypy: $(BIN)/mypy' \
	'pyright: $(BIN)/pyright --pythonpath $(BIN)/python' \
	'lint-imports: $(BIN)/lint-imports'

# Whole files side by side, in their order: the long ones come early. More than four would be four browsers.
SIDE_BY_SIDE := -n auto --maxprocesses=4 --dist=loadfile --no-loadscope-reorder

.PHONY: help demo demo-remote test lint bench docs reference journals install-systemd wheel clean
.DEFAULT_GOAL := help

help: ## say what can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

demo: $(VENV)/.runtime ## watch a real task run: daemon, router, simulated workers, accuracy at the end
	@$(BIN)/crowdd demo

demo-remote: $(VENV)/.runtime ## the same with daemon and router as two services, as root two users
	@$(BIN)/python scripts/demo_remote.py

test: $(VENV)/.test ## everything that must hold: style, types, import rules, all tests
	@scripts/provide.sh
	@$(STEPS) --keep-going $(LINT) 'pytest: $(BIN)/pytest $(SIDE_BY_SIDE)'

lint: $(VENV)/.test ## style, types and import rules only
	@$(STEPS) --keep-going $(LINT)

bench: $(VENV)/.test ## measure all rows of benchmarks/ beside their baselines; needs a quiet machine and half an hour
	@$(BIN)/python -m benchmarks

docs: $(VENV)/.docs ## build the documentation, build/docs/docs/README.html; what is broken is an error
	@$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going -c docs -d build/docs-pages . build/docs
	@echo build/docs/docs/README.html

reference: $(VENV)/.test ## write the generated pages of docs/reference anew, after commands or options changed
	@$(BIN)/python scripts/reference.py
	@UPDATE_GOLDEN=1 $(BIN)/pytest --quiet tests/client/test_golden.py

journals: $(VENV)/.test ## record the journals of live work anew, after their form was changed on purpose
	@$(BIN)/python -m tests.journals.record

install-systemd: ## as root: install daemon and router as services (PREFIX=/opt/crowdd); starts nothing
	@PYTHON=$(PYTHON) scripts/install_systemd.sh $(PREFIX)

wheel: $(VENV)/.runtime ## build dist/crowdd-*.whl
	@rm -rf dist
	@$(PIP) wheel --no-deps --wheel-dir dist .
	@ls dist/crowdd-*.whl

clean: ## remove what was made here, the environment too; kept data (crowdd-data) stays
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "crowdd needs Python 3.11 or later; name one: make PYTHON=python3.12 ...")'
	@echo "Making $(VENV) (once) ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(VENV)/.runtime: $(VENV)/.made pyproject.toml constraints.txt src/crowdd/__init__.py
	@echo "Installing crowdd and what it needs into $(VENV) ..."
	@$(PIP) install --editable .
	@touch $@

$(VENV)/.test: $(VENV)/.runtime
	@echo "Installing what the tests need into $(VENV) ..."
	@$(PIP) install --editable '.[test,docs]'
	@touch $@

$(VENV)/.docs: $(VENV)/.runtime
	@echo "Installing what the documentation is built with into $(VENV) ..."
	@$(PIP) install --editable '.[docs]'
	@touch $@
