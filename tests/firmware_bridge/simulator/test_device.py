"""A simulated device on a real pseudo-terminal, opened as any serial port."""

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import serial

from firmware_bridge.chunk import Chunk
from firmware_bridge.formats.decoder import Decoder
from firmware_bridge.formats.framing import Deframer, frame
from firmware_bridge.formats.messages import Hello, HelloRequest, StartStream, Status, parse
from firmware_bridge.simulator import Kit, Machine, Trace, clean_set, simulate
from firmware_bridge.simulator.board import Board
from firmware_bridge.simulator.demo import demo_traces
from firmware_bridge.simulator.device import AS_FAST_AS_READ, SimulatedDevice

MACHINE = Machine()
WITHIN_S = 120.0
START = frame(StartStream(3, 2000, 5, 7).to_bytes(0))


def endless(rows: int = 5) -> Iterator[Trace]:
    return demo_traces(MACHINE, 2, 4, 1, rows)


def ended(rows: int = 5) -> Iterator[Trace]:
    trace = simulate(MACHINE, clean_set(2, 4, 1, tail_s=0.5), 1)
    for first in range(0, 6000, rows):
        yield trace.part(first, first + rows)


async def read_some(port: serial.Serial, at_least: int) -> bytes:
    data = b""
    async with asyncio.timeout(WITHIN_S):
        while len(data) < at_least:
            await asyncio.sleep(0.005)
            data += port.read(4096)
    return data


async def stream(device: SimulatedDevice, baud: int, at_least: int, say: bytes = START) -> bytes:
    living = asyncio.create_task(device.run())
    try:
        with serial.Serial(device.port, baud, timeout=0) as port:
            port.write(say)
            return await read_some(port, at_least)
    finally:
        living.cancel()
        await asyncio.wait([living])


def test_it_streams_to_pyserial() -> None:
    with SimulatedDevice(Board(Kit(), 1), endless(), speed=20, baud=500_000) as device:
        data = asyncio.run(stream(device, 500_000, 20_000))
    decoder = Decoder(Kit().calibration(MACHINE))
    samples = decoder.feed(Chunk(0, data))
    assert len(samples) > 1000
    assert decoder.counts.bad_crc == 0
    assert np.diff(samples.t_s[~np.isnan(samples.position_m)]).max() < 0.0021


def test_at_the_wrong_speed_there_is_only_garbage() -> None:
    with SimulatedDevice(Board(Kit(), 1), endless(), speed=20, baud=500_000) as device:
        data = asyncio.run(stream(device, 115_200, 100, frame(HelloRequest().to_bytes(0)) * 20))
    assert not Deframer().feed(data)


def test_a_speed_that_the_kernel_has_no_name_for() -> None:
    """Many small boards work best at 250000 baud."""
    with SimulatedDevice(Board(Kit(), 1), endless(), speed=20, baud=250_000) as device:
        data = asyncio.run(stream(device, 250_000, 2_000))
    assert Deframer().feed(data)


def test_as_fast_as_it_is_read_nothing_is_lost() -> None:
    async def body(device: SimulatedDevice) -> bytes:
        living = asyncio.create_task(device.run())
        with serial.Serial(device.port, 500_000, timeout=0) as port:
            port.write(START)
            data = b""
            async with asyncio.timeout(WITHIN_S):
                while not living.done():
                    await asyncio.sleep(0.02)  # a slow reader: the line fills
                    data += port.read(1_000_000)
            data += bytes(port.read(1_000_000))
        await living
        return data

    board = Board(Kit(), 1, tx_bytes=None)
    with SimulatedDevice(board, ended(), speed=AS_FAST_AS_READ) as device:
        data = asyncio.run(body(device))
    decoder = Decoder(Kit().calibration(MACHINE))
    samples = decoder.feed(Chunk(0, data))
    assert board.tx_dropped == decoder.counts.lost_frames == decoder.counts.lost_position_samples == 0
    assert samples.t_s[-1] > 5.5


