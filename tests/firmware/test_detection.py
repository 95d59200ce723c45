"""From the ELF's bytes to events: under any fault of the board a clean set stays clean, and the fault is named."""

from collections.abc import Callable
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

SET_S = 29.5
RISING_S, LOWERING_S = 10.7, 13.5  # in the middle of the second repetition
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


@pytest.mark.parametrize("option", ["none", "clumps", "clock"])
def test_a_clean_set_is_clean(built: Build, three_reps: Truth, tmp_path: Path, option: str) -> None:
    """Also if bytes arrive in clumps of 16 ms, and if the board's resonator is half a percent off."""
    script: Script = {0.3: "batch 16" if option == "clumps" else "mark", 0.4: start()}
    error = 0.005 if option == "clock" else 0.0
    events = detect(run(built(), tmp_path, three_reps, script, SET_S, clock_error=error))
    check_faultless(events)
    assert not [event for event in events if isinstance(event, SensorFault)]
    assert len([event for event in events if isinstance(event, Rep) and not event.partial]) == REPS
    (end,) = [event for event in events if isinstance(event, SetEnd)]
    assert end.reps == REPS


@pytest.mark.parametrize(
    ("script", "causes"),
    [
        pytest.param({LOWERING_S: "reset 0.3", LOWERING_S + 0.4: start(stream_id=2)}, {"gap", "restart"}, id="reset"),
        pytest.param({LOWERING_S: "brown_out 0.1", LOWERING_S + 0.2: start(stream_id=2)}, {"gap", "restart"}, id="dip"),
        pytest.param({LOWERING_S: "hang", LOWERING_S + 0.4: start(stream_id=2)}, {"gap", "restart"}, id="watchdog"),
        pytest.param({RISING_S: "ready_stuck 1", RISING_S + 1: "ready_stuck -1"}, {"gap", "flagged"}, id="stuck high"),
        pytest.param({RISING_S: "ready_stuck 0", RISING_S + 1: "ready_stuck -1"}, {"gap", "flagged"}, id="stuck low"),
        pytest.param({RISING_S: "saturate 1", RISING_S + 1: "saturate 0"}, {"gap", "saturated"}, id="rail"),
        pytest.param({RISING_S: "cut 1", RISING_S + 0.5: "cut 0"}, {"gap"}, id="cut"),
        pytest.param({RISING_S: "encoder_noise 200", RISING_S + 5: "encoder_noise 0"}, {"encoder_slip"}, id="noise"),
        pytest.param({LOWERING_S: "encoder_jump 2"}, {"encoder_slip"}, id="jump"),
        pytest.param({RISING_S: "encoder_freeze 1", RISING_S + 0.8: "encoder_freeze 0"}, {"frozen"}, id="freeze up"),
        pytest.param(
            {LOWERING_S: "encoder_freeze 1", LOWERING_S + 2: "encoder_freeze 0"}, {"frozen"}, id="freeze down"
        ),
        pytest.param(
            {RISING_S: "encoder_noise 1000000", RISING_S + 1: "encoder_noise 0"}, {"encoder_slip"}, id="rings"
        ),
        pytest.param({5.0: "flip 0.001", 20.0: "flip 0"}, set(), id="flipped bits"),
        pytest.param({5.0: "lose 0.001", 20.0: "lose 0"}, set(), id="lost bytes"),
    ],
)
def test_a_fault_is_reported_and_nothing_is_invented(
    built: Build, three_reps: Truth, tmp_path: Path, script: Script, causes: set[str]
) -> None:
    events = detect(run(built(), tmp_path, three_reps, {0.4: start()} | script, SET_S))
    check_faultless(events)
    assert {event.cause for event in events if isinstance(event, SensorFault)} == causes
    (end,) = [event for event in events if isinstance(event, SetEnd)]
    assert end.reps == REPS
