"""Patience of a recorder with a busy disk."""

import pytest


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.record.recorder.CLOSED_WITHIN_S", 120.0)
