# Callout. `make run` to try it, `make test` and `make check` before every push.
PYTHON ?= python3
PORT ?= 8000
ARGS ?=
PY = .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help run test unit e2e check format bench venv venv-dev clean

help: ## Say what there is
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /\1\t/' | awk -F '\t' '{printf "make %-8s %s\n", $$1, $$2}'

run: venv ## A trial site with demo data and simulated people, on http://127.0.0.1:8000 (PORT=... for another)
	@exec $(PY) -m tools.run --port $(PORT)

test: venv-dev ## Every test: unit tests and browser tests, on PostgreSQL + Redis and on SQLite (ARGS="-k bid")
	@exec $(PY) -m tools.suite all -- $(ARGS)

unit: venv-dev ## The unit tests, on both stands
	@exec $(PY) -m tools.suite unit -- $(ARGS)

e2e: venv-dev ## The browser tests, on both stands
	@exec $(PY) -m tools.suite e2e -- $(ARGS)

check: venv-dev ## Formatting, types, imports, templates, migrations, settings
	@exec $(PY) -m tools.check

format: venv-dev ## Put the Python files into shape
	@$(PY) -m ruff check --fix --quiet . ; exec $(PY) -m ruff format .

bench: venv-dev ## Speed, as JSON lines, on PostgreSQL + Redis made for it
	@exec $(PY) -m tools.bench $(ARGS)

venv:
	@$(PYTHON) tools/venv.py requirements.txt

venv-dev:
	@$(PYTHON) tools/venv.py requirements-dev.txt

clean: ## Remove what the commands above made, the trial site's data included
	@rm -rf .venv var staticfiles .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
