"""The beginning of a session is shown in the time of the computer that makes the report, with its zone."""

import time
from collections.abc import Iterator
from zoneinfo import available_timezones

import pytest

from monitor.report.local_time import local_time


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    with monkeypatch.context() as patch:
        yield patch
    time.tzset()


@pytest.mark.parametrize(
    ("name", "utc", "shown"),
    [
        ("UTC", "2026-01-01T00:00:00Z", "2026-01-01, 00:00 UTC"),
        ("Europe/Berlin", "2026-07-01T22:30:59.5Z", "2026-07-02, 00:30 CEST (UTC+2)"),
        ("Europe/Berlin", "2026-01-01T22:30:00+00:00", "2026-01-01, 23:30 CET (UTC+1)"),
        ("America/St_Johns", "2026-01-01T01:00Z", "2025-12-31, 21:30 NST (UTC-3:30)"),
        ("America/Sao_Paulo", "2026-01-01T12:00:00Z", "2026-01-01, 09:00 UTC-3"),
    ],
)
def test_it_is_local_and_names_the_zone(zone: pytest.MonkeyPatch, name: str, utc: str, shown: str) -> None:
    assert name in available_timezones()
    zone.setenv("TZ", name)
    time.tzset()
    assert local_time(utc) == shown


@pytest.mark.parametrize("text", ["", "yesterday", "2026-02-31T00:00:00Z", "0001-01-01T00:00:00Z", "<b>2026</b>"])
def test_a_text_that_is_not_a_moment_is_not_shown(zone: pytest.MonkeyPatch, text: str) -> None:
    zone.setenv("TZ", "America/Los_Angeles")
    time.tzset()
    assert local_time(text) is None
