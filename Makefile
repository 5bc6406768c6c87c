# Set-up, checks, tests and the demo. `make demo` and `make test` set up first; nothing is done twice.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TORCH := torch==2.13.0
# Another build of PyTorch: make setup TORCH_INDEX=URL
TORCH_INDEX ?=
STAMP := $(VENV)/.set-up

.PHONY: setup test check demo acceptance clean

setup: $(STAMP)

$(STAMP): pyproject.toml Makefile
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) '$(TORCH)'
	$(BIN)/pip install --quiet --editable '.[dev,device-peers]'
	touch $@

test: setup
	$(BIN)/pytest -n 2 --dist loadfile

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict -p jackfield -p jackfield_calibration -p jackfield_boards
	$(BIN)/mypy --strict --explicit-package-bases hil_scripts/*.py hil_scripts/templates/*.py
	$(BIN)/lint-imports
	$(BIN)/python firmware_config/generate.py --check

demo: setup
	$(BIN)/jackfield demo

acceptance: setup
	$(BIN)/python hil_scripts/acceptance.py

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
