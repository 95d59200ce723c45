"""What cannot be right is refused, with the likely cause and what to do; and it can be tried again."""

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
from monitor.calibrate.answers import Answers
from monitor.calibrate.findings import Hold, Repetitions, Rest, Span, State
from monitor.calibrate.holds import HoldStep
from monitor.calibrate.procedure import SourceEnded
from monitor.calibrate.refused import Refused
from monitor.calibrate.span import refuse_moved_zero, settled, span_of
from monitor.calibrate.tape import Tape
from monitor.profile.reading import profile_from_builtins
from tests.calibrate.bench import Silent, calibrated, rig

UNKNOWN = profile_from_builtins({"machine": {"id": "rig", "kind": "stack"}, "protocol": {"name": "4/4"}})
REST = Rest(position_counts=0.0, force_counts=1000.0, noise_counts=20.0, drift_counts_per_s=0.0)


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
        (CellStuck(0.0, 30.0), "repeats one and the same reading"),
        (CellDrift(0.0, 400.0), "the load cell drifts"),
        (EncoderFrozen(16.0, 300.0), "the encoder does not move"),
        (EncoderSlip(37.0, 300.0, share=0.02), "encoder slips: the board has counted"),
        (EncoderJump(30.0, 120), "encoder slips: with the stack back on its rest it is off by"),
        (EncoderJump(43.0, 120), "encoder slips: with the stack back on its rest it is off by"),
        (CellDrift(52.0, 30.0), "come back to zero|zero has walked"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else "",
)
def test_broken_sensors(fault: Fault, cause: str) -> None:
    refused = refusal(fault)
    assert re.search(cause, refused.cause), refused.cause


def test_a_converter_at_another_rate_than_its_firmware_says() -> None:
    one = rig(0)
    talk = Silent()
    chunks = rig(0, force_rate_hz=10.0).chunks(one.helper.still(20.0))
    with pytest.raises(Refused, match=r"10\.0 readings a second"):
        calibrated(chunks, one.answers, UNKNOWN, talk)


def test_frames_that_are_lost() -> None:
    assert "of the frames are lost" in refusal(lost_fraction=0.06).cause


def test_a_rate_that_nobody_asked_for() -> None:
    assert "250 positions a second come where" in refusal(position_rate_hz=250).cause


def test_noise_that_is_too_much_for_the_lightest_weight() -> None:
    assert "noise is" in refusal(noise_n=8.0).cause


def test_nothing_happens() -> None:
    one = rig(0)
    with pytest.raises(Refused, match=r"nothing came of this within 180 s .waiting for the stack to be lifted"):
        calibrated(one.chunks(one.helper.still(205.0)), one.answers, UNKNOWN)


@pytest.mark.parametrize(
    ("told", "cause"),
    [
        (("20 kg", "46 kg", "75 kg"), "46 kg contradict the other weights"),
        (("15 kg", "35 kg", "70 kg"), "as if each were 5.0 kg more than you said"),
        (("44 lb", "88 lb", "190 lb"), "contradict"),
    ],
)
def test_weights_that_contradict_each_other(told: tuple[str, ...], cause: str) -> None:
    one = rig(0)
    assert one.helper.weights_kg == (20.0, 40.0, 75.0)
    refused = refusal(answers=replace_weights(one.answers, told))
    assert cause in refused.cause


def replace_weights(answers: Answers, told: tuple[str, ...]) -> Answers:
    return Answers(weights=told, block_mm=answers.block_mm, write=True)


@pytest.mark.parametrize(("count", "cause"), [(3, "3 repetitions came"), (1, "1 repetition came")])
def test_another_number_of_repetitions(count: int, cause: str) -> None:
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
def _held() -> State:
    one = rig(0)
    state = State(started_utc="2026-01-01T00:00:00Z", answers=one.answers)
    acts = [one.helper.still(16.0), one.helper.block(), *map(one.helper.hold, one.helper.weights_kg)]
    with pytest.raises(SourceEnded, match="fell silent in the step 'Movement'"):
        calibrated(one.chunks(Trace.joined(acts)), one.answers, UNKNOWN, state=state)
    return state


def weights_held() -> State:
    """Seed 0, all weights held, left there."""
    return copy.deepcopy(_held())


def test_a_board_that_restarts_is_told_and_its_zero_found_anew() -> None:
    one = rig(0)
    helper = one.helper
    first, *others = helper.weights_kg
    begin = [helper.still(16.0), helper.block()]
    at_s = sum(map(len, begin)) / 1000 + 6.0
    acts = [*begin, helper.hold(first), helper.still(12.0), helper.hold(first), *map(helper.hold, others)]
    acts += [helper.repetitions(), helper.knock(), helper.still(14.0)]
    talk = Silent(tries=1)
    state = calibrated(one.chunks(Trace.joined(acts), (DeviceReset(at_s),)), one.answers, UNKNOWN, talk)
    (refused,) = talk.refused
    assert refused.restarted
    assert sum(said.startswith("Rest:") for said in talk.said) == 2
    assert state.span is not None
    assert state.span.newtons_per_count == pytest.approx(one.kit.calibration(one.machine).newtons_per_count, rel=0.005)
    assert state.rest is not None
    assert abs(state.rest.position_counts * one.kit.calibration(one.machine).metres_per_count) > 0.02  # another zero


