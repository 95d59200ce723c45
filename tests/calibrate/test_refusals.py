"""A measurement that cannot be right is refused, with the likely cause and a remedy; the step can be repeated."""

import copy
import re
from dataclasses import replace
from functools import cache

import msgspec
import numpy as np
import pytest

from firmware_bridge.chunk import Chunk
from firmware_bridge.physics import STANDARD_GRAVITY_M_S2 as G
from firmware_bridge.samples import Samples
from firmware_bridge.simulator import Trace
from firmware_bridge.simulator.faults import (
    CellDrift,
    CellSaturated,
    CellSilent,
    CellStuck,
    DeviceReset,
    EncoderFrozen,
    EncoderJump,
    EncoderSlip,
    Fault,
)
from monitor.calibrate import procedure
from monitor.calibrate.answers import Answers
from monitor.calibrate.holds import HoldStep
from monitor.calibrate.procedure import SourceEnded
from monitor.calibrate.readings import Readings
from monitor.calibrate.refused import Refused
from monitor.calibrate.span import refuse_moved_zero, settled, span_of
from monitor.calibrate.step_results import HoldResult, Progress, RepetitionsResult, RestResult, SpanResult
from monitor.profile.reading import profile_from_builtins
from monitor.profile.weights import shown_in
from tests.calibrate.bench import Silent, calibrated, rig

UNKNOWN = profile_from_builtins({"machine": {"id": "rig", "kind": "stack"}, "protocol": {"name": "4/4"}})
REST = RestResult(position_counts=0.0, force_counts=1000.0, noise_counts=20.0, drift_counts_per_s=0.0)


def refusal(fault: Fault | None = None, answers: Answers | None = None, seed: int = 0, **kit: float) -> Refused:
    one = rig(seed, **kit)
    faults = () if fault is None else (fault,)
    with pytest.raises(Refused) as caught:
        calibrated(one.chunks(faults=faults), answers or one.answers, UNKNOWN)
    assert caught.value.remedy
    return caught.value


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        (CellSaturated(0.0, 30.0), "saturated"),
        (CellSilent(0.0, 30.0), "does not answer"),
        (CellStuck(0.0, 30.0), "repeats the same reading"),
        (CellDrift(0.0, 400.0), "the load cell drifts"),
        (EncoderFrozen(16.0, 300.0), "the encoder does not move"),
        (EncoderSlip(37.0, 300.0, share=0.02), "encoder slips: the board has counted"),
        (EncoderJump(30.0, 120), "encoder slips: with the stack back on its rest it is off by"),
        (EncoderJump(43.0, 120), "encoder slips: with the stack back on its rest it is off by"),
        (CellDrift(52.0, 30.0), "return to zero|zero has drifted"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else "",
)
def test_faulty_sensors_are_refused(fault: Fault, cause: str) -> None:
    refused = refusal(fault)
    assert re.search(cause, refused.cause), refused.cause


def test_a_converter_at_another_rate_than_its_firmware_expects_is_refused() -> None:
    one = rig(0)
    guide = Silent()
    chunks = rig(0, force_rate_hz=10.0).chunks(one.helper.still(20.0))
    with pytest.raises(Refused, match=r"10\.0 readings a second"):
        calibrated(chunks, one.answers, UNKNOWN, guide)


def test_lost_frames_are_refused() -> None:
    assert "of the frames are lost" in refusal(lost_fraction=0.06).cause


def test_a_rate_that_was_not_requested_is_refused() -> None:
    assert "sends 250 positions a second instead of" in refusal(position_rate_hz=250).cause


def test_noise_too_high_for_the_lightest_weight_is_refused() -> None:
    assert "noise is" in refusal(noise_n=8.0).cause


def test_a_step_without_any_movement_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(procedure, "PATIENCE_S", 20.0)
    one = rig(0)
    with pytest.raises(Refused, match=r"not finished within 20 s .waiting for the stack to be lifted"):
        calibrated(one.chunks(one.helper.still(45.0)), one.answers, UNKNOWN)


@pytest.mark.parametrize(
    ("weights", "cause"),
    [
        (("20 kg", "46 kg", "75 kg"), "46 kg contradicts the other weights"),
        (("15 kg", "35 kg", "70 kg"), "as if each were 5.0 kg heavier"),
        (("44 lb", "88 lb", "190 lb"), "contradict"),
    ],
)
def test_weights_that_contradict_each_other_are_refused(weights: tuple[str, ...], cause: str) -> None:
    one = rig(0)
    assert one.helper.weights_kg == (20.0, 40.0, 75.0)
    refused = refusal(answers=replace_weights(one.answers, weights))
    assert cause in refused.cause


def replace_weights(answers: Answers, weights: tuple[str, ...]) -> Answers:
    return Answers(weights=weights, block_mm=answers.block_mm, write=True)


