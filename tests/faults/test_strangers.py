"""Strangers at the page of a real daemon: it continues, and its own clients are served."""

import asyncio
import contextlib
import json
import os
import resource
import socket
import stat
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.daemon.whole import a_profile
from tests.faults.stage import MACHINE, Program, a_daemon, a_lifter, last_seq, until
from tests.soak import long, soak

STRANGERS = 250  # about twice as many as descriptors
FEW_DESCRIPTORS = 128
BLOCKED_S = long(12.0, 6.0)  # two messages of info and ten checks for requests to forget, or half of that
SPEED = 4.0
ADDRESSES = [f"127.0.0.{number}" for number in range(2, 42)]  # one loopback address for each peer


def half_open(port: int, address: str) -> socket.socket | None:
    with contextlib.suppress(OSError):
        peer = socket.create_connection(("127.0.0.1", port), timeout=1.0, source_address=(address, 0))
        peer.sendall(b"GET / HT")
        return peer
    return None


def served(port: int) -> bool:
    with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
        return int(answer.status) == 200
    return False


def limit_descriptors(daemon: Program, number: int) -> None:
    _, hard = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (number, hard))


def page_port(state: Path) -> int:
    url = json.loads((state / "up.json").read_text())["page_url"]
    return int(url.rstrip("/").rpartition(":")[2])


@pytest.fixture
def no_umask() -> Iterator[None]:
    """Programs that are started now may make files that everybody can write."""
    before = os.umask(0)
    yield
    os.umask(before)


def assert_private(folder: Path) -> None:
    """Nothing in a state folder can be written by others, and nobody but the owner and the group can enter it."""
    found = {}
    for path in (folder, *folder.rglob("*")):
        with contextlib.suppress(FileNotFoundError):  # the daemon has renamed a file since
            found[path] = path.stat().st_mode
    assert {path.suffix for path in found} >= {".db", ".mcap", ".json"}
    assert not [path for path, mode in found.items() if mode & 0o022]
    assert not [path for path, mode in found.items() if stat.S_ISDIR(mode) and mode & 0o007]


@soak
@pytest.mark.usefixtures("no_umask")
def test_strangers_and_a_limit_of_descriptors_end_nothing(tmp_path: Path) -> None:
    """First strangers take every connection; then no file can be opened. The daemon's files are private, too."""
    state = tmp_path / "state" / MACHINE

    async def story(profile: Path) -> None:
        with a_lifter(tmp_path, profile, SPEED), a_daemon(tmp_path, profile, tmp_path / "tty") as daemon:
            await until(lambda: daemon.is_up and list(state.rglob("*.mcap")))
            assert_private(tmp_path / "state")
            await strangers_come(daemon, state)
            await no_file_can_be_opened(daemon)
            assert daemon.stop() == 0, daemon.lines
            assert not [line for line in daemon.lines if "Traceback" in line]

    asyncio.run(story(a_profile(tmp_path, None)))


async def strangers_come(daemon: Program, state: Path) -> None:
    """They take every connection while the daemon continues, and leave; then its page is there again."""
    port = page_port(state)
    limit_descriptors(daemon, FEW_DESCRIPTORS)
    peers = [await asyncio.to_thread(half_open, port, ADDRESSES[i % len(ADDRESSES)]) for i in range(STRANGERS)]
    stored = last_seq(state / "events.db")
    await until(lambda: last_seq(state / "events.db") > stored + 2)
    assert len(os.listdir(f"/proc/{daemon.pid}/fd")) < FEW_DESCRIPTORS - 10
    for peer in peers:
        if peer is not None:
            peer.close()
    await until(lambda: served(port))


async def no_file_can_be_opened(daemon: Program) -> None:
    """Info, requests to forget and housekeeping continue or report it."""
    limit_descriptors(daemon, 5)
    await asyncio.sleep(BLOCKED_S)
    limit_descriptors(daemon, 1024)
