"""Recognises times that a computer stamped when rows arrived, and lays such rows evenly.

Rows that wait in a serial adapter or in a busy computer arrive unevenly, often in bursts:

    measured   |   |   |   |   |   |   |   |        evenly, by the device
    stamped            ||||            ||||         the times of the table

By these times the stack seems to stop and leap. Rows that were really measured unevenly look the same at first sight,
but positions follow the times at which they were measured, and so tell both apart.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.float64]
FEWEST_ROWS = 200
FEWEST_POSITIONS = 0.95  # of the rows; where other rows lie between, the rows are not even
SPAN_ROWS = 256  # the usual duration of so many rows gives the period
LEAST_S, MOST_S = 0.0005, 0.05  # rms of jitter: less falsifies no acceleration, and more is not jitter
BLOCK_S = 4.0  # the middle of so many stamps lies on the grid, which so follows the drift of a clock
CATCH_UP_S = 0.5  # rows that waited make up for it within this time
LOST_S, LOST_ROWS = 0.015, 3.0  # if more than both is missing, the later rows are laid anew
ASTRAY_S, ASTRAY_ROWS = 0.001, 0.33  # if the middle of a block is further off the grid, rows were lost unseen
SPEED_S = 0.1  # over which the speed is measured
FASTEST = 3.0  # times a usual high speed: beyond it, an encoder jumped
FOLLOWED = 0.3  # if positions follow less than this share of the jitter, they were measured evenly ...
SURE = 25.0  # ... and if they could show it: the inverse square of the share's error


class Stamped(NamedTuple):
    """How a computer stamped the rows of a table."""

    even_s: Column | None  # when they were measured; None if rows are missing
    jitter_s: float  # rms
    step_s: float  # from row to row
    worst: int  # the row near which most are missing


def period_s(t_s: Column) -> float:
    """The usual time from row to row, also of rows in bursts."""
    span = min(SPAN_ROWS, len(t_s) // 4)
    return float(_middle(t_s[span:] - t_s[:-span])) / span


def stamped(t_s: Column, position_m: Column) -> Stamped | None:
    """None if the times are those of measurement, or may be. NaN: not measured. Times may repeat, but not go back."""
    if len(t_s) < FEWEST_ROWS or np.ptp(np.diff(t_s)) < LEAST_S or np.isnan(position_m).mean() > 1 - FEWEST_POSITIONS:
        return None
    stamp_s = t_s - t_s[0]
    step_s = period_s(stamp_s)
    if step_s == 0:
        return None
    edges = [0, *_losses(stamp_s, step_s), len(t_s)]
    even_s = np.concatenate([_laid(stamp_s[start:end], step_s) for start, end in pairwise(edges)])
    off_s = stamp_s - even_s
    jitter_s = float(np.std(off_s))
    if not LEAST_S <= jitter_s <= MOST_S or not _measured_evenly(stamp_s, even_s, position_m, step_s):
        return None
    rows = min(len(t_s), round(BLOCK_S / 2 / step_s))
    astray_s = np.abs(_middle(off_s[: len(t_s) // rows * rows].reshape(-1, rows)) - _middle(off_s))
    lost = astray_s.max() > max(ASTRAY_S, ASTRAY_ROWS * step_s) or (np.diff(even_s) <= 0).any()
    return Stamped(
        None if lost else even_s - even_s[0] + t_s[0],
        jitter_s,
        float(np.median(np.diff(even_s))),
        worst=int(astray_s.argmax()) * rows,
    )


def _middle(values: Column) -> Column:
    """The mean of the middle half of each row: bursts move it less than a median, late stamps less than a mean."""
    quarter = values.shape[-1] // 4
    middle: Column = np.sort(values, axis=-1)[..., quarter : values.shape[-1] - quarter].mean(axis=-1)
    return middle


def _losses(stamp_s: Column, step_s: float) -> list[int]:
    """The rows before which others are missing: they come late, and later ones do not make up for it."""
    late_s = stamp_s - np.arange(len(stamp_s)) * step_s
    rows, lost_s = max(2, round(CATCH_UP_S / step_s)), max(LOST_S, LOST_ROWS * step_s)
    waited = (np.flatnonzero(np.diff(late_s) > lost_s) + 1).tolist()
    return [i for i in waited if late_s[i : i + rows].min() - late_s[max(0, i - rows) : i].min() > lost_s]


def _laid(stamp_s: Column, step_s: float) -> Column:
    """Lays rows on straight lines through the middles of their blocks."""
    row = np.arange(len(stamp_s), dtype=np.float64)
    blocks = max(1, round(len(row) * step_s / BLOCK_S))
    late_s = np.array([_middle(block) for block in np.array_split(stamp_s - row * step_s, blocks)])
    middle = np.array([block.mean() for block in np.array_split(row, blocks)])
    if blocks == 1:
        return np.asarray(row * step_s + late_s)
    first, last = np.diff(late_s)[[0, -1]] / np.diff(middle)[[0, -1]]
    ends = late_s[0] - first * middle[0], late_s[-1] + last * (row[-1] - middle[-1])
    return np.asarray(row * step_s + np.interp(row, [0, *middle, row[-1]], [ends[0], *late_s, ends[1]]))


def _measured_evenly(stamp_s: Column, even_s: Column, x_m: Column, step_s: float) -> bool:
    """Positions follow little of the jitter. Least squares: dx - v * even step = share * v * (step - even step)."""
    half = max(2, round(SPEED_S / step_s / 2))
    wide = 2 * half + 1
    v_m_s = (x_m[wide:] - x_m[:-wide]) / (even_s[wide:] - even_s[:-wide])
    dx_m, ds_s, dt_s = (np.diff(column)[half:-half] for column in (x_m, stamp_s, even_s))
    known = ~np.isnan(v_m_s) & ~np.isnan(dx_m)
    if not known.any():
        return False
    known &= np.abs(v_m_s) <= FASTEST * np.quantile(np.abs(v_m_s[known]), 0.95)
    left_m, jitter_m = (dx_m - v_m_s * dt_s)[known], (v_m_s * (ds_s - dt_s))[known]
    shown = float(jitter_m @ jitter_m)
    return abs(float(left_m @ jitter_m)) < FOLLOWED * shown and shown > SURE * float(np.mean(left_m**2))
