# Thin wrappers over the `tap` command. Everything a target needs, it sets up: Python >= 3.11 and
# make are enough. The environment lives in .venv and is made again only when a lock file changes.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/sh

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SYSTEM ?=
BASE ?= origin/main
ARGS ?=

# Lazily written .pyc files halve the time of every later run; a machine may have switched them off.
export PYTHONDONTWRITEBYTECODE :=
export PIP_DISABLE_PIP_VERSION_CHECK := 1

SYSTEMS := $(if $(SYSTEM),--system $(SYSTEM))

.PHONY: help
help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(VENV)/.runtime ## make the environment (implied by the others)

.PHONY: templates
templates: $(VENV)/.runtime ## compile, lint, check and package [SYSTEM=...] into build/
	@$(BIN)/tap templates $(SYSTEMS) $(ARGS)

.PHONY: diff
diff: $(VENV)/.runtime ## say what a change of the compiled templates means [BASE=origin/main]
	@$(BIN)/tap diff --base $(BASE) $(ARGS)

# --- rollout: [SYSTEM=...] [REGION=one|all] [ENV=dev] [TARGET=aws|local] [YES=1] [ARGS=...] -----

# Not `?=`: shells use a variable ENV of their own.
REGION := all
ENV := dev
TARGET := aws
ROLLOUT = --env $(ENV) --target $(TARGET) $(SYSTEMS)
AGREED := $(if $(YES),--yes)

.PHONY: plan
plan: $(VENV)/.runtime ## say what a deploy would do [TARGET=local]
	@$(BIN)/tap plan $(ROLLOUT) --region $(REGION) $(ARGS)

.PHONY: deploy
deploy: $(VENV)/.runtime ## roll out to both regions through StackSets [TARGET=local] [YES=1]
	@$(BIN)/tap deploy $(ROLLOUT) --region $(REGION) $(AGREED) $(ARGS)

.PHONY: status
status: $(VENV)/.runtime ## show every stack in every region
	@$(BIN)/tap status $(ROLLOUT) $(ARGS)

.PHONY: drift
drift: $(VENV)/.runtime ## show what differs from its template
	@$(BIN)/tap drift $(ROLLOUT) $(ARGS)

.PHONY: rollback
rollback: $(VENV)/.runtime ## put back the release before
	@$(BIN)/tap rollback $(ROLLOUT) --region $(REGION) $(AGREED) $(ARGS)

.PHONY: destroy
destroy: $(VENV)/.runtime ## delete what was rolled out, in reverse
	@$(BIN)/tap destroy $(ROLLOUT) $(AGREED) $(ARGS)

# --- drills -------------------------------------------------------------------------------------

.PHONY: drill
drill: $(VENV)/.dev ## lose a region on the local engine, count the orders [SYSTEM=trading-dr] [ARGS=...]
	@$(BIN)/tap drill $(SYSTEMS) $(ARGS)

# --- tests and gates ------------------------------------------------------------------------------

.PHONY: test
test: $(VENV)/.dev ## run all tests [ARGS=...]
ifeq ($(ARGS),)
# Those on the local engine wait more than they work, so they run beside the others, in two halves.
# The shell makes them deaf to Ctrl-C, so they are told by its trap, and waited for while they stop
# their engines.
	@logs=$$(mktemp -d); \
	$(BIN)/python -m pytest -m "rollout and not bench" >$$logs/1 2>&1 & one=$$!; \
	$(BIN)/python -m pytest -m "engine and not rollout and not bench" >$$logs/2 2>&1 & two=$$!; \
	trap 'kill $$one $$two 2>/dev/null; wait $$one $$two; rm -rf $$logs' EXIT; \
	trap 'exit 130' INT TERM; \
	$(BIN)/python -m pytest -m "not engine and not bench"; others=$$?; \
	wait $$one; first=$$?; wait $$two; second=$$?; cat $$logs/1 $$logs/2; \
	exit $$(( others ? others : first ? first : second ))
else
	@$(BIN)/python -m pytest -m "not bench" $(ARGS)
endif

.PHONY: check
check: format-check lint types contract test stale ## all gates; continuous integration runs exactly this

.PHONY: format
format: $(VENV)/.dev ## rewrite the sources in the house format
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix-only --quiet .

.PHONY: format-check
format-check: $(VENV)/.dev
	@$(BIN)/ruff format --check --quiet .

.PHONY: lint
lint: $(VENV)/.dev ## lint the sources
	@$(BIN)/ruff check --quiet .

.PHONY: types
types: $(VENV)/.dev ## check the types, strictly
	@$(BIN)/mypy src templates handlers scripts

.PHONY: contract
contract: $(VENV)/.dev ## check who imports whom
	@PYTHONPATH=handlers:. $(BIN)/lint-imports

.PHONY: stale
stale: $(VENV)/.runtime ## fail if build/templates/ is not what the sources compile to
	@$(BIN)/tap templates --check

.PHONY: bench
bench: $(VENV)/.dev ## benchmarks, as ratios
	@$(BIN)/python -m pytest -m bench -s -p no:randomly $(ARGS)

.PHONY: lock
lock: ## write the lock files anew from pyproject.toml and handlers/*/requirements.in
	@PYTHON=$(PYTHON) scripts/lock.sh

.PHONY: clean
clean: ## remove what the others made, never build/templates/
	@if [ -x $(BIN)/tap ]; then $(BIN)/tap local stop >/dev/null; fi
	@rm -rf $(VENV) .cache build/packages build/twins .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find src templates handlers tests scripts -name __pycache__ -type d -prune -exec rm -rf {} +

# --- set-up -----------------------------------------------------------------------------------

$(VENV)/.runtime: requirements/runtime.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "make: Python 3.11 or newer is needed, $(PYTHON) is " + sys.version.split()[0] + "; name another with PYTHON=...")'
	@echo "setting up $(VENV) ..." >&2
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install -qq --no-compile --require-hashes --only-binary :all: -r requirements/runtime.txt
	@$(BIN)/python -m pip install -qq --no-compile --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.runtime
	@echo "setting up $(VENV) for tests ..." >&2
	@$(BIN)/python -m pip install -qq --no-compile --require-hashes -r requirements/dev.txt
	@touch $@
