"""Scripted faults of a board that runs the unmodified ELF: each is recognised, and the board recovers."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from firmware_bridge.chunk import Chunk
from firmware_bridge.emulator_build import Firmware
from firmware_bridge.formats.codes import EventCode, ResetCause, StatusFlag
from firmware_bridge.formats.decoder import Decoder
from firmware_bridge.formats.messages import Force, Hello, Ping, Pong, Pos, Status
from firmware_bridge.samples import Flag
from tests import needs
from tests.firmware.rig import Run, Script, Truth, command, run, start

pytestmark = needs.avr
Build = Callable[..., Firmware]


def check_link(ran: Run) -> None:
    """Checks that nothing is lost on the wire or in the device."""
    assert ran.frames.bad_crc == ran.frames.bad_shape == 0
    assert ran.lost_frames == 0
    assert ran.last_status.tx_dropped == 0


@pytest.mark.parametrize(
    ("fault", "cause", "back_s"),
    [
        ("reset 0", ResetCause.EXTERNAL, 0.002),
        ("reset 0.3", ResetCause.EXTERNAL, 0.302),
        ("brown_out 0.05", ResetCause.BROWN_OUT, 0.052),
        ("power_on 0.5", ResetCause.POWER_ON, 0.502),
        ("hang", ResetCause.WATCHDOG, 0.27),
    ],
)
def test_resets(built: Build, truth: Truth, tmp_path: Path, fault: str, cause: ResetCause, back_s: float) -> None:
    script: Script = {0.4: start(), 3: fault, 4: start(stream_id=2), 6: fault, 7: start(stream_id=3)}
    ran = run(built(), tmp_path, truth, script, 9)
    assert ran.frames.bad_crc == 0
    assert ran.frames.bad_shape <= 2  # a frame that the reset cut off ends at the zero that begins a boot
    first, second, third = ran.all(Hello)
    assert [hello.reset_cause for hello in (first, second, third)] == [ResetCause.POWER_ON, cause, cause]
    assert first.boot_id != second.boot_id != third.boot_id
    assert {status.boot_id for status in ran.all(Status)} == {first.boot_id, second.boot_id, third.boot_id}
    for boot, at_s in ((1, 3.0), (2, 6.0)):
        assert at_s - 0.002 <= ran.clock_zero_s(boot) <= at_s + back_s
        begins = int(truth.counts(np.array([ran.clock_zero_s(boot)]))[0])
        assert ran.wrong_positions(stream_id=boot + 1, boot=boot, begins=begins) == 0
        assert ran.positions(boot + 1)[0][0] > 0
    assert ran.missing(Pos) == ran.missing(Force) == 0
    assert ran.last_status.enc_illegal == 0


def test_a_watchdog_loop_spares_the_eeprom(built: Build, truth: Truth, tmp_path: Path) -> None:
    ran = run(built(), tmp_path, truth, {1: "hang", 2: "hang", 3: "hang", 4: "reset 0"}, 5)
    boots = [hello.boot_id for hello in ran.all(Hello)]
    assert np.diff(boots).tolist() == [1, 1, 1, 13]  # the low four bits count in RAM, the others in the EEPROM


def test_ready_line_stuck_high(built: Build, truth: Truth, tmp_path: Path) -> None:
    ran = run(built(), tmp_path, truth, {0.4: start(), 2: "ready_stuck 1", 4: "ready_stuck -1"}, 8)
    check_link(ran)
    timeouts = ran.flagged(Flag.TIMEOUT)
    assert 6 <= len(timeouts) <= 20  # at most ten a second
    assert all(block.counts == (0,) for block in timeouts)
    assert ran.last_status.adc_timeout == len(timeouts)
    assert [bool(status.flags & StatusFlag.ADC_FAULT) for status in ran.all(Status)][:5] == [
        False, False, True, True, False,
    ]  # fmt: skip
    (lost,), (back,) = ran.events(EventCode.ADC_LOST), ran.events(EventCode.ADC_BACK)
    assert ran.world_s(np.array([lost.t_us]))[0] == pytest.approx(2.16, abs=0.03)
    assert 100 <= lost.arg <= 200
    assert 2000 <= back.arg <= 2200
    _, _, flags = ran.forces()
    assert not flags[-200:].any()


def test_ready_line_stuck_low(built: Build, truth: Truth, tmp_path: Path) -> None:
    """The line always looks ready. Without a limit this gave 15 000 frames in 2 s."""
    ran = run(built(), tmp_path, truth, {0.4: start(), 2: "ready_stuck 0", 4: "ready_stuck -1"}, 8)
    check_link(ran)
    assert 10 <= len(ran.flagged(Flag.DESYNC)) <= 21
    assert ran.last_status.adc_resync > 60
    assert len(ran.events(EventCode.ADC_LOST)) == len(ran.events(EventCode.ADC_BACK)) == 1
    ready_us, counts, flags = ran.forces()
    good = flags == 0
    world_s = ran.world_s(ready_us)
    assert not np.any(good & (world_s > 2.001) & (world_s < 4))  # no invented zero
    assert not flags[world_s > 4.2].any()
    steepest = np.abs(np.diff(truth.force_counts(truth.t_s))).max() / 1e-3
    off = np.abs(counts - truth.force_counts(world_s))[good]
    assert np.all(off <= 1 + steepest * 60e-6)


def test_end_of_range(built: Build, truth: Truth, tmp_path: Path) -> None:
    ran = run(built(), tmp_path, truth, {0.4: start(), 2: "saturate 1", 3: "saturate 0"}, 4)
    check_link(ran)
    saturated = ran.flagged(Flag.SATURATED)
    assert 78 <= len(saturated) <= 82
    assert {block.counts for block in saturated} == {(0x7FFFFF,)}


@pytest.mark.parametrize(("rate_hz", "timeouts"), [(92, 0), (10.8, 0), (8.5, 0), (5, 5)])
def test_a_converter_with_another_rate(
    built: Build, truth: Truth, tmp_path: Path, rate_hz: float, timeouts: int
) -> None:
    """A wrong strap or a fast oscillator: the stamps show it, and slow samples are not counted as lost."""
    ran = run(built(), tmp_path, truth, {0.1: f"converter_rate {rate_hz}", 3: start()}, 8)
    check_link(ran)
    ready_us, _, flags = ran.forces()
    assert np.median(np.diff(ready_us[flags == 0])) == pytest.approx(1e6 / rate_hz, rel=1e-3)
    assert (len(ran.flagged(Flag.TIMEOUT)) >= timeouts) if timeouts else not flags.any()


def test_a_converter_that_forgets_is_set_up_again(built: Build, truth: Truth, tmp_path: Path) -> None:
    ran = run(built(converter="ads1220"), tmp_path, truth, {0.4: start(), 2: "converter_forgets"}, 5)
    check_link(ran)
    assert len(ran.flagged(Flag.TIMEOUT)) == 3
    (back,) = ran.events(EventCode.ADC_BACK)
    assert 450 <= back.arg <= 600
    ready_us, _, flags = ran.forces()
    late = ran.world_s(ready_us) > 3
    assert np.median(np.diff(ready_us[late])) == pytest.approx(1000, abs=1)
    assert not flags[late].any()


@pytest.mark.parametrize("line", [0, 1])
def test_a_fast_converter_stuck(built: Build, truth: Truth, tmp_path: Path, line: int) -> None:
    script: Script = {0.4: start(), 2: f"ready_stuck {line}", 3: "ready_stuck -1"}
    ran = run(built(converter="ads1220"), tmp_path, truth, script, 5)
    check_link(ran)
    assert ran.flagged(Flag.TIMEOUT if line else Flag.DESYNC)
    assert len(ran.events(EventCode.ADC_LOST)) == len(ran.events(EventCode.ADC_BACK)) == 1
    ready_us, _, flags = ran.forces()
    assert not flags[ran.world_s(ready_us) > 3.6].any()


def test_encoder_noise_cancels_or_is_counted(built: Build, truth: Truth, tmp_path: Path) -> None:
    """1600 pulses of 1 to 4 us on one line: a count forwards and back, or none; an error only if it is reported."""
    ran = run(built(), tmp_path, truth, {0.4: start(), 1: "encoder_noise 200", 9: "encoder_noise 0"}, 12)
    check_link(ran)
    t_us, counts = ran.positions()
    world_s = ran.world_s(t_us)
    off = np.abs(counts - truth.counts(world_s))
    illegal = ran.last_status.enc_illegal
    assert illegal <= 48  # a pulse at the same time as the other line's edge
    assert np.all(off <= 1 + 2 * illegal)
    first_us = ran.events(EventCode.ENCODER_ILLEGAL)[0].t_us
    assert np.all(off[t_us < first_us - 100_000] <= 1)


def test_an_encoder_line_that_rings_starves_no_other_task(built: Build, truth: Truth, tmp_path: Path) -> None:
    """A million pulses in a second: far more than the processor can count."""
    script: Script = {0.4: start(), 2: "encoder_noise 1000000", 3: "encoder_noise 0", 2.5: command(Ping(5))}
    ran = run(built(), tmp_path, truth, script, 6)
    check_link(ran)
    assert len(ran.all(Hello)) == 1  # the watchdog has not reset the board
    assert len(ran.all(Status)) == 5
    assert [pong.token for pong in ran.all(Pong)] == [5]
    assert ran.last_status.enc_illegal > 50
    reported = ran.events(EventCode.ENCODER_ILLEGAL)
    assert 5 <= len(reported) <= 12
    t_us, _ = ran.positions()
    assert np.all(np.diff(t_us) % 2000 == 0)
    assert np.all(np.diff(t_us[ran.world_s(t_us) > 3.1]) == 2000)  # the grid is back at once
    assert len(t_us) + ran.missing(Pos) == pytest.approx(5.6 * 500, abs=10)


def test_a_broken_draw_wire(built: Build, truth: Truth, tmp_path: Path) -> None:
    ran = run(built(), tmp_path, truth, {0.4: start(), 5: "encoder_freeze 1", 7: "encoder_freeze 0"}, 10)
    check_link(ran)
    t_us, counts = ran.positions()
    world_s = ran.world_s(t_us)
    assert np.ptp(counts[(world_s > 5.001) & (world_s < 7)]) == 0
    assert np.ptp(counts[world_s > 7.1]) > 100
    assert ran.last_status.enc_illegal == 0


def test_a_lost_count_is_counted(built: Build, truth: Truth, tmp_path: Path) -> None:
    ran = run(built(), tmp_path, truth, {0.4: start(), 1.5: "encoder_jump 2"}, 3)
    check_link(ran)
    assert ran.last_status.enc_illegal == 1
    (note,) = ran.events(EventCode.ENCODER_ILLEGAL)
    assert note.arg == 1
    assert ran.world_s(np.array([note.t_us]))[0] == pytest.approx(1.5, abs=0.01)


def test_a_line_cut_for_a_second(built: Build, truth: Truth, tmp_path: Path) -> None:
    ran = run(built(), tmp_path, truth, {0.4: start(), 3: "cut 1", 4: "cut 0"}, 7)
    assert ran.frames.bad_crc + ran.frames.bad_shape <= 2
    assert 495 <= ran.missing(Pos) <= 510
    assert 79 <= ran.missing(Force) <= 81
    assert ran.lost_frames == pytest.approx(100 + 80 + 1, abs=3)
    assert ran.wrong_positions() == 0
    assert ran.last_status.tx_dropped == 0


@pytest.mark.parametrize("fault", ["flip 0.001", "lose 0.001"])
def test_damaged_bytes_are_never_believed(built: Build, truth: Truth, tmp_path: Path, fault: str) -> None:
    ran = run(built(), tmp_path, truth, {0.4: start(), 1: fault, 12: fault.split()[0] + " 0"}, 13)
    damaged = ran.report["line"]["faults"]
    assert damaged > 25
    bad = ran.frames.bad_crc + ran.frames.bad_shape
    assert damaged // 2 < bad <= 2 * damaged
    assert ran.wrong_positions() == 0
    t_us, _ = ran.positions()
    assert len(t_us) + ran.missing(Pos) == pytest.approx((t_us[-1] - t_us[0]) / 2000 + 1)

    decoder = Decoder(truth.calibration)  # the production decoder gets the same totals
    decoder.feed(Chunk(0, ran.wire))
    assert decoder.counts.bad_crc + decoder.counts.bad_shape + decoder.counts.bad_body == bad
    assert decoder.counts.lost_frames == ran.lost_frames
    assert decoder.counts.lost_position_samples == ran.missing(Pos)


@pytest.mark.parametrize("stall_s", [0.0009, 0.005, 0.0111, 0.025])
def test_time_without_interrupts(built: Build, truth: Truth, tmp_path: Path, stall_s: float) -> None:
    """Interrupts are blocked for a while: missing samples are counted, and the clock stays correct."""
    script: Script = {0.4: start()} | {1.0 + 0.1 * k: f"stall {stall_s}" for k in range(40)}
    ran = run(built(), tmp_path, truth, script, 6)
    check_link(ran)
    assert ran.missing(Pos) == ran.last_status.samp_overrun
    assert ran.missing(Pos) == pytest.approx(40 * max(0.0, stall_s / 0.002 - 0.5), abs=40)
    t_us, _ = ran.positions()
    assert np.all(np.diff(t_us) % 2000 == 0)
    assert len(t_us) + ran.missing(Pos) == pytest.approx(5.6 * 500, abs=6)
    calm = ran.world_s(t_us) > 5.1
    assert np.all(np.diff(t_us[calm]) == 2000)
    if stall_s < 0.001:
        assert ran.missing(Pos) == 0
    else:
        assert ran.last_status.enc_illegal > 0  # the cable moved meanwhile, and the host gets the count of errors
    if stall_s < 1 / 80:  # two missed conversions look like one
        assert len(ran.forces()[0]) + ran.missing(Force) == pytest.approx(80 * 5.6, abs=4)


def test_noise_from_the_host_is_counted(built: Build, truth: Truth, tmp_path: Path) -> None:
    script = {0.4: start(), 1: "send " + "ff" * 100 + "00", 2: "send 0001020304", 3: "send 00", 4: command(Ping(3))}
    ran = run(built(), tmp_path, truth, script, 6)
    check_link(ran)
    assert ran.last_status.rx_bad == 2
    assert ran.last_status.rx_overrun == 0
    assert [pong.token for pong in ran.all(Pong)] == [3]
