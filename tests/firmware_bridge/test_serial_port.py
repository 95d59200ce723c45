"""The live source on a real pseudo-terminal: its reports about the link, its chunks, and its use of the port."""

import asyncio
import contextlib
import fcntl
import os
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from firmware_bridge import serial_port
from firmware_bridge.chunk import Chunk
from firmware_bridge.errors import LinkError, PortBusyError
from firmware_bridge.formats.decoder import Decoder
from firmware_bridge.formats.messages import Hello, HelloRequest, Ping, StartStream
from firmware_bridge.needed import Needed
from firmware_bridge.samples import Flag
from firmware_bridge.serial_port import EARLY_S, NOTHING, SURE_S, _read, _receive, _rest, open_port, read_chunks
from tests.fake_device import FakeDevice
from tests.firmware_bridge.reader import PATIENCE_S, Reader, cpu_share
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


def test_a_long_rest_ends_when_the_port_comes(tmp_path: Path) -> None:
    async def run(device: FakeDevice) -> None:
        async with asyncio.timeout(PATIENCE_S):
            resting = asyncio.create_task(_rest(str(device.link), 3600))
            await asyncio.sleep(0.3)
            assert not resting.done()
            device.plug()
            await resting

    device = FakeDevice(tmp_path / "tty")
    try:
        asyncio.run(run(device))
    finally:
        device.unplug()


def test_a_read_that_returns_nothing_means_gone() -> None:
    port, device = os.pipe()
    os.close(device)
    try:
        with pytest.raises(LinkError, match="PORT is gone: the device hung up"):
            _receive("PORT", port)
    finally:
        os.close(port)


def test_a_port_where_nothing_comes_is_not_gone(tmp_path: Path) -> None:
    with FakeDevice(tmp_path / "tty", speech="nothing") as device:
        port = open_port(str(device.link), 500_000)
        try:
            assert _receive("PORT", port.fileno()) is NOTHING
        finally:
            port.close()


def _needed_in(rest_s: float) -> Needed:
    return Needed(time.monotonic_ns() + round(rest_s * 1e9))


def test_after_a_rest_that_ended_late_it_waits_for_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    now_ns = iter((0, 20_000_000))
    monkeypatch.setattr(serial_port, "time", SimpleNamespace(monotonic_ns=lambda: next(now_ns)))

    async def wait_for_more(fd: int, timeout_s: float) -> bool:
        raise AssertionError("it waits for more")

    monkeypatch.setattr(serial_port, "_readable", wait_for_more)
    port, device = os.pipe()
    os.set_blocking(port, False)
    os.write(device, b"while it rested")
    try:
        assert asyncio.run(_read("PORT", port, Needed(10_000_000), lambda data: True)).data == b"while it rested"
    finally:
        os.close(port)
        os.close(device)


def test_it_hardly_waits_for_bytes_that_were_earlier_than_foreseen(monkeypatch: pytest.MonkeyPatch) -> None:
    began_waiting_ns, waits_s = [], []

    async def nothing_more(fd: int, timeout_s: float) -> bool:
        began_waiting_ns.append(time.monotonic_ns())
        waits_s.append(timeout_s)
        return False

    monkeypatch.setattr(serial_port, "_readable", nothing_more)
    port, device = os.pipe()
    os.set_blocking(port, False)
    os.write(device, b"while it rested")
    try:
        monkeypatch.setattr(serial_port, "EARLY_S", 0.06)  # so that no busy computer ends the rest too late
        read = asyncio.run(_read("PORT", port, _needed_in(0.07), lambda data: True))
    finally:
        os.close(port)
        os.close(device)
    assert read.data == b"while it rested"
    assert read.received_ns <= began_waiting_ns[0], "when it came, not when the waiting ended"
    assert waits_s == [pytest.approx(0.06 + SURE_S)]


def test_what_came_before_the_device_went_is_handed_on() -> None:
    port, device = os.pipe()
    os.set_blocking(port, False)

    async def run() -> Chunk:
        reading = asyncio.create_task(_read("PORT", port, _needed_in(0.05), lambda data: False))
        os.write(device, b"while it rested")
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_later(0.06, os.close, device)
        return await reading

    try:
        assert asyncio.run(run()).data == b"while it rested"
        with pytest.raises(LinkError):
            asyncio.run(_read("PORT", port, _needed_in(0.05), lambda data: True))
    finally:
        os.close(port)


def test_it_reads_once_for_all_data_that_is_not_needed_yet(device: FakeDevice) -> None:
    async def usually_apart_s(rest_s: float, patient: bool = False) -> float:
        """The median time between two reads. It only grows on a busy computer."""
        came_ns: list[int] = []
        needed = lambda: Needed(came_ns[-1] + round(rest_s * 1e9) if came_ns else 0, patient)  # noqa: E731
        decoder, rows = Decoder(RAW), 0
        async with (
            contextlib.aclosing(read_chunks(str(device.link), 500_000, needed=needed)) as chunks,
            asyncio.timeout(PATIENCE_S),
        ):
            async for chunk in chunks:
                came_ns.append(chunk.received_ns)
                rows += len(decoder.feed(chunk))
                if rows > 600:
                    assert decoder.counts.lost_frames == 0
                    return float(np.median(np.diff(came_ns))) / 1e9
        raise AssertionError("it hung up")

    assert asyncio.run(usually_apart_s(0.040)) >= 0.040 - EARLY_S
    assert asyncio.run(usually_apart_s(0.080, patient=True)) >= 0.080


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
