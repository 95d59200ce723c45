"""What feedback shows is the same whether its ticks are made one by one or as columns."""

import tomllib

import msgspec
import numpy as np
import pytest

from monitor.detect.shown import _FEW, ShownTick, shown_at
from monitor.profile.limits import Limits, limits_of
from monitor.profile.reading import profile_from_builtins
from monitor.profile.resistance import Resistance
from monitor.signals.signal_window import SignalWindow
from tests.profiles import PROFILE

ROWS = 4000
UNKNOWN = limits_of(profile_from_builtins(tomllib.loads(PROFILE)))
PLAIN = UNKNOWN.with_load(800.0, 0.08, load_from="learned", friction_from="learned")
LIMITS: dict[str, Limits] = {
    "load": PLAIN,
    "lowered": PLAIN.with_step(0.8),
    "heavier down": PLAIN.with_step(1.4),
    "curve": PLAIN.with_resistance(Resistance(0.0, 0.5, (0.9, 1.1, 1.0))),
    "no load": UNKNOWN,
}


def window_of(seed: int) -> SignalWindow:
    """Signals whose rounded values lie on ties, next to ties or anywhere, some of them not known."""
    rng = np.random.default_rng(seed)
    window = SignalWindow()
    for column, digit, most in ((window.head_tension, 0.1, 1600), (window.head_x, 1e-4, 0.6), (window.v, 1e-4, 0.8)):
        anywhere = rng.uniform(-most / 8, most, ROWS)
        ties = (np.round(anywhere / digit) + 0.5) * digit
        near = np.nextafter(ties, rng.choice([-np.inf, np.inf], ROWS))
        column[:ROWS] = np.choose(rng.integers(0, 4, ROWS), [anywhere, ties, near, np.round(anywhere / digit) * digit])
        column[:ROWS][rng.random(ROWS) < 0.1] = np.nan
    window.head_x[:ROWS:7] = np.round(window.head_x[:ROWS:7] * 4) / 4 * PLAIN.span_m + PLAIN.bottom_m  # exact shares
    return window


def bits(ticks: list[ShownTick]) -> bytes:
    """Tells 0.0 from -0.0."""
    return msgspec.json.encode(ticks)


@pytest.mark.parametrize("kind", LIMITS)
def test_columns_show_the_same_as_single_ticks(kind: str) -> None:
    window, limits = window_of(1), LIMITS[kind]
    rows = range(0, ROWS, 3)
    one_by_one = [tick for row in rows for tick in shown_at(window, limits, range(row, row + 1))]
    assert len(rows) > _FEW
    assert bits(shown_at(window, limits, rows)) == bits(one_by_one)


def test_the_tension_is_the_mean_of_the_known_among_the_newest_four() -> None:
    window = SignalWindow()
    window.head_tension[:7] = [10.0, np.nan, 13.0, 16.0, np.nan, 3.0, 5.0]
    ticks = [tick.tension_n for tick in shown_at(window, UNKNOWN, range(7))]
    assert ticks == [10.0, None, 11.5, 13.0, None, 10.7, 8.0]
