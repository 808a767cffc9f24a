# Every target sets up what it needs. A Python of your own choice, where there is no .venv yet (delete it first if there is): make PYTHON=python3.12 lab
PYTHON ?= $(shell for python in python3 python3.12 python3.11 python3.10 python3.13 python; do \
	$$python -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1 && echo $$python && break; done)
PYTHON_COLAB ?= $(shell for python in python3.13 $(HOME)/.pyenv/versions/3.13*/bin/python; do \
	$$python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' >/dev/null 2>&1 && echo $$python && break; done)
BIN := .venv/bin
PIP := -m pip install --quiet --quiet --disable-pip-version-check

.PHONY: lab run test test-colab test-all build check bench book slides quizzes bundle links minutes timetable colab-links colab-proof

lab: .venv/lab
	$(BIN)/jupyter lab notebooks/00_start_here.ipynb

run: .venv/lab
	@$(BIN)/python notebooks/run.py $(LESSONS)

test: .venv/dev
	$(BIN)/python -m pytest -q -n 2 --dist worksteal

build: .venv/dev
	$(BIN)/python notebooks/build.py $(LESSONS)
	$(BIN)/python notebooks/pictures.py

check: .venv/dev
	$(BIN)/python notebooks/build.py --check
	$(BIN)/python notebooks/pictures.py --check
	$(BIN)/python teaching/timetable.py --check

bench: .venv/bench
	$(BIN)/python benchmarks/run.py $(BENCH)

book: .venv/dev
	$(BIN)/python book/build_book.py

slides: .venv/dev
	$(BIN)/python teaching/slides.py $(LESSONS)

quizzes: .venv/dev
	$(BIN)/python teaching/quizzes.py

bundle: .venv/dev
	$(BIN)/python teaching/bundle.py $(BUNDLE)

links: .venv/dev
	$(BIN)/python notebooks/links.py $(if $(CHECK),--check)

minutes: .venv/dev
	$(BIN)/python notebooks/minutes.py

timetable: .venv/dev
	$(BIN)/python teaching/timetable.py
	$(BIN)/python tests/stacks.py --table

colab-links: .venv/dev
	$(BIN)/python notebooks/build.py --repository $(REPO) --branch $(or $(BRANCH),main)

test-colab:
ifeq ($(PYTHON_COLAB),)
	@echo "make test-colab: Colab runs Python 3.13, and none was found here; the tests on Colab's versions did not run"
else
	@.venv-colab/bin/python -m pip --version >/dev/null 2>&1 || $(PYTHON_COLAB) -m venv --clear .venv-colab
	@echo "installing the versions that Colab has"
	@.venv-colab/bin/python $(PIP) -r requirements-colab-dev.txt
	.venv-colab/bin/python -m pytest -q -n 2 --dist worksteal
endif

colab-proof:
	@test -n "$(PYTHON_COLAB)" || { echo "make colab-proof: Colab runs Python 3.13, and none was found here; nothing is proved"; exit 1; }
	@.venv-colab/bin/python -m pip --version >/dev/null 2>&1 || $(PYTHON_COLAB) -m venv --clear .venv-colab
	@.venv-colab/bin/python $(PIP) -r requirements-colab.txt
	.venv-colab/bin/python notebooks/prove.py $(LESSONS)
	@.venv-colab/bin/python teaching/timetable.py
	@.venv-colab/bin/python tests/stacks.py --table

test-all:
	@$(or $(PYTHON),$(PYTHON_COLAB),python3) tests/stacks.py $(PYTHONS)

.venv/lab: requirements.txt
	@test -n "$(PYTHON)" || { echo "This course needs Python 3.10 to 3.13 (3.12 is a good choice); none was found. With another name: make PYTHON=path/to/python lab"; exit 1; }
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 10) <= v <= (3, 13) else f"This course needs Python 3.10 to 3.13 (3.12 is a good choice), found {v[0]}.{v[1]}.")'
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { test ! -d .venv || echo ".venv has no Python with pip that works: made anew"; $(PYTHON) -m venv --clear .venv; }
	@echo "setting up .venv with $$($(BIN)/python --version): about 2 GB to download the first time"
	@$(BIN)/python $(PIP) -r requirements.txt
	@touch $@

.venv/dev: .venv/lab requirements-dev.txt
	@$(BIN)/python $(PIP) -r requirements-dev.txt
	@touch $@

.venv/bench: .venv/dev benchmarks/requirements.txt
	@$(BIN)/python $(PIP) -r benchmarks/requirements.txt
	@touch $@
