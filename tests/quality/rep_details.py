"""Labels the details of a repetition: how it left the rest, who did the positive, how even it was."""

from typing import Any

import numpy as np

from tests.quality.labels import Label, Truth
from tests.quality.movement import Rep, Turn
from tests.quality.signals import Floats, joined, runs
from tests.quality.thresholds import START_RISE_S, START_TO_M, Thresholds

SEGMENT_SPEED, SEGMENT_APART_S = 0.5, 0.2


def details(truth: Truth, th: Thresholds, rep: Rep, before: Turn, middle: Turn) -> dict[str, Any]:
    """Keys of a repetition besides those of its movement; the grade of its start follows later."""
    f = truth.filtered
    positive, negative = slice(rep.first, middle.dwell[0]), slice(middle.dwell[1], rep.last)
    lifted = (f.tension_n < th.lifted_n)[positive]
    start = _start(truth, th, before, middle) if before.contact else None
    return {
        "assisted": bool(len(lifted)) and float(np.mean(lifted)) > 0.5,
        "load_n": truth.stretches[truth.stretch_at(rep.first)].load_n,
        "start": start,
        "start_grade": start and start["grade"],
        "dips_positive": _dips(np.abs(f.v_m_s[positive]), th, f.step_s),
        "dips_negative": _dips(np.abs(f.v_m_s[negative]), th, f.step_s),
    }


def _start(truth: Truth, th: Thresholds, before: Turn, middle: Turn) -> dict[str, Any]:
    """From the rest until the stack is 25 mm above it."""
    f = truth.filtered
    standing = np.flatnonzero(f.x_m[before.index : middle.index] < th.touch_m)
    leaves = before.index + int(standing[-1]) + 1 if len(standing) else before.index
    above = np.flatnonzero(f.x_m[leaves : middle.index] >= START_TO_M)
    there = leaves + int(above[0]) if len(above) else middle.index
    loose = np.flatnonzero((f.tension_n < th.start_from_n)[:leaves])
    uploads = int(loose[-1]) + 1 if len(loose) else 0
    window = round(START_RISE_S / f.step_s)
    ends = np.arange(min(max(uploads, window), leaves), leaves + 1)
    rise_n_s = (f.tension_n[ends] - f.tension_n[ends - window]) / START_RISE_S
    limit_n_s = np.broadcast_to(th.start_rise_n_s, f.t_s.shape)[ends]
    peak_m_s2 = float(np.max(np.abs(f.a_m_s2[leaves : there + 1])))
    slow = (there - leaves) * f.step_s >= th.start_25_mm_s
    squeezed = slow and bool((rise_n_s <= limit_n_s).all()) and peak_m_s2 <= th.smooth_m_s2 / th.factor**2
    return {
        "grade": "squeezed" if squeezed else "fair",
        "upload_s": (leaves - uploads) * f.step_s,
        "first_25_mm_s": (there - leaves) * f.step_s,
        "until_s": float(f.t_s[there]),
    }


def grade_starts(truth: Truth) -> None:
    """Grade a start as jerked if a jerk has that cause."""
    jerks = [jerk for jerk in truth.of("jerk") if jerk.own["cause"] == "start"]
    for rep in truth.of("rep"):
        if rep.own.get("start") and any(rep.t_s - 0.3 <= jerk.t_s <= _turned_s(rep) for jerk in jerks):
            rep.own["start_grade"] = "jerked"


def _turned_s(rep: Label) -> float:
    return float(rep.own["bounds_s"][1])


def _dips(speed_m_s: Floats, th: Thresholds, step_s: float) -> int:
    """Dips below half of the mean, between the first and the last crossing of that half."""
    if not len(speed_m_s):
        return 0
    fast = speed_m_s > SEGMENT_SPEED / th.factor * float(np.mean(speed_m_s))
    if not fast.any():
        return 0
    first, last = int(np.argmax(fast)), len(fast) - int(np.argmax(fast[::-1]))
    return len(joined(runs(~fast[first:last]), SEGMENT_APART_S, step_s))
