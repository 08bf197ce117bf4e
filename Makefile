.DEFAULT_GOAL := help
.PHONY: help demo demo-sail test mutants lint format serve bench lock clean

BIN := .venv/bin
QUIETLY := --quiet --quiet --disable-pip-version-check --no-input
PIP := $(BIN)/python -m pip $(QUIETLY)
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))

# The first interpreter that is new enough. `python3` comes first, so that the user's choice wins.
ifndef PYTHON
PYTHON := $(shell for candidate in python3 python python3.14 python3.13 python3.12 python3.11; do \
	if $$candidate -c "$(NEW_ENOUGH)" >/dev/null 2>&1; then echo $$candidate; break; fi; done)
endif

help:
	@echo "make demo    import the sample files into a fresh home and show what became of them"
	@echo "make demo-sail  the same on another engine, with the contacts in Delta tables: docs/spark.md"
	@echo "make serve   start the Dagster UI and daemon on ./data, or on the demo's home while ./data is none"
	@echo "make test    run the tests; make test ARGS='tests/match -k review' runs some, make test THOROUGH=1 tries more"
	@echo "make mutants make deliberate faults in a copy, and name those that no test sees (an hour or two): docs/mutants.md"
	@echo "make lint    run the linters, the type checker and the checks of the import rules and the docs"
	@echo "make format  let ruff put the code in form, and write the generated pages anew"
	@echo "make bench   measure how long imports take; make bench ARGS='20k 1m' runs some: docs/benchmarks.md"
	@echo "make lock    refresh the pinned versions, within the ranges of pyproject.toml"
	@echo "make clean   remove the environment, the build output and the caches; ./data stays"

demo: .venv/installed
	@$(BIN)/python scripts/demo.py

demo-sail: .venv/spark/installed
	@.venv/spark/bin/python scripts/demo_on_sail.py

# A home has a contact database. CONTACT_PIPELINE_HOME, where it is set, names another one.
serve: .venv/installed
	@if [ -z "$$CONTACT_PIPELINE_HOME" ] && [ ! -e data/contacts.duckdb ] && [ -e data/demo/contacts.duckdb ]; then \
		exec $(BIN)/contact-pipeline --home data/demo serve; else exec $(BIN)/contact-pipeline serve; fi

test: .venv/installed
	@unset PYTHONDONTWRITEBYTECODE; $(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder $(ARGS)

# ARGS names rooms or faults, such as ARGS='match reports-kept'; ARGS='--jobs 4' makes four at once.
mutants: .venv/installed
	@$(BIN)/python -m tests.mutants --jobs 2 $(ARGS)

lint: .venv/installed
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python docs/generate_behaviours.py --check
	@$(BIN)/python docs/generate.py --check
	@$(BIN)/python docs/generate_trust.py --check
	@$(BIN)/python docs/generate_matching.py --check

format: .venv/installed
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format
	@$(BIN)/python docs/generate_behaviours.py
	@$(BIN)/python docs/generate.py
	@$(BIN)/python docs/generate_trust.py
	@$(BIN)/python docs/generate_matching.py

bench: .venv/peers/installed
	@$(BIN)/python -m benchmarks $(ARGS)

# The second file is a subset of the first: what an install without extras needs. The third adds what the benchmarks
# compare with, the fourth what the other engine needs, the fifth a server of Apache Spark.
lock: .venv/installed
	$(COMPILE) --extra dagster --extra feeds --extra notices --extra postgres --group dev --upgrade --output-file requirements.lock
	$(COMPILE) --constraints requirements.lock --output-file requirements-core.lock
	$(COMPILE) --group bench --constraints requirements.lock --output-file requirements-bench.lock
	$(COMPILE) --extra spark --extra dagster --group build --constraints requirements.lock --output-file requirements-spark.lock
	$(filter-out pyproject.toml,$(COMPILE)) --group spark-server --output-file requirements-spark-server.lock
	@! grep --line-number --extended-regexp 'https?:|file:|index-url|find-links' requirements*.lock

COMPILE = $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
	--no-strip-extras --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

clean:
	rm -rf .venv dist build .pytest_cache .ruff_cache .mypy_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Rebuilt whole when the lock changes, so that nothing lingers that the lock no longer names.
.venv/locked: requirements.lock
	@found="$(or $(PYTHON),python3)"; $$found -c "$(NEW_ENOUGH)" 2>/dev/null || { \
		echo "Python 3.11 or newer is needed; $$found is: $$($$found --version 2>&1 | head -n 1)." >&2; \
		echo "Install a newer one, or say where it is: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c "import ensurepip, venv" 2>/dev/null || { \
		echo "$(PYTHON) cannot make virtual environments; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@echo "Making .venv from requirements.lock (once; takes a minute or two)"
	@$(PYTHON) -m venv --clear .venv
	@$(PIP) install --require-hashes -r requirements.lock
	@touch $@

# The build backend is in the lock: isolation would fetch another one, without hashes.
.venv/installed: .venv/locked pyproject.toml
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

# Environments of their own: what the other engine and the peers bring along would change what DuckDB and the tests find
# in ours.
.venv/spark/installed: .venv/installed requirements-spark.lock
	@$(PYTHON) -m venv --clear .venv/spark
	@.venv/spark/bin/python -m pip $(QUIETLY) install --require-hashes -r requirements-spark.lock
	@.venv/spark/bin/python -m pip $(QUIETLY) install --no-deps --no-build-isolation --editable .
	@touch $@

# Apache Spark is a source archive of 460 MB, which the locked setuptools packs.
.venv/spark-server/installed: .venv/installed requirements-spark-server.lock
	@$(PYTHON) -m venv --clear .venv/spark-server
	@awk '/^[a-z]/ {on = /^setuptools==/} on' requirements-spark-server.lock > .venv/spark-server/build.lock
	@.venv/spark-server/bin/python -m pip $(QUIETLY) install --require-hashes -r .venv/spark-server/build.lock
	@.venv/spark-server/bin/python -m pip $(QUIETLY) install --no-build-isolation --require-hashes -r requirements-spark-server.lock
	@touch $@

.venv/peers/installed: .venv/installed requirements-bench.lock
	@$(PYTHON) -m venv --clear .venv/peers
	@.venv/peers/bin/python -m pip $(QUIETLY) install --require-hashes -r requirements-bench.lock
	@touch $@
