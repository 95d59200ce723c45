"""A kit measures a trace with rates, steps, delay, noise, losses and faults; the wire gives the same samples."""

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import firmware_bridge
from firmware_bridge.formats.decoder import Decoder
from firmware_bridge.formats.messages import MAX_FORCE_SAMPLES
from firmware_bridge.samples import Flag, Samples
from firmware_bridge.simulator import Kit, Machine, Trace, board_chunks, clean_set, measure, simulate
from firmware_bridge.simulator import faults as wrong
from firmware_bridge.simulator.kit import RAIL
from firmware_bridge.simulator.meter import Meter

MACHINE = Machine(mass_kg=60, rest_m=0.1, bottom_m=0.13, top_m=0.6)
FIRMWARE_STREAM = Path(firmware_bridge.__file__).parent / "firmware" / "core" / "stream.c"
QUIET = Kit(noise_n=0.0, stamp_jitter_s=0.0)


@pytest.fixture(scope="module")
def trace() -> Trace:
    return simulate(MACHINE, clean_set(2, 4, 2, tail_s=2.0), 1)


def positions(samples: Samples) -> Samples:
    return only(samples, ~np.isnan(samples.position_m))


def forces(samples: Samples) -> Samples:
    return only(samples, ~np.isnan(samples.force_n))


def only(samples: Samples, rows: np.ndarray) -> Samples:
    return Samples(samples.t_s[rows], samples.position_m[rows], samples.force_n[rows], samples.flags[rows])


@pytest.mark.parametrize("rate_hz", [100, 250, 500, 1000])
@pytest.mark.parametrize("encoder_m", [0.0001, 0.0005])
def test_positions_come_at_their_rate_in_steps_of_the_encoder(trace: Trace, rate_hz: int, encoder_m: float) -> None:
    kit = replace(QUIET, position_rate_hz=rate_hz, encoder_m=encoder_m)
    taken = positions(measure(trace, kit, 1))
    assert np.diff(taken.t_s) == pytest.approx(1 / rate_hz)
    assert len(taken) == pytest.approx(trace.t_s[-1] * rate_hz, abs=2 * kit.block)
    steps = (taken.position_m - MACHINE.rest_m) / encoder_m
    assert steps == pytest.approx(np.round(steps), abs=1e-6)
    error_m = taken.position_m - np.interp(taken.t_s, trace.t_s, trace.position_m)
    assert np.abs(error_m).max() <= encoder_m / 2 + 1e-6


@pytest.mark.parametrize(("rate_hz", "window_s"), [(80.0, 0.05), (76.3, 4 / 76.3), (320.0, 1 / 320), (1000.0, 0.001)])
def test_force_is_the_mean_over_the_converters_window(trace: Trace, rate_hz: float, window_s: float) -> None:
    kit = replace(QUIET, force_rate_hz=rate_hz)
    taken = forces(measure(trace, kit, 1))
    assert np.diff(taken.t_s).mean() == pytest.approx(1 / rate_hz, rel=1e-4)
    at = np.searchsorted(taken.t_s, [4.0, 6.0, 8.0])
    for t_s, force_n in zip(taken.t_s[at], taken.force_n[at], strict=True):
        fine = np.interp(np.linspace(t_s - window_s, t_s, 400), trace.t_s, trace.tension_n)
        assert force_n == pytest.approx(fine.mean(), abs=0.5)


@pytest.mark.parametrize("rate_hz", [10.0, 80.0, 175.0, 330.0, 600.0, 1000.0, 2000.0])
def test_conversions_come_in_frames_as_long_as_the_firmware_s(rate_hz: float) -> None:
    (block_us,) = re.findall(r"define FORCE_BLOCK_US UINT32_C\((\d+)\)", FIRMWARE_STREAM.read_text(encoding="utf-8"))
    wanted = int(block_us) * int(rate_hz) // 1_000_000
    assert Kit(force_rate_hz=rate_hz).force_block == min(max(wanted, 1), MAX_FORCE_SAMPLES)


def test_a_slow_converter_is_late_by_half_its_window(trace: Trace) -> None:
    taken = forces(measure(trace, QUIET, 1))

    def mismatch(delay_s: float) -> float:
        return float(np.std(taken.force_n - np.interp(taken.t_s - delay_s, trace.t_s, trace.tension_n)))

    delays_s = np.arange(0.0, 0.06, 0.001)
    assert delays_s[np.argmin([mismatch(d) for d in delays_s])] == pytest.approx(0.025, abs=0.003)


