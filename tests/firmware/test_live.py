"""The emulated board as a serial port: opened, reset, unplugged and disturbed under the production reader.

The tests do not use the wall clock, but losses, reports and their order.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import monitor
from firmware_bridge.chunk import Chunk
from firmware_bridge.emulated_board import EmulatedBoard, emulated_board
from firmware_bridge.emulator_build import EmulatorError, Firmware
from firmware_bridge.formats.calibration import Calibration
from firmware_bridge.formats.codes import EventCode, Mcu, ResetCause, StatusFlag
from firmware_bridge.formats.decoder import Decoder
from firmware_bridge.formats.messages import EventNote, Hello, Status
from firmware_bridge.link_state import LinkState
from firmware_bridge.samples import Flag, Samples, joined
from firmware_bridge.serial_port import read_chunks
from monitor.demo.emulated import board_of
from monitor.demo.simulated import kit_of, machine_of
from monitor.profile.reading import load_profile
from tests import needs
from tests.firmware.rig import Truth

pytestmark = needs.avr
Build = Callable[..., Firmware]
PATIENCE_S = 60.0  # for anything that a test waits for, also on a busy computer


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy computer the emulator may rest for seconds.

    The reader then neither reports silence nor opens the port again, and the emulator is not killed at its end.
    """
    for constant in ("SILENT_NS", "GIVE_UP_NS"):
        monkeypatch.setattr(f"firmware_bridge.link.{constant}", round(PATIENCE_S * 1e9))
    monkeypatch.setattr("firmware_bridge.emulated_board.STOP_TIMEOUT_S", PATIENCE_S)


@dataclass
class Reader:
    """The input path of the daemon: chunks, decoder, samples and control messages."""

    decoder: Decoder
    states: list[LinkState] = field(default_factory=list)
    control: list[object] = field(default_factory=list)
    batches: list[Samples] = field(default_factory=list)

    def take(self, chunk: Chunk) -> Samples:
        samples = self.decoder.feed(chunk)
        self.batches.append(samples)
        self.control += self.decoder.take_control()
        return samples

    async def until(self, chunks: AsyncIterator[Chunk], done: Callable[[], bool]) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                async for chunk in chunks:
                    self.take(chunk)
                    if done():
                        return
        except TimeoutError:
            pass
        boots = [hello.reset_cause for hello in self.hellos()]
        heard = [message for message in self.control if not isinstance(message, Hello)][-3:]
        pytest.fail(f"what the test waits for never came: {boots=}, states {self.states_reported()}, last {heard}")

    async def for_s(self, chunks: AsyncIterator[Chunk], device_s: float) -> None:
        """Reads for a time on the session clock."""
        begin_s = self.now_s
        await self.until(chunks, lambda: self.now_s >= begin_s + device_s)

    @property
    def now_s(self) -> float:
        return next((float(samples.t_s[-1]) for samples in reversed(self.batches) if len(samples)), 0.0)

    @property
    def samples(self) -> Samples:
        return joined(self.batches)

    def hellos(self) -> list[Hello]:
        """One HELLO of each boot."""
        return list({message.boot_id: message for message in self.control if isinstance(message, Hello)}.values())

    def states_reported(self) -> list[str]:
        """The states, without repetitions."""
        names = [state.state for state in self.states]
        return [name for name, before in zip(names, [None, *names], strict=False) if name != before]


def reader(truth: Truth) -> Reader:
    return Reader(Decoder(truth.calibration))


async def beside(got: Reader, port: str, baud: int, story: Coroutine[None, None, None]) -> None:
    """Reads like the daemon while the block runs."""

    async def read() -> None:
        async with aclosing(read_chunks(port, baud, on_state=got.states.append)) as chunks:
            async for chunk in chunks:
                got.take(chunk)

    reading = asyncio.create_task(read())
    try:
        await asyncio.sleep(0)
        await story
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def eventually(true: Callable[[], bool]) -> None:
    """Waits until the condition is true."""
    for _ in range(1500):
        if true():
            return
        await asyncio.sleep(0.05)
    pytest.fail("what the test waits for never came true")


