# Everything runs from .venv, which the first target that needs it makes.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: demo test lint bench docs clean system

demo: $(STAMP)
	@$(BIN)/sousveil census helsinki -o demo

test: $(STAMP) system
	$(BIN)/pytest -n 2

lint: $(STAMP)
	$(BIN)/ruff check src tests bench docs
	$(BIN)/ruff format --check src tests bench docs
	$(BIN)/mypy

bench: $(STAMP) system
	$(BIN)/python bench/run.py

docs: $(STAMP)
	$(BIN)/python docs/_commands.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

clean:
	rm -rf .venv demo site dist

$(STAMP): pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev,docs]'
	@touch $@

# The report is tested in a real browser; as root on Debian we install it, elsewhere the README says how.
system:
	@./.ci/system-packages
