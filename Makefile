# Everything here works on a machine with Python 3.11 or newer, git and make, and nothing else.
# ARGS passes options on: make run ARGS="--port 8001"

.DEFAULT_GOAL := help
.PHONY: help run demo test check bench chaos format clean
SHELL := /bin/sh

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.synced
CLIENTS := $(VENV)/.clients
# A virtual environment the person happens to be in is none of our business.
unexport VIRTUAL_ENV
unexport PYTHONHOME
# Without compiled files each of the stack's processes would compile every package anew: seconds apiece.
unexport PYTHONDONTWRITEBYTECODE
# Only ever the Python that was found, the packages that are locked.
export UV_PYTHON_DOWNLOADS := never
export UV_NO_PROGRESS := 1
ARGS ?=
TESTS ?= tests
# Processes of the test run: most tests wait for something most of the time.
JOBS ?= 3

help: ## this list
	@awk -F ':.*## ' '/^[a-z.]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(STAMP) ## start everything on this machine, send a message on each channel, stay up until Ctrl-C
	@$(BIN)/bellhop dev $(ARGS)

demo: $(STAMP) ## the same without staying: exits 0 when every message and all webhooks arrived
	@$(BIN)/bellhop demo $(ARGS)

test: check $(CLIENTS) ## check, then the whole test suite
	@$(BIN)/pytest -q -n $(JOBS) --dist loadfile --no-loadscope-reorder $(ARGS) $(TESTS) || { \
	  failed=$$?; [ $$failed -eq 1 ] || exit $$failed; \
	  echo "What failed is run once more, one at a time: a test that fails twice is a failure, one that does not is unsteady."; \
	  $(BIN)/pytest -q --last-failed --last-failed-no-failures none $(ARGS) $(TESTS); }

check: $(STAMP) ## lint, formatting, types, import rules, declared packages, unused code
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/deptry .
	@$(BIN)/python -m tests.dead_code

bench: $(STAMP) ## measure against a bare Temporal workflow on the same server
	@$(BIN)/python -m bench $(ARGS)

chaos: $(STAMP) ## everything goes wrong for 8 minutes; then each message is accounted for (ARGS="--seed 1")
	@$(BIN)/python -m chaos $(ARGS)

format: $(STAMP) ## format the code and mend what the linter can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

clean: ## remove the virtual environment, the embedded stack's state and all caches of this checkout
	@rm -rf $(VENV) .bellhop .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache dist build
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Made again only when the locked packages change.
$(STAMP): uv.lock pyproject.toml
	@set -eu; \
	python=""; \
	for candidate in $${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do \
	  if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python="$$candidate"; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
	  echo "make: Bellhop needs Python 3.11 or newer; found: $$(python3 --version 2>&1 || echo none). Install one, or name it: make PYTHON=/path/to/python3" >&2; \
	  exit 1; \
	fi; \
	began=$$(date +%s); \
	( while sleep 5 >/dev/null 2>&1; do echo "  ... $$(( $$(date +%s) - began )) s"; done ) & ticker=$$!; \
	trap 'kill $$ticker 2>/dev/null || true' EXIT; \
	if ! $(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	  rm -rf $(VENV); \
	  if ! said=$$("$$python" -m venv $(VENV) 2>&1); then \
	    rm -rf $(VENV); \
	    echo "make: '$$python -m venv' does not work here (on Debian and Ubuntu: apt install python3-venv): $$(echo "$$said" | tail -n 1)" >&2; \
	    exit 1; \
	  fi; \
	fi; \
	uv=$$(awk '/^name = "uv"$$/ { getline; gsub(/version = |"/, ""); print; exit }' uv.lock); \
	if [ "$$($(BIN)/uv --version 2>/dev/null | awk '{ print $$2 }')" != "$$uv" ]; then \
	  echo "Fetching uv $$uv, the installer of the locked packages"; \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check "uv==$$uv" || { \
	    echo "make: uv $$uv could not be installed (no network, or no disk space?); see above" >&2; exit 1; }; \
	fi; \
	echo "Installing the locked packages into $(VENV) (a minute the first time)"; \
	$(BIN)/uv sync --frozen --quiet || { echo "make: the locked packages could not be installed (no network, or no disk space?); see above" >&2; exit 1; }; \
	touch $@; \
	echo "✓ Packages installed in $$(( $$(date +%s) - began )) s"

# Only tests need them, and they are large.
$(CLIENTS): $(STAMP) tests/contract/clients/deno.lock tests/contract/clients/oldest.txt
	@echo "Installing other people's clients into $(VENV)"
	@$(BIN)/uv sync --frozen --quiet --group clients && \
	  $(BIN)/uv pip install --quiet --no-deps --require-hashes --target $(VENV)/oldest -r tests/contract/clients/oldest.txt && \
	  DENO_DIR=$(VENV)/deno DENO_NO_UPDATE_CHECK=1 $(BIN)/deno install --quiet --frozen --config tests/contract/clients/deno.json || { \
	  echo "make: the locked packages could not be installed (no network, or no disk space?); see above" >&2; exit 1; }
	@touch $@
