# Everything runs from a virtual environment in .venv; Python 3.10 or newer and make are all that has to be there.
#
#   make demo   scan a small careless back end and write demo-report/
#   make test   lint, types, tests

PYTHON ?= $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11 python3.10,\
	$(if $(shell $(name) -c 'import sys, venv, ensurepip; print("y" * (sys.version_info >= (3, 10)))' 2>/dev/null),$(name))))
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# The interpreters next to ours on which the suite also runs, without end-to-end and long property tests.
OTHERS := $(foreach minor,10 11 12 13 14,$(if $(shell command -v python3.$(minor) 2>/dev/null),python3.$(minor)))

.PHONY: help setup demo test check types tests test-others bench soak clean

help:
	@sed -n 's/^#   //p' Makefile

setup: $(READY)

$(READY): pyproject.toml setup.py
	@if [ -z "$(PYTHON)" ]; then \
	  echo 'backaudit needs Python 3.10 or newer with its venv module (on Debian and Ubuntu: apt install python3-venv).' >&2; exit 1; fi
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $(READY)

demo: $(READY)
	@mkdir -p demo-report
	@$(BIN)/backaudit scan fixtures/apps/fastapi --fail-on never \
	  --format text --output demo-report/report.txt \
	  --format html --output demo-report/report.html \
	  --format sarif --output demo-report/report.sarif
	@cat demo-report/report.txt
	@echo
	@echo 'The same findings, from fixtures/apps/fastapi, in three formats:'
	@echo '  demo-report/report.txt    to read in a terminal'
	@echo '  demo-report/report.html   to open in a browser: file://$(CURDIR)/demo-report/report.html'
	@echo '  demo-report/report.sarif  for GitHub code scanning and editors'

test: check types tests test-others

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

tests: $(READY)
	$(BIN)/pytest -n 2 --dist loadgroup

test-others: $(READY)
	@ours=$$($(BIN)/python -c 'import sys; print("python3.%d" % sys.version_info[1])'); \
	for name in $(OTHERS); do \
	  [ "$$name" = "$$ours" ] && continue; \
	  $$name -c 'import venv, ensurepip' 2>/dev/null || { echo "$$name: has no venv module, left out"; continue; }; \
	  echo "$$name: the suite without end-to-end and long property tests"; \
	  other="$(VENV)-$$name"; \
	  if [ ! -e "$$other/.ready" ] || [ pyproject.toml -nt "$$other/.ready" ]; then \
	    $$name -m venv "$$other" && \
	    "$$other/bin/python" -m pip install --quiet --disable-pip-version-check --editable '.[dev]' && \
	    touch "$$other/.ready" || exit 1; \
	  fi; \
	  "$$other/bin/python" -m pytest -n 2 --ignore tests/e2e -m 'not long and not e2e' || exit 1; \
	done

bench: $(READY)
	$(BIN)/python -m tests.bench.speed $(BENCH_ARGS)

soak: $(READY)
	$(BIN)/python -m tests.bench.soak $(SOAK_DIRS)
	$(BIN)/python -m tests.bench.line_ends

clean:
	rm -rf .venv .venv-* build dist *.egg-info demo-report .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find backaudit rules tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
