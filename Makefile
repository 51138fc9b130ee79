# What can be made: make help
# Needs Python 3.11+ and make; `make demo PYTHON=python3.12` picks the interpreter.

PYTHON ?= python3
MINUTES ?= 60
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: help demo studio test test-ray lint types docs fuzz mutants format clean
.NOTPARALLEL:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

help: ## list what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/.installed ## paint examples/semantic.png and say where the picture is
	$(BIN)/artkit -v run examples/semantic.png --chain semgan,pix2pix,touchup -o demo.png --overwrite

studio: $(VENV)/.installed-studio ## open the studio in a browser: paint a label map and see it become a picture
	$(BIN)/artkit studio

test: lint types ## everything that is checked: lint, types, import rules, tests
	$(BIN)/pytest --numprocesses auto --maxprocesses 4

test-ray: $(VENV)/.installed-test ## --engine ray on a cluster of two nodes, with an S3 server: what `make test` skips without Ray
	$(INSTALL) -e '.[test,ray]' s3fs 'moto[s3,server]'
	$(BIN)/pytest tests/test_ray.py tests/test_worker.py tests/test_buckets.py

lint: $(VENV)/.installed-test ## ruff: faults and format
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/.installed-test ## mypy
	$(BIN)/mypy

docs: $(VENV)/.installed-test ## the site of docs/, in site/: warnings are errors
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet --builder html docs site
	@echo site/index.html

study-%: $(VENV)/.installed ## a study of examples/studies: study-noise, study-cycle ...
	$(BIN)/artkit study examples/studies/$* -o studies/$*

fuzz: $(VENV)/.installed-test ## damaged files to every reader for an hour, or MINUTES=10; what falls is kept in fuzz-failures/
	$(BIN)/python tests/fuzz/fuzz_driver.py --minutes $(MINUTES)

mutants: $(VENV)/.installed-test ## break the code on purpose and list what no test notices (a day), or ONLY='artkit.engine.*'
	$(INSTALL) -e '.[test,mutants]'
	@ln -sfn plugins src; trap 'rm -f src' EXIT; \
	  OMP_NUM_THREADS=1 $(BIN)/mutmut run $(if $(ONLY),'$(ONLY)') && $(BIN)/mutmut results | sed '/: not checked$$/d'

format: $(VENV)/.installed-test ## let ruff mend and format
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

clean: ## remove the environment and the tools' caches
	rm -rf $(VENV) site docs/reference fuzz-failures mutants .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/pyvenv.cfg:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "artkit needs Python 3.11 or newer, and '$(PYTHON)' is not. Name one: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# The stamps say when the environment was last brought in line with pyproject.toml and constraints.txt.
$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/pyvenv.cfg
	@echo "Installing artkit and what it needs into $(VENV): a minute or more, the first time."
	$(INSTALL) -e .
	@touch $@

$(VENV)/.installed-studio: pyproject.toml constraints.txt | $(VENV)/pyvenv.cfg
	@echo "Installing artkit, what it needs and the studio's web server into $(VENV): a minute or more, the first time."
	$(INSTALL) -e '.[studio]'
	@touch $(VENV)/.installed $@

$(VENV)/.installed-test: pyproject.toml constraints.txt | $(VENV)/pyvenv.cfg
	@echo "Installing artkit, what it needs and its test tools into $(VENV): a minute or more, the first time."
	$(INSTALL) -e '.[test]'
	@# TypeScript checks the types of the studio's page; without npm that test says that it is skipped.
	@if command -v npm >/dev/null; then npm install --silent --no-audit --no-fund --prefix $(VENV)/node typescript@7.0.2 || true; fi
	@touch $(VENV)/.installed $(VENV)/.installed-studio $@
