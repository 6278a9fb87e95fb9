# Everything a developer or a visitor runs. `make demo` and `make test` set up all they need.
PYTHON ?= python3
VENV ?= .venv
DEMO ?= demo-run
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: demo test test-extras check lint parity benchmarks clean

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	touch $(INSTALLED)

demo: $(INSTALLED)  ## synthetic corpus in, report out: the whole trip
	$(BIN)/aver demo --out $(DEMO)

test: $(INSTALLED)  ## all tests, one file at a time on each core
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile

test-extras: $(INSTALLED)  ## tests of the optional extras, which `make test` skips without them
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[dev,foundation,hub,datasets,audformat,mlflow,wandb]"
	$(BIN)/python -m pytest -m extras

lint: $(INSTALLED)  ## style, docstrings, types, order of packages, spelling
	$(BIN)/ruff check src tests benchmarks examples
	$(BIN)/ruff format --check src tests benchmarks examples
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell README.md CONTRIBUTING.md CHANGELOG.md docs src tests benchmarks examples

check: lint test

parity: $(INSTALLED)  ## the spiking engine against Brian2, spike for spike
	$(BIN)/python -m pytest -q -s tests/spiking/parity tests/spiking/parity/workloads_beside_brian.py

clean:
	rm -rf $(VENV) $(DEMO) .pytest_cache .mypy_cache .ruff_cache
