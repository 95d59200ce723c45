"""Reduced curves keep every spike and every hole, whatever the pieces and the length."""

import base64
import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from monitor.report.curve import EMPTY, Curve

SINE = np.array([math.sin(k / 500) for k in range(30_000)])


def unpacked(curve: Curve) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    packed = curve.packed()
    columns = []
    for text in (packed.low, packed.high or packed.low):
        whole = np.frombuffer(base64.b64decode(text), "<i2")
        columns.append(np.where(whole == EMPTY, np.nan, whole * packed.scale))
    return columns[0], columns[1]


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 4000), st.lists(st.integers(0, 4000), max_size=6), st.sampled_from([8, 64, 1000]))
def test_a_curve_does_not_depend_on_pieces_and_keeps_extremes(rows: int, cuts: list[int], most: int) -> None:
    dice = np.random.default_rng(rows)
    t_s = np.sort(dice.uniform(0, 20, rows))
    values = np.where(dice.random(rows) < 0.1, np.nan, dice.normal(0, 100, rows))
    whole, pieces = Curve(0.005, most), Curve(0.005, most)
    whole.add(t_s, values)
    edges = sorted({min(cut, rows) for cut in cuts} | {0, rows})
    for start, end in pairwise(edges):
        pieces.add(t_s[start:end], values[start:end])
    assert pieces.packed() == whole.packed()
    if not whole.is_empty:
        low, high = unpacked(whole)
        assert len(low) <= most
        tolerance = whole.packed().scale
        assert np.nanmin(low) == pytest.approx(np.nanmin(values), abs=tolerance)
        assert np.nanmax(high) == pytest.approx(np.nanmax(values), abs=tolerance)
        assert (high >= low)[~np.isnan(low)].all()


def test_an_hour_needs_little_memory_and_keeps_its_hole() -> None:
    curve = Curve(0.005)
    for minute in range(60):
        if minute != 30:
            t_s = np.linspace(minute * 60, minute * 60 + 60, 30_000, endpoint=False)
            curve.add(t_s, SINE)
    packed = curve.packed()
    assert len(packed.low) + len(packed.high or "") < 1_000_000
    low, _ = unpacked(curve)
    empty = np.flatnonzero(np.isnan(low)) * curve.bucket_s
    assert empty[0] == pytest.approx(1800, abs=0.1)
    assert empty[-1] == pytest.approx(1860, abs=0.1)


def test_a_time_stamp_at_the_start_of_a_bucket_belongs_to_it() -> None:
    curve = Curve(0.04)
    curve.add(np.array([k * 0.04 for k in range(1000)]), np.arange(1000.0))
    packed = curve.packed()
    assert packed.high is None  # one value a bucket
    assert unpacked(curve)[0] == pytest.approx(np.arange(1000.0), abs=packed.scale)


def test_a_curve_without_measurements_is_empty() -> None:
    curve = Curve(0.005)
    curve.add(np.arange(10.0), np.full(10, np.nan))
    assert curve.is_empty
    assert unpacked(curve)[0].size == 0
