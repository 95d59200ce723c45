"""The live source on a real pseudo-terminal: its reports about the link, its chunks, and its use of the port."""

import asyncio
import fcntl
import os
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from firmware_bridge.errors import LinkError, PortBusyError
from firmware_bridge.formats.decoder import Decoder
from firmware_bridge.formats.messages import Hello, HelloRequest, Ping, StartStream
from firmware_bridge.samples import Flag
from firmware_bridge.serial_port import open_port
from tests.fake_device import FakeDevice
from tests.firmware_bridge.reader import Reader, cpu_share
from tests.firmware_bridge.wire import RAW


@pytest.fixture
def device(tmp_path: Path) -> Iterator[FakeDevice]:
    with FakeDevice(tmp_path / "tty") as made:
        yield made


def test_hello_first_then_start_then_every_sample(device: FakeDevice) -> None:
    async def run() -> Reader:
        async with Reader(device.link) as reader:
            await reader.until(lambda: len(reader.chunks) > 60)
            await reader.until(lambda: reader.state.clock)
        return reader

    reader = asyncio.run(run())
    assert reader.path == ["opening", "hello", "streaming"]
    kinds = [type(message) for message in device.heard]
    first_start = kinds.index(StartStream)
    assert set(kinds[:first_start]) == {HelloRequest}
    assert Ping in kinds
    assert device.noise_bytes == 0
    decoder = Decoder(RAW)
    samples = decoder.feed(*reader.chunks)
    counts = decoder.counts
    assert isinstance(decoder.take_control()[0], Hello)
    assert (counts.lost_frames, counts.bad_crc, counts.bad_body, counts.resets) == (0, 0, 0, 0)
    sent = [row.counts for row in device.wire.sent if row.kind == 0x10]
    got = samples.position_m[~np.isnan(samples.position_m)].tolist()
    assert got == sent[: len(got)]
    state = reader.state
    assert state.hello is not None
    assert state.hello.boot_id == device.wire.boot_id
    assert state.clock is not None
    assert 0 <= state.clock.round_trip_us < 1_000_000


def test_a_device_that_hangs_up_is_gone_at_once_and_comes_back_under_the_same_link(device: FakeDevice) -> None:
    async def run() -> Reader:
        async with Reader(device.link) as reader:
            for reconnects in range(3):
                await reader.until_state("streaming")
                await reader.until(lambda: len(reader.chunks) > 10)
                assert reader.state.reconnects == reconnects
                await asyncio.to_thread(device.unplug)
                await reader.until_state("absent")
                await reader.until(lambda: reader.state.attempts >= 2)
                assert "does not exist: plug the device in" in reader.state.detail
                reader.chunks.clear()
                device.plug()
            await reader.until_state("streaming")
        return reader

    reader = asyncio.run(run())
    assert reader.path == ["opening", *["hello", "streaming", "absent"] * 3, "hello", "streaming"]


def test_an_absent_port_costs_next_to_nothing(tmp_path: Path) -> None:
    async def run() -> float:
        async with Reader(tmp_path / "nothing") as reader:
            await reader.until(lambda: reader.states and reader.state.attempts > 1)
            return await cpu_share(2.0)

    assert asyncio.run(run()) < 0.05


def test_a_reset_is_answered_with_another_start(device: FakeDevice) -> None:
    async def run() -> Reader:
        async with Reader(device.link) as reader:
            await reader.until(lambda: len(reader.chunks) > 20)
            device.reset()
            count = len(reader.chunks)
            await reader.until(lambda: device.streaming and len(reader.chunks) > count + 20)
            device.reset(hello=False)  # STATUS then shows the restart
            count = len(reader.chunks)
            await reader.until(lambda: device.streaming and len(reader.chunks) > count + 20)
        return reader

    reader = asyncio.run(run())
    decoder = Decoder(RAW)
    samples = decoder.feed(*reader.chunks)
    assert decoder.counts.resets == 2
    assert np.count_nonzero(samples.flags & Flag.RESTART) == 4
    starts = {message.stream_id for message in device.heard if isinstance(message, StartStream)}
    assert len(starts) == 3
    assert set(reader.path[2:]) <= {"streaming", "hello", "silent"}  # a board's first STATUS comes after a second
    assert reader.state.reconnects == 0


def test_start_is_repeated_until_it_is_acknowledged(device: FakeDevice) -> None:
    device.acknowledges = False

    async def run() -> None:
        async with Reader(device.link) as reader:
            await reader.until(lambda: sum(isinstance(message, StartStream) for message in device.heard) >= 3)
            assert reader.state.state == "hello"
            device.acknowledges = True
            await reader.until_state("streaming")

    asyncio.run(run())
    starts = [message for message in device.heard if isinstance(message, StartStream)]
    assert len(set(starts)) == 1