def test_a_board_that_suffers(built: Build, truth: Truth, tmp_path: Path) -> None:
    """Opened with a reset and a boot loader, then reset, hung, and without a converter; read in clumps of 16 ms."""
    got = reader(truth)

    async def story(board: EmulatedBoard) -> None:
        async with aclosing(read_chunks(str(board.port), 500_000, on_state=got.states.append)) as chunks:
            await got.for_s(chunks, 1.5)
            assert got.states[-1].state == "streaming"
            board.inject("reset 0.2")
            await got.until(chunks, lambda: len(got.hellos()) > 1)
            await got.for_s(chunks, 1.0)
            board.inject("hang")
            await got.until(chunks, lambda: got.hellos()[-1].reset_cause == ResetCause.WATCHDOG)
            board.inject("batch 16")
            await got.for_s(chunks, 0.5)
            board.inject("ready_stuck 1")
            await got.until(chunks, lambda: any(isinstance(message, EventNote) for message in got.control))
            await got.until(chunks, lambda: status_flags() == StatusFlag.STREAMING | StatusFlag.ADC_FAULT)
            board.inject("ready_stuck -1")
            await got.until(chunks, lambda: status_flags() == StatusFlag.STREAMING)

    def status_flags() -> int:
        return next((message.flags for message in reversed(got.control) if isinstance(message, Status)), 0)

    options = ("--reset-on-open", "0.4", "--block")  # the board waits for a slow reader
    with emulated_board(built(), truth.calibration, truth.path, link=tmp_path / "tty", options=options) as board:
        asyncio.run(story(board))
    causes = [hello.reset_cause for hello in got.hellos()]
    assert causes == [ResetCause.EXTERNAL, ResetCause.EXTERNAL, ResetCause.WATCHDOG]
    assert [note.code for note in got.control if isinstance(note, EventNote)] == [
        EventCode.ADC_LOST,
        EventCode.ADC_BACK,
    ]
    counts = got.decoder.counts
    assert counts.resets == 2
    assert counts.bad_crc + counts.bad_shape <= 2  # frames that a reset cut off
    assert (counts.lost_position_samples, counts.bad_stamp, counts.bad_body, counts.unknown_types) == (0, 0, 0, 0)
    samples = got.samples
    for kind in (~np.isnan(samples.position_m), np.isnan(samples.position_m)):
        assert np.all(np.diff(samples.t_s[kind]) > 0)
        assert np.count_nonzero(samples.flags[kind] & Flag.RESTART) == 2
    assert np.count_nonzero(samples.flags & Flag.TIMEOUT) >= 3
    assert board.report()["line"]["lost_full_bytes"] == 0
    assert got.states[-1].clock is not None


def test_unplugged_and_back(built: Build, truth: Truth, tmp_path: Path) -> None:
    got = reader(truth)
    link = tmp_path / "tty"

    def streams_again(seen: int) -> bool:
        return got.states[-1].state == "streaming" and len(got.batches) > seen + 20

    async def story() -> None:
        for _ in range(3):
            seen = len(got.batches)
            with emulated_board(built(), truth.calibration, truth.path, link=link) as board:
                await eventually(partial(streams_again, seen))
                board.unplug()
                assert not link.is_symlink()
            await eventually(lambda: got.states[-1].state == "absent")

    asyncio.run(beside(got, str(link), 500_000, story()))
    assert got.states_reported().count("streaming") == 3
    assert [hello.reset_cause for hello in got.hellos()] == [ResetCause.POWER_ON] * 3
    assert got.decoder.counts.resets == 2
    assert got.decoder.counts.lost_position_samples == 0


def test_the_wrong_speed_is_reported(built: Build, truth: Truth, tmp_path: Path) -> None:
    got = reader(truth)

    async def story() -> None:
        with emulated_board(built(), truth.calibration, truth.path, link=tmp_path / "tty") as board:
            await eventually(lambda: got.states[-1].state == "hello")

            def garbage() -> bool:
                board.inject("reset 0")  # its HELLO is received as garbage
                return got.states[-1].state == "garbage"

            await eventually(garbage)

    asyncio.run(beside(got, str(tmp_path / "tty"), 115_200, story()))
    assert "115200" in next(state.detail for state in got.states if state.state == "garbage")
    assert not got.batches


