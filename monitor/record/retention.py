"""Removes recordings that are too old, or too many for the disk: whole days, the oldest first, never today's."""

from datetime import date, timedelta
from pathlib import Path


def remove_old(
    recordings: Path, today: date, *, keep_days: int | None = None, keep_bytes: int | None = None
) -> list[Path]:
    """The folders that went. What does not look like one of ours is left alone. Raises OSError."""
    days = {day: path for path in recordings.glob("*-*-*") if (day := _day(path)) is not None}
    sizes = {day: sum(file.stat().st_size for file in path.glob("*.mcap")) for day, path in days.items()}
    total_bytes = sum(sizes.values())
    gone = []
    for day in sorted(day for day in days if day < today and sizes[day]):
        too_old = keep_days is not None and day < today - timedelta(days=keep_days)
        too_many = keep_bytes is not None and total_bytes > keep_bytes
        if too_old or too_many:
            _remove(days[day])
            total_bytes -= sizes[day]
            gone.append(days[day])
    return gone


def _remove(day: Path) -> None:
    """Its recordings; and the folder, unless somebody keeps something else there."""
    for file in day.glob("*.mcap"):
        file.unlink()
    if not any(day.iterdir()):
        day.rmdir()


def _day(path: Path) -> date | None:
    try:
        return date.fromisoformat(path.name) if path.is_dir() else None
    except ValueError:
        return None