def test_a_silent_device_is_reported_closed_and_found_again(device: FakeDevice) -> None:
    async def run() -> Reader:
        async with Reader(device.link) as reader:
            await reader.until_state("streaming")
            device.deaf, device.speech = True, "nothing"
            await reader.until_state("silent")
            openings = device.openings
            await reader.until(lambda: device.openings > openings)
            device.deaf, device.speech = False, "frames"
            await reader.until_state("streaming")
        return reader

    reader = asyncio.run(run())
    assert "sends nothing" in next(state.detail for state in reader.states if state.state == "silent")
    assert reader.state.reconnects >= 1


@pytest.mark.parametrize(
    ("speech", "state", "word"),
    [("nmea", "wrong_device", "$GPGGA,123519"), ("noise", "garbage", "500000 baud")],
)
def test_a_foreign_device_is_reported_and_gets_only_hello_requests(
    tmp_path: Path, speech: str, state: str, word: str
) -> None:
    async def run() -> None:
        with FakeDevice(tmp_path / "tty", speech=speech) as device:  # type: ignore[arg-type]
            async with Reader(device.link) as reader:
                await reader.until_state(state)
                assert word in reader.state.detail
                assert reader.chunks == []
            assert {type(message) for message in device.heard} == {HelloRequest}

    asyncio.run(run())


def test_another_protocol_is_reported_and_not_read(tmp_path: Path) -> None:
    async def run() -> None:
        with FakeDevice(tmp_path / "tty", protocol=99) as device:
            async with Reader(device.link) as reader:
                await reader.until_state("incompatible")
                assert "protocol 99" in reader.state.detail
                assert "flash" in reader.state.detail
                await asyncio.to_thread(device.unplug)
                device.protocol = 1  # flashed
                device.plug()
                await reader.until_state("streaming")
                assert {type(message) for message in device.heard} >= {HelloRequest, StartStream}

    asyncio.run(run())


def test_a_refused_start_is_reported(tmp_path: Path) -> None:
    async def run() -> None:
        with FakeDevice(tmp_path / "tty", start_result=2) as device:
            async with Reader(device.link) as reader:
                await reader.until_state("incompatible")
                assert "refuses a sample every 2000 us in blocks of 5" in reader.state.detail

    asyncio.run(run())


def test_a_port_that_another_process_holds_is_reported_with_its_name(device: FakeDevice, tmp_path: Path) -> None:
    script = tmp_path / "terminal_program.py"
    script.write_text(
        "import serial, sys\n"
        "port = serial.Serial(sys.argv[1], exclusive=True)\n"
        "print('open', flush=True)\n"
        "sys.stdin.read()\n"
    )
    command = [sys.executable, str(script), str(device.link)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdin is not None
        assert other.stdout.readline() == "open\n"

        async def run() -> None:
            async with Reader(device.link) as reader:
                await reader.until_state("busy")
                assert f"is held by terminal_program.py (pid {other.pid})" in reader.state.detail
                other.communicate()
                await reader.until_state("streaming")

        asyncio.run(run())


def test_the_port_is_exclusive_and_closing_it_does_not_reset_the_board(device: FakeDevice) -> None:
    before = os.open(device.link, os.O_RDWR | os.O_NOCTTY)
    settings = termios.tcgetattr(before)
    settings[2] |= termios.HUPCL
    termios.tcsetattr(before, termios.TCSANOW, settings)
    port = open_port(str(device.link), 500_000)
    os.close(before)
    try:
        assert not termios.tcgetattr(port.fileno())[2] & termios.HUPCL
        TIOCGEXCL = 0x80045440
        assert fcntl.ioctl(port.fileno(), TIOCGEXCL, b"\0" * 4) == b"\1\0\0\0"
        other = os.open(device.link, os.O_RDWR | os.O_NOCTTY)  # root may open it; the lock then prevents its use
        try:
            with pytest.raises(BlockingIOError):
                fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        finally:
            os.close(other)
        with pytest.raises(PortBusyError):
            open_port(str(device.link), 500_000)
    finally:
        port.close()


def test_an_impossible_port_is_reported_in_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    for no_port in (file, tmp_path):
        with pytest.raises(LinkError, match=f"{no_port.name} is not a serial port: choose another"):
            open_port(str(no_port), 500_000)
    with pytest.raises(LinkError, match="cannot be opened as a serial port"):
        open_port("/dev/null", 500_000)
    with pytest.raises(LinkError, match="does not exist"):
        open_port(str(tmp_path / "none"), 500_000)


@pytest.mark.parametrize("speech", ["millis", "micros"])
def test_lines_are_only_read(tmp_path: Path, speech: str) -> None:
    async def run() -> Reader:
        with FakeDevice(tmp_path / "tty", speech=speech) as device:  # type: ignore[arg-type]
            async with Reader(device.link, format=f"lines-{speech}") as reader:  # type: ignore[arg-type]
                await reader.until(lambda: len(reader.chunks) > 20)
                await reader.until_state("streaming")
            assert device.heard == []
            assert device.noise_bytes == 0
        return reader

    reader = asyncio.run(run())
    decoder = Decoder(RAW, format=f"lines-{speech}")  # type: ignore[arg-type]
    assert len(decoder.feed(*reader.chunks)) > 15
    assert decoder.counts.bad_shape == 0
