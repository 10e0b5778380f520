# Everything lives in .venv and viewer/web/node_modules. Only Python >= 3.11 and make are needed; what tests need of
# the operating system (a browser) comes through its package manager, and says so.

.PHONY: help setup demo test drill check test-timescale bench lock clean dev
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/.stamps
WEB := viewer/web
NPM := PATH="$(CURDIR)/$(BIN):$$PATH" npm --prefix $(WEB)
WEB_SOURCES := $(shell find $(WEB) -name node_modules -prune -o -name dist -prune -o -type f -print 2>/dev/null)
# Compiled modules are kept: without them each start of a process takes twice as long.
unexport PYTHONDONTWRITEBYTECODE
# As many test processes as cores; each has a PostgreSQL of its own.
JOBS ?= auto

help:
	@echo "make setup            virtual environment with the command twin, viewer built"
	@echo "make demo             a running server with a sample building (IFC=model.ifc PORT=8000 DATA=folder)"
	@echo "make test             the whole test suite, browser tests included"
	@echo "make check            format, lint, types, import contracts, generated files, then make test"
	@echo "make drill            the long tests: kills, restores, upgrades, floods"
	@echo "make test-timescale   the storage tests on a real TimescaleDB"
	@echo "make bench NAME=ifc   benchmarks, one JSON line per figure"
	@echo "make lock             new lock files"

setup: $(STAMPS)/app $(STAMPS)/passwords $(STAMPS)/viewer

$(STAMPS)/venv: requirements-bootstrap.lock scripts/venv.sh
	@sh scripts/venv.sh $(VENV)
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/app: $(STAMPS)/venv requirements.lock pyproject.toml scripts/install.sh
	@sh scripts/install.sh requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@$(BIN)/python -c 'import api.serve, ifc_models.worker_nursery'  # compiles them, so that the first start is quick
	@touch $@

$(STAMPS)/modules: $(STAMPS)/app $(WEB)/package-lock.json
	@echo "Installing the viewer's packages …"
	@$(NPM) ci --no-audit --no-fund --loglevel=error
	@touch $@

$(STAMPS)/passwords: $(STAMPS)/modules scripts/common_passwords.py
	@$(BIN)/python -m scripts.common_passwords
	@touch $@

$(STAMPS)/viewer: $(STAMPS)/modules $(WEB_SOURCES)
	@echo "Building the viewer …"
	@$(NPM) run --silent build
	@touch $@

# What only tests and checks need.
dev: $(STAMPS)/dev

$(STAMPS)/dev: $(STAMPS)/app requirements-dev.lock
	@sh scripts/install.sh requirements-dev.lock
	@touch $@

$(STAMPS)/browser: $(STAMPS)/dev scripts/browser.sh scripts/broker.sh
	@sh scripts/browser.sh
	@sh scripts/broker.sh
	@touch $@

demo: setup
	@$(BIN)/twin demo $(if $(IFC),--ifc "$(IFC)") $(if $(PORT),--port "$(PORT)") $(if $(DATA),--data "$(DATA)")

test: setup $(STAMPS)/browser
	$(NPM) test --silent
	$(BIN)/pytest -q -n $(JOBS) --max-worker-restart 1 --dist loadfile --no-loadscope-reorder

drill: setup $(STAMPS)/browser
	$(BIN)/pytest -q -m drill --timeout 3600 -o faulthandler_timeout=4000

check: setup dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m scripts.generated --check
	$(NPM) run --silent types:check
	$(NPM) exec --silent --offline -- tsc --noEmit --project $(WEB)
	cd $(WEB) && PATH="$(CURDIR)/$(BIN):$$PATH" npm exec --silent --offline -- eslint . --max-warnings 0
	$(MAKE) --no-print-directory test

test-timescale: setup dev
	$(BIN)/python -m tests.timescale

bench: setup dev
	$(BIN)/python -m tests.benchmarks $(NAME)

lock: $(STAMPS)/dev
	$(BIN)/python -m scripts.lock

clean:
	rm -rf $(VENV) $(WEB)/node_modules $(WEB)/dist