@pytest.mark.parametrize(("count", "cause"), [(3, "3 repetitions instead of two"), (1, "1 repetition instead of two")])
def test_another_number_of_repetitions_is_refused(count: int, cause: str) -> None:
    helper = rig(0).helper
    state = weights_held()
    with pytest.raises(Refused, match=cause):
        calibrated(
            rig(0).chunks(Trace.joined([helper.still(16.0), helper.repetitions(count)])),
            state.answers,
            UNKNOWN,
            state=state,
        )


@cache
def _held() -> Progress:
    one = rig(0)
    state = Progress(started_utc="2026-01-01T00:00:00Z", answers=one.answers)
    acts = [one.helper.still(16.0), one.helper.block(), *map(one.helper.hold, one.helper.weights_kg)]
    with pytest.raises(SourceEnded, match="stopped sending in the step 'Movement'"):
        calibrated(one.chunks(Trace.joined(acts)), one.answers, UNKNOWN, state=state)
    return state


def weights_held() -> Progress:
    """The progress of seed 0 after all weights were held."""
    return copy.deepcopy(_held())


def test_a_restart_of_the_board_is_refused_and_its_zero_measured_again() -> None:
    one = rig(0)
    helper = one.helper
    first, *others = helper.weights_kg
    begin = [helper.still(16.0), helper.block()]
    at_s = sum(map(len, begin)) / 1000 + 6.0
    acts = [*begin, helper.hold(first), helper.still(12.0), helper.hold(first), *map(helper.hold, others)]
    acts += [helper.repetitions(), helper.knock(), helper.still(14.0)]
    guide = Silent(tries=1)
    state = calibrated(one.chunks(Trace.joined(acts), (DeviceReset(at_s),)), one.answers, UNKNOWN, guide)
    (refused,) = guide.refused
    assert refused.restarted
    assert sum(said.startswith("Rest:") for said in guide.said) == 2
    assert state.span is not None
    assert state.span.newtons_per_count == pytest.approx(one.kit.calibration(one.machine).newtons_per_count, rel=0.005)
    assert state.rest is not None
    assert abs(state.rest.position_counts * one.kit.calibration(one.machine).metres_per_count) > 0.02  # another zero


def test_an_unfinished_calibration_is_resumed() -> None:
    one, state = rig(0), weights_held()
    assert (state.height is not None, len(state.holds), state.span is not None) == (True, 3, True)
    helper = one.helper
    acts = [helper.still(16.0), helper.repetitions(), helper.knock(), helper.still(14.0)]
    guide = Silent()
    calibrated(one.chunks(Trace.joined(acts)), one.answers, UNKNOWN, guide, state)
    titles = {said.split(":")[0].split("  ")[0] for said in guide.said}
    assert {"Link", "Rest", "Movement", "Cable", "Rest again"} <= titles
    assert not {"Travel", "Weight 20 kg"} & titles
    assert state.last is not None


def holds(*read: tuple[float, float]) -> list[HoldResult]:
    return [HoldResult(weight_kg=kg, force_counts=1000 + counts, zero_counts=1000.0) for kg, counts in read]


def test_readings_of_both_signs_are_refused() -> None:
    with pytest.raises(Refused, match="some weights give positive readings, others negative ones"):
        span_of(holds((20, 20_000), (60, -60_000)), REST)


def test_a_heavier_weight_that_reads_less_is_refused() -> None:
    with pytest.raises(Refused, match="a heavier weight reads less"):
        span_of(holds((20, 20_000), (60, 19_000)), REST)


def test_movement_corrects_the_span_for_friction_in_the_holds() -> None:
    span = span_of(holds((20, 20_000), (60, 60_000)), REST)
    moved = RepetitionsResult(bottom_m=0.03, top_m=0.5, lockout_m=0.5, friction=0.06, load_n=60 * G * 0.96)
    assert settled(span, moved, 60.0).newtons_per_count == pytest.approx(span.newtons_per_count / 0.96)
    far = RepetitionsResult(bottom_m=0.03, top_m=0.5, lockout_m=0.5, friction=0.06, load_n=70 * G)
    with pytest.raises(Refused, match=r"gave 70\.0 kg, but the weight was given as 60 kg"):
        settled(span, far, 60.0)
    with shown_in("lb"), pytest.raises(Refused, match=r"gave 154\.3 lb, but the weight was given as 132\.3 lb"):
        settled(span, far, 60.0)


def test_a_zero_that_drifted_during_the_calibration_is_refused() -> None:
    span = SpanResult(newtons_per_count=0.01, residuals=(0.0,), linearity=0.0)
    last = RestResult(position_counts=0.0, force_counts=1400.0, noise_counts=20.0, drift_counts_per_s=0.0)
    with pytest.raises(Refused, match=r"zero has drifted by 4\.0 N"):
        refuse_moved_zero(REST, last, span, 20.0)
    refuse_moved_zero(REST, last, span, 60.0)


