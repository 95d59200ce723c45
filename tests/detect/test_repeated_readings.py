"""A slow converter's readings come again in every row until the next one, which is no frozen cell (EVENTS.md 13)."""

from typing import Any

import numpy as np
import pytest

from firmware_bridge.samples import Samples
from monitor.detect.spine import Spine
from tests.movements import PROFILES, Act, Down, Leg, Movement, Still, Trouble

REP: list[Act] = [Leg(1.0, 6.0), Still(0.4), Leg(0.0, 6.0), Still(0.4)]


def faults(readings_hz: float, troubles: tuple[Trouble, ...] = ()) -> tuple[list[Any], int]:
    """The faults, and how often the force was doubted. Each row has the last reading, a multiple of 0.5 N."""
    rows = Movement((Leg(0.0, 0.5), Still(0.4), *REP, *REP, Down(3.0)), troubles).samples()
    at = np.flatnonzero(~np.isnan(rows.force_n))
    reading = np.floor(rows.t_s[at] * readings_hz)
    first = np.flatnonzero(np.diff(reading, prepend=-1.0))
    force_n = rows.force_n.copy()
    force_n[at] = np.round(2 * force_n[at[first]])[np.cumsum(np.diff(reading, prepend=-1.0) > 0) - 1] / 2
    spine = Spine(PROFILES["superslow"], "s")
    events = spine.update(Samples(rows.t_s, rows.position_m, force_n, rows.flags)).events
    last = {event.id: event for event in events}.values()
    doubted = spine._panel.moment.trust.doubted
    return [event for event in last if event.kind == "sensor_fault"], len(doubted)


def test_equal_readings_of_a_slow_converter_are_no_frozen_cell() -> None:
    found, doubted = faults(10.0)
    assert not found
    assert doubted <= 3  # until the rate is known


def test_a_slow_converter_that_freezes_is_found() -> None:
    (fault,), _ = faults(10.0, (Trouble("stuck", 0.3, 3.0),))
    assert fault.cause == "frozen"
    assert fault.duration_s == pytest.approx(3.0, abs=0.4)
