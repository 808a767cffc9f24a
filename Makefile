# Every target sets up what it needs. With another Python, where there is no .venv yet: make PYTHON=python3.12 lab
PYTHON ?= $(shell for python in python3 python3.12 python3.11 python3.10 python3.13 python; do \
	$$python -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1 && echo $$python && break; done)
PYTHON_COLAB ?= $(shell for python in python3.13 $(HOME)/.pyenv/versions/3.13*/bin/python; do \
	$$python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' >/dev/null 2>&1 && echo $$python && break; done)
BIN := .venv/bin
PIP := -m pip install --quiet --quiet --disable-pip-version-check

.PHONY: lab run test test-colab fuzz build check same bench book slides quizzes bundle nbgrader colab-links

lab: .venv/lab
	$(BIN)/jupyter lab notebooks/00_start_here.ipynb

run: .venv/lab
	@mkdir -p build && rm -f build/results.csv
	@$(BIN)/python tests/colab.py --here $(LESSONS)

test: .venv/dev
	$(BIN)/python -m pytest -q -n 2 --dist worksteal

fuzz: .venv/dev
	FUZZ=100000 $(BIN)/python -m pytest -q tests/test_fuzz.py

build: .venv/dev
	$(BIN)/python tools/build.py $(LESSONS)

check: .venv/dev
	$(BIN)/python -m pytest -q -p no:cacheprovider tests/test_fresh.py
	$(BIN)/ruff check --quiet . && $(BIN)/ruff format --check --quiet . && PATH=$(BIN):$$PATH lint-imports --no-logo

same: .venv/dev
	$(BIN)/python tools/build.py --same $(LESSONS)

bench: .venv/bench
	$(BIN)/python benchmarks/run.py $(BENCH)

book: .venv/dev
	$(BIN)/python -m sphinx -q -W --keep-going -b html docs build/book

slides quizzes bundle nbgrader: .venv/dev
	$(BIN)/python tools/$@.py $(LESSONS) $(BUNDLE)

ADDRESS = $(shell sed -n 's#.*https://github.com/\(.*\)".*#\1#p' notebooks/src/setup_cell.py)
colab-links:
	perl -pi -e 's#(github(?:\.com)?/)\Q$(ADDRESS)\E#$$1$(REPO)#g' notebooks/src/setup_cell.py README.md notebooks/*.ipynb notebooks/solutions/*.ipynb

test-colab:
	@test -n "$(PYTHON_COLAB)" || { echo "make test-colab: Colab runs Python 3.13, and none was found here; nothing ran"; exit 1; }
	@.venv-colab/bin/python -m pip --version >/dev/null 2>&1 || $(PYTHON_COLAB) -m venv --clear .venv-colab
	@.venv-colab/bin/python $(PIP) -r .github/constraints-colab.txt
	.venv-colab/bin/python tests/colab.py $(LESSONS)

.venv/lab: requirements.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "This course needs Python 3.10 to 3.13 (3.12 is a good choice); none was found. With another name: make PYTHON=path/to/python lab"; exit 1; }
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 10) <= v <= (3, 13) else f"This course needs Python 3.10 to 3.13 (3.12 is a good choice), found {v[0]}.{v[1]}.")'
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	@echo "setting up .venv with $$($(BIN)/python --version): about 2 GB to download the first time"
	@$(BIN)/python $(PIP) -r requirements.txt
	@touch $@

.venv/dev: .venv/lab
	@$(BIN)/python $(PIP) -e .[dev]
	@touch $@

.venv/bench: .venv/dev benchmarks/requirements.txt
	@$(BIN)/python $(PIP) -r benchmarks/requirements.txt
	@touch $@
