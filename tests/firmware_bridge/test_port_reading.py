"""When the live source reads its port: as late as what is needed allows, and all that came before a device went."""

import asyncio
import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from firmware_bridge import serial_port
from firmware_bridge.chunk import Chunk
from firmware_bridge.errors import LinkError
from firmware_bridge.formats.decoder import Decoder
from firmware_bridge.needed import Needed
from firmware_bridge.serial_port import EARLY_S, NOTHING, SURE_S, _read, _receive, _rest, open_port, read_chunks
from tests.fake_device import FakeDevice
from tests.firmware_bridge.reader import PATIENCE_S
from tests.firmware_bridge.wire import RAW


@pytest.fixture
def device(tmp_path: Path) -> Iterator[FakeDevice]:
    with FakeDevice(tmp_path / "tty") as made:
        yield made


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
