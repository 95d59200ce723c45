"""Fixtures and checks of all tests: needs, leaks, `--bless` for expected results, parallel workers."""

import asyncio
import gc
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import needs, workers
from tests.soak import SOAKING, Figure

ROOT = Path(__file__).parents[1]

settings.register_profile("unhurried", deadline=None)  # a slow example is not a failure
settings.load_profile("unhurried")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--bless", action="store_true", help="write the expected results again; say why in the commit")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    return workers.number()


@pytest.hookimpl(optionalhook=True, wrapper=True)
def pytest_xdist_make_scheduler(config: pytest.Config) -> Generator[None, Any, Any]:
    """Of `--dist loadfile`: some folders are one unit, too."""
    scheduler = yield
    if config.getoption("dist") == "loadfile":
        scheduler._split_scope = workers.unit
    return scheduler


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(what): a program that pip does not bring; see tests/needs.py")
    config.addinivalue_line("markers", "soak: has a long form, for `make soak`; see tests/soak.py")
    config.addinivalue_line("markers", "soak_only: has no short form; put `soak` beside it")
    config.addinivalue_line("markers", "may_leak: a library leaves threads, tasks or descriptors behind; say which")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    too_long = [] if SOAKING else [item for item in items if item.get_closest_marker("soak_only")]
    if too_long:
        config.hook.pytest_deselected(items=too_long)
        items[:] = [item for item in items if item not in too_long]
    items.sort(key=lambda item: workers.place(item.nodeid))
    if SOAKING:  # tests that can run beside the simulated day come first, and the day comes last among them
        items.sort(key=lambda item: ("the_day" not in getattr(item, "fixturenames", ()), item.path.stem == "test_day"))


def pytest_collection_finish(session: pytest.Session) -> None:
    """With --collect-only, as `make test` begins, Hypothesis reads the sources for constants, once for all workers."""
    if session.config.option.collectonly:
        _one_example()


@settings(database=None, max_examples=1)
@given(st.text())
def _one_example(_: str) -> None:
    pass


def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("needs"):
        for need in mark.args:
            if reason := needs.absent(need):
                (pytest.fail if needs.required() else pytest.skip)(reason)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints the measurements of `make soak`."""
    reports = terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
    figures = [value for report in reports for name, value in report.user_properties if name == "figure"]
    if (SOAKING or terminalreporter.verbosity > 0) and figures:
        terminalreporter.section("figures")
        width = max(len(what) for what, _ in figures)
        for what, measured in figures:
            terminalreporter.write_line(f"{what:{width}}  {measured}")


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Figure:
    """Keeps measurements for the end of `make soak`."""

    def keep(what: str, measured: str) -> None:
        record_property("figure", (what, measured))

    return keep


@pytest.fixture(scope="session")
def the_day(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[subprocess.Popen[str]]:
    """Runs the simulated day beside tests that it does not disturb; test_day.py waits for its end."""
    wanted = any(item.path.stem == "test_day" for item in request.session.items)
    command = [sys.executable, "-m", "tests.faults.day", str(tmp_path_factory.mktemp("day"))]
    pipe = subprocess.PIPE
    with subprocess.Popen(command if wanted else ["true"], cwd=ROOT, stdout=pipe, stderr=pipe, text=True) as day:
        try:
            yield day
        finally:
            day.kill()


@pytest.fixture
def bless(request: pytest.FixtureRequest) -> bool:
    """True if expected results are to be written instead of compared."""
    return bool(request.config.getoption("--bless"))


@pytest.fixture(autouse=True)
def leaves_nothing_behind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Compares open file descriptors, threads and asyncio tasks before and after a test."""
    left_tasks: list[str] = []
    close = asyncio.Runner.close

    def close_and_look(runner: asyncio.Runner) -> None:
        if not (loop := runner.get_loop()).is_closed():
            left_tasks.extend(task.get_name() + " " + repr(task.get_coro()) for task in asyncio.all_tasks(loop))
        close(runner)

    monkeypatch.setattr(asyncio.Runner, "close", close_and_look)
    descriptors, threads = _descriptors(), set(threading.enumerate())
    yield
    if request.node.get_closest_marker("may_leak"):
        return
    assert not left_tasks, f"asyncio tasks left running: {left_tasks}"
    for thread in set(threading.enumerate()) - threads:
        thread.join(30.0)  # a thread that is stopping may be on its last line
        assert not thread.is_alive(), f"thread left running: {thread}"
    # Only the number counts: a page that tests share may have reconnected. A peer's end may take
    # a moment to be seen by a server in its own thread.
    until_s = time.monotonic() + 60
    while time.monotonic() < until_s:
        if len(_descriptors()) <= len(descriptors):
            return
        gc.collect()
        time.sleep(0.05)
    left = {number: name for number, name in _descriptors().items() if number not in descriptors}
    assert not left, f"file descriptors left open: {left}"


def _descriptors() -> dict[int, str]:
    found = {}
    for number in os.listdir("/proc/self/fd"):
        try:
            found[int(number)] = os.readlink(f"/proc/self/fd/{number}")
        except FileNotFoundError:  # the descriptor that listed them
            continue
    return found
