# Everything runs in .venv, which the first target that needs it makes with pinned versions;
# nothing has to be installed beforehand but Python (with venv) and make.

PYTHON ?= python3
LINES = 2.11 3.0 3.1 3.2 3.3 3.3@3.12 3.3@3.13 3.3@3.14 3.4
ARGS =
SEED := $(shell date +%s)
# What draws schedules, and what happens to tokens and connections in many processes.
FAULTS = tests/faults tests/stream/test_faults.py tests/triggers/test_stream.py tests/watch/test_shared_streams_property.py \
	tests/client/test_token_sharing.py tests/client/test_fork_safety.py

PY := .venv/bin/python
UV := .venv/bin/uv
# Names the PYTHON it was made with: another PYTHON makes .venv anew, none given keeps the one that is there.
MADE := .venv/.made-$(subst /,-,$(PYTHON))
ifeq ($(origin PYTHON),file)
MADE := $(firstword $(wildcard .venv/.made-*) $(MADE))
endif

# A developer's own settings must not decide what is installed, where, or which Airflow is tested.
# Those that say where to download from (index, proxy, certificates, cache) stay.
unexport LINES ARGS VIRTUAL_ENV CONDA_PREFIX PYTHONHOME PYTHONPATH PYTHONDONTWRITEBYTECODE $(filter AIRFLOW%,$(.VARIABLES)) \
	PIP_CONSTRAINT PIP_DRY_RUN PIP_NO_BINARY PIP_NO_DEPS PIP_ONLY_BINARY PIP_PRE PIP_PREFIX PIP_PYTHON \
	PIP_REQUIREMENT PIP_REQUIRE_HASHES PIP_REQUIRE_VIRTUALENV PIP_ROOT PIP_TARGET PIP_USER \
	UV_BREAK_SYSTEM_PACKAGES UV_BUILD_CONSTRAINT UV_CONSTRAINT UV_CUSTOM_COMPILE_COMMAND UV_EXCLUDE UV_EXCLUDE_NEWER \
	UV_NO_BINARY UV_NO_BUILD UV_NO_BUILD_ISOLATION UV_NO_SOURCES UV_OVERRIDE UV_PRERELEASE UV_PROJECT \
	UV_PROJECT_ENVIRONMENT UV_PYTHON UV_REQUIRE_HASHES UV_RESOLUTION UV_SYSTEM_PYTHON UV_WORKING_DIR
# uv takes the Pythons that are there and fetches none.
export UV_PYTHON_DOWNLOADS := never
export UV_PYTHON_PREFERENCE := system

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test fuzz faults test-airflow test-slow ui-test test-contract test-matrix system-test lint fmt types bench package docs constraints clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile
	@echo 'Options: PYTHON=python3.12 (makes .venv), ARGS="-k name" (for tests; a part for bench), LINES="2.11 3.0" (for test-matrix)'

demo: .venv/.installed ## patch an event in the emulator of DingTalk, from a DAG that Airflow runs
	$(PY) scripts/demo.py

test: .venv/.installed ## run the tests that need no Airflow services
	$(PY) -m pytest -n auto --dist loadfile --no-loadscope-reorder $(ARGS)

fuzz: .venv/.installed ## run each property test with 500 examples, drawn anew each time (ARGS="--hypothesis-seed=N" repeats)
	$(PY) -m pytest -n auto -m 'hypothesis and not airflow' --hypothesis-profile=thorough --ignore=tests/faults \
		$(or $(ARGS),--hypothesis-seed=$(SEED))

test-airflow: .venv/.installed ## run the tests that start Airflow's scheduler, API server or triggerer
	$(PY) -m pytest -n 2 --dist loadfile -m 'airflow and not slow' $(ARGS)

test-slow: .venv/.installed ## run those of them that take minutes: many watchers, two triggerers, what was lost and comes back
	$(PY) -m pytest -n 2 --dist loadfile -m slow $(ARGS)

ui-test: .venv/.installed-ui ## run the tests in Airflow's web pages, in Chromium; makes the pictures in docs/img
	$(PY) -m pytest -p no:xdist -m ui tests/ui $(ARGS)

faults: .venv/.installed ## run 5,000 schedules of faults, drawn anew each time (ARGS="--hypothesis-seed=N" repeats)
	FAULT_SCHEDULES=200 TOKEN_CALLERS=30 TOKEN_EXPIRIES=40 $(PY) -m pytest -n auto --dist worksteal --show-capture=no $(FAULTS) \
		$(or $(ARGS),--hypothesis-seed=$(SEED))

