"""Rows that a computer stamped when they arrived are laid evenly; times of measurement stay bit for bit as they are."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from monitor.record.table.errors import TableError
from monitor.record.table.stamps import period_s, stamped
from monitor.record.table.table import read_table

Column = NDArray[np.float64]
STEP_S = 0.01
DRIFT = 1 + 5e-5
EPOCH_S = 1.7e9


def place_m(t_s: Column) -> Column:
    """Repetitions of 0.4 m in 4 s, at an encoder of 0.1 mm."""
    return np.round(0.21 - 0.2 * np.cos(2 * np.pi * t_s / 4), 4)


def normal(t_s: Column, seed: int) -> Column:
    return t_s + np.random.default_rng(seed).normal(0, 0.002, len(t_s))


def in_bursts(t_s: Column, seed: int) -> Column:
    """What an adapter passes on every 16 ms, at the digits of a usual clock."""
    return np.round(np.ceil(t_s / 0.016 + seed / 7) * 0.016, 3)


def with_hiccups(t_s: Column, seed: int) -> Column:
    """Once or twice a second the computer looks up 60 ms late."""
    late_s = np.zeros(len(t_s))
    late_s[np.searchsorted(t_s, np.arange(0.5 + seed / 7, 59.0, 0.7))] = 0.06
    return t_s + late_s


def arrived(measured_s: Column, latency: object, seed: int) -> Column:
    """Later rows never overtake earlier ones; the clocks drift apart."""
    assert callable(latency)
    return EPOCH_S + np.maximum.accumulate(latency(measured_s, seed)) * DRIFT


LATENCIES = [normal, in_bursts, with_hiccups]


@pytest.mark.parametrize("latency", LATENCIES)
@pytest.mark.parametrize("step_s", [0.002, 0.01, 0.02])
def test_late_stamps_give_even_times(latency: object, step_s: float) -> None:
    measured_s = np.arange(0, 60, step_s)
    host = stamped(arrived(measured_s, latency, 1), place_m(measured_s))
    assert host is not None
    assert host.even_s is not None
    off_s = host.even_s - EPOCH_S - measured_s * DRIFT
    assert np.ptp(off_s) < 0.0025
    assert np.abs(np.diff(off_s)).max() < 2e-5  # nothing that looks like an acceleration


@pytest.mark.parametrize("latency", LATENCIES)
def test_rows_that_were_measured_unevenly_keep_their_times(latency: object) -> None:
    t_s = np.unique(arrived(np.arange(0, 60, STEP_S), latency, 1))
    assert stamped(t_s, place_m(t_s - EPOCH_S)) is None


@pytest.mark.parametrize("share", [0.001, 0.01, 0.1])
def test_times_of_a_device_that_lost_rows_stay(share: float) -> None:
    t_s = np.arange(0, 60, STEP_S)
    t_s = t_s[np.random.default_rng(1).random(len(t_s)) >= share]
    assert stamped(t_s, place_m(t_s)) is None


def test_little_jitter_stays() -> None:
    t_s = np.arange(0, 60, STEP_S)
    stamps_s = t_s + np.random.default_rng(1).normal(0, 0.0004, len(t_s))
    assert stamped(stamps_s, place_m(t_s)) is None


def test_whole_seconds_are_no_jitter() -> None:
    t_s = np.arange(0, 60, STEP_S)
    assert stamped(np.floor(t_s), place_m(t_s)) is None


def test_rows_of_two_devices_in_one_table_are_not_even() -> None:
    """The force has rows of its own, and is away for half a second."""
    place_s, force_s = np.arange(0, 60, 0.01), np.arange(0.0031, 60, 1 / 83)
    force_s = force_s[(force_s < 30) | (force_s > 30.5)]
    t_s = np.sort(np.concatenate([place_s, force_s]))
    assert stamped(t_s, np.where(np.isin(t_s, place_s), place_m(t_s), np.nan)) is None


def test_without_movement_nothing_can_be_known() -> None:
    t_s = arrived(np.arange(0, 60, STEP_S), normal, 1)
    assert stamped(t_s, np.full(len(t_s), 0.2)) is None
    assert stamped(t_s, np.full(len(t_s), np.nan)) is None
    edge = np.random.default_rng(104).integers(0, 2, len(t_s))  # of a count
    assert stamped(t_s, np.where(edge, 0.2, 0.2001)) is None


def test_a_jump_of_the_encoder_hides_nothing() -> None:
    measured_s = np.arange(0, 60, STEP_S)
    x_m = place_m(measured_s)
    x_m[3000:] += 0.3
    assert stamped(arrived(measured_s, normal, 1), x_m) is not None
    uneven_s = arrived(measured_s, normal, 1) - EPOCH_S
    x_m = place_m(uneven_s)
    x_m[3000:] += 0.3
    assert stamped(uneven_s, x_m) is None


@pytest.mark.parametrize("latency", LATENCIES)
@pytest.mark.parametrize("gap_s", [0.08, 0.5, 3600.0])
def test_a_gap_keeps_its_length(latency: object, gap_s: float) -> None:
    measured_s = np.arange(0, 60, STEP_S)
    measured_s[3000:] += gap_s
    host = stamped(arrived(measured_s, latency, 1), place_m(measured_s))
    assert host is not None
    assert host.even_s is not None
    steps_s = np.diff(host.even_s)
    (longest,) = np.flatnonzero(steps_s > 3 * STEP_S)
    assert abs(longest - 2999) <= 1  # in a burst, a row may wait for the gap
    assert steps_s[longest] == pytest.approx((gap_s + STEP_S) * DRIFT, abs=STEP_S + 0.002)
    assert np.delete(steps_s, longest) == pytest.approx(STEP_S, abs=1e-4)


def write(path: Path, t_s: Column, x_m: Column, more: str = "") -> Path:
    rows = zip(t_s.tolist(), x_m.tolist(), strict=True)
    head = "t_s,displacement_m,force_n" + (",flags" if more else "")
    path.write_text(f"{head}\n" + "".join(f"{t:.6f},{x:.4f},600{more}\n" for t, x in rows))
    return path


def test_a_table_says_what_was_done(tmp_path: Path) -> None:
    measured_s = np.arange(0, 60, 0.002)
    stamps_s = arrived(measured_s, in_bursts, 1) + np.arange(len(measured_s)) % 8 * 1e-4  # 0.1 ms in a burst
    table = read_table(write(tmp_path / "t.csv", np.sort(stamps_s), place_m(measured_s)))
    (remark,) = table.remarks
    assert remark.startswith("t_s jitters by 4.")
    assert "count as measured every 2 ms; to be exact, record the device's time" in remark
    assert np.diff(table.samples.t_s) == pytest.approx(0.002 * DRIFT, abs=1e-5)


def test_rows_that_are_missing_unseen_leave_the_times_and_are_named(tmp_path: Path) -> None:
    measured_s = np.delete(np.arange(0, 60, STEP_S), [3000, 3050])
    stamps_s = (arrived(measured_s, normal, 1) - EPOCH_S + np.arange(len(measured_s)) * 1e-6).round(6)  # no two alike
    table = read_table(write(tmp_path / "t.csv", stamps_s, place_m(measured_s)))
    (remark,) = table.remarks
    line = int(remark.partition("near line ")[2].partition(".")[0])
    assert abs(line - 3002) < 400
    assert remark.endswith("can look like jerks and drops: record the device's time")
    np.testing.assert_array_equal(table.samples.t_s, stamps_s)


def test_equal_times_need_even_rows(tmp_path: Path) -> None:
    measured_s = np.delete(np.arange(0, 60, STEP_S), [3000, 3050])
    path = write(tmp_path / "t.csv", arrived(measured_s, in_bursts, 1), place_m(measured_s))
    with pytest.raises(TableError, match=r"line \d+: t_s is .*, but time stands still"):
        read_table(path)


def test_our_own_export_has_the_device_s_times(tmp_path: Path) -> None:
    measured_s = np.arange(0, 60, STEP_S)
    stamps_s = np.unique(arrived(measured_s, normal, 1).round(6))
    table = read_table(write(tmp_path / "t.csv", stamps_s, place_m(measured_s)[: len(stamps_s)], ",0"))
    assert not table.remarks
    np.testing.assert_array_equal(table.samples.t_s, stamps_s)


def test_the_period_is_that_between_bursts() -> None:
    t_s = arrived(np.arange(0, 10, 0.002), in_bursts, 1)
    assert period_s(t_s) == pytest.approx(0.002, rel=0.02)
