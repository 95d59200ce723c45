"""The sensors behind a table are recognised: the encoder's step, and a converter whose readings the rows repeat."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from monitor.record.table.sensors import encoder_step_m, readings
from monitor.record.table.table import read_table

Column = NDArray[np.float64]


def strokes(rate_hz: float = 100.0) -> Column:
    """A minute of repetitions of 0.4 m, no two alike."""
    t_s = np.arange(0, 60, 1 / rate_hz)
    return 0.21 - 0.2 * np.cos(2 * np.pi * t_s / 7.93) + 0.003 * np.sin(2 * np.pi * t_s / 2.77)


steps = st.floats(0.00015, 0.003)


@settings(deadline=None, max_examples=30)
@given(step_m=steps, zero=st.floats(-3, 3), digits=st.sampled_from([5, 6, None]), rate_hz=st.sampled_from([100, 500]))
def test_the_smallest_difference_is_the_step(step_m: float, zero: float, digits: int | None, rate_hz: int) -> None:
    x_m = (np.round(strokes(rate_hz) / step_m) + zero) * step_m
    x_m = x_m if digits is None else x_m.round(digits)
    assert encoder_step_m(x_m) == pytest.approx(step_m, rel=0.01)


def test_a_step_that_was_rounded_when_it_was_written_is_found_by_its_mean() -> None:
    x_m = (np.round(strokes() * 3000) / 3000).round(4)  # 0.3 and 0.4 mm for a third
    assert encoder_step_m(x_m) == pytest.approx(1 / 3000, rel=0.02)


@settings(deadline=None, max_examples=30)
@given(step_m=steps, seed=st.integers(0, 99))
def test_a_few_odd_values_and_dust_change_nothing(step_m: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x_m = np.round(strokes() / step_m) * step_m
    x_m += rng.normal(0, 1e-12, len(x_m))
    assume(len(np.unique(x_m.round(7))) > 200)
    odd = rng.integers(0, len(x_m), 2)
    x_m[odd] += rng.uniform(-0.4, 0.4, 2) * step_m
    x_m[rng.integers(0, len(x_m), 50)] = np.nan
    assert encoder_step_m(x_m) == pytest.approx(step_m, rel=0.01)


@pytest.mark.parametrize(
    "x_m",
    [
        np.empty(0),
        np.full(1000, np.nan),
        np.zeros(1000),
        strokes(),  # no steps
        strokes() + np.random.default_rng(1).normal(0, 1e-4, 6000),
        strokes().round(5),  # digits of a smooth position
        np.round(strokes(), 4),  # the default anyway
    ],
)
def test_without_coarse_steps_no_step_is_reported(x_m: Column) -> None:
    assert encoder_step_m(x_m) is None


def repeated(t_s: Column, at_s: Column, force_n: Column) -> Column:
    """Rows that hold the newest reading."""
    newest = np.searchsorted(at_s, t_s + 1e-9, side="right") - 1
    return np.where(newest >= 0, force_n[newest], np.nan)


@settings(deadline=None, max_examples=30)
@given(
    rate_hz=st.floats(24.0, 200.0),
    rows_hz=st.sampled_from([250.0, 500.0, 1000.0]),
    seed=st.integers(0, 99),
    digits=st.integers(0, 3),
)
def test_the_converter_s_readings_remain(rate_hz: float, rows_hz: float, seed: int, digits: int) -> None:
    assume(rows_hz > 2.5 * rate_hz)
    rng = np.random.default_rng(seed)
    at_s = np.arange(0.003, 20, 1 / rate_hz)
    force_n = (500 + 50 * np.sin(at_s) + rng.normal(0, 5, len(at_s))).round(digits)
    t_s = np.arange(0, 20, 1 / rows_hz)
    measured = ~np.isnan(readings(t_s, repeated(t_s, at_s, force_n)))
    assert abs(int(measured.sum()) - len(at_s)) <= 0.02 * len(at_s)
    gaps_s = np.diff(t_s[measured])
    assert gaps_s.max() < 1.5 / rate_hz + 1 / rows_hz


def test_a_gap_in_the_rows_keeps_its_length() -> None:
    """The reading before it began earlier; its last repetition stays, so that 44 ms do not become 52."""
    at_s, t_s = np.arange(0, 20, 0.0125), np.arange(0, 20, 0.004)
    t_s = t_s[(t_s < 10.0) | (t_s > 10.042)]
    force_n = 500 + np.random.default_rng(1).normal(0, 1, len(at_s))
    kept = ~np.isnan(readings(t_s, repeated(t_s, at_s, force_n)))
    assert np.diff(t_s[kept]).max() == pytest.approx(np.diff(t_s).max())


def test_the_readings_of_a_slow_converter_count_until_the_next() -> None:
    """Ten readings a second, and empty cells between them; some readings are missing."""
    t_s = np.arange(0, 20, 0.01)
    force_n = np.where(np.arange(len(t_s)) % 10 == 4, np.arange(len(t_s)), np.nan)
    force_n[1000:1100] = np.nan
    held = readings(t_s, force_n)
    assert np.isnan(held[:4]).all()
    assert held[4:14].tolist() == [4.0] * 10
    assert held[994:1009].tolist() == [994.0] * 15
    assert np.isnan(held[1009:1104]).all()
    np.testing.assert_array_equal(readings(t_s, held), held)
    np.testing.assert_array_equal(readings(10 * t_s, force_n), force_n)  # a reading a second is no converter's
    np.testing.assert_array_equal(readings(0.4 * t_s, force_n), force_n)  # without gaps


def test_a_cell_that_froze_still_shows_it() -> None:
    """For half a second the very same reading, again and again."""
    at_s, t_s = np.arange(0, 20, 0.0125), np.arange(0, 20, 0.002)
    force_n = 500 + np.random.default_rng(1).normal(0, 1, len(at_s)).round(2)
    force_n[800:840] = force_n[800]
    kept = readings(t_s, repeated(t_s, at_s, force_n))
    during = (t_s >= 10) & (t_s < 10.5) & ~np.isnan(kept)
    assert 38 <= during.sum() <= 42
    assert len(set(kept[during].tolist())) == 1


def test_every_row_with_its_own_reading_stays_unchanged() -> None:
    t_s = np.arange(0, 20, 0.002)
    own = 500 + np.random.default_rng(1).normal(0, 1, len(t_s)).round(1)
    slow = repeated(t_s, np.arange(0, 20, 0.1), 500 + np.random.default_rng(1).normal(0, 1, 200))
    for force_n in (own, slow, np.zeros(len(t_s)), np.full(len(t_s), 20.0), np.full(len(t_s), np.nan)):
        np.testing.assert_array_equal(readings(t_s, force_n), force_n)


def test_a_table_shows_both(tmp_path: Path) -> None:
    t_s = np.arange(0, 60, 0.002)
    x_m = np.round(strokes(500) / 5e-4) * 5e-4
    at_s = np.arange(0, 60, 0.0125)
    force_n = repeated(t_s, at_s, 500 + np.random.default_rng(1).normal(0, 1, len(at_s)).round(1))
    rows = zip(t_s.tolist(), x_m.tolist(), force_n.tolist(), strict=True)
    path = tmp_path / "t.csv"
    path.write_text("t_s,displacement_m,force_n\n" + "".join(f"{t:.3f},{x:.4f},{f}\n" for t, x, f in rows))
    table = read_table(path)
    assert table.encoder_step_m == 5e-4
    assert np.isnan(table.samples.force_n).mean() == pytest.approx(1 - 80 / 500, abs=0.01)
