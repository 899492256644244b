# Two commands matter: `make demo` and `make test`. Each does its own set-up.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
CDK := node_modules/.package-lock.json

# Else each process compiles all modules anew, and pytest all tests.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test fast thorough generate graph changed faults fuzz mutants bench lint synth docs audit pins clean

demo: $(READY)
	$(BIN)/python examples/01-movielens/demo.py

# As many files of tests at a time as there are processors, at most four: each process that meets
# tests of the local cloud starts its own, of about 1 GB. They come in the order of tests/conftest.py.
TOGETHER := --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

test: $(READY) $(CDK)
	$(BIN)/python -m pytest $(TOGETHER)

# Without the tests that start a local cloud.
fast: $(READY) $(CDK)
	$(BIN)/python -m pytest -m "not local"

# The tests whose examples Hypothesis makes: others on each run, 25 times as many. What fails is
# told with a line that has it tried again.
thorough: $(READY) $(CDK)
	$(BIN)/python -m pytest $(TOGETHER) -m hypothesis --hypothesis-profile thorough

# Writes everything that is made from the code: the JSON Schema, pages, pictures and golden files.
GENERATORS := tests.authorization mpe.model.config.published tests.reference tests.workflows tests.diagram tests.permissions tests.coverage tests.facts.page tests.session tests.mails tests.dashboard tests.faults.page
generate: $(READY) $(CDK)
	for module in $(GENERATORS); do $(BIN)/python -m $$module || exit 1; done

# Rooms, floors and arrows of the source, and how long its functions are.
graph: $(READY)
	$(BIN)/python -m tests.layers

# The fast tests of what was changed since the last commit.
changed: $(READY)
	$(BIN)/python -m tests.changed

# Each AWS call that the functions make, going wrong in each way, and whole lives that meet more than
# that; SAMPLE=100 SEED=1 tries a few, and KIND="clock jump" one kind (as docs/faults.md has them).
faults: $(READY)
ifdef KIND
	$(BIN)/python -m tests.faults.campaign --kind "$(KIND)" --sample $(or $(SAMPLE),0) --seed $(or $(SEED),0) --write
else
	$(BIN)/python -m tests.faults.campaign --sample $(or $(SAMPLE),0) --seed $(or $(SEED),0) $(if $(SAMPLE),,--write)
	$(BIN)/python -m tests.local.campaign --sample $(or $(SAMPLE),0) --seed $(or $(SEED),0) --write $(if $(SAMPLE),build/faults.md,docs/faults.md)
endif

# What reads hostile text, guided by coverage; TIME=600 goes on for longer.
fuzz: $(READY) build/fuzz/.ready
	for target in config filter schedule schema csv; do \
		PYTHONPATH=build/fuzz $(BIN)/python -m tests.fuzz.fuzz $$target \
			-max_total_time=$(or $(TIME),60) -timeout=10 -rss_limit_mb=2000 \
			-artifact_prefix=build/fuzz/ || exit 1; \
	done

build/fuzz/.ready: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --target build/fuzz atheris==3.0.0
	touch $@

# Small changes of the code, and whether a test notices each; MODULE=waits tries one module.
# How long all take was not measured; docs/mutants.md has what it found.
mutants: $(READY) build/cosmic/.ready
	$(BIN)/python -m tests.mutants --module "$(MODULE)" --most $(or $(MOST),10000) $(CURDIR)/build/cosmic/bin/python

build/cosmic/.ready:
	$(PYTHON) -m venv build/cosmic
	build/cosmic/bin/python -m pip install --quiet --disable-pip-version-check cosmic-ray==8.7.0
	touch $@

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

# Synthesizes with cdk-nag's rules on, and lints the template.
synth: $(READY)
	$(BIN)/python -m tests.synth build/cdk.out
	$(BIN)/cfn-lint build/cdk.out/*.template.json

# The documentation's site, in build/site.
docs: $(READY)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

# Asks vulnerability services about every pin; fails where these cannot be reached, unless OPTIONS
# is --where-reachable. DATABASE="pypi.zip npm.zip" looks into advisories in files instead (OSV).
audit: build/audit/.ready
	build/audit/bin/python deployment/audit.py $(OPTIONS) $(DATABASE:%=--database %) build/audit/bin/pip-audit \
		source/requirements.txt requirements-dev.txt package-lock.json

# Writes the hash of every file of each release beside all pins, and Lambda's pins as those of
# development have them: no archive is fetched for it.
HASHED := build/pins/bin/uv pip compile --quiet --generate-hashes --no-annotate --no-header
pins: build/pins/.ready
	sed -n 's/^\([A-Za-z].*==[^\\]*[^ \\]\).*/\1/p' requirements-dev.txt > build/pins/versions.txt
	$(HASHED) --no-deps --universal --python-version 3.11 --output-file build/pins/development.txt build/pins/versions.txt
	$(HASHED) --constraint build/pins/versions.txt --python-version 3.14 --output-file build/pins/lambda.txt pyproject.toml
	for pair in development:requirements-dev.txt lambda:source/requirements.txt; do \
		{ grep '^#' $${pair#*:}; cat build/pins/$${pair%:*}.txt; } > build/pins/all.txt && mv build/pins/all.txt $${pair#*:} || exit 1; \
	done

build/pins/.ready:
	$(PYTHON) -m venv build/pins
	build/pins/bin/python -m pip install --quiet --disable-pip-version-check uv==0.13.9
	touch $@

build/audit/.ready:
	$(PYTHON) -m venv build/audit
	build/audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit==2.10.1
	touch $@

# Writes benchmarks/RESULTS.md and benchmarks/results.json; fails where a target is missed.
bench: $(READY)
	$(BIN)/python -m benchmarks.run

$(READY): requirements-dev.txt pyproject.toml
	@command -v node >/dev/null || { echo "Node.js is needed: the AWS CDK runs on it."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	$(BIN)/python -m pip check
	touch $(READY)

# The CDK's command line, which `npx cdk` then runs, and a validator of workflows.
$(CDK): package.json package-lock.json
	@command -v npm >/dev/null || { echo "npm is needed: it comes with Node.js."; exit 1; }
	npm ci --no-audit --no-fund --ignore-scripts
	touch $(CDK)

clean:
	rm -rf $(VENV) node_modules build cdk.out deployment/*-s3-assets deployment/open-source .pytest_cache .mypy_cache .ruff_cache examples/*/data
