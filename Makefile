# Two commands matter: `make demo` and `make test`. Each does its own set-up.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test fast faults lint synth clean

demo: $(READY)
	$(BIN)/python examples/01-movielens/demo.py

test: $(READY)
	$(BIN)/python -m pytest

# Without the tests that start a local cloud.
fast: $(READY)
	$(BIN)/python -m pytest -m "not local"

# Each AWS call that the functions make, going wrong in each way; SAMPLE=100 SEED=1 tries a few.
faults: $(READY)
	$(BIN)/python -m tests.local.campaign --sample $(or $(SAMPLE),0) --seed $(or $(SEED),0) --write $(if $(SAMPLE),build/faults.md,docs/faults.md)

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

# Synthesizes with cdk-nag's rules on, and lints the template.
synth: $(READY)
	$(BIN)/python -m tests.synth build/cdk.out
	$(BIN)/cfn-lint build/cdk.out/*.template.json

$(READY): requirements-dev.txt pyproject.toml
	@command -v node >/dev/null || { echo "Node.js is needed: the AWS CDK runs on it."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $(READY)

clean:
	rm -rf $(VENV) build cdk.out .pytest_cache .mypy_cache .ruff_cache examples/*/data
