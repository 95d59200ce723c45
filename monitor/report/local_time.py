"""Writes when something happened as a person reads it: in the time of this computer, with its zone."""

import re
from datetime import UTC, datetime

MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(:\d\d)?(\.\d+)?(Z|\+00:00)")
HOUR_MIN = 60


def local_time(utc: str) -> str | None:
    """A moment in UTC as 2026-07-01, 14:00 CEST (UTC+2); None if `utc` is not one that this computer can show."""
    if (match := MOMENT.fullmatch(utc)) is None:
        return None
    try:
        here = datetime.strptime(f"{match[1]} {match[2]}", "%Y-%m-%d %H:%M").replace(tzinfo=UTC).astimezone()
    except (ValueError, OverflowError):  # 31 February, or the year 1
        return None
    return with_zone(here)


def local_moment(unix_s: float) -> datetime | None:
    """Seconds since 1970 as a moment of this computer's time; None if it cannot show them."""
    try:
        return datetime.fromtimestamp(unix_s, UTC).astimezone()
    except (ValueError, OverflowError, OSError):
        return None


def with_zone(here: datetime) -> str:
    """A moment of this computer's time as 2026-07-01, 14:00 CEST (UTC+2)."""
    return f"{here:%Y-%m-%d, %H:%M} {zone_of(here)}"


def zone_of(here: datetime) -> str:
    """CEST (UTC+2), UTC+5:30, or UTC."""
    offset = here.utcoffset()
    assert offset is not None  # astimezone gives one
    name, offset_min = here.tzname() or "", round(offset.total_seconds() / 60)
    if not offset_min:
        return name if name.isalpha() else "UTC"
    hours, minutes = divmod(abs(offset_min), HOUR_MIN)
    ahead = f"UTC{'+' if offset_min > 0 else '-'}{hours}" + (f":{minutes:02d}" if minutes else "")
    return f"{name} ({ahead})" if name.isalpha() else ahead
