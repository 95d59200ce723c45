"""A fast cell reports a jerk sooner, and no force by itself makes one."""

from collections.abc import Callable
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from firmware_bridge.samples import Samples
from monitor.detect.force_lead import ForceLead
from monitor.detect.jerks import SurgeDetector
from monitor.detect.spine import Spine
from monitor.events import AnyEvent, Jerk
from monitor.profile.settings import CellSettings, JerkSettings
from tests.detect.stories import REP, UP
from tests.movements import LOAD_N, PROFILES, Act, Leg, Movement, Still, profile

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
    assert max(late_s(led)) <= 0.055
    assert np.median(late_s(led)) <= np.median(late_s(alone)) - 0.015


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


def test_an_hx711_leads_nothing() -> None:
    assert not ForceLead.fast_enough(CellSettings(rate_hz=80.0, settling=4.0), lag=8)
    assert not ForceLead.fast_enough(CellSettings(), lag=8)
    assert ForceLead.fast_enough(CellSettings(rate_hz=330.0), lag=8)


@pytest.mark.parametrize(("error_m_s2", "announces"), [(0.02, True), (0.12, False)])
def test_a_coarse_encoder_must_show_more_before_a_jerk_is_announced(error_m_s2: float, announces: bool) -> None:
    """What 0.1 mm show is announced; with steps of 0.5 mm the same may be rounding."""
    newest_m_s2 = np.array([0.84, 0.90, 0.92, 0.96, 0.98])
    signals = SimpleNamespace(a=newest_m_s2, part=lambda column, start, end: column)
    moment: Any = SimpleNamespace(signals=signals, now=4, limits=SimpleNamespace(a_jerk_m_s2=0.784))
    surges = SurgeDetector(JerkSettings(), None, error_m_s2)
    assert (surges._rising(moment, 12) > 0) == announces
    assert not surges._falling(moment, 12)
