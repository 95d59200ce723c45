"""Removes recordings that are too old or too large: whole days, the oldest first, never today's."""

import os
from datetime import date, timedelta
from pathlib import Path


def remove_old(
    recordings: Path,
    today: date,
    *,
    keep_days: int | None = None,
    keep_bytes: int | None = None,
    keep_free_bytes: int | None = None,
) -> list[Path]:
    """Removes folders of days, and returns them. Other folders and files are not touched. Raises OSError."""
    days = {day: path for path in recordings.glob("*-*-*") if (day := _day(path)) is not None}
    sizes = {day: sum(file.stat().st_size for file in path.glob("*.mcap")) for day, path in days.items()}
    excess_bytes = 0 if keep_bytes is None else sum(sizes.values()) - keep_bytes
    if keep_free_bytes is not None and recordings.exists():
        excess_bytes = max(excess_bytes, keep_free_bytes - free_bytes(recordings))
    gone = []
    for day in sorted(day for day in days if day < today and sizes[day]):
        too_old = keep_days is not None and day < today - timedelta(days=keep_days)
        if too_old or excess_bytes > 0:
            _remove(days[day])
            excess_bytes -= sizes[day]
            gone.append(days[day])
    return gone


def free_bytes(directory: Path) -> int:
    """The bytes that an ordinary user may still write to the disk."""
    disk = os.statvfs(directory)
    return disk.f_bavail * disk.f_frsize


def _remove(day: Path) -> None:
    """Removes the recordings of a day, and the folder if nothing else is in it."""
    for file in day.glob("*.mcap"):
        file.unlink()
    if not any(day.iterdir()):
        day.rmdir()


def _day(path: Path) -> date | None:
    try:
        return date.fromisoformat(path.name) if path.is_dir() else None
    except ValueError:
        return None
