# The work is in the command line and in pytest; this file only names it.  make demo ARGS="--seconds 30"
SHELL := /bin/bash
BIN := .venv/bin
READY := .venv/.ready
TOOLS := .venv/.tools
ARGS ?=
MINUTES ?= 60
SEEDS ?= 100000
FUZZ_SECONDS ?= 600
BESIDE ?= 2
BROKERS ?= -n 2 --dist loadfile

.PHONY: help demo test test-faults test-companions check bench gate soak clean
.DEFAULT_GOAL := help

help:
	@echo "make demo         a real Kafka, a worker and believable accounts, live, for a minute (ARGS=\"--seconds 30\")"
	@echo "make test         check, then every test but the long ones, side by side (BESIDE=3 for one process more, BROKERS= for one Kafka)"
	@echo "make test-faults  the long ones: kills, zombies, a broker that dies"
	@echo "make test-companions  those with Prometheus, Alertmanager, Redis and kcat, of Debian packages that are unpacked and not installed"
	@echo "make check        format, lint, types, imports, house tests"
	@echo "make bench        the figures of docs/benchmarks.md"
	@echo "make gate         is this checkout slower than the base that was accepted? (ARGS='--renew \"why\"' makes HEAD the base)"
	@echo "make soak         the properties over many more examples, 100,000 simulated runs, then faults on a real broker for MINUTES=60, with a report"
	@echo "make clean        remove what was made, the environment too"

# Made anew when the dependencies change.
$(READY): pyproject.toml .ci/environment
	@.ci/environment && touch $@

$(TOOLS): pyproject.toml .ci/environment
	@.ci/environment tools && touch $@ $(READY)

demo: $(READY)
	@$(BIN)/tierstream demo $(ARGS)

check: $(TOOLS)
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest tests/house

# First what everything waits for, then the tests: those with a Kafka, one for each of two processes, and beside them all others.
# pytest ends with 5 where nothing is selected, which ARGS may well do on one of the two sides.
export ARGS
test: $(TOOLS)
	@.ci/beside 'check=$(MAKE) --no-print-directory check' 'compile=.ci/compile' 'compile-safe=NUMBA_BOUNDSCHECK=1 .ci/compile'
	@.ci/beside \
		'integration=$(BIN)/pytest $(BROKERS) tests/integration -m "not faults" $(ARGS) || [ "$$?$${ARGS:+ chosen}" = "5 chosen" ]' \
		'others=$(BIN)/pytest -n $(BESIDE) --dist worksteal -m "not faults" $(addprefix --ignore tests/,integration house companions) $(ARGS) \
			|| [ "$$?$${ARGS:+ chosen}" = "5 chosen" ]'

# Those that look at the clock or at memory have the machine to themselves.
test-faults: $(TOOLS)
	$(BIN)/pytest $(BROKERS) -m "faults and not alone" tests/integration $(ARGS) || [ "$$?$${ARGS:+ chosen}" = "5 chosen" ]
	$(BIN)/pytest -m alone tests/integration $(ARGS) || [ "$$?$${ARGS:+ chosen}" = "5 chosen" ]

test-companions: $(TOOLS)
	$(BIN)/pytest tests/companions $(ARGS)

bench: $(READY)
	@$(BIN)/python -c 'import matplotlib' 2>/dev/null || $(BIN)/python -m pip install --disable-pip-version-check --editable '.[bench]'
	$(BIN)/python -m benchmarks $(ARGS)

gate: $(READY)
	$(BIN)/python -m benchmarks.gate $(ARGS)

soak: $(TOOLS)
	HYPOTHESIS_PROFILE=soak $(BIN)/pytest tests/properties tests/oracle tests/integration/test_pressure.py --timeout 0 $(ARGS)
	$(BIN)/python -m tests.simulation --seeds $(SEEDS)
	@$(BIN)/python -c 'import atheris' 2>/dev/null || $(BIN)/python -m pip install --disable-pip-version-check --editable '.[fuzz]'
	$(BIN)/python -m tests.fuzzing --seconds $(FUZZ_SECONDS)
	MINUTES=$(MINUTES) $(BIN)/pytest tests/integration/faults/soaking.py --timeout 0 $(ARGS)

clean:
	@if [ -x $(BIN)/tierstream ] && [ -d .tierstream/broker ]; then $(BIN)/tierstream broker down; fi
	rm -rf .venv .tierstream .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