# The only target that asks a real tenant: it costs calls, so DINGTALK_TEST_* alone do not start it.
test-contract: .venv/.installed ## run the contract tests in the DingTalk tenant that DINGTALK_TEST_* describe
	$(PY) -m pytest -p no:xdist -m tenant tests/contract $(ARGS)

# Needs PostgreSQL and Redis, and says so; it runs servers of its own and touches none that is there.
system-test: .venv/.system ## run Airflow with Celery, PostgreSQL and Redis, and what can befall them (10 min)
	@$(PY) -m tests.system $(ARGS)

test-matrix: $(MADE) ## run the tests on each supported Airflow line
	@bash tests/matrix.sh test "$(LINES)" $(ARGS)

lint: .venv/.installed ## check style and formatting
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

fmt: .venv/.installed ## format, and fix what can be fixed
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

types: .venv/.installed ## check types
	$(PY) -m mypy

bench: .bench/.installed ## run the benchmarks, beside what they compare with (ARGS=batch: one part)
	.bench/bin/python -m benchmarks $(ARGS)

# Built anew each time, because a page that is not read again gives no warning.
docs: .venv/.installed ## build the documentation into build/docs; warnings are errors
	$(PY) -m sphinx -q -E -W --keep-going -b html docs build/docs
	@echo 'The documentation: build/docs/index.html'

# Both are built with what is pinned; the wheel is made from the sdist, so the sdist is complete.
package: .venv/.installed ## build wheel and sdist into dist/, and try them in an empty environment
	rm -rf dist
	$(UV) build -q --no-build-isolation --python $(PY) --out-dir dist
	$(PY) -m twine --no-color check --strict dist/*
	$(PY) -m pytest -m package tests/project/test_package.py $(ARGS)

# Existing pins stay while they satisfy pyproject.toml; ARGS=--upgrade takes the newest versions.
# uv, hatchling and editables are what the installation itself uses.
constraints: $(MADE) ## pin again what pyproject.toml asks for: constraints.txt, constraints/, benchmarks/
	printf '%s\n' apache-airflow==3.3.2 apache-airflow-providers-common-compat==1.23.0 uv hatchling editables | \
	$(UV) pip compile -q - pyproject.toml --extra emulator --extra ics --group dev --group system --group ui \
		--python-version 3.11 --universal --fork-strategy fewest --no-annotate \
		--custom-compile-command 'make constraints' $(ARGS) -o constraints.txt
	printf '%s\n' apache-airflow==3.3.2 apache-airflow-providers-common-compat==1.23.0 hatchling editables | \
	$(UV) pip compile -q - pyproject.toml --extra emulator --group peers --constraints constraints.txt \
		--python-version 3.11 --universal --fork-strategy fewest --no-annotate \
		--custom-compile-command 'make constraints' $(ARGS) -o benchmarks/constraints.txt
	bash tests/matrix.sh pin "$(LINES)" $(ARGS)

clean: ## remove the environments, caches and build outputs
	rm -rf .venv .bench .matrix .airflow* .hypothesis .mypy_cache .pytest_cache .ruff_cache .coverage* htmlcov build dist *.egg-info
	find . -name __pycache__ -prune -exec rm -rf {} +

$(MADE):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo 'Python 3.11 or newer is needed, and "$(PYTHON)" is not: name one that is, as in make PYTHON=python3.12' >&2; exit 1; }
	@echo 'Making .venv with the pinned versions (350 MB) ...'
	@$(PYTHON) -m venv --clear .venv
	@$(PY) -m pip install -q --disable-pip-version-check --constraint constraints.txt uv
	@touch $@

.venv/.installed: $(MADE) pyproject.toml constraints.txt
	@rm -f $@
	@$(UV) pip install -q --python $(PY) --constraints constraints.txt --build-constraints constraints.txt \
		uv -e '.[emulator,ics]' --group dev
	@touch $@

.venv/.system: .venv/.installed
	@$(UV) pip install -q --python $(PY) --constraints constraints.txt --build-constraints constraints.txt --group system
	@touch $@

.venv/.installed-ui: .venv/.installed
	@$(UV) pip install -q --python $(PY) --constraints constraints.txt --group ui
	@touch $@

# One environment for us and what we are compared with, so that all of it runs with the same versions.
.bench/.installed: $(MADE) pyproject.toml benchmarks/constraints.txt
	@echo 'Making .bench, for the benchmarks (300 MB) ...'
	@$(UV) venv -q --clear --python $(PY) .bench
	@$(UV) pip install -q --python .bench/bin/python --constraints benchmarks/constraints.txt \
		--build-constraints benchmarks/constraints.txt -e '.[emulator]' --group peers
	@touch $@
