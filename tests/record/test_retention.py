"""Retention removes the oldest recordings first; today's and other files stay."""

from datetime import date
from pathlib import Path

import pytest

from monitor.record.retention import remove_old

TODAY = date(2026, 11, 23)
DAYS = ["2026-10-01", "2026-11-20", "2026-11-22", "2026-11-23"]


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    for day in DAYS:
        (tmp_path / day).mkdir()
        for name in ("a.mcap", "b.mcap"):
            (tmp_path / day / name).write_bytes(bytes(500))
    (tmp_path / "my-best-ones").mkdir()
    (tmp_path / "my-best-ones" / "a.mcap").write_bytes(bytes(500))
    return tmp_path


def left(recordings: Path) -> list[str]:
    return sorted(path.name for path in recordings.iterdir())


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({}, DAYS),
        ({"keep_days": 60}, DAYS),
        ({"keep_days": 3}, DAYS[1:]),
        ({"keep_days": 2}, DAYS[2:]),
        ({"keep_bytes": 4000}, DAYS),
        ({"keep_bytes": 3999}, DAYS[1:]),
        ({"keep_bytes": 0}, DAYS[3:]),
        ({"keep_days": 3, "keep_bytes": 1500}, DAYS[3:]),
    ],
)
def test_recordings_that_are_too_old_or_too_large_are_removed(
    recordings: Path, limits: dict[str, int], expected: list[str]
) -> None:
    gone = remove_old(recordings, TODAY, **limits)
    assert left(recordings) == [*expected, "my-best-ones"]
    assert [path.name for path in gone] == DAYS[: len(DAYS) - len(expected)]


def test_other_files_beside_them_stay(recordings: Path) -> None:
    (recordings / DAYS[0] / "notes.txt").write_text("a good day")
    remove_old(recordings, TODAY, keep_days=3)
    assert [path.name for path in (recordings / DAYS[0]).iterdir()] == ["notes.txt"]


def test_without_recordings_nothing_is_removed(tmp_path: Path) -> None:
    assert remove_old(tmp_path / "recordings", TODAY, keep_days=1) == []


def test_recordings_are_removed_until_enough_space_is_free(recordings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.record.retention.free_bytes", lambda directory: 10_000)
    assert remove_old(recordings, TODAY, keep_free_bytes=10_000) == []
    assert [path.name for path in remove_old(recordings, TODAY, keep_free_bytes=11_500)] == DAYS[:2]
    assert [path.name for path in remove_old(recordings, TODAY, keep_free_bytes=10**15)] == DAYS[2:3]
    assert left(recordings) == [DAYS[3], "my-best-ones"]
    assert remove_old(recordings / "nowhere", TODAY, keep_free_bytes=10**15) == []