def readings(position: float, force: float) -> Readings:
    """Three seconds at one position and one force."""
    t_s = np.arange(0, 3.0, 0.01)
    made = Readings()
    rows = np.tile([True, False], len(t_s) // 2)
    wobble = np.sin(t_s * 90.0)
    made.add(
        Samples(
            t_s,
            np.where(rows, position, np.nan),
            np.where(rows, np.nan, force + wobble),
            np.zeros(len(t_s), np.uint8),
        )
    )
    return made


def test_a_stack_that_moves_down_instead_of_up_is_refused() -> None:
    step = HoldStep(20.0, REST, -0.0001, rested=True)
    with pytest.raises(Refused, match="went 120 mm down instead of up"):
        step.look(readings(1200.0, 30_000.0))


def test_a_weight_that_the_cell_does_not_see_is_refused() -> None:
    step = HoldStep(20.0, REST, 0.0001, rested=True)
    with pytest.raises(Refused, match="the load cell sees no load"):
        step.look(readings(1200.0, 1001.0))


def test_a_weight_is_not_measured_while_it_moves() -> None:
    for creeps_counts in (30.0, 3000.0):  # 3 mm in three seconds: friction would add to the reading
        creeping = readings(1200.0, 30_000.0)
        rows = creeping._rows(-np.inf)
        rows.position_m[:] += rows.t_s * creeps_counts / 3
        hint = HoldStep(20.0, REST, 0.0001, rested=True).look(creeping)
        assert isinstance(hint, str)
        assert hint.startswith("hold it still: it is moving by")


def test_a_cell_that_does_not_return_to_zero_is_refused() -> None:
    step = HoldStep(20.0, REST, 0.0001, rested=True)
    assert step.look(readings(1200.0, 30_000.0)) == "measured; now set it down gently and let the cable go slack"
    slow = readings(0.0, 3_000.0)
    slow.newest_s = 5.0
    hints = []

    def look_on() -> None:
        for second in range(20):
            parts = readings(0.0, 3_000.0)._rows(-np.inf)
            slow.add(Samples(parts.t_s + 5 + second, parts.position_m, parts.force_n, parts.flags))
            hints.append(step.look(slow))

    with pytest.raises(Refused, match=r"does not return to zero: it stays off by 6\.9% of the weight"):
        look_on()
    assert "now let the cable go slack and touch nothing" in hints


def test_a_static_machine_is_calibrated_without_an_encoder() -> None:
    one = rig(1)
    static = profile_from_builtins({"machine": {"id": "rig", "kind": "static"}, "protocol": {"name": "static"}})
    still = one.helper.still(3.0)
    n = len(still)

    def hang(kg: float) -> Trace:
        load = np.concatenate([np.zeros(1000), np.full(7000, kg * G), np.zeros(5000)])
        x = np.zeros(len(load))
        return replace(still, position_m=x, velocity_m_s=x, acceleration_m_s2=x, tension_n=load, contact_n=x)

    acts = Trace.joined([one.helper.still(16.0), hang(20.0), hang(60.0), one.helper.still(14.0)])
    assert n == 3000
    state = calibrated(one.chunks(acts), Answers(weights=("20", "60"), tap=False), static)
    assert state.span is not None
    assert state.span.newtons_per_count == pytest.approx(one.kit.calibration(one.machine).newtons_per_count, rel=0.005)
    assert (state.height, state.repetitions, state.ring) == (None, None, None)


def test_the_drum_can_replace_the_block() -> None:
    one = rig(1)
    helper = one.helper
    scale = one.kit.calibration(one.machine).metres_per_count
    answers = Answers(weights=one.answers.weights, drum_mm=abs(scale) * 2400 * 1000, counts_per_turn=2400, tap=False)
    acts = [helper.still(16.0), helper.hold(helper.weights_kg[0]), *map(helper.hold, helper.weights_kg)]
    acts += [helper.repetitions(), helper.still(16.0)]
    state = calibrated(one.chunks(Trace.joined(acts)), answers, UNKNOWN)
    assert state.height is not None
    assert state.height.metres_per_count == pytest.approx(scale, rel=1e-6)
    assert state.ring is None


def test_the_result_does_not_depend_on_the_sizes_of_chunks() -> None:
    one = rig(0)
    acts = Trace.joined([one.helper.still(16.0), one.helper.repetitions(), one.helper.knock(), one.helper.still(14.0)])
    chunks = list(one.chunks(acts))
    lumps = [Chunk(part[-1].received_ns, b"".join(chunk.data for chunk in part)) for part in batched(chunks, 5)]
    states = [calibrated(some, one.answers, UNKNOWN, state=weights_held()) for some in (chunks, lumps)]
    for state in states:
        assert state.rates is not None
        state.rates = msgspec.structs.replace(state.rates, lost_share=0.0)  # counted to the end of a chunk
    assert states[0] == states[1]


def batched(chunks: list[Chunk], n: int) -> list[list[Chunk]]:
    return [chunks[first : first + n] for first in range(0, len(chunks), n)]
