"""A fast cell reports a jerk sooner, and no force by itself makes one."""

from collections.abc import Callable
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2 as G
from firmware_bridge.samples import Samples
from monitor.detect.force_lead import ForceLead
from monitor.detect.jerks import SurgeDetector
from monitor.detect.spine import Spine
from monitor.events import AnyEvent, Jerk
from monitor.profile.settings import CellSettings, JerkSettings
from tests.detect.stories import REP, UP
from tests.movements import LEAD_S, LOAD_N, PROFILES, Act, Leg, Movement, Still, profile

CELL_HZ = 500.0
HEAVES: list[Act] = [
    *REP,
    *[act for s in (0.5, 0.7) for act in (Leg(0.3, 1.0), Leg(0.9, s), Still(0.4), Leg(0.0, 2.0), Still(0.4))],
    *(Leg(0.8, 0.8), Still(0.4)),
]
CLEAN: list[Act] = [*REP, *UP, Still(0.4)]
UNKNOWN = profile(cell_hz=CELL_HZ, working_load_n=None, friction=None)
Forces = NDArray[np.float64]


def found(acts: list[Act], of: str = "fast", spoil: Callable[[Forces, Forces], Forces] | None = None) -> list[AnyEvent]:
    samples = Movement(tuple(acts), position_hz=500.0, force_hz=CELL_HZ).samples()
    if spoil is not None:
        samples = Samples(samples.t_s, samples.position_m, spoil(samples.t_s, samples.force_n), samples.flags)
    spine = Spine(UNKNOWN if of == "unknown" else PROFILES[of], "s", feedback=False)
    return [*spine.update(samples).events, *spine.finish().events]


def opened(events: list[AnyEvent]) -> list[Jerk]:
    """The first record of each jerk."""
    return list({event.id: event for event in reversed(events) if isinstance(event, Jerk)}.values())[::-1]


@cache
def by_the_encoder() -> list[Jerk]:
    return opened(found(HEAVES, "stack"))


def late_s(jerks: list[Jerk]) -> list[float]:
    return [jerk.found_s - jerk.t_s for jerk in jerks]


@pytest.mark.parametrize("of", ["fast", "unknown"])
def test_a_fast_cell_reports_a_jerk_sooner(of: str) -> None:
    alone, led = by_the_encoder(), opened(found(HEAVES, of))
    assert len(alone) == len(led) == 3
    assert [jerk.cause for jerk in led] == [jerk.cause for jerk in alone]
    assert [jerk.t_s for jerk in led] == pytest.approx([jerk.t_s for jerk in alone], abs=0.02)
    assert max(late_s(led)) < min(late_s(alone))


def _pulled(t_s: Forces, force_n: Forces) -> Forces:
    """Somebody jerks at the cable, up and down, for a tenth of a second again and again."""
    pulls = (t_s % 0.7 < 0.1) & (force_n > 50)
    return force_n + np.where(pulls, np.where(t_s % 1.4 < 0.7, 0.4, -0.4) * LOAD_N, 0.0)


def _ringing(t_s: Forces, force_n: Forces) -> Forces:
    return np.where(force_n > 50, force_n + 0.2 * LOAD_N * np.sin(2 * np.pi * 7.0 * t_s), force_n)


def _noisy(t_s: Forces, force_n: Forces) -> Forces:
    return force_n + np.random.default_rng(1).normal(0.0, 0.1 * LOAD_N, len(t_s))


def _spikes(t_s: Forces, force_n: Forces) -> Forces:
    return np.where(np.random.default_rng(2).random(len(t_s)) < 0.01, 2 * force_n, force_n)