def test_noise_and_jitter_have_the_given_size(trace: Trace) -> None:
    quiet, noisy = (measure(trace, kit, 1) for kit in (QUIET, Kit(noise_n=3.0, stamp_jitter_s=0.0005)))
    assert np.nanstd(noisy.force_n - quiet.force_n) == pytest.approx(3.0, rel=0.1)
    fast = np.abs(np.interp(quiet.t_s, trace.t_s, trace.velocity_m_s)) > 0.2
    late_m = (noisy.position_m - quiet.position_m)[fast]
    assert 0.2 * 0.0005 * 0.5 < np.nanstd(late_m) < 0.4 * 0.0005 * 1.5


def test_whole_frames_are_lost_in_the_given_share(trace: Trace) -> None:
    whole, holed = (measure(trace, Kit(lost_fraction=share), 3) for share in (0.0, 0.1))
    assert 1 - len(holed) / len(whole) == pytest.approx(0.1, abs=0.025)
    kept = np.isin(positions(whole).t_s, positions(holed).t_s)
    blocks = kept.reshape(-1, 5)
    assert (blocks.all(axis=1) == blocks.any(axis=1)).all()


@settings(max_examples=20, deadline=None)
@given(cuts=st.lists(st.integers(1, 9_000), max_size=12), rate_hz=st.sampled_from([80.0, 333.3, 1000.0]))
def test_in_pieces_a_meter_takes_what_it_takes_in_one(trace: Trace, cuts: list[int], rate_hz: float) -> None:
    kit = Kit(force_rate_hz=rate_hz, clock_ppm=900.0)
    whole = Meter(kit, MACHINE, 5).take(trace.x_m[:10_000], trace.tension_n[:10_000])
    meter = Meter(kit, MACHINE, 5)
    edges = [0, *sorted(set(cuts)), 10_000]
    pieces = [meter.take(trace.x_m[a:b], trace.tension_n[a:b]) for a, b in pairwise(edges) if b > a]
    for stream, parts in zip(whole, zip(*pieces, strict=True), strict=True):
        assert np.array_equal(stream.stamp_us, np.concatenate([part.stamp_us for part in parts]))
        assert np.abs(stream.counts - np.concatenate([part.counts for part in parts])).max() <= 1


def test_same_seed_same_bytes(trace: Trace) -> None:
    kit = Kit(lost_fraction=0.02, faults=(wrong.CellSpikes(2.0, 5.0),))
    once, again, other = (board_chunks(trace, kit, seed) for seed in (1, 1, 2))
    assert once == again
    assert once != other


EVERYTHING = (
    wrong.CellDrift(2, 300),
    wrong.CellStuck(4, 0.6),
    wrong.CellSaturated(5, 0.3),
    wrong.CellSpikes(6, 1, 0.1),
    wrong.CellSpikes(8, 1, 0.1, noticed=True),
    wrong.CellSilent(9.5, 0.5),
    wrong.EncoderFrozen(6, 0.3),
    wrong.EncoderJump(10, 300),
    wrong.EncoderSlip(3, 6),
    wrong.LineCut(11, 0.3),
)
KITS = {
    "default": Kit(),
    "lossy": Kit(lost_fraction=0.05),
    "coarse": Kit(encoder_m=0.0005, position_rate_hz=100, block=2, lost_fraction=0.02),
    "wrapping": Kit(clock_start_us=2**32 - 5_000_000, clock_ppm=3000.0),
    "fast": Kit(position_rate_hz=1000, block=10, force_rate_hz=1000.0, lost_fraction=0.02),
    "everything wrong": Kit(faults=EVERYTHING),
    "fast and wrong": Kit(force_rate_hz=600.0, faults=EVERYTHING),
}


@pytest.mark.parametrize("name", KITS)
def test_the_wire_carries_what_was_measured(trace: Trace, name: str) -> None:
    kit = KITS[name]
    decoder = Decoder(kit.calibration(MACHINE))
    carried = decoder.feed(*board_chunks(trace, kit, 1))
    samples = measure(trace, kit, 1)
    assert len(carried) == len(samples)
    assert carried.t_s - carried.t_s[0] == pytest.approx(samples.t_s - samples.t_s[0], abs=2e-6)
    assert np.array_equal(carried.flags, samples.flags)
    assert carried.position_m == pytest.approx(samples.position_m, nan_ok=True, abs=1e-12)
    assert carried.force_n == pytest.approx(samples.force_n, nan_ok=True, abs=1e-9)
    counts = decoder.counts
    assert counts.bad_crc == counts.bad_shape == counts.bad_body == counts.unknown_types == counts.late_samples == 0
    counted = counts.position_samples + counts.lost_position_samples
    assert counted == pytest.approx(trace.t_s[-1] * kit.position_rate_hz, rel=0.004)