def test_without_a_reader_it_lives_on_and_a_reader_finds_it() -> None:
    async def body(device: SimulatedDevice) -> list[object]:
        living = asyncio.create_task(device.run())
        heard: list[object] = []
        for _ in range(3):
            await asyncio.sleep(0.05)
            with serial.Serial(device.port, 500_000, timeout=0) as port:
                port.write(frame(HelloRequest().to_bytes(0)))
                heard.append(await read_some(port, 30))
        living.cancel()
        await asyncio.wait([living])
        return heard

    with SimulatedDevice(Board(Kit(), 1), endless(), speed=5) as device:
        heard = asyncio.run(body(device))
    hellos = [[m for p in Deframer().feed(data) if isinstance(m := parse(p), Hello)] for data in heard]  # type: ignore[arg-type]
    assert [len(h) for h in hellos] == [1, 1, 1]


def test_a_reader_that_stalls_stops_nothing_and_loses_whole_frames() -> None:
    async def body(device: SimulatedDevice) -> bytes:
        living = asyncio.create_task(device.run())
        with serial.Serial(device.port, 500_000, timeout=0) as port:
            port.write(START)
            for _ in range(round(WITHIN_S / 0.01)):
                await asyncio.sleep(0.01)
                if device.board.tx_dropped:
                    break
            data = await read_some(port, 4000)
        living.cancel()
        await asyncio.wait([living])
        return data

    with SimulatedDevice(Board(Kit(), 1), endless(), speed=50) as device:
        data = asyncio.run(body(device))
    assert device.board.tx_dropped
    decoder = Decoder(Kit().calibration(MACHINE))
    assert len(decoder.feed(Chunk(0, data))) > 500
    assert decoder.counts.bad_crc == decoder.counts.bad_shape == 0


def test_what_it_sends_does_not_come_back_to_it_as_commands() -> None:
    async def body(device: SimulatedDevice) -> bytes:
        living = asyncio.create_task(device.run())
        port = os.open(device.port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)  # a terminal with default settings
        data = b""
        while len(data) < 400:
            await asyncio.sleep(0.01)
            with contextlib.suppress(BlockingIOError):
                data += os.read(port, 4096)
        os.close(port)
        living.cancel()
        await asyncio.wait([living])
        return data

    with SimulatedDevice(Board(Kit(), 1), endless(), speed=50) as device:
        data = asyncio.run(body(device))
    assert {type(parse(payload)) for payload in Deframer().feed(data)} <= {Hello, Status}


def test_opening_the_port_restarts_a_board_with_dtr() -> None:
    board = Board(Kit(), 1)
    boot_id = board.boot_id
    with SimulatedDevice(board, endless(), speed=10, resets_on_open=True) as device:
        data = asyncio.run(stream(device, 500_000, 30, b""))
    hello = next(m for p in Deframer().feed(data) if isinstance(m := parse(p), Hello))
    assert hello.boot_id == boot_id + 1


def test_a_closed_device_is_gone_for_its_reader() -> None:
    device = SimulatedDevice(Board(Kit(), 1), endless())
    with device:
        port = serial.Serial(device.port, 500_000, timeout=1)
    with pytest.raises(serial.SerialException):
        port.read(1)
    port.close()


def test_a_link_points_at_the_port_while_it_lives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = tmp_path / "machine"
    link.symlink_to("/nowhere")  # left over from a killed run
    closed_with_link: list[bool] = []
    with SimulatedDevice(Board(Kit(), 1), endless(), link=link) as device:
        assert device.port == str(link)
        assert os.readlink(link).startswith("/dev/pts/")

        def close(number: int, close_file: Callable[[int], None] = os.close) -> None:
            closed_with_link.append(link.is_symlink())
            close_file(number)

        monkeypatch.setattr(os, "close", close)
    assert closed_with_link == [False]  # the pty's number may belong to another program at once
    link.write_text("somebody's file")
    with (
        pytest.raises(FileExistsError, match="is not a symbolic link"),
        SimulatedDevice(Board(Kit(), 1), endless(), link=link),
    ):
        pass
    assert link.read_text() == "somebody's file"
