"""Labels of known signals by the whole contract, for its tests."""

from collections import Counter
from typing import Any

import numpy as np

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2 as G
from tests.quality.analytic import BOTTOM_M, LOAD_N, TOP_M, Leg, profile
from tests.quality.labels import Label, Truth
from tests.quality.signals import Floats, Loads, Signals
from tests.quality.truth import label

A_JERK_M_S2 = 0.08 * G  # at 4/4 over 0.5 m
HALF_M = (BOTTOM_M + TOP_M) / 2
FIRST_S = 3.3  # the first repetition after LEAD
BRIEF = [Leg(2.0, 0.0), Leg(1.0, BOTTOM_M), Leg(0.3, BOTTOM_M)]


def whole(given: Signals, pause_s: float = 0.0, factor: float = 1.0, tempo_s: float = 4.0, **machine: Any) -> Truth:
    return label(given, profile(tempo_s, tempo_s, **machine), factor, whole=True, pause_s=pause_s)


def during(given: Signals, from_s: float, to_s: float, tension_n: float | Floats) -> Signals:
    """The same signals with another tension for a while."""
    mask = (given.t_s >= from_s) & (given.t_s < to_s)
    return given._replace(tension_n=np.where(mask, tension_n, given.tension_n))


def with_loads(given: Signals, *steps: tuple[float, float]) -> Signals:
    """The same signals with other loads from these times on; the tension in proportion."""
    selected = np.full(len(given.t_s), LOAD_N)
    for from_s, load_n in steps:
        selected[given.t_s >= from_s] = load_n
    loads = Loads(selected, selected, selected / G)
    return given._replace(tension_n=given.tension_n * selected / LOAD_N, loads=loads)


def kinds(truth: Truth, *wanted: str) -> Counter[str]:
    return Counter(event.kind for event in truth.events if not wanted or event.kind in wanted)


def one(truth: Truth, kind: str) -> Label:
    (event,) = truth.of(kind)
    return event


def summary(truth: Truth) -> dict[str, Any]:
    return one(truth, "set_end").own
