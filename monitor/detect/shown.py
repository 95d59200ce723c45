"""What feedback shows of the signals at a tick, rounded: tension, w', position and velocity.

`shown` makes it for one tick, `shown_at` for the ticks of a block as columns; both give the same, bit for bit. A column
is rounded by scaling, which can only err next to a tie: such a tick is made alone.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from monitor.profile.limits import Limits
from monitor.signals.friction import relative_tension, relative_tension_now
from monitor.signals.signal_window import SignalWindow

SHOWN_FROM, SHOWN_TO = -0.2, 1.2  # of the range: a picture shows a little beyond it
HEAD_STEPS = 4  # the shown tension is a mean over 20 ms: single readings flicker
_FEW = 8  # ticks: up to here, one by one costs no more than columns
_NEAR_TIE = 1e-6  # of the last digit: far more than columns and single numbers differ by

Column = NDArray[np.float64]


class ShownTick(NamedTuple):
    """At one tick; None: not known."""

    tension_n: float | None
    relative: float | None  # w'
    position: float | None
    velocity_m_s: float | None


def shown_at(window: SignalWindow, limits: Limits, rows: range) -> list[ShownTick]:
    """What is shown at these rows of the window."""
    some = slice(rows.start, rows.stop, rows.step)
    head_n, x_m, v_m_s = window.head_tension, window.head_x[some], window.v[some]
    if len(rows) <= _FEW:
        newest_n = [_mean(head_n[max(0, row + 1 - HEAD_STEPS) : row + 1].tolist()) for row in rows]
        return [shown(limits, *tick) for tick in zip(newest_n, x_m.tolist(), v_m_s.tolist(), strict=True)]
    tension_n = _means(head_n, rows)
    columns = (
        _rounded(tension_n, 1),
        _rounded(_relative(limits, tension_n, x_m, v_m_s), 4),
        _rounded(np.minimum(SHOWN_TO, np.maximum(SHOWN_FROM, (x_m - limits.bottom_m) / limits.span_m)), 4),
        _rounded(v_m_s, 4),
    )
    ticks = [ShownTick(*tick) for tick in zip(*(_known(column) for column, _ in columns), strict=True)]
    for i in np.logical_or.reduce([near_tie for _, near_tie in columns]).nonzero()[0].tolist():
        ticks[i] = shown(limits, float(tension_n[i]), float(x_m[i]), float(v_m_s[i]))
    return ticks


def shown(limits: Limits, tension_n: float, x_m: float, v_m_s: float) -> ShownTick:
    """The same for one tick; NaN: not known."""
    position = (x_m - limits.bottom_m) / limits.span_m
    relative = float("nan")
    if limits.load_n is not None:
        ratio = tension_n / (limits.load_n * float(limits.share_at(x_m)))
        if ratio == ratio:
            relative = relative_tension_now(ratio, limits.friction or 0.0, v_m_s, limits.v_rest_m_s, limits.down)
    return ShownTick(
        None if tension_n != tension_n else round(tension_n, 1),
        None if relative != relative else round(relative, 4),
        None if position != position else round(min(SHOWN_TO, max(SHOWN_FROM, position)), 4),
        None if v_m_s != v_m_s else round(v_m_s, 4),
    )


def _mean(recent_n: list[float]) -> float:
    """The mean of the known tensions; NaN if the newest is not known."""
    if recent_n[-1] != recent_n[-1]:
        return float("nan")
    known_n = [value for value in recent_n if value == value]
    total_n = 0.0
    for value in known_n:  # one after the other: how `sum` adds depends on the version of Python
        total_n += value
    return total_n / len(known_n)


def _means(head_n: Column, rows: range) -> Column:
    """The same of the newest HEAD_STEPS tensions at each of these rows."""
    at = np.arange(rows.start, rows.stop, rows.step)
    total_n, known = np.zeros(len(at)), np.zeros(len(at), np.int64)
    for back in reversed(range(HEAD_STEPS)):
        newest_n = np.where(at >= back, head_n[at - back], np.nan)
        is_known = newest_n == newest_n
        total_n += np.where(is_known, newest_n, 0.0)
        known += is_known
    return np.where(is_known, total_n / np.maximum(known, 1), np.nan)


def _relative(limits: Limits, tension_n: Column, x_m: Column, v_m_s: Column) -> Column:
    """w'; NaN while no load is known, or where it varies along the way and the position is not known."""
    if limits.load_n is None:
        return np.full(len(x_m), np.nan)
    ratio = tension_n / (limits.load_n * limits.share_at(x_m))
    return relative_tension(ratio, limits.friction or 0.0, v_m_s, limits.v_rest_m_s, limits.down)


def _rounded(values: Column, digits: int) -> tuple[Column, NDArray[np.bool_]]:
    """The values rounded like `round` does, and which of them are so near to a tie that it may decide otherwise."""
    scaled = values * 10.0**digits
    whole = np.rint(scaled)
    near_tie: NDArray[np.bool_] = np.abs(np.abs(scaled - whole) - 0.5) < _NEAR_TIE
    return whole / 10.0**digits, near_tie


def _known(column: Column) -> list[float | None]:
    """None for NaN."""
    return [value if value == value else None for value in column.tolist()]