def test_a_calibration_goes_on_where_it_was_left() -> None:
    one, state = rig(0), weights_held()
    assert (state.height is not None, len(state.holds), state.span is not None) == (True, 3, True)
    helper = one.helper
    acts = [helper.still(16.0), helper.repetitions(), helper.knock(), helper.still(14.0)]
    talk = Silent()
    calibrated(one.chunks(Trace.joined(acts)), one.answers, UNKNOWN, talk, state)
    titles = {said.split(":")[0].split("  ")[0] for said in talk.said}
    assert {"Link", "Rest", "Movement", "Cable", "Rest again"} <= titles
    assert not {"Travel", "Weight 20 kg"} & titles
    assert state.last is not None


def holds(*read: tuple[float, float]) -> list[Hold]:
    return [Hold(weight_kg=kg, force_counts=1000 + counts, zero_counts=1000.0) for kg, counts in read]


def test_a_cell_that_is_pulled_both_ways() -> None:
    with pytest.raises(Refused, match="some weights pull the load cell up, others down"):
        span_of(holds((20, 20_000), (60, -60_000)), REST)


def test_a_heavier_weight_that_reads_less() -> None:
    with pytest.raises(Refused, match="a heavier weight reads less"):
        span_of(holds((20, 20_000), (60, 19_000)), REST)


def test_friction_that_held_a_part_of_the_stack_is_taken_out_by_movement() -> None:
    span = span_of(holds((20, 20_000), (60, 60_000)), REST)
    moved = Repetitions(bottom_m=0.03, top_m=0.5, lockout_m=0.5, friction=0.06, load_n=60 * G * 0.96)
    assert settled(span, moved, 60.0).newtons_per_count == pytest.approx(span.newtons_per_count / 0.96)
    far = Repetitions(bottom_m=0.03, top_m=0.5, lockout_m=0.5, friction=0.06, load_n=70 * G)
    with pytest.raises(Refused, match=r"pulls 70\.0 kg, held still it was taken for 60 kg"):
        settled(span, far, 60.0)


def test_a_zero_that_walked() -> None:
    span = Span(newtons_per_count=0.01, residuals=(0.0,), linearity=0.0)
    last = Rest(position_counts=0.0, force_counts=1400.0, noise_counts=20.0, drift_counts_per_s=0.0)
    with pytest.raises(Refused, match=r"zero has walked by 4\.0 N"):
        refuse_moved_zero(REST, last, span, 20.0)
    refuse_moved_zero(REST, last, span, 60.0)


def tape(position: float, force: float) -> Tape:
    """Three seconds of standing there."""
    t_s = np.arange(0, 3.0, 0.01)
    made = Tape()
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


def test_a_stack_that_goes_down_where_it_should_go_up() -> None:
    step = HoldStep(20.0, REST, -0.0001, rested=True)
    with pytest.raises(Refused, match="goes 120 mm down where it should go up"):
        step.look(tape(1200.0, 30_000.0))


def test_a_weight_that_the_cell_does_not_feel() -> None:
    step = HoldStep(20.0, REST, 0.0001, rested=True)
    with pytest.raises(Refused, match="the load cell feels nothing"):
        step.look(tape(1200.0, 1001.0))


def test_a_weight_that_still_moves_is_not_measured() -> None:
    for creeps_counts in (30.0, 3000.0):  # 3 mm in three seconds: friction would add its share
        creeping = tape(1200.0, 30_000.0)
        rows = creeping._rows(-np.inf)
        rows.position_m[:] += rows.t_s * creeps_counts / 3
        hint = HoldStep(20.0, REST, 0.0001, rested=True).look(creeping)
        assert isinstance(hint, str)
        assert hint.startswith("hold it still: it moves by")


def test_a_held_weight_that_never_lets_the_cell_go() -> None:
    step = HoldStep(20.0, REST, 0.0001, rested=True)
    assert step.look(tape(1200.0, 30_000.0)) == "held; now set it down gently and let the cable go slack"
    slow = tape(0.0, 3_000.0)
    slow.newest_s = 5.0
    hints = []

    def look_on() -> None:
        for second in range(20):
            parts = tape(0.0, 3_000.0)._rows(-np.inf)
            slow.add(Samples(parts.t_s + 5 + second, parts.position_m, parts.force_n, parts.flags))
            hints.append(step.look(slow))

    with pytest.raises(Refused, match=r"does not come back to zero: it stays off by 6\.9% of the weight"):
        look_on()
    assert "now let the cable go slack, and touch nothing" in hints


def test_the_static_machine_needs_no_encoder() -> None:
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


def test_the_drum_instead_of_a_block() -> None:
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


def test_however_the_bytes_come_the_same_is_found() -> None:
    one = rig(0)
    acts = Trace.joined([one.helper.still(16.0), one.helper.repetitions(), one.helper.knock(), one.helper.still(14.0)])
    chunks = one.chunks(acts)
    lumps = [Chunk(part[-1].received_ns, b"".join(chunk.data for chunk in part)) for part in batched(chunks, 97)]
    states = [calibrated(some, one.answers, UNKNOWN, state=weights_held()) for some in (chunks, lumps)]
    for state in states:
        assert state.rates is not None
        state.rates = msgspec.structs.replace(state.rates, lost_share=0.0)  # counted to the end of a chunk
    assert states[0] == states[1]


def batched(chunks: list[Chunk], n: int) -> list[list[Chunk]]:
    return [chunks[first : first + n] for first in range(0, len(chunks), n)]
