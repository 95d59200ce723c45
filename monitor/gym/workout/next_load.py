"""Suggests a client's next load on a machine, with the reason; a trainer decides. Pure.

time under load     ended by failure                        ended before failure
above the window    one plate up, unless skill is below 0.8  the same: go to failure first
in the window       the same                                the same
below the window    the same once, then one plate down      the same: it says nothing about the load
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from monitor.gym.workout.visits import VisitSet

LEAST_SKILL = 0.8  # for more load
SAME_LOAD = 0.05  # loads that differ by less may be one load, as a learned one is not exact
LONE_PLATE = 0.1  # share by which a load may differ from a machine's only one

Change = Literal["up", "same", "down"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """`load_n` is None where no number can be named; `change` is None where nothing can be said."""

    load_n: float | None
    change: Change | None
    reason: str  # one sentence for the trainer, without loads: they are shown in the reader's unit


def suggest(
    last: VisitSet | None,
    window_low_s: float,
    window_high_s: float,
    plates_n: Sequence[float],
    before: VisitSet | None = None,
) -> Suggestion:
    """`plates_n`: the loads that the machine can select, empty where not known. `before`: the client's set before."""
    if last is None:
        return Suggestion(load_n=None, change=None, reason="No set on this machine yet.")
    if last.load_n is None:
        return Suggestion(load_n=None, change=None, reason="The load of the last set is not known.")
    change, reason = _change(last, window_low_s, window_high_s, before)
    if change == "same":
        return Suggestion(load_n=_nearest(last.load_n, plates_n) or last.load_n, change=change, reason=f"{reason}.")
    return _by_a_plate(last.load_n, change, reason, sorted(plates_n))


def _change(last: VisitSet, low_s: float, high_s: float, before: VisitSet | None) -> tuple[Change, str]:
    under_load_s = _whole(last.under_load_s)
    lasted, window = f"{under_load_s} s under load", f"the window of {low_s:g} to {high_s:g} s"
    if low_s <= under_load_s <= high_s:
        return "same", f"{lasted}, in {window}"
    where = f"{lasted}, {'above' if under_load_s > high_s else 'below'} {window}"
    if not last.failure:
        return "same", f"{where}, but not to failure: go to failure first"
    if under_load_s > high_s:
        if last.skill is not None and last.skill < LEAST_SKILL:
            skill = math.floor(last.skill * 100) / 100
            return "same", f"{where}, at failure, but with a skill of {skill:.2f}: {LEAST_SKILL} comes first"
        return "up", f"{where}, at failure"
    if before is not None and _too_heavy(before, last, low_s):
        return "down", f"{where}, at failure, as in the set before"
    return "same", f"{where}, at failure, for the first time with this load: once more"


def _too_heavy(before: VisitSet, last: VisitSet, low_s: float) -> bool:
    """Whether the set before failed too early, too, with this load or a smaller one."""
    if before.load_n is None or last.load_n is None:
        return False
    return before.load_n <= last.load_n * (1 + SAME_LOAD) and before.failure and _whole(before.under_load_s) < low_s


def _whole(under_load_s: float) -> int:
    """Whole seconds, as people write them down: what is shown is what is compared."""
    return round(under_load_s)


def _by_a_plate(load_n: float, change: Change, reason: str, plates_n: Sequence[float]) -> Suggestion:
    one = f"one plate {change}"
    if not plates_n:
        reason = f"{reason}: {one}; the machine's plates are not known, so choose the load there"
        return Suggestion(load_n=None, change=change, reason=f"{reason}.")
    now_n = _nearest(load_n, plates_n)
    if now_n is None:
        reason = f"{reason}: {one}; the last load matches no plate of the machine, so choose the load there"
        return Suggestion(load_n=None, change=change, reason=f"{reason}.")
    at = plates_n.index(now_n) + (1 if change == "up" else -1)
    if not 0 <= at < len(plates_n):
        end = "heaviest" if change == "up" else "lightest"
        return Suggestion(load_n=now_n, change="same", reason=f"{reason}; it is the {end} load of the machine.")
    return Suggestion(load_n=plates_n[at], change=change, reason=f"{reason}: {one}.")


def _nearest(load_n: float, plates_n: Sequence[float]) -> float | None:
    """The plate of a measured load; None for a load that the machine cannot have."""
    if not plates_n:
        return None
    plates = sorted(plates_n)
    at = bisect_left(plates, load_n)
    nearest = min(plates[max(at - 1, 0) : at + 1], key=lambda plate_n: abs(plate_n - load_n))
    gaps = [b - a for a, b in pairwise(plates)] or [2 * LONE_PLATE * nearest]
    return nearest if abs(nearest - load_n) <= max(gaps) / 2 else None