@pytest.mark.parametrize("forgets", [True, False])
def test_after_a_reset_the_clock_goes_on_and_the_first_rows_say_so(trace: Trace, forgets: bool) -> None:
    kit = Kit(faults=(wrong.DeviceReset(5.003, 0.4, forgets),))
    samples = measure(trace, kit, 1)
    decoder = Decoder(kit.calibration(MACHINE))
    carried = decoder.feed(*board_chunks(trace, kit, 1, read_s=0.001))
    assert decoder.counts.resets == 1
    assert np.array_equal(carried.flags, samples.flags)
    assert (samples.flags & Flag.RESTART).astype(bool).sum() == 2  # a position and a force
    assert carried.t_s == pytest.approx(samples.t_s, abs=0.005)
    back = positions(samples)
    step_m = np.diff(back.position_m)[np.argmax(np.diff(back.t_s))]
    assert bool(abs(step_m) > 0.1) is forgets


def within(samples: Samples, at_s: float, for_s: float) -> Samples:
    return only(samples, (samples.t_s >= at_s) & (samples.t_s < at_s + for_s))


@pytest.fixture(scope="module")
def spoilt(trace: Trace) -> Samples:
    return measure(trace, Kit(faults=EVERYTHING), 1)


def test_a_stuck_cell_repeats_itself(spoilt: Samples) -> None:
    assert len(np.unique(forces(within(spoilt, 4.0, 0.6)).force_n)) == 1


def test_a_saturated_cell_reads_its_limit_and_is_flagged(spoilt: Samples) -> None:
    railed = forces(within(spoilt, 5.0, 0.3))
    assert (railed.flags & Flag.SATURATED).all()
    assert railed.force_n == pytest.approx(Kit().full_scale_n, rel=0.01)
    assert not (forces(within(spoilt, 4.0, 0.9)).flags & Flag.SATURATED).any()


def test_unnoticed_spikes_are_slipped_bits_noticed_ones_have_no_value(trace: Trace) -> None:
    samples = measure(trace, Kit(faults=(wrong.CellSpikes(2, 3, 0.1), wrong.CellSpikes(6, 3, 0.1, True))), 1)
    clean = measure(trace, Kit(), 1)
    off = forces(only(samples, np.nan_to_num(np.abs(samples.force_n - clean.force_n)) > 0.01))
    assert 10 < len(off) < 40
    counts = np.round(off.force_n / (Kit().full_scale_n / RAIL) + 41_337).astype(int)
    assert all((count + 1).bit_count() == 1 for count in counts.tolist())
    noticed = (samples.flags & Flag.DESYNC) != 0
    assert 10 < noticed.sum() < 40
    assert np.isnan(samples.force_n[noticed]).all()


def test_a_silent_cell_is_reported_ten_times_a_second(spoilt: Samples) -> None:
    reported = within(only(spoilt, (spoilt.flags & Flag.TIMEOUT) != 0), 9.5, 0.5)
    assert len(reported) == 5
    assert np.isnan(reported.force_n).all()
    assert len(forces(within(spoilt, 9.5, 0.5))) == 0


def test_what_an_encoder_misses_stays_missed(trace: Trace) -> None:
    def off_m(fault: wrong.Fault) -> np.ndarray:
        taken = positions(measure(trace, replace(QUIET, faults=(fault,)), 1))
        return taken.position_m - np.interp(taken.t_s, trace.t_s, trace.position_m)

    frozen, jumped, slipped = (
        off_m(f) for f in (wrong.EncoderFrozen(6, 0.3), wrong.EncoderJump(6, 120), wrong.EncoderSlip(3, 9, 0.05))
    )
    assert abs(frozen[-1]) > 0.005
    assert jumped[-1] == pytest.approx(0.012, abs=0.0001)
    assert abs(slipped).max() > 0.005
    samples = measure(trace, replace(QUIET, faults=(wrong.EncoderSlip(3, 9, 0.05),)), 1)
    assert 5 <= ((samples.flags & Flag.SLIPPED) != 0).sum() <= 10  # at most once a second


def test_a_cut_line_leaves_a_gap(spoilt: Samples) -> None:
    assert len(within(spoilt, 11.0, 0.28)) == 0
    assert np.diff(spoilt.t_s[spoilt.t_s > 10.5]).max() > 0.28


def test_a_profiles_calibration_is_followed(trace: Trace) -> None:
    wiring = replace(Kit().calibration(MACHINE), metres_per_count=-0.0002, position_zero_counts=777.0)
    samples = positions(measure(trace, replace(QUIET, wiring=wiring), 1))
    assert np.abs(samples.position_m - np.interp(samples.t_s, trace.t_s, trace.position_m)).max() < 0.00011


def test_a_rate_without_whole_microseconds_is_refused() -> None:
    with pytest.raises(ValueError, match="position_rate_hz 300 must give a period of whole microseconds"):
        Kit(position_rate_hz=300)
