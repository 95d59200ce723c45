"""What the force shows of the acceleration that comes."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2 as G
from monitor.detect.force_lead import ForceLead
from monitor.detect.moment import Moment
from monitor.profile.settings import CellSettings
from monitor.signals.conditions import Bit
from monitor.signals.friction import TURNOVER_M_S
from monitor.signals.grid import STEP_S
from monitor.signals.kernels import tension_outlook
from tests.movements import LOAD_N

CELL_HZ = 500.0
A_JERK_M_S2 = 0.784
Forces = NDArray[np.float64]
N, LAG = 60, 8  # moments that are known, and steps by which their forces are known further ahead
T_S = STEP_S * np.arange(1.0 - N, LAG + 1)  # from the newest moment


def _coming_m_s2(
    v_m_s: Forces | float = 0.1,
    x_m: Forces | float = 0.1,
    *,
    on_rest: int = 0,
    load_n: float | None = None,
    friction: float | None = 0.0,
    inertia: float = 1.0,
    share: Callable[[Forces | float], Forces | float] = lambda x_m: 1.0,
) -> Any:
    """What a fast cell shows of a stack that is accelerated by 1 m/s².

    `v_m_s` and `x_m`: of the moments, and of those after them, whose forces are known already. `on_rest`: the stack was
    on its rest in all moments but so many newest ones; the rest carried half of the load until 0.1 s before.
    """
    lead = ForceLead(CellSettings(rate_hz=CELL_HZ), lag=LAG, steps=12)
    mu = 0.0 if friction is None else friction
    carried = share(x_m) * (1 + mu * np.tanh(np.asarray(v_m_s) / TURNOVER_M_S)) + inertia / G
    force_n = np.broadcast_to(LOAD_N * carried, len(T_S))
    v, x = (np.broadcast_to(column, len(T_S))[:N].copy() for column in (v_m_s, x_m))
    signals = SimpleNamespace(head_tension=force_n[LAG:].copy(), a=np.full(N, 1.0), v=v, x=x)
    signals.row = lambda moment: moment
    if on_rest:
        signals.x[:-on_rest] = 0.002
        signals.head_tension[: N - 25] *= 0.5
    limits = SimpleNamespace(kind="stack", friction=friction, load_n=load_n, inertia=inertia)
    limits.share_at = lambda x_m, v_m_s: share(x_m)
    limits.detect = SimpleNamespace(set=SimpleNamespace(off_rest_m=0.003))
    moment: Any = SimpleNamespace(
        signals=signals,
        limits=limits,
        now=N - 1,
        trust=SimpleNamespace(force_doubted=False),
        on=lambda bit: bit == Bit.OFF,
    )
    return lead._coming_m_s2(moment)


def test_only_moments_in_which_the_stack_hung_freely_show_its_load() -> None:
    """Just off the rest the force alone does not tell how fast the stack becomes faster."""
    assert _coming_m_s2()[0] == pytest.approx(1.0, abs=0.1)
    assert _coming_m_s2(on_rest=2) is None
    assert _coming_m_s2(on_rest=2, load_n=LOAD_N)[0] == pytest.approx(1.0, abs=0.1)
    assert _coming_m_s2(on_rest=2, load_n=LOAD_N, friction=None) is None


@pytest.mark.parametrize("turned_s", [0.03, 0.01, -0.01])
def test_friction_that_turned_with_the_stack_is_no_acceleration(turned_s: float) -> None:
    """`turned_s`: how long ago. Its forces of before still count in what the cell shows."""
    v_m_s = T_S + turned_s
    assert _coming_m_s2(v_m_s, friction=0.2) == pytest.approx(1.0, abs=0.1)


def test_a_load_that_is_known_to_vary_along_the_way_is_no_acceleration() -> None:
    rising = _coming_m_s2(0.5 + T_S, 0.2 + 0.5 * T_S + T_S**2 / 2, share=lambda x_m: 0.8 + x_m)
    assert rising == pytest.approx(1.0, abs=0.1)


def test_a_lighter_mass_shows_its_acceleration_with_less_force() -> None:
    assert _coming_m_s2(inertia=0.6) == pytest.approx(1.0, abs=0.1)
    assert _coming_m_s2(inertia=0.1) is None  # a band, air: next to none


@pytest.mark.parametrize(
    ("cell", "inertia", "steps"),
    [
        (CellSettings(rate_hz=CELL_HZ), 1.0, 12),
        (CellSettings(rate_hz=80.0, settling=4.0), 1.0, 0),
        (CellSettings(rate_hz=CELL_HZ), 0.6, 0),
    ],
    ids=["fast", "mean", "light"],
)
def test_what_is_less_sure_must_be_more(
    monkeypatch: pytest.MonkeyPatch, cell: CellSettings, inertia: float, steps: int
) -> None:
    """An acceleration of 0.8 expected errors more than a_jerk."""
    lead = ForceLead(cell, LAG, steps=12)
    moment: Any = SimpleNamespace(limits=SimpleNamespace(inertia=inertia))
    errors = tension_outlook(LAG, 12, cell.conversions * cell.period_s(STEP_S), cell.period_s(STEP_S))[1]
    monkeypatch.setattr(lead, "_coming_m_s2", lambda moment: A_JERK_M_S2 + 0.8 * G * errors)
    assert lead.steps_beyond(moment, A_JERK_M_S2) == steps


@pytest.mark.parametrize(("first", "last", "about_to"), [(0.9, 2.5, True), (0.9, 1.4, False), (3.0, 2.0, False)])
def test_an_acceleration_that_grows_to_clearly_more_is_about_to_be_a_jerk(
    monkeypatch: pytest.MonkeyPatch, first: float, last: float, about_to: bool
) -> None:
    """`first` and `last` of the next twelve moments, in multiples of a_jerk."""
    lead, moment = ForceLead(CellSettings(rate_hz=CELL_HZ), lag=8, steps=12), cast(Moment, None)
    monkeypatch.setattr(lead, "_coming_m_s2", lambda moment: A_JERK_M_S2 * np.linspace(first, last, 12))
    assert lead.grows_beyond(moment, A_JERK_M_S2) == about_to


def test_a_mean_over_several_conversions_does_not_show_how_a_force_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    lead = ForceLead(CellSettings(rate_hz=80.0, settling=4.0), lag=8, steps=12)
    monkeypatch.setattr(lead, "_coming_m_s2", lambda moment: A_JERK_M_S2 * np.linspace(0.9, 2.5, 12))
    assert not lead.grows_beyond(cast(Moment, None), A_JERK_M_S2)
