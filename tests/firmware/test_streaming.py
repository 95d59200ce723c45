"""The unmodified ELF streams without loss or damage, and every position is one of the encoder."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from firmware_bridge.chunk import Chunk
from firmware_bridge.emulator_build import Firmware
from firmware_bridge.formats.codes import Adc, Caps, Mcu, ResetCause
from firmware_bridge.formats.decoder import Decoder
from firmware_bridge.formats.messages import Force, Hello, Ping, Pong, Pos, SetAdc, Status, StopStream
from tests import needs
from tests.firmware.rig import Run, Script, Truth, command, run, start, truth_of

pytestmark = needs.avr
Build = Callable[..., Firmware]

BYTE_AT_500_KBAUD_US = 20.0
UART_HOLDS_BYTES = 2  # the real receiver's buffer, which the emulator makes deeper


def check_faultless(ran: Run, begins: int = 0) -> None:
    """Checks every run without a fault."""
    assert ran.frames.bad_crc == ran.frames.bad_shape == 0
    assert ran.lost_frames == ran.missing(Pos) == ran.missing(Force) == 0
    assert not any(block.flags for block in ran.all(Force))
    status = ran.last_status
    assert (status.tx_dropped, status.samp_overrun, status.enc_illegal) == (0, 0, 0)
    assert (status.adc_timeout, status.adc_resync, status.rx_overrun, status.rx_bad) == (0, 0, 0, 0)
    assert ran.wrong_positions(begins=begins) == 0


@pytest.mark.parametrize(("period_us", "batch", "duration_s"), [(2000, 5, 11), (1000, 10, 31)])
def test_a_stream_is_exact(
    built: Build, truth: Truth, tmp_path: Path, period_us: int, batch: int, duration_s: int
) -> None:
    ran = run(built(), tmp_path, truth, {0.4: start(period_us, batch)}, duration_s)
    check_faultless(ran)
    t_us, _ = ran.positions()
    assert len(t_us) >= (duration_s - 1) * 1_000_000 // period_us
    assert np.all(np.diff(t_us) == period_us)
    assert np.ptp(ran.positions()[1]) > 8000  # the machine has moved

    ready_us, counts, _ = ran.forces()
    assert len(ready_us) > 80 * (duration_s - 1)
    assert np.all(np.abs(np.diff(ready_us) - 12_500) < 60)
    steepest = np.abs(np.diff(ran.truth.force_counts(ran.truth.t_s))).max() / 1e-3  # counts per second
    off = np.abs(counts - ran.truth.force_counts(ran.world_s(ready_us)))
    assert np.all(off <= 1 + steepest * 60e-6)

    assert ran.report["converter"]["clock_high_max_us"] < 2  # 60 would reset an HX711
    receive = ran.report["interrupts"]["18"]
    assert receive["max_wait_us"] < UART_HOLDS_BYTES * BYTE_AT_500_KBAUD_US


def test_the_decoder_reads_it(built: Build, truth: Truth, tmp_path: Path) -> None:
    ran = run(built(), tmp_path, truth, {0.4: start()}, 6)
    decoder = Decoder(truth.calibration)
    samples = decoder.feed(Chunk(0, ran.wire))
    received = decoder.counts.position_samples + decoder.counts.force_samples
    assert received == sum(len(block.counts) for block in ran.all(Pos)) + len(ran.forces()[0])
    assert len(samples) == received - decoder.counts.late_samples
    assert (decoder.counts.lost_frames, decoder.counts.lost_position_samples, decoder.counts.garbage_bytes) == (0, 0, 0)
    assert not samples.flags.any()
    assert np.nanmax(samples.position_m) == pytest.approx(truth.position_m[: 6 * 1000].max(), abs=2e-4)


def test_free_runs_are_the_same_to_the_last_byte(built: Build, truth: Truth, tmp_path: Path) -> None:
    script: Script = {0.4: start(), 2: "encoder_noise 300", 3: "reset", 3.3: start(stream_id=2)}
    script |= {4: "flip 0.001", 5: "power_on 0.1", 5.5: start(stream_id=3), 6: "hang"}
    runs = [run(built(), tmp_path / str(n), truth, script, 8, "--noise", "20") for n in range(2)]
    assert runs[0].wire == runs[1].wire
    for ran in runs:
        ran.report.pop("wall_s")
    assert runs[0].report == runs[1].report


@pytest.mark.parametrize(
    ("mcu", "name", "converter", "adc"),
    [
        ("atmega328p", Mcu.ATMEGA328P, "hx711", Adc.HX711),
        ("atmega2560", Mcu.ATMEGA2560, "hx711", Adc.HX711),
        ("atmega2560", Mcu.ATMEGA2560, "ads1220", Adc.ADS1220),
        ("atmega1284p", Mcu.ATMEGA1284P, "hx711", Adc.HX711),
        ("atmega1284p", Mcu.ATMEGA1284P, "ads1220", Adc.ADS1220),
    ],
)
def test_every_mcu(built: Build, truth: Truth, tmp_path: Path, mcu: str, name: Mcu, converter: str, adc: Adc) -> None:
    script = {0.4: start(), 1: command(Ping(0x12345678)), 5: command(StopStream())}
    ran = run(built(mcu=mcu, converter=converter), tmp_path, truth, script, 6)
    check_faultless(ran)
    hello = ran.all(Hello)[0]
    assert (hello.protocol, hello.mcu, hello.adc) == (1, name, adc)
    assert hello.adc_sps == (80 if adc == Adc.HX711 else 1000)
    assert hello.reset_cause == ResetCause.POWER_ON
    assert hello.caps == Caps.POSITION | Caps.FORCE | Caps.SET_ADC
    assert hello.f_cpu_khz == 16_000
    assert hello.build != 0
    assert len(ran.forces()[0]) > 4 * hello.adc_sps
    (pong,) = ran.all(Pong)
    assert pong.token == 0x12345678
    assert ran.world_s(np.array([pong.t_rx_us]))[0] == pytest.approx(1, abs=2e-3)
    assert [(ack.command, ack.result) for ack in ran.acks()] == [(0x82, 0), (0x83, 0)]
    assert len(ran.all(Status)) == 5


def test_a_fast_converter_comes_in_blocks(built: Build, truth: Truth, tmp_path: Path) -> None:
    script = {0.4: start(1000, 10), 7: command(SetAdc(64, 330)), 9: command(SetAdc(64, 42))}
    ran = run(built(converter="ads1220"), tmp_path, truth, script, 10)
    check_faultless(ran)
    assert ran.all(Hello)[0].adc == Adc.ADS1220
    assert [(ack.command, ack.result) for ack in ran.acks()] == [(0x82, 0), (0x86, 0), (0x86, 2)]
    ready_us, counts, _ = ran.forces()
    world_s = ran.world_s(ready_us)
    fast, slow = (world_s > 1) & (world_s < 6.9), world_s > 7.1
    assert np.all(np.abs(np.diff(ready_us[fast]) - 1000) < 60)
    assert np.all(np.abs(np.diff(ready_us[slow]) - 1e6 / 330) < 60)
    assert len([block for block in ran.all(Force) if len(block.counts) == 10]) > 600
    steepest = np.abs(np.diff(truth.force_counts(truth.t_s))).max() / 1e-3
    assert np.all(np.abs(counts - truth.force_counts(world_s)) <= 1 + steepest * 60e-6)


@pytest.mark.parametrize("rate_sps", [2000])
def test_the_fastest_converter_beside_a_kilohertz(built: Build, truth: Truth, tmp_path: Path, rate_sps: int) -> None:
    ran = run(built(converter="ads1220", rate_sps=rate_sps), tmp_path, truth, {0.4: start(1000, 10)}, 6)
    check_faultless(ran)
    assert len(ran.forces()[0]) > rate_sps * 5


def test_a_full_link_drops_whole_frames_and_counts_them(built: Build, truth: Truth, tmp_path: Path) -> None:
    """1 kHz in blocks of one needs 20 kB/s; 115200 baud carry 11.5."""
    script: Script = {0.4: start(1000, 1)} | {1 + k: command(Ping(k), k) for k in range(8)}
    ran = run(built(baud=115_200), tmp_path, truth, script, 10)
    assert ran.frames.bad_crc == ran.frames.bad_shape == 0
    assert ran.lost_frames > 1000
    assert ran.lost_frames == pytest.approx(ran.last_status.tx_dropped, abs=1000)  # the rest was lost after that STATUS
    assert ran.missing(Pos) > 1000
    assert [pong.token for pong in ran.all(Pong)] == list(range(8))
    seconds = np.diff([status.t_us for status in ran.all(Status)])
    assert len(seconds) == 8
    assert np.all(np.abs(seconds - 1_000_000) < 20_000)
    assert ran.last_status.tx_min_free < 100
    assert ran.wrong_positions() == 0


def test_the_encoder_is_exact_up_to_its_limit(built: Build, tmp_path: Path) -> None:
    """2.5 m/s on a drum with 20 edges per millimetre: 50 000 edges per second."""
    t_s = np.array([0.0, 1.0, 1.5, 3.5, 4.0, 6.0])
    position_m = np.array([0.0, 0.0, 0.5, 5.5, 5.5, 0.5])
    ran = run(built(), tmp_path, truth_of(tmp_path, t_s, position_m, 0 * t_s), {0.4: start(1000, 10)}, 7)
    check_faultless(ran)


def test_a_resonator_half_a_percent_fast(built: Build, truth: Truth, tmp_path: Path) -> None:
    ran = run(built(), tmp_path, truth, {0.4: start()}, 11, clock_error=0.005)
    check_faultless(ran)
    ready_us = ran.forces()[0]
    assert np.mean(np.diff(ready_us)) == pytest.approx(12_500 * 1.005, abs=0.5)


def test_flash_and_ram_leave_room(built: Build) -> None:
    """On the smallest board half of each is free; the free RAM includes the stack."""
    output = subprocess.run(["avr-size", "-A", str(built().elf)], capture_output=True, text=True, check=True).stdout
    size = {row.split()[0]: int(row.split()[1]) for row in output.splitlines() if row.startswith(".")}
    assert size[".text"] + size[".data"] < 16 * 1024
    assert size[".data"] + size[".bss"] + size.get(".noinit", 0) < 1024