def test_a_motion_that_is_made_while_it_is_played(built: Build, truth: Truth, tmp_path: Path) -> None:
    """An endless motion, as in the demo; the samples are those of the same motion from a file."""
    made = 0

    def motion() -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
        nonlocal made
        for begin in itertools.count(0, 10):
            made = begin
            yield (np.take(truth.position_m, range(begin, begin + 10), mode="clip"), np.zeros(10))

    got = reader(truth)

    async def story() -> None:
        with emulated_board(built(), truth.calibration, motion(), link=tmp_path / "tty"):
            await eventually(lambda: got.now_s > 4)

    asyncio.run(beside(got, str(tmp_path / "tty"), 500_000, story()))
    assert got.now_s * 1000 < made < got.now_s * 1000 + 10_000
    measured = ~np.isnan(got.samples.position_m)
    t_s, position_m = got.samples.t_s[measured], got.samples.position_m[measured]

    def begins_at(begin_s: float, every: int = 1) -> bool:
        """Whether the session clock begins in this millisecond of the motion's clock: the time of START."""
        around = [np.interp(t_s[::every] + begin_s + late_s, truth.t_s, truth.position_m) for late_s in (0, 0.001)]
        off_m = np.maximum(np.minimum(*around) - position_m[::every], position_m[::every] - np.maximum(*around))
        return bool(off_m.max() < 1e-4)

    assert any(begins_at(begin_s, 50) and begins_at(begin_s) for begin_s in np.arange(0, 30, 0.001))
    assert got.decoder.counts.lost_position_samples == 0


def test_the_board_of_a_profile() -> None:
    """As in the demo: the profile's lifter, machine and wiring, and the real firmware."""
    profile = load_profile(Path(monitor.__file__).parent / "demo.toml")
    kit, machine = kit_of(profile), machine_of(profile)
    got = Reader(Decoder(kit.calibration(machine)))

    def rests_and_lifts() -> bool:
        lifts = bool(np.any(got.batches[-1].position_m > machine.bottom_m + 0.05))
        return lifts and any(np.any(samples.position_m < machine.rest_m + 0.001) for samples in got.batches)

    async def story(port: str) -> None:
        async with aclosing(read_chunks(port, profile.serial.baud, on_state=got.states.append)) as chunks:
            await got.until(chunks, rests_and_lifts)

    with board_of(profile, seed=1) as board:
        asyncio.run(story(str(board.port)))
    assert [hello.mcu for hello in got.hellos()] == [Mcu.ATMEGA328P]
    position_m = got.samples.position_m[~np.isnan(got.samples.position_m)]
    assert machine.rest_m - 0.001 < position_m.min() < machine.rest_m + 0.001
    assert got.decoder.counts.lost_frames == 0


def test_a_motion_that_fails_raises_an_error(built: Build, truth: Truth, tmp_path: Path) -> None:
    def motion() -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
        yield np.zeros(10), np.zeros(10)
        raise RuntimeError("the simulator broke")

    with (
        pytest.raises(RuntimeError, match="the simulator broke"),
        emulated_board(built(), truth.calibration, motion(), link=tmp_path / "tty", wait_open=False) as board,
    ):
        board.inject("quit")


def test_an_unknown_fault_ends_the_board(built: Build, truth: Truth, tmp_path: Path) -> None:
    with emulated_board(built(), truth.calibration, None, link=tmp_path / "tty", wait_open=False) as board:
        board.inject("explode 3")
        assert board.process.wait(PATIENCE_S) == 2


def test_a_fault_of_a_board_that_has_ended_raises_an_error(built: Build, truth: Truth, tmp_path: Path) -> None:
    with (
        pytest.raises(EmulatorError, match="ended before the fault was injected: reset 0"),
        emulated_board(built(), truth.calibration, None, link=tmp_path / "tty", wait_open=False) as board,
    ):
        end_and_inject(board)


def end_and_inject(board: EmulatedBoard) -> None:
    board.process.kill()
    board.process.wait()
    board.inject("reset 0")


@pytest.mark.parametrize("missing_part", ["elf", "trajectory"])
def test_an_emulator_that_cannot_start_raises_an_error(built: Build, tmp_path: Path, missing_part: str) -> None:
    firmware = replace(built(), elf=tmp_path / "no.elf") if missing_part == "elf" else built()
    trajectory = tmp_path / "no.csv" if missing_part == "trajectory" else None
    wiring = Calibration(metres_per_count=1e-4, newtons_per_count=1e-3)
    with (
        pytest.raises(EmulatorError, match="ended at its start"),
        emulated_board(firmware, wiring, trajectory, link=tmp_path / "tty"),
    ):
        pass
