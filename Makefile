# `make run` shows hanro working, `make test` proves it; `make help` lists the rest.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := $(wildcard libs/common libs/simkit libs/marketplaces/* services/* deploy/local)
EDITABLE := $(foreach package,$(patsubst %/pyproject.toml,%,$(wildcard $(addsuffix /pyproject.toml,$(PACKAGES)))),-e ./$(package))
SERVICE_FAULTS := services/order-svc/tests/test_order_unlink_race.py services/notifier-svc/tests/test_notifier_unlink_race.py \
	services/order-svc/tests/test_order_import_large.py \
	services/order-svc/tests/test_order_lives.py
NEW_ENOUGH := $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "hanro needs Python 3.11 or newer: install it, or say PYTHON=/path/to/python3.11 make …"; exit 1; }

# Of a machine that says otherwise: a stack starts a score of processes, and each would compile all that it loads anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help run demo test lint static bench faults contracts walks trace marketplace clean lock

help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1|/' | column -t -s '|'

run: ## start everything on this machine and show orders arriving; Ctrl-C stops it
	@$(NEW_ENOUGH)
	@PYTHONPATH=deploy/local/src $(PYTHON) -m hanro_local.preflight
	@$(MAKE) --silent $(VENV)/run.stamp
	@exec $(BIN)/python -m hanro_local run

demo: ## 200 orders, each service killed while it holds work, every mail compared; ORDERS=, KILLS=, BREAK=inbox, outbox or ledger
	@$(NEW_ENOUGH)
	@$(MAKE) --silent $(VENV)/run.stamp
	@export ORDERS='$(ORDERS)' KILLS='$(KILLS)' BREAK='$(BREAK)'; exec $(BIN)/python -m hanro_local demo

test: static ## prove it: lint, types, import contracts and every test
	@$(BIN)/python -m pytest -n 3

lint: static ## style, types, import contracts and the tree's own rules
	@$(BIN)/python -m pytest tests/architecture

static: $(VENV)/dev.stamp
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy libs services deploy tests conftest.py
	@$(BIN)/mypy tests/faults/conftest.py
	@$(BIN)/mypy services/account-svc/tests/conftest.py
	@$(BIN)/lint-imports --no-logo

bench: $(VENV)/dev.stamp ## measure the bars against their own baselines; ONLY=V5 or ONLY=keys for some
	@$(BIN)/python tests/benchmarks/bench.py $(ONLY)

faults: $(VENV)/dev.stamp ## every fault alone, in its whole form, with the checks that must turn red; SEEDS=20 draws mixed ones, SEED=7 again
ifeq ($(SEEDS)$(SEED),)
	@HANRO_FAULTS=whole $(BIN)/python -m pytest tests/faults $(SERVICE_FAULTS) -m fault
else
	@SEEDS='$(SEEDS)' SEED='$(SEED)' $(BIN)/python -m pytest tests/faults/mixed_faults.py -v
endif

contracts: $(VENV)/dev.stamp ## rewrite schemas, AsyncAPI and OpenAPI; refuse what would break readers
	@$(BIN)/python tests/contracts/contract_files.py

walks: $(VENV)/dev.stamp ## the walks of a seller, an operator and a developer, step by step in order, on a whole stack
	@$(BIN)/python -m pytest -p no:randomly -v tests/e2e/test_walk_seller.py tests/e2e/test_walk_operator.py \
		tests/e2e/test_walk_developer.py

trace: $(VENV)/dev.stamp ## requirement rows and the tests behind them, counted from the last run of tests
	@$(BIN)/python tests/architecture/trace_rows.py

marketplace: $(VENV)/dev.stamp ## copy the sandbox's plug-in as a new marketplace: ID=example_market
	@$(BIN)/python -m hanro_local.new_marketplace '$(ID)'

clean: ## wipe the state of the local stack (.hanro)
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m hanro_local clean; else rm -rf .hanro; fi

lock: ## compile requirements/*.in to hash-pinned requirements/*.txt (needs uv)
	@cd requirements && for set in run dev; do \
	  uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q $$set.in -o $$set.txt; done

$(VENV)/bin/python:
	@$(NEW_ENOUGH)
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "this Python has no venv module: install python3-venv"; exit 1; }
	@echo "[venv] creating $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: requirements/run.txt $(wildcard */*/pyproject.toml libs/marketplaces/*/pyproject.toml) | $(VENV)/bin/python
	@$(PYTHON) deploy/local/install.py $(BIN)/python requirements/run.txt $(EDITABLE)
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt $(wildcard */*/pyproject.toml libs/marketplaces/*/pyproject.toml) | $(VENV)/bin/python
	@$(PYTHON) deploy/local/install.py $(BIN)/python requirements/dev.txt $(EDITABLE)
	@touch $@ $(VENV)/run.stamp
