# make demo     show a simulated machine, without hardware
# make test     check the code and run all tests
# make soak     run the tests of faults for longer
# make help     list all targets
#
# Needs python3 (3.11 to 3.14, with venv), make, and a network the first time. All packages are installed into .venv, in
# the exact versions of configs/locks; their hashes are checked.

PYTHON ?= python3
VENV ?= .venv
ARGS ?=
PY := $(VENV)/bin/python
UV := uv==0.13.9
LOCKS := configs/locks

FIRMWARE_PACKAGES := gcc-avr avr-libc binutils-avr
TEST_PACKAGES := mosquitto mosquitto-clients nats-server openssl systemd chromium-headless-shell gcc libc6-dev make \
                 pkg-config valgrind postgresql $(FIRMWARE_PACKAGES) libsimavr-dev libsimavr2 libelf-dev

.DEFAULT_GOAL := help
.PHONY: help demo test check collected soak quality bench system firmware clean install upgrade uninstall lock newest

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

demo: $(VENV)/$(if $(findstring --gym,$(ARGS)),gym,runtime) ## show a simulated leg press on the display; Ctrl-C stops it
	@$(PY) -m monitor demo $(ARGS)

test: system ## check style and types, and run all tests; ARGS= is for pytest
	@$(MAKE) --no-print-directory -j2 check collected
	@$(PY) -m pytest -q -rfEs -n auto --dist loadfile --no-loadscope-reorder $(ARGS)

check: $(VENV)/development ## check style and types only
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@.ci/javascript

# Each worker of the tests would compile all of them, and read all sources for Hypothesis. mypy leaves a core idle for
# this.
collected: $(VENV)/development
	@said=$$($(PY) -m pytest -q -n 0 --collect-only $(ARGS)) || { echo "$$said"; exit 1; }

soak: system $(VENV)/development ## run the tests of faults for an hour and a half; prints the measurements
	@.ci/system-packages systemd-container
	@REP_MONITOR_SOAK=1 $(PY) -m pytest -q -rfEs -m soak --timeout=1500 $(ARGS)

quality: $(VENV)/development ## measure detection on held-back truth; ARGS= as python -m tests.quality
	@$(PY) -m tests.quality $(ARGS)

bench: $(VENV)/development ## measure speed; BASE=REV compares with another commit
ifdef BASE
	@.ci/system-packages valgrind
	@$(PY) -m tests.benchmarks.compare $(BASE) $(ARGS)
else
	@for bench in $(basename $(notdir $(wildcard tests/benchmarks/bench_*.py))); do \
		$(PY) -m tests.benchmarks.$$bench $(ARGS) || exit 1; done
endif

system:
	@.ci/system-packages $(TEST_PACKAGES)

firmware: ## build the microcontroller's program; MCU=, ADC= as in firmware_bridge/firmware/Makefile
	@.ci/system-packages make $(FIRMWARE_PACKAGES)
	@$(MAKE) --no-print-directory -C firmware_bridge/firmware

install: ## install as a service (sudo)
upgrade: ## upgrade to these sources; rolled back if they do not start (sudo)
uninstall: ## uninstall; keeps profiles and state, unless PURGE=1 (sudo)
install upgrade uninstall:
	@$(PYTHON) -B configs/deploy/install.py $@ --python "$$(command -v $(PYTHON))" \
		$(if $(DESTDIR),--root "$(DESTDIR)") $(if $(PURGE),--purge)

lock: $(VENV)/runtime ## renew the locks: the newest versions that pyproject.toml allows, one set for every Python and CPU
	@$(PY) -m pip install -q --disable-pip-version-check $(UV)
	@$(call locked,runtime,pyproject.toml)
	@printf 'hatchling\neditables\nsetuptools\n' | $(call locked,build,- -c $(LOCKS)/runtime.lock)
	@$(call locked,gym,pyproject.toml --extra gym --extra postgres --extra fit -c $(LOCKS)/runtime.lock)
	@$(call locked,development,pyproject.toml --extra dev -c $(LOCKS)/gym.lock -c $(LOCKS)/build.lock)

newest: system ## the suite with the newest versions that pyproject.toml allows, after a look for known vulnerabilities
	@$(call environment,.venv-newest,--clear)
	@.venv-newest/bin/python -m pip install -q --disable-pip-version-check --upgrade -e '.[dev]'
	@touch .venv-newest/runtime .venv-newest/gym .venv-newest/development
	@.venv-newest/bin/python -m pip list --disable-pip-version-check
	@.ci/audit .venv-newest
	@$(MAKE) --no-print-directory VENV=.venv-newest test

clean: ## remove what was built, but not .venv
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find firmware_bridge monitor tests -name __pycache__ -type d -prune -exec rm -rf {} +
	@$(MAKE) --no-print-directory -C firmware_bridge/firmware clean

# Each stamp is as old as the lock that it was installed from. An interpreter that is gone means a new environment.
$(VENV)/runtime: pyproject.toml $(LOCKS)/runtime.lock $(LOCKS)/build.lock
	@$(call environment,$(VENV))
	@echo "Installing rep-monitor into $(VENV) ..."
	@$(call installed,runtime)
	@touch $@

$(VENV)/gym: pyproject.toml $(LOCKS)/gym.lock $(LOCKS)/build.lock
	@$(call environment,$(VENV))
	@echo "Installing rep-monitor with what a gym needs into $(VENV) ..."
	@$(call installed,gym)
	@touch $@ $(VENV)/runtime

$(VENV)/development: pyproject.toml $(LOCKS)/development.lock $(LOCKS)/build.lock
	@$(call environment,$(VENV))
	@echo "Installing rep-monitor and its tools into $(VENV) ..."
	@$(call installed,development)
	@touch $@ $(VENV)/runtime $(VENV)/gym

# $(call locked,NAME,SOURCE...): configs/locks/NAME.lock from uv
locked = $(PY) -m uv pip compile -q --upgrade --universal --python-version 3.11 --fork-strategy fewest \
	--generate-hashes --custom-compile-command "make lock" -o $(LOCKS)/$(1).lock $(2)

# $(call installed,NAME): what configs/locks/NAME.lock names, then these sources. The build tools come first, because pip
# would otherwise look up the newest ones for what has no wheel (cobs) and for these sources.
installed = for lock in build $(1); do $(PIP) --require-hashes -r $(LOCKS)/$$lock.lock || exit 1; done; \
	$(PIP) --no-index -e . && $(PY) -m pip check -q --disable-pip-version-check
PIP = $(PY) -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation

# $(call environment,FOLDER,--clear): a virtual environment of $(PYTHON), where there is none yet
define environment
command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON). Install Python 3.11 or newer, or name one: make PYTHON=python3.12 ..."; exit 1; }; \
$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$$($(PYTHON) --version) is too old. Name a Python from 3.11 on: make PYTHON=python3.12 ..."; exit 1; }; \
$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "$(PYTHON) has no venv. Install it: sudo apt-get install python3-venv"; exit 1; }; \
[ -z "$(2)" ] && $(1)/bin/python -c 'import pip' 2>/dev/null || $(PYTHON) -m venv --clear $(1)
endef
