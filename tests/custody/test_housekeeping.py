"""Housekeeping removes events and recordings beyond the profile's limits, and counts a disk's refusals."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.custody.housekeeping import Housekeeper
from monitor.profile.reading import profile_from_builtins
from monitor.store.store import DAY_S, SPARED_EVENTS, Store
from tests.daemon.stage import TABLES
from tests.record.sessions import jerk


def a_housekeeper(store: Store, recordings: Path, **tables: Any) -> Housekeeper:
    return Housekeeper(profile_from_builtins(TABLES | tables, "a test"), store, recordings)


def recorded(recordings: Path, days_ago: int) -> Path:
    day = datetime.now(UTC).date() - timedelta(days=days_ago)
    path = recordings / day.isoformat() / "081502-s.mcap"
    path.parent.mkdir(parents=True)
    path.write_bytes(bytes(1000))
    return path


def test_old_recordings_are_removed_and_the_default_keeps_all(tmp_path: Path) -> None:
    old, young = recorded(tmp_path, 400), recorded(tmp_path, 3)
    with Store(tmp_path / "events.db") as store:
        a_housekeeper(store, tmp_path).tidy()
        assert old.exists()
        housekeeper = a_housekeeper(store, tmp_path, record={"keep_days": 7})
        housekeeper.tidy()
        assert (old.exists(), young.exists(), housekeeper.removed_days) == (False, True, 1)
        a_housekeeper(store, tmp_path, record={"keep_gb": 1e-9}).tidy()
        assert not young.exists()


def test_events_are_removed_by_age_and_by_number(tmp_path: Path) -> None:
    now_s = 1e9
    with Store(tmp_path / "events.db", clock=lambda: now_s) as store:
        store.append([jerk(k) for k in range(2000)])
        housekeeper = a_housekeeper(store, tmp_path, events={"keep_records": 1500})
        housekeeper.tidy()
        assert (store.first_seq, housekeeper.removed_events) == (501, 500)
        now_s += 31 * DAY_S
        a_housekeeper(store, tmp_path).tidy()
        assert store.first_seq == 2001 - SPARED_EVENTS


def test_a_refused_removal_of_recordings_is_counted_and_events_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("monitor.custody.housekeeping.remove_old", refuse)
    with Store(tmp_path / "events.db") as store:
        store.append([jerk(k) for k in range(1200)])
        housekeeper = a_housekeeper(store, tmp_path, events={"keep_records": 1000})
        housekeeper.tidy()
        assert (housekeeper.failures, housekeeper.removed_events) == (1, 200)
    assert "cannot be removed: Permission denied" in caplog.text
