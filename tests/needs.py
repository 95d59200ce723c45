"""Marks for tests that need a program which pip does not install: `@needs.mosquitto`, `pytestmark = needs.chromium`.

Without the program such a test is skipped with the name of the package, or fails if REP_MONITOR_REQUIRE_ALL=1 is set.
conftest.py checks the marks.
"""

import os
import shutil
from pathlib import Path

import pytest

POSTGRESQL = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")))  # Debian keeps its programs out of PATH
SYSTEM_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", *POSTGRESQL])
SHARED_DATA = Path(__file__).parents[1].parent / "shared" / "data"  # recordings of others, not in this repository

PACKAGES = {  # a program, or a file of a library -> its Debian package
    "mosquitto": {"mosquitto": "mosquitto"},
    "mosquitto_clients": {"mosquitto_pub": "mosquitto-clients", "mosquitto_sub": "mosquitto-clients"},
    "nats": {"nats-server": "nats-server"},
    "openssl": {"openssl": "openssl"},
    "systemd": {"systemd-analyze": "systemd"},
    "nspawn": {"systemd-nspawn": "systemd-container"},
    "chromium": {"chromium-headless-shell": "chromium-headless-shell"},
    "npm": {"npm": "npm"},
    "valgrind": {"valgrind": "valgrind"},
    "postgresql": {"postgres": "postgresql", "initdb": "postgresql"},
    "compiler": {"cc": "gcc", "make": "make"},
    "avr": {
        "avr-gcc": "gcc-avr",
        "avr-objcopy": "binutils-avr",
        "/usr/lib/avr/include/avr/io.h": "avr-libc",
        "/usr/include/simavr/sim_avr.h": "libsimavr-dev",
        "/usr/include/libelf.h": "libelf-dev",
        "cc": "gcc",
        "make": "make",
        "pkg-config": "pkg-config",
    },
}

mosquitto = pytest.mark.needs("mosquitto")
mosquitto_clients = pytest.mark.needs("mosquitto_clients")
nats = pytest.mark.needs("nats")
openssl = pytest.mark.needs("openssl")
systemd = pytest.mark.needs("systemd")
nspawn = pytest.mark.needs("nspawn")
root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may make another machine of this one")
chromium = pytest.mark.needs("chromium")
npm = pytest.mark.needs("npm")
valgrind = pytest.mark.needs("valgrind")
postgresql = pytest.mark.needs("postgresql")
compiler = pytest.mark.needs("compiler")
avr = pytest.mark.needs("avr")
shared_data = pytest.mark.skipif(not SHARED_DATA.is_dir(), reason="the folder shared/data is not beside this one")


def path(program: str) -> str:
    """The path of the program, for a test that needs it."""
    found = shutil.which(program, path=SYSTEM_PATH)
    assert found, f"{program} is not installed"
    return found


def absent(need: str) -> str | None:
    """The reason why a test with this need cannot run here, or None."""
    packages = dict.fromkeys(package for what, package in PACKAGES[need].items() if not _there(what))
    return f"needs: apt-get install {' '.join(packages)}" if packages else None


def required() -> bool:
    return os.environ.get("REP_MONITOR_REQUIRE_ALL") == "1"


def _there(what: str) -> bool:
    return Path(what).exists() if what.startswith("/") else shutil.which(what, path=SYSTEM_PATH) is not None
