"""Recognises the sensors behind a table: the step of the encoder, and the readings of a slow converter.

A slow converter repeats a reading in the rows until the next one:

    rows       x x x x x x x x x x x x
    converter  *       *       *           its readings
    force      a a a a b b b b b b b b     the third reading equals the second

Repeated forces would look like a cell that freezes and jumps. Only the readings of the converter are kept, at their own
rate, as a board would send them. A converter that is so slow that a gap would follow each reading is the other way
round: its readings count until the next one, whether or not the table repeats them.
"""

import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.float64]
DUST_M = 1e-6  # closer positions are the same count, rounded differently
FINEST_M = 1e-4  # finer steps may be digits of a smoothed position, whose noise is larger
FEWEST_GAPS = 20
COMMON = 0.05  # the smallest share of the gaps between neighbouring positions that must be one step
MOST_OFF = 0.15  # of a step: the mean distance of gaps from whole steps; without steps it is 0.25
FEWEST_RUNS = 20
EDGE = 1e-6  # of a period: tolerance for a stamp at its end
SLOWEST_S = 0.045  # the longest period without gaps; for a slower converter repeated readings are better
LONGEST_S = 0.25  # a longer period is no converter's
LATE = 1.5  # periods after a reading without another one: it is missing


def encoder_step_m(position_m: Column) -> float | None:
    """The smallest difference between positions; None if they have no steps coarser than FINEST_M.

    Over a whole set an encoder passes most of its counts, so neighbours among all positions are one step apart at any
    speed. Steps that were rounded when the table was written differ by a digit, so their mean is taken. NaN: not
    measured.
    """
    places = np.unique(position_m[~np.isnan(position_m)])
    gaps = np.diff(places)
    gaps = np.sort(gaps[gaps > DUST_M])
    if len(gaps) < FEWEST_GAPS:
        return None
    smallest = float(gaps[int(COMMON * len(gaps))])
    step_m = float(gaps[(gaps > 0.5 * smallest) & (gaps < 1.5 * smallest)].mean())
    steps = gaps[gaps > 0.5 * smallest] / step_m
    off = float(np.abs(steps - np.round(steps)).mean())
    return float(f"{step_m:.4g}") if off <= MOST_OFF and step_m > 1.01 * FINEST_M else None


def readings(t_s: Column, force_n: Column) -> Column:
    """The forces, NaN where a row repeats a reading; unchanged if every row has its own reading.

    Of a slow converter, the forces are repeated until the next reading.
    """
    at = np.flatnonzero(~np.isnan(force_n))
    if len(at) < FEWEST_RUNS:
        return force_n
    period_s = float(np.median(np.diff(t_s[at])))
    if SLOWEST_S < period_s <= LONGEST_S:
        newest = np.maximum(np.searchsorted(at, np.arange(len(force_n)), side="right") - 1, 0)
        lasts = (t_s >= t_s[at[newest]]) & (t_s - t_s[at[newest]] < LATE * period_s)
        return np.where(lasts, force_n[at[newest]], np.nan)
    if np.count_nonzero(force_n[1:] == force_n[:-1]) < len(force_n) / 3:
        return force_n
    time_s, force = t_s[at], force_n[at]
    begins = np.flatnonzero(np.concatenate(([True], np.diff(force) != 0)))
    loaded = force[begins[:-1]] != 0  # a force that is cut off at zero repeats for another reason
    rows, lasted_s = np.diff(begins)[loaded], np.diff(time_s[begins])[loaded]
    if len(rows) < FEWEST_RUNS or np.median(rows) < 2:
        return force_n
    period_s = float(np.median(lasted_s))
    if period_s > SLOWEST_S:
        return force_n
    run = np.repeat(np.arange(len(begins)), np.diff(begins, append=len(force)))
    since_s = time_s - time_s[begins][run]
    lasts_s = np.diff(time_s[begins], append=2 * time_s[-1] - time_s[-2])
    alike = np.maximum(1, np.round(lasts_s / period_s))  # readings within a run
    number = np.floor(since_s / (lasts_s / alike)[run] + EDGE)
    measured = np.concatenate(([True], (np.diff(run) != 0) | (np.diff(number) != 0)))
    measured[:-1] |= np.diff(time_s) > period_s  # before a gap in the rows the newest reading stays
    alone = np.full(len(force_n), np.nan)
    alone[at[measured]] = force[measured]
    return alone
