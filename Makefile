# make demo    a site with two stores, people and running flows, at http://localhost:8000/
# make test    everything that must pass before a change lands
# Both need Python 3.11 or newer (with its venv module) and make, and nothing else.

PORT ?= 8000
SIMULATOR_PORT ?= $(shell expr $(PORT) + 89)
VENV ?= .venv
BIN := $(VENV)/bin
SOURCES := smsflow_plugin integrations admin_panels smsflow_site tests manage.py

# the newest of the interpreters that are new enough; PYTHON=… chooses another
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3.14 python3 python; do \
	"$$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 \
	&& { echo "$$python"; break; }; done)

DEMO_ENV := SMSFLOW_DEMO=1 PORT=$(PORT) SMSFLOW_SIMULATOR_URL=http://127.0.0.1:$(SIMULATOR_PORT)
DEMO_STATIC := $(shell find smsflow_plugin integrations admin_panels -path '*/static/*' -type f 2>/dev/null)
DEMO_MIGRATIONS := $(shell find smsflow_plugin integrations admin_panels -path '*/migrations/*.py' 2>/dev/null)
STAGED := build/lint
SAY := @printf '\n%s\n'

.DEFAULT_GOAL := help
.PHONY: help python-name demo test lint format bench lock clean check-python staged
.DELETE_ON_ERROR:

help:
	@sed -n 's/^# //p' Makefile | head -3
	@printf 'make lint, format, bench, lock (requirements), clean\n'

# The virtualenvs ---------------------------------------------------------------------------

check-python:
	@if [ -z "$(PYTHON)" ]; then \
		echo "No Python 3.11 or newer with its venv module was found."; \
		echo "Install one (on Debian and Ubuntu also its package python3-venv) or name it: make PYTHON=/path/to/python3 …"; \
		exit 1; \
	fi

python-name: check-python
	@echo "$(PYTHON)"

$(BIN)/python: | check-python
	$(SAY) "Making the virtualenv $(VENV) with $(PYTHON) …"
	@"$(PYTHON)" -m venv $(VENV)

$(VENV)/demo.stamp: requirements/demo.txt pyproject.toml | $(BIN)/python
	$(SAY) "Installing what the site runs on (about a minute) …"
	@$(BIN)/python tools/install.py requirements/demo.txt
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt $(VENV)/demo.stamp
	$(SAY) "Installing what the tests need (about a minute) …"
	@$(BIN)/python tools/install.py requirements/dev.txt
	@touch $@

# The demo ----------------------------------------------------------------------------------

demo: var/demo/static.stamp var/demo/migrated.stamp
	$(SAY) "Starting …"
	@$(DEMO_ENV) SMSFLOW_VAR=var/demo exec $(BIN)/python manage.py smsflow_demo --serve --network-database var/demo/network.sqlite3

var/demo/static.stamp: $(VENV)/demo.stamp $(DEMO_STATIC)
	@mkdir -p var/demo
	$(SAY) "Collecting the static files …"
	@$(DEMO_ENV) SMSFLOW_VAR=var/demo $(BIN)/python manage.py collectstatic --noinput --clear --verbosity 0
	@touch $@

var/demo/migrated.stamp: $(VENV)/demo.stamp $(DEMO_MIGRATIONS)
	@mkdir -p var/demo
	$(SAY) "Making the database …"
	@$(DEMO_ENV) SMSFLOW_VAR=var/demo $(BIN)/python manage.py migrate --noinput --verbosity 1
	@touch $@

# Checks ------------------------------------------------------------------------------------

test: lint
	@$(BIN)/python tools/test.py

lint: $(VENV)/dev.stamp staged
	$(SAY) "Linting …"
	$(BIN)/ruff check $(SOURCES) tools
	$(BIN)/ruff format --check $(SOURCES) tools
	cd $(STAGED) && $(CURDIR)/$(BIN)/mypy --config-file $(CURDIR)/pyproject.toml --cache-dir $(CURDIR)/.mypy_cache
	cd $(STAGED) && $(CURDIR)/$(BIN)/lint-imports --config $(CURDIR)/pyproject.toml --cache-dir $(CURDIR)/.import_linter_cache --no-logo
	$(BIN)/djhtml --check $$(find smsflow_plugin integrations admin_panels -name '*.html')
	$(BIN)/curlylint $$(find smsflow_plugin integrations admin_panels -name '*.html')
	SMSFLOW_DEMO=1 $(BIN)/python manage.py makemigrations --check --dry-run

# the mapped folders in their places, as in the wheel
staged: $(VENV)/dev.stamp
	@rm -rf $(STAGED)
	@$(BIN)/python -c 'from setuptools import setup; setup()' --quiet build_py --build-lib $(STAGED) 2>/dev/null
	@cp -R smsflow_site $(STAGED)/

format: $(VENV)/dev.stamp
	$(BIN)/ruff check --fix $(SOURCES) tools
	$(BIN)/ruff format $(SOURCES) tools
	$(BIN)/djhtml $$(find smsflow_plugin integrations admin_panels -name '*.html')

bench: $(VENV)/demo.stamp
	@$(DEMO_ENV) SMSFLOW_SIMULATOR=0 $(BIN)/python manage.py smsflow_bench $(BENCH)

lock: $(VENV)/dev.stamp
	$(BIN)/python tools/lock.py

clean:
	rm -rf $(VENV) var build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
