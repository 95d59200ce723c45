"""Labels what is not the lifter's doing: another pin, a helper's force, a motor that adds load on the way down."""

from itertools import pairwise

import numpy as np

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2
from tests.quality.labels import Label, Stretch, Truth, event_at
from tests.quality.signals import Filtered, Floats, Loads, held
from tests.quality.thresholds import FRICTION_SPEED_M_S, STEP_REPS, STEP_SIZE, Thresholds


def loads_of(f: Filtered, th: Thresholds, loads: Loads | None) -> Loads:
    """The given loads, or the profile's load throughout."""
    if loads is not None:
        return loads
    load_n = np.full(len(f.t_s), th.load_n)
    return Loads(load_n, load_n, load_n / STANDARD_GRAVITY_M_S2)


def stretches_of(loads: Loads) -> list[Stretch]:
    """The stretches in which the pin stayed in its place."""
    edges = [0, *(np.flatnonzero(np.diff(loads.selected_n)) + 1).tolist(), len(loads.selected_n)]
    return [Stretch(first, last, float(loads.selected_n[first])) for first, last in pairwise(edges)]


def lift_off(truth: Truth, th: Thresholds, stretch: Stretch) -> int | None:
    """The first sample of a stretch at which the stack is off its rest under load, for good."""
    f = truth.filtered
    loaded = (f.x_m > th.off_rest_m) & (f.fast_tension_n > th.start_tension_n)
    stretches = held(loaded, th.start_hold_s, f.step_s)
    return next((a for a, _ in stretches if stretch.first <= a < stretch.last), None)


def find_load_changes(truth: Truth, th: Thresholds) -> list[Label]:
    found = []
    before_n: float | None = None
    for stretch in truth.stretches:
        at = lift_off(truth, th, stretch)
        if at is None:
            continue
        if before_n is not None and stretch.load_n != before_n:
            found.append(event_at(truth, "load_change", at, None, from_n=before_n, to_n=stretch.load_n))
        before_n = stretch.load_n
    return found


def residual_n(f: Filtered, th: Thresholds, loads: Loads) -> Floats:
    """Tension that neither load, inertia nor friction explains; at rest from the nearer edge of stiction."""
    foreign = f.tension_n - loads.asked_n - loads.inertia_kg * f.a_m_s2
    friction = th.friction * loads.asked_n
    moving = foreign - friction * np.tanh(f.v_m_s / FRICTION_SPEED_M_S)
    still = np.sign(foreign) * np.maximum(np.abs(foreign) - friction, 0.0)
    return np.where(np.abs(f.v_m_s) < th.rest_m_s, still, moving)


def find_assists(truth: Truth, th: Thresholds, loads: Loads) -> list[Label]:
    f = truth.filtered
    rest_n = residual_n(f, th, loads)
    where = (truth.movement.in_set > 0) & truth.movement.off_rest
    found = []
    for side, mask in (("lighter", rest_n < -th.assist_n), ("heavier", rest_n > th.assist_n)):
        for a, b in held(where & mask, th.assist_s, f.step_s):
            found.append(event_at(truth, "assist", a, b, th.assist_s, side=side))
    return found


def find_load_steps(truth: Truth, th: Thresholds, loads: Loads) -> list[Label]:
    """At most one for each set: the load differed by direction during three full repetitions in a row."""
    found = []
    for number, span in enumerate(truth.movement.spans, 1):
        steps = 0
        for rep in span.reps:
            up_n, down_n = _asked_n(truth, th, loads, rep.first, rep.last)
            steps = steps + 1 if not rep.partial and abs(down_n / up_n - 1) > STEP_SIZE * th.factor else 0
            if steps == STEP_REPS:
                found.append(event_at(truth, "load_step", rep.last, None, load_up_n=up_n, load_down_n=down_n))
                found[-1].set = number
                break
    return found


def _asked_n(truth: Truth, th: Thresholds, loads: Loads, first: int, last: int) -> tuple[float, float]:
    """W on the way up and on the way down."""
    v_m_s, asked_n = truth.filtered.v_m_s[first:last], loads.asked_n[first:last]
    up, down = (asked_n[sign * v_m_s > 2 * th.rest_m_s] for sign in (1, -1))
    return float(np.mean(up)) if len(up) else 1.0, float(np.mean(down)) if len(down) else 1.0
