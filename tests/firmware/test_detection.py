"""From the ELF's bytes to events: under any fault of the board a clean set stays clean, and the fault is named."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from firmware_bridge.emulator_build import Firmware
from firmware_bridge.formats.decoder import Decoder
from monitor.detect.spine import Spine
from monitor.events import AnyEvent, Rep, SensorFault, SetEnd, Turnaround
from tests import needs
from tests.firmware.detecting import HARMLESS, REPS, profile_of
from tests.firmware.rig import Run, Script, Truth, a_set, run, start

pytestmark = needs.avr
Build = Callable[..., Firmware]

SET_S, SIX_S = 29.5, 46.5
BEGINS_S = 1.0  # the session's clock begins within the first second of the emulator's
CHUNKS_A_FEED = 100


@pytest.fixture(scope="module")
def three_reps(tmp_path_factory: pytest.TempPathFactory) -> Truth:
    return a_set(tmp_path_factory.mktemp("three"), REPS)


def detect(ran: Run) -> list[AnyEvent]:
    """The last record of each event."""
    decoder, spine = Decoder(ran.truth.calibration), Spine(profile_of(ran.truth), "test", feedback=False)
    chunks = ran.chunks()
    found: dict[int, AnyEvent] = {}
    for first in range(0, len(chunks), CHUNKS_A_FEED):
        update = spine.update(decoder.feed(*chunks[first : first + CHUNKS_A_FEED]))
        found |= {event.id: event for event in update.events}
    found |= {event.id: event for event in spine.finish().events}
    return list(found.values())


def check_faultless(events: list[AnyEvent]) -> None:
    """Checks that no fault of the lifter is reported, except as part of a sensor fault."""
    primary = [event for event in events if event.kind not in HARMLESS and event.part_of is None]
    assert not primary
    assert not {event.grade for event in events if isinstance(event, Turnaround)} & {"abrupt", "bounce"}


def test_a_clean_set_is_clean(built: Build, three_reps: Truth, tmp_path: Path) -> None:
    """Even if bytes arrive in clumps of 16 ms, and if the board's resonator is half a percent off."""
    script: Script = {0.3: "batch 16", 0.4: start()}
    events = detect(run(built(), tmp_path, three_reps, script, SET_S, clock_error=0.005))
    check_faultless(events)
    assert not [event for event in events if isinstance(event, SensorFault)]
    assert len([event for event in events if isinstance(event, Rep) and not event.partial]) == REPS
    (end,) = [event for event in events if isinstance(event, SetEnd)]
    assert end.reps == REPS


@dataclass(frozen=True)
class Fault:
    """A fault of the board, at a place of the set."""

    name: str
    at_s: float
    actions: Script  # seconds after `at_s` -> action
    causes: set[str]


# The second to sixth repetition of six, in the middle of the way up and down.
UP_S, DOWN_S = (10.7, 16.3, 22.2, 27.9, 33.8), (13.5, 19.4, 25.2, 31.1, 36.9)
AGAIN = {"gap", "restart"}
TOGETHER = {  # faults of one run: each in a movement of its own
    "restarts, converter and cable": (
        Fault("stuck high", UP_S[0], {0: "ready_stuck 1", 1: "ready_stuck -1"}, {"gap", "flagged"}),
        Fault("reset", DOWN_S[0], {0: "reset 0.3", 0.4: start(stream_id=2)}, AGAIN),
        Fault("stuck low", UP_S[1], {0: "ready_stuck 0", 1: "ready_stuck -1"}, {"gap", "flagged"}),
        Fault("dip", DOWN_S[1], {0: "brown_out 0.1", 0.2: start(stream_id=3)}, AGAIN),
        Fault("rail", UP_S[2], {0: "saturate 1", 1: "saturate 0"}, {"gap", "saturated"}),
        Fault("watchdog", DOWN_S[2], {0: "hang", 0.4: start(stream_id=4)}, AGAIN),
        Fault("cut", UP_S[3], {0: "cut 1", 0.5: "cut 0"}, {"gap"}),
    ),
    "encoder and its line": (
        Fault("freeze up", UP_S[0], {0: "encoder_freeze 1", 0.8: "encoder_freeze 0"}, {"frozen"}),
        Fault("freeze down", DOWN_S[1], {0: "encoder_freeze 1", 2: "encoder_freeze 0"}, {"frozen"}),
        Fault("noise", UP_S[2], {0: "encoder_noise 200", 5: "encoder_noise 0"}, {"encoder_slip"}),
        Fault("jump", DOWN_S[3], {0: "encoder_jump 2"}, {"encoder_slip"}),
        Fault("rings", UP_S[4], {0: "encoder_noise 1000000", 1: "encoder_noise 0"}, {"encoder_slip"}),
    ),
    "serial line": (
        Fault("flipped bits", 5.0, {0: "flip 0.001", 12: "flip 0"}, set()),
        Fault("lost bytes", 20.0, {0: "lose 0.001", 15: "lose 0"}, set()),
    ),
}


@pytest.mark.parametrize("together", TOGETHER)
def test_a_fault_is_reported_and_nothing_is_invented(built: Build, truth: Truth, tmp_path: Path, together: str) -> None:
    faults = TOGETHER[together]
    script = {fault.at_s + late_s: action for fault in faults for late_s, action in fault.actions.items()}
    events = detect(run(built(), tmp_path, truth, {0.4: start()} | script, SIX_S))
    check_faultless(events)
    found: dict[str, set[str]] = {fault.name: set() for fault in faults}
    for event in events:
        if isinstance(event, SensorFault):
            newest = max(
                (fault for fault in faults if fault.at_s < event.found_s + BEGINS_S), key=lambda fault: fault.at_s
            )
            found[newest.name].add(event.cause)
    assert found == {fault.name: fault.causes for fault in faults}
    (end,) = [event for event in events if isinstance(event, SetEnd)]
    assert end.reps == 6
