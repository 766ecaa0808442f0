# PayGO in two commands: `make run` starts everything, `make test` tests everything.
# Needed: git, make, and Python 3.11 or later with venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin/python
ARGS ?=

# What is installed is named after the files that ask for it: while they stay the same, pip is not called.
# A name appears only after pip has ended well, so an interrupted installation is repeated.
INSTALLED := $(VENV)/installed-$(shell cat requirements.txt constraints.txt | cksum | tr ' ' '-')
INSTALLED_DEV := $(VENV)/installed-dev-$(shell cat requirements.txt requirements-dev.txt constraints.txt | cksum | tr ' ' '-')
PIP := $(BIN) -m pip install --disable-pip-version-check --quiet --use-pep517 --constraint constraints.txt

.DEFAULT_GOAL := help
.PHONY: help run install install-dev test soak check lock messages clean

help:
	@echo 'make run [ARGS="--port 9000"]  start the whole platform on this machine'
	@echo 'make test [ARGS="-k name"]     run all tests; they start what they need'
	@echo 'make soak                      the same at full numbers: hours; reports to docs/soak'
	@echo 'make check                     formatting, lint, types, dependency direction, migrations'
	@echo 'make install                   only install what is needed to run'

run: install
	@exec $(BIN) manage.py up $(ARGS)

install: $(INSTALLED)

install-dev: $(INSTALLED_DEV)

test: install-dev
	@$(BIN) -m pytest --numprocesses auto $(ARGS)

# With `soak` asked for, what is skipped otherwise runs, in one process, each test for hours if it has to: it writes its report.
soak: install-dev
	@SOAK=1 $(BIN) -m pytest --numprocesses 0 --durations 0 -o faulthandler_timeout=21600 tests/soak $(ARGS)

check: install-dev
	$(BIN) -m ruff format --check .
	$(BIN) -m ruff check .
	$(BIN) -m mypy
	$(BIN) -c 'from importlinter.cli import lint_imports_command; lint_imports_command()'
	$(BIN) manage.py makemigrations --check --dry-run
	$(BIN) manage.py check
	$(BIN) manage.py describe_events --check
	$(BIN) manage.py lintmigrations --quiet ok --warnings-as-errors --exclude-apps admin auth axes contenttypes sessions

$(VENV)/ready:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("PayGO needs Python 3.11 or later; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12 run")'
	@$(BIN) -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV) || { echo "Python's venv is missing; on Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@touch $@

$(INSTALLED): | $(VENV)/ready
	@echo 'Installing …'
	@$(PIP) --requirement requirements.txt
	@rm -f $(VENV)/installed-[0-9]*
	@touch $@

$(INSTALLED_DEV): | $(INSTALLED)
	@echo 'Installing what tests and checks need …'
	@$(PIP) --requirement requirements-dev.txt
	@rm -f $(VENV)/installed-dev-*
	@touch $@

# Pins what the requirements bring along; for Python before 3.11.3 too, which needs async-timeout.
lock: install-dev
	{ echo '# Every package that requirements.txt and requirements-dev.txt bring along, pinned: `make lock` writes this file.'; \
	  { $(BIN) -m pip freeze --exclude-editable; grep -o '^async-timeout==[^;]*' requirements.txt; } | LC_ALL=C sort -fu; } > constraints.txt

# Collects what notices say into the files of each language, and compiles them; needs gettext.
messages: install-dev
	cd accounts && ../$(BIN) ../manage.py makemessages --all --no-location --no-wrap --extension txt,html,py --ignore 'admin/*'
	cd accounts && ../$(BIN) ../manage.py compilemessages

clean:
	rm -rf .local staticfiles .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
