"""Describes a repetition beyond its times: how it left the rest, and how evenly it moved."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2 as G
from monitor.detect.moment import Moment, RepFinished, seconds, steps
from monitor.events import RepStart, Segmented
from monitor.profile.settings import RepSettings
from monitor.signals.stretches import runs_of, union

BEFORE_STEPS = steps(10.0)  # an upload is searched for this long before lift-off


def start_of(moment: Moment, finished: RepFinished, load_n: float | None) -> RepStart | None:
    """How a repetition left the rest, where it began there and the load is known (EVENTS.md 5)."""
    limits, signals, first = moment.limits, moment.signals, finished.first
    settings, rest_m = limits.detect.start, limits.detect.set.off_rest_m
    if limits.kind != "stack" or not limits.starts_up or not load_n or first.reversal.x_m >= rest_m + limits.doubt_m:
        return None
    begin, top = max(first.dwell_start, signals.oldest), finished.middle.dwell_start
    x = signals.part(signals.x, begin, top)
    standing = np.flatnonzero(x < rest_m + limits.doubt_m)
    leaves = begin + (int(standing[-1]) + 1 if len(standing) else 0)
    there = leaves + _first(signals.part(signals.x, leaves, top) >= settings.to_m)
    peak_m_s2 = float(np.nan_to_num(np.abs(signals.part(signals.a, leaves, there + 1))).max())
    upload, rise_n_s = _upload(moment, leaves, load_n)
    slow_s = settings.slowness * (settings.to_m - rest_m) / limits.v_up_m_s
    squeezed = (
        seconds(there - leaves) >= slow_s
        and rise_n_s <= settings.rise_per_s * load_n
        and peak_m_s2 <= limits.a_turn_m_s2
    )
    grade: Literal["squeezed", "fair", "jerked"] = "squeezed" if squeezed else "fair"
    if begin <= moment.thrown.start_at < top:
        grade = "jerked"
    return RepStart(
        grade=grade,
        upload_s=seconds(leaves - upload),
        first_25_mm_s=seconds(there - leaves),
        peak_g=round(peak_m_s2 / G, 3),
    )


def _upload(moment: Moment, leaves: int, load_n: float) -> tuple[int, float]:
    """The moment since which the cable is no longer loose, and the steepest rise of tension until lift-off, N/s."""
    settings, signals = moment.limits.detect.start, moment.signals
    window = steps(settings.rise_window_s)
    since = max(signals.oldest, leaves - BEFORE_STEPS)
    tension_n = signals.part(signals.tension, since, leaves + 1)
    loose = np.flatnonzero(tension_n[:-1] < settings.upload_from * load_n)
    upload = int(loose[-1]) + 1 if len(loose) else 0
    ends = np.arange(max(upload, window), len(tension_n))
    rises_n = np.nan_to_num(tension_n[ends] - tension_n[ends - window])
    return since + upload, float(rises_n.max(initial=0.0)) / settings.rise_window_s


def segmented_of(moment: Moment, up: tuple[int, int], down: tuple[int, int], settings: RepSettings) -> Segmented:
    """How many dips the speed of each movement has; moments `up` and `down` to but not including their ends."""
    signals, noise_m_s = moment.signals, moment.limits.detect.motion.rest_min_m_s
    speeds_m_s = (np.abs(signals.slow_part(*way)) for way in (up, down))  # slow: a coarse encoder's noise makes no dips
    positive, negative = (_dips(speed_m_s, settings, noise_m_s) for speed_m_s in speeds_m_s)
    return Segmented(positive=positive, negative=negative)


def _dips(speed_m_s: NDArray[np.float64], settings: RepSettings, noise_m_s: float) -> int:
    """Dips below a share of the mean, between its first and last crossing; missing samples do not count.

    A dip that is no deeper than the noise does not count.
    """
    known = ~np.isnan(speed_m_s)
    if not known.any():
        return 0
    half_m_s = settings.segment_speed * float(speed_m_s[known].mean())
    slow = speed_m_s <= half_m_s
    fast = np.flatnonzero(~slow)
    if not len(fast):
        return 0
    inner, speed_m_s = slow[fast[0] : fast[-1]], speed_m_s[fast[0] : fast[-1]]
    joined = union(runs_of(inner, 0), steps(settings.segment_apart_s) - 1)
    return sum(float(np.nanmin(speed_m_s[start:end])) < half_m_s - noise_m_s for start, end in joined)


def _first(condition: NDArray[np.bool_]) -> int:
    """Index of the first true element; the last index if none is true."""
    return int(condition.argmax()) if condition.any() else max(0, len(condition) - 1)
