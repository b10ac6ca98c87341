# Needs Python 3.11 or later, make and git. `make` alone lists what it can do.

SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# The first interpreter on the path that is new enough.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
  && { echo $$p; break; }; done)

BIN := $(CURDIR)/.venv/bin
DOMAINS := $(patsubst domains/%/dbt_project.yml,%,$(wildcard domains/*/dbt_project.yml))
STUDY ?= credit_risk
# Each named after what it was made from, so that a second `make` has nothing to do and
# what changed, whatever its file time, is installed. Two, since uv asks the index when it
# compares an environment with a lock: a change of pyproject.toml alone needs no network.
sum = $(shell cat $(1) | cksum | cut -d' ' -f1)
LOCKED := .venv/.locked-$(call sum,requirements/*.txt)
INSTALLED := $(LOCKED)-$(call sum,pyproject.toml)

export PATH := $(BIN):$(PATH)
export DO_NOT_TRACK := 1
export DBT_SEND_ANONYMOUS_USAGE_STATS := false
export DBT_VERSION_CHECK := false
# uv reads only this project's lock, in this project's environment.
export VIRTUAL_ENV := $(CURDIR)/.venv
export UV_NO_PROGRESS := $(if $(MAKE_TERMOUT),false,true)
unexport PYTHONPATH PYTHONHOME
# uv compiles nothing, and what is not kept would be compiled at each start of dbt.
unexport PYTHONDONTWRITEBYTECODE

# $(call stage,what it does,command): one line when it starts, one with its seconds.
stage = @printf '%s\n' '==> $(1)'; start=$$(date +%s); $(2) && \
  printf '    %s s\n' "$$(($$(date +%s) - start))"

.PHONY: help
help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

.PHONY: demo
demo: $(INSTALLED)  ## Build the domains, train the study, write the catalog
	$(call stage,Building the domains: $(DOMAINS),$(MAKE) -j2 $(DOMAINS:%=domain-%))
	$(call stage,Reading the mesh,dbt deps --quiet && dbt parse --quiet)
	$(call stage,Measuring the products,fl quality profile)
	$(call stage,Training $(STUDY),fl train $(STUDY))
	$(call stage,Comparing with the pooled rows of the public file,python -m bench.german_credit)
	$(call stage,Building the mesh as tables,dbt build --quiet)
	$(call stage,Writing the catalog,fl catalog build)
	@printf '\n%s\n' 'Next: open the report named above in a browser. For the catalog:' \
	  '  . .venv/bin/activate && fl catalog serve'

# As the domain's own team would, in its own project and its own database file. Domains
# share no file, so two may build at once.
.PHONY: $(DOMAINS:%=domain-%)
$(DOMAINS:%=domain-%): domain-%: $(INSTALLED)
	@start=$$(date +%s); cd domains/$* && dbt build --quiet && \
	  printf '    %-20s built in %s s\n' '$*' "$$(($$(date +%s) - start))"

.PHONY: test
test: lint  ## Run everything that CI runs
	@echo '==> Testing'
	@# What a file has built once serves all its tests, and files come in our order, the
	@# slow ones first. Some wait for processes of theirs: three workers fill two cores,
	@# with one thread each. No stage: the last line is pytest's.
	@OMP_NUM_THREADS=1 python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

.PHONY: lint
lint: $(INSTALLED)  ## Check style, types, layers and SQL
	$(call stage,Lock,uv pip check --quiet)
	$(call stage,Style,ruff check --quiet && ruff format --check --quiet)
	$(call stage,Types,mypy --no-error-summary)
	$(call stage,Layers,lint-imports --no-logo)
	$(call stage,SQL,sqlfluff lint --disable-progress-bar models domains tests/dbt)

.PHONY: bench
bench: $(INSTALLED)  ## Measure every family and other systems, into docs/benchmarks.md
	@python -m bench.table --into docs/benchmarks.md

.PHONY: docs
docs: $(INSTALLED)  ## Write the catalog's pages and the Python reference
	$(call stage,Writing the catalog,fl catalog build)
	$(call stage,Writing the reference,python docs/reference.py)

.PHONY: install
install: $(INSTALLED)  ## Make .venv from the lock

$(INSTALLED): $(LOCKED)
	$(call stage,Installing this project,uv pip install --quiet --no-deps --no-build-isolation -e .)
	@rm -f $(LOCKED)-* && touch $@

# `sync` makes the environment equal to the lock: it also removes what is not in it.
$(LOCKED):
	@test -n '$(PYTHON)' || { \
	  echo 'No Python 3.11 or later on the path. Install one, or say which: make PYTHON=...'; exit 2; }
	$(call stage,Making .venv,$(PYTHON) -m venv .venv)
	$(call stage,Fetching uv,python -m pip install --quiet --disable-pip-version-check \
	  --require-hashes -r requirements/uv.txt)
	$(call stage,Installing the lock,uv pip sync --quiet --require-hashes requirements/lock.txt)
	@rm -f .venv/.locked-* && touch $@

.PHONY: lock
lock: $(INSTALLED)  ## Renew requirements/*.txt after a change of dependencies
	uv pip compile $(COMPILE) --all-extras -o requirements/lock.txt pyproject.toml requirements/build.in
	uv pip compile $(COMPILE) -c requirements/lock.txt -o requirements/uv.txt requirements/uv.in

# One lock for every platform and every Python from 3.11; it names no index.
COMPILE := --quiet --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --custom-compile-command 'make lock'

.PHONY: clean
clean:  ## Remove what can be built again; models, ledgers and .venv stay
	rm -rf target logs dbt_packages build dist data/*.duckdb* \
	  domains/*/target domains/*/logs domains/*/dbt_packages domains/*/data/*.duckdb* \
	  .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
