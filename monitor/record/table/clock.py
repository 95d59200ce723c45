"""Reads times of day as seconds.

>>> [seconds(cell) for cell in ("12:00:05.25", "2024-05-01T00:00:05,5Z", "1.5.2024 12:00:05 AM", "02:03.4", "5.25")]
[43205.25, 5.5, 5.0, 123.4, None]

Dates are skipped: a time of day that falls by more than half a day is on the next day.
"""

import re

import numpy as np
from numpy.typing import NDArray

DAY_S = 86400.0
_CLOCK = re.compile(
    r"(?:\d+[./-]\w+[./-]\d+(?:T|\s+))?"  # a date
    r"(?:(\d{1,2}):)?(\d{1,2}):(\d{1,2}(?:[.,]\d+|:\d{3})?)"
    r"\s*([AP]M)?(?:Z|\s*UTC|[+-]\d\d:?\d\d)?",
    re.IGNORECASE,
)


def seconds(cell: str) -> float | None:
    """Since midnight; None if it is no time of day."""
    found = _CLOCK.fullmatch(cell.strip())
    if found is None:
        return None
    hours, minutes, rest, half = found.groups()
    hour = int(hours or 0)
    if half:
        hour = hour % 12 + 12 * (half.upper() == "PM")
    return hour * 3600.0 + int(minutes) * 60.0 + float(re.sub("[,:]", ".", rest))


def over_days(t_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Times of day, as one time that goes on past midnight."""
    midnights = np.diff(t_s, prepend=t_s[:1]) < -DAY_S / 2
    return np.asarray(t_s + DAY_S * np.cumsum(midnights))