def _another_zero(t_s: Forces, force_n: Forces) -> Forces:
    return force_n + 0.1 * LOAD_N * (t_s // 0.9 % 2)


@pytest.mark.parametrize("spoil", [_pulled, _ringing, _noisy, _spikes, _another_zero])
def test_a_force_alone_is_not_a_jerk(spoil: Callable[[Forces, Forces], Forces]) -> None:
    assert not opened(found(CLEAN, spoil=spoil))


@pytest.mark.parametrize("spoil", [_pulled, _ringing, _noisy, _spikes, _another_zero])
def test_a_disturbed_force_does_not_hide_a_jerk(spoil: Callable[[Forces, Forces], Forces]) -> None:
    jerks = opened(found(HEAVES, spoil=spoil))
    assert [jerk.t_s for jerk in jerks] == pytest.approx([jerk.t_s for jerk in by_the_encoder()], abs=0.02)


@pytest.mark.parametrize("ring_hz", [7.0, 8.0])
def test_a_cable_that_rings_in_a_lift_announces_no_jerk(ring_hz: float) -> None:
    """Each swing upwards is as great as the one before it, and too short for a jerk."""
    acts = (*REP, Leg(1.0, 4.0), Still(0.8))
    rows, h = Movement(acts, position_hz=500.0, force_hz=CELL_HZ).samples(), 1e-4

    def rung_m(t_s: Forces) -> Forces:
        since_s = t_s - LEAD_S - 6.8  # the middle of the second lift
        swings: Forces = 0.003 * np.exp(-((since_s / 0.25) ** 2)) * np.sin(2 * np.pi * ring_hz * since_s)
        return swings

    a_m_s2 = (rung_m(rows.t_s + h) - 2 * rung_m(rows.t_s) + rung_m(rows.t_s - h)) / h**2
    position_m, force_n = rows.position_m + rung_m(rows.t_s), rows.force_n + LOAD_N / G * a_m_s2
    spine = Spine(PROFILES["fast"], "s", feedback=False)
    assert not opened(spine.update(Samples(rows.t_s, position_m, force_n, rows.flags)).events)


def test_a_cell_that_is_slow_or_not_known_leads_nothing() -> None:
    assert ForceLead.shows(CellSettings(rate_hz=330.0))
    assert ForceLead.shows(CellSettings(rate_hz=80.0, settling=4.0))
    assert not ForceLead.shows(CellSettings(rate_hz=80.0, settling=16.0))
    assert not ForceLead.shows(CellSettings(rate_hz=10.0, settling=4.0))
    assert not ForceLead.shows(CellSettings())


A_JERK_M_S2 = 0.784
STEADY = np.array([0.86, 0.88, 0.90, 0.92, 0.94, 0.96, 0.98])  # m/s²: just enough for an encoder of 0.1 mm


def _left(
    a_m_s2: Forces,
    error_m_s2: float = 0.02,
    v_m_s: float = 0.05,
    x_m: float = 0.1,
    shown: int | None = None,
    *,
    ago: int = 1,
    most_m_s2: float = np.inf,
    known: bool = True,
    before_n: float = LOAD_N,
    kind: str = "stack",
) -> int:
    """For how many steps the detector expects more than a_jerk.

    `v_m_s`: of the moment `ago` steps before the newest; `x_m`: of all moments but the newest three. `shown`: for how
    many steps the force shows `most_m_s2`. `known`: that the load is the same along the way. `before_n`: the tension up
    to 50 ms before the acceleration.
    """
    n = 40
    fast_tension_n = np.append(np.full(2, before_n), np.full(10, LOAD_N))
    a_m_s2 = np.append(np.zeros(n - len(a_m_s2)), a_m_s2)
    signals = SimpleNamespace(a=a_m_s2, v=np.full(n, 0.05), x=np.full(n, 0.1), fast_tension=fast_tension_n)
    signals.part = lambda column, start, end: column[-(end - start) :]
    signals.x_m = lambda moment: signals.x[moment]
    signals.v[-1 - ago], signals.x[:-3] = v_m_s, x_m
    detect = SimpleNamespace(set=SimpleNamespace(off_rest_m=0.003))
    limits = SimpleNamespace(a_jerk_m_s2=A_JERK_M_S2, detect=detect, resistance_known=known, empty_n=0.1 * LOAD_N)
    limits.kind = kind
    moment: Any = SimpleNamespace(signals=signals, now=n - 1, limits=limits)
    lead: Any = SimpleNamespace(steps_beyond=lambda moment, least_m_s2: shown if most_m_s2 > least_m_s2 else 0)
    surges = SurgeDetector(JerkSettings(), lead, error_m_s2)
    assert not surges._falling(moment, 7, 12)
    return surges._rising(moment, 7, 12)


def test_a_coarse_encoder_must_show_more_before_a_jerk_is_announced() -> None:
    """What 0.1 mm show is announced; with steps of 0.5 mm the same may be rounding."""
    assert _left(STEADY, error_m_s2=0.02) == 12
    assert _left(STEADY, error_m_s2=0.12) == 0


LONG = np.full(15, 2 * A_JERK_M_S2)


def test_an_acceleration_that_is_older_than_the_movement_must_move_the_stack_first() -> None:
    """It has turned the stack, and may be about to end."""
    assert _left(2 * STEADY) == 12
    assert _left(2 * STEADY, v_m_s=-0.01) == 0
    assert _left(A_JERK_M_S2 * np.linspace(0.4, 1.6, 7), v_m_s=0.0) == 0
    assert _left(A_JERK_M_S2 * np.linspace(-0.8, 1.3, 7), v_m_s=0.0) == 12
    assert _left(LONG, v_m_s=-0.01, ago=3) == 0
    assert _left(LONG, v_m_s=-0.01, ago=4) == 12


def test_off_its_rest_a_heave_is_told_from_a_landing_that_the_rubber_throws_back() -> None:
    """A lifter's heave presses the stack upwards alone, from the first moment on."""
    assert _left(LONG, x_m=0.002) == 12
    assert _left(LONG, x_m=0.002, v_m_s=-0.01, ago=14) == 0
    assert _left(LONG, x_m=0.002, v_m_s=-0.01, ago=15) == 12  # before the acceleration
    assert _left(np.full(25, 2 * A_JERK_M_S2), x_m=0.002, v_m_s=-0.01, ago=20) == 12  # rubber does not push for so long
    assert _left(LONG, x_m=0.002, v_m_s=-0.01, ago=14, kind="motor") == 12  # no rest


def test_a_fall_is_not_trusted_to_become_slower() -> None:
    """Noise of the encoder may bend what falls."""
    assert _left(A_JERK_M_S2 * np.array([1.89, 1.81, 1.60, 1.43, 1.32, 1.29, 1.31])) <= 1


def test_where_the_force_shows_what_comes_it_decides() -> None:
    assert _left(2 * STEADY) == 12
    assert _left(2 * STEADY, shown=3) == 3
    assert _left(0 * STEADY, shown=12) == 12


def test_while_the_load_may_vary_along_the_way_the_encoder_must_agree() -> None:
    assert _left(2 * STEADY, shown=12, known=False) == 12
    assert _left(2 * STEADY, shown=3, known=False) == 3
    assert _left(0 * STEADY, shown=12, known=False) == 0


def test_what_the_force_confirms_is_no_rounding() -> None:
    assert _left(STEADY, error_m_s2=0.12) == 0
    assert _left(STEADY, error_m_s2=0.12, shown=12, known=False) == 12


def test_what_only_swings_back_is_not_announced_early() -> None:
    """A cable that rings at 8 Hz: as much the other way 60 ms before."""
    before = np.linspace(-1.6, 0.9, 15)
    assert _left(A_JERK_M_S2 * np.append(before, np.linspace(1.0, 1.6, 7))) == 0
    assert _left(A_JERK_M_S2 * np.append(before, np.linspace(1.0, 2.4, 7))) == 12
    assert _left(A_JERK_M_S2 * np.append(0.4 * before, np.linspace(1.0, 1.6, 7))) == 12


@pytest.mark.parametrize("known", [True, False])
def test_nor_is_it_where_the_force_shows_it(known: bool) -> None:
    swings = A_JERK_M_S2 * np.append(np.linspace(-1.6, 0.9, 15), np.linspace(1.0, 2.4, 7))
    assert _left(swings, shown=12, most_m_s2=2.0 * A_JERK_M_S2, known=known) == 0
    assert _left(swings, shown=12, most_m_s2=2.3 * A_JERK_M_S2, known=known) == 12


@pytest.mark.parametrize("shown", [None, 12])
def test_a_cable_that_jumps_tight_announces_nothing_early(shown: int | None) -> None:
    """It throws the stack, which swings back; a cable that was half tight is pulled by a lifter."""
    assert _left(2 * STEADY, shown=shown, before_n=0.05 * LOAD_N) == 0
    assert _left(2 * STEADY, shown=shown, before_n=0.5 * LOAD_N) == 12


@pytest.mark.parametrize(
    ("before_n", "back_m_s2", "asked"),
    [(LOAD_N, 0.0, [A_JERK_M_S2]), (LOAD_N, -2.0, [3.0]), (0.0, 0.0, [])],
    ids=["even", "swings back", "jumps tight"],
)
def test_growth_must_be_more_than_what_the_cable_does_by_itself(
    before_n: float, back_m_s2: float, asked: list[float]
) -> None:
    """`asked`: beyond how much the force must show growth."""
    signals = SimpleNamespace(a=np.append(np.full(15, back_m_s2), STEADY), fast_tension=np.full(12, before_n))
    signals.part = lambda column, start, end: column[-(end - start) :]
    limits = SimpleNamespace(a_jerk_m_s2=A_JERK_M_S2, empty_n=0.1 * LOAD_N)
    moment: Any = SimpleNamespace(signals=signals, now=6, limits=limits, on=lambda bit: False)
    least_m_s2: list[float] = []
    lead: Any = SimpleNamespace(grows_beyond=lambda moment, least: least_m_s2.append(least))
    SurgeDetector(JerkSettings(), lead, 0.02)._update_jerk(moment, rising=True, wait=False)
    assert least_m_s2 == asked


def test_an_acceleration_that_jumps_is_noise() -> None:
    """Seen in a table of 50 readings a second, a moment before it jumps back; the smooth one is as large."""
    assert _left(A_JERK_M_S2 * np.array([-0.74, -0.74, -0.67, -0.31, 0.80, 1.67, 2.0])) == 0
    assert _left(A_JERK_M_S2 * np.array([-0.74, -0.45, -0.10, 0.35, 0.85, 1.40, 2.0])) == 12
