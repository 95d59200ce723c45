"""A stop that takes too long: the process ends at a limit or at another Ctrl-C, and the log says what is missing."""

import re
import threading
import time
from collections.abc import Iterator

import pytest

from monitor.daemon import stop_limit as stop_limit_module
from monitor.daemon.stop_limit import StopLimit
from monitor.exit_codes import ExitCode
from tests.deploy.places import DEPLOY


class Left:
    """The status with which the process would have ended."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.has_left = threading.Event()

    def __call__(self, status: int) -> None:
        self.status = status
        self.has_left.set()


@pytest.fixture
def left() -> Left:
    return Left()


@pytest.fixture
def limit(left: Left) -> Iterator[StopLimit]:
    made = StopLimit(left)
    made.missing = lambda: ["a.mcap may lack its end"]
    yield made
    made.done()


def test_after_the_limit_it_leaves_and_says_what_is_missing(
    limit: StopLimit, left: Left, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(stop_limit_module, "WITHIN_S", 0.01)
    limit.begin()
    assert left.has_left.wait(60)
    assert left.status == ExitCode.FAILED
    assert caplog.messages == [
        "the stop has taken 0 s: ending without what is not on the disk yet",
        "a.mcap may lack its end",
    ]


def test_a_stop_that_is_done_in_time_leaves_nothing_behind(
    limit: StopLimit, left: Left, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stop_limit_module, "WITHIN_S", 0.05)
    limit.begin()
    timers = list(limit._timers)
    limit.done()
    for timer in timers:
        timer.join()
    assert left.status is None


def test_the_limit_is_below_that_of_the_service_manager() -> None:
    unit = (DEPLOY / "rep-monitor@.service").read_text()
    (limit_s,) = re.findall(r"^TimeoutStopSec=(\d+)s$", unit, re.M)
    assert float(limit_s) > stop_limit_module.WITHIN_S + stop_limit_module.LOGGED_WITHIN_S


def test_only_a_later_ctrl_c_ends_it_at_once(limit: StopLimit, left: Left, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program such as `uv run` passes on the signal that the terminal has already sent."""
    now_s = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now_s)
    limit.interrupt()
    now_s += 0.9
    limit.interrupt()
    assert left.status is None
    now_s += 0.2
    limit.interrupt()
    assert left.status == ExitCode.INTERRUPTED


def test_a_log_that_hangs_does_not_hold_it(limit: StopLimit, left: Left, monkeypatch: pytest.MonkeyPatch) -> None:
    hangs = threading.Event()

    def missing() -> list[str]:
        hangs.wait()
        return []

    monkeypatch.setattr(stop_limit_module, "LOGGED_WITHIN_S", 0.01)
    monkeypatch.setattr(stop_limit_module, "ONE_PRESS_S", 0.0)
    limit.missing = missing
    limit.interrupt()
    limit.interrupt()
    assert left.status == ExitCode.INTERRUPTED
    hangs.set()
