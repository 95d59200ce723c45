# make demo     see it run, without hardware
# make test     check the code and run all tests
# make soak     the same faults for longer
# make help     the rest
#
# Needs python3 (3.11 or newer, with venv), make, and a network the first time. Everything goes into .venv.

PYTHON ?= python3
ARGS ?=
PY := .venv/bin/python

FIRMWARE_PACKAGES := gcc-avr avr-libc binutils-avr
TEST_PACKAGES := mosquitto mosquitto-clients openssl systemd chromium gcc libc6-dev make pkg-config \
                 $(FIRMWARE_PACKAGES) libsimavr-dev libsimavr2 libelf-dev

.DEFAULT_GOAL := help
.PHONY: help demo test check soak quality bench system firmware clean install upgrade uninstall lock

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

demo: .venv/runtime ## a simulated leg press on the display; Ctrl-C ends it
	@$(PY) -m monitor demo $(ARGS)

test: system check ## style, types, and every test; ARGS= goes to pytest
	@$(PY) -m pytest -q -rfEsR --reruns 1 $(ARGS)

check: .venv/development ## style and types only
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy

soak: system .venv/development ## the long forms of the tests of faults, half an hour; prints what was measured
	@.ci/system-packages systemd-container
	@REP_MONITOR_SOAK=1 $(PY) -m pytest -q -rfEs -m soak --timeout=1500 $(ARGS)

quality: .venv/development ## how good detection is, on truth it was not tuned to; ARGS= as python -m tests.quality
	@$(PY) -m tests.quality $(ARGS)

bench: .venv/development ## how fast it is
	@for bench in $(basename $(notdir $(wildcard tests/benchmarks/bench_*.py))); do \
		$(PY) -m tests.benchmarks.$$bench $(ARGS) || exit 1; done

system:
	@.ci/system-packages $(TEST_PACKAGES)

firmware: ## the microcontroller's program; MCU=, ADC= as in firmware_bridge/firmware/Makefile
	@.ci/system-packages make $(FIRMWARE_PACKAGES)
	@$(MAKE) --no-print-directory -C firmware_bridge/firmware

install: ## as a service of this machine (sudo)
upgrade: ## the same with these sources; goes back where they do not come up (sudo)
uninstall: ## keeps profiles and state, unless PURGE=1 (sudo)
install upgrade uninstall:
	@$(PYTHON) configs/deploy/install.py $@ --python "$$(command -v $(PYTHON))" \
		$(if $(DESTDIR),--root "$(DESTDIR)") $(if $(PURGE),--purge)

lock: .venv/runtime ## pin what is installed as a service, with hashes, to what is newest and fits pyproject.toml
	@$(PY) -m pip install -q --disable-pip-version-check uv
	@$(call locked,pyproject.toml,requirements.lock)
	@echo hatchling | $(call locked,-,build.lock)

clean: ## remove what was built, but not .venv
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find firmware_bridge monitor tests -name __pycache__ -type d -prune -exec rm -rf {} +
	@$(MAKE) --no-print-directory -C firmware_bridge/firmware clean

# The stamps are as old as pyproject.toml's last word; an interpreter that has gone away means a new .venv.
.venv/runtime: pyproject.toml
	@$(call environment)
	@echo "Installing rep-monitor into .venv ..."
	@$(PY) -m pip install -q --disable-pip-version-check -e .
	@touch $@

.venv/development: pyproject.toml
	@$(call environment)
	@echo "Installing rep-monitor and its tools into .venv ..."
	@$(PY) -m pip install -q --disable-pip-version-check -e '.[dev]'
	@touch $@ .venv/runtime

locked = $(PY) -m uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command "make lock" -o configs/deploy/$(2) $(1)

define environment
command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON); install Python 3.11 or newer, or name one: make PYTHON=python3.12 ..."; exit 1; }; \
$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$$($(PYTHON) --version) is too old; name a Python from 3.11 on: make PYTHON=python3.12 ..."; exit 1; }; \
$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "$(PYTHON) has no venv; install it: sudo apt-get install python3-venv"; exit 1; }; \
$(PY) -c 'import pip' 2>/dev/null || $(PYTHON) -m venv --clear .venv
endef
