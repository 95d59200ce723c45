"""A set passes from the machine's bytes on a real pty through daemon and broker to clients, and to disk."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiomqtt
import msgspec
import numpy as np
import pytest

import firmware_bridge.simulator as simulator
from firmware_bridge.chunk import Chunk
from firmware_bridge.serial_port import read_chunks
from firmware_bridge.simulator import Trace
from firmware_bridge.simulator.board import Board
from firmware_bridge.simulator.device import SimulatedDevice
from monitor.__main__ import main
from monitor.daemon.daemon import Daemon
from monitor.daemon.serve import Up, serve
from monitor.demo.simulated import kit_of, machine_of
from monitor.mqtt.client.address import Address
from monitor.mqtt.client.consumer import Consumer
from monitor.mqtt.client.ledger import ReceivedRecord
from monitor.mqtt.contract.topics import TopicTree
from monitor.profile.reading import load_profile
from monitor.store.store import Store
from tests import needs
from tests.daemon.stage import publisher_of
from tests.daemon.whole import a_profile
from tests.mqtt.brokers import mosquitto
from tests.mqtt.stage import both, until

REPS = 2
SPEED = 4.0  # times real time
WITHIN_S = 600.0


def a_machine(path: Path, may_go_on: Callable[[], bool] = lambda: True) -> SimulatedDevice:
    """One clean set on the machine of the profile; then the board is silent.

    In the last repetition the lifter holds the load until he may go on. The board keeps what is not read yet.
    """
    profile = load_profile(path)
    machine = machine_of(profile)
    traces = simulator.live(machine, simulator.clean_set(2, 4, reps=REPS), seed=5, rows=round(5 * SPEED))

    def pieces() -> Iterator[Trace]:
        lifts, is_up = 0, False
        for piece in traces:
            yield piece
            was_up, is_up = is_up, piece.position_m[-1] > (machine.bottom_m + machine.top_m) / 2
            lifts += is_up and not was_up
            while is_up and lifts == REPS and not may_go_on():
                yield standing(piece)

    board = Board(kit_of(profile), 5, tx_bytes=None)
    return SimulatedDevice(board, pieces(), speed=SPEED, baud=profile.serial.baud)


def standing(piece: Trace) -> Trace:
    """As at the end of the piece."""
    still = np.zeros(len(piece))
    place_m, load_n = still + piece.position_m[-1], still + piece.machine.working_load_n
    return replace(piece, position_m=place_m, velocity_m_s=still, acceleration_m_s2=still, tension_n=load_n)


class Audience:
    """The clients: a consumer of the events, and a page for the rest."""

    def __init__(self) -> None:
        self.records: list[ReceivedRecord] = []
        self.heard: dict[str, list[Any]] = {}
        self.watches = asyncio.Event()

    def kinds(self, kind: str) -> list[Any]:
        return [record.event for record in self.records if record.event.kind == kind]

    async def listen(self, address: Address) -> None:
        async def deliver(record: ReceivedRecord) -> None:
            self.records.append(record)

        async with asyncio.TaskGroup() as group:
            group.create_task(Consumer(address, TopicTree("e2e"), "collector", deliver).run())
            group.create_task(self._watch(address))

    async def _watch(self, address: Address) -> None:
        with contextlib.suppress(aiomqtt.MqttError):  # the embedded broker ends with the daemon
            async with aiomqtt.Client(address.host, address.port) as client:
                for topic in ("live/feedback", "state", "status", "info", "set", "session/+"):
                    await client.subscribe(f"rep/e2e/{topic}", 1)
                self.watches.set()
                async for message in client.messages:
                    name = message.topic.value.split("/", 2)[2].split("/")[0]
                    self.heard.setdefault(name, []).append(msgspec.json.decode(bytes(message.payload)))


@both
def test_a_set_goes_all_the_way(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    audience = Audience()
    links: list[str] = []

    async def story(path: Path) -> None:
        with a_machine(path) as device:
            async with asyncio.TaskGroup() as group:
                up = asyncio.get_running_loop().create_future()

                def source(daemon: Daemon) -> AsyncGenerator[Chunk, None]:
                    return read_chunks(device.port, 500_000, on_state=daemon.on_link)

                serving = group.create_task(serve(load_profile(path), source, on_up=up.set_result))
                here: Up = await up
                listening = group.create_task(audience.listen(here.broker))
                await until(lambda: publisher_of(here.daemon).delivery.commands > 0)  # the consumer is connected
                await audience.watches.wait()
                moving = group.create_task(device.run())
                await until(lambda: bool(audience.kinds("set_end")))
                await until(lambda: any(body["recording"] == "on" for body in audience.heard.get("info", ())))
                here.daemon.stop()
                await serving
                links.append(here.daemon.link.state if here.daemon.link else "none")
                await until(lambda: audience.heard["status"][-1]["state"] == "offline")
                moving.cancel()
                listening.cancel()

    with contextlib.ExitStack() as stack:
        broker = stack.enter_context(mosquitto(tmp_path)) if kind == "mosquitto" else None
        path = a_profile(tmp_path, broker.port if broker else None)
        asyncio.run(asyncio.wait_for(story(path), WITHIN_S))
        if broker:
            asyncio.run(retained_is_offline(broker.port))

    state = tmp_path / "state" / "e2e"
    with Store(state / "events.db", read_only=True) as store:
        kept = store.after(0, 10_000)
    assert [record.seq for record in audience.records] == [event.seq for event in kept] == list(range(1, len(kept) + 1))
    for record, event in zip(audience.records, kept, strict=True):
        envelope = {"v": 1, "seq": event.seq, "store_id": event.store_id, "historical": False}
        assert json.loads(record.data) == json.loads(event.record) | envelope
    assert [rep.rep for rep in audience.kinds("rep")] == list(range(1, REPS + 1))
    (summary,) = audience.kinds("set_end")
    assert summary.reps == REPS

    live = audience.heard["live"]
    assert {body["rep"] for body in live} <= set(range(REPS + 1))
    if kind == "embedded":  # live feedback that a broker of its own takes late may be lost
        assert max(body["rep"] for body in live) == REPS
    stamps = [body["t_s"] for body in live if body["session"] == summary.session]
    assert stamps == sorted(stamps)
    assert any(body["link"] == "live" for body in audience.heard["status"])
    assert audience.heard["info"][-1]["firmware"]["protocol"] == 1
    assert audience.heard["set"][-1]["reps"] == REPS
    (session,) = audience.heard["session"]
    assert (session["session"], session["sets"], session["reps"]) == (summary.session, 1, REPS)

    (recording,) = (state / "recordings").rglob("*.mcap")
    assert main(["replay", str(recording), "--events", str(tmp_path / "again.jsonl")]) == 0
    assert (tmp_path / "again.jsonl").read_bytes().splitlines() == [event.record for event in kept]


async def retained_is_offline(port: int) -> None:
    async with aiomqtt.Client("127.0.0.1", port) as late:
        await late.subscribe("rep/e2e/status", 1)
        message = await anext(late.messages)
        assert message.retain
        assert msgspec.json.decode(bytes(message.payload))["state"] == "offline"


@needs.mosquitto
def test_killed_and_started_again_it_publishes_everything_once(tmp_path: Path) -> None:
    """kill -9 in a set, then a clean end: the will is published, nothing is lost or repeated."""
    environment = os.environ | {"STATE_DIRECTORY": str(tmp_path / "state")}
    audience = Audience()

    killed = asyncio.Event()

    async def story(path: Path, address: Address) -> None:
        with a_machine(path, killed.is_set) as device:
            command = [sys.executable, "-m", "monitor", "run", "--config", str(path), "--port", device.port]

            async def start() -> asyncio.subprocess.Process:
                return await asyncio.create_subprocess_exec(*command, env=environment, stdout=subprocess.DEVNULL)

            async def connection(state: str, since: int) -> int:
                """Its number: a daemon connects again if its broker rests for seconds."""

                def is_so() -> bool:
                    last = audience.heard.get("status", [{"state": "none"}])[-1]
                    return bool(last["state"] == state and last["conn"] >= since)

                await until(is_so)
                return int(audience.heard["status"][-1]["conn"])

            async with asyncio.TaskGroup() as group:
                listening = group.create_task(audience.listen(address))
                first = await start()
                try:
                    number = await connection("online", 1)
                    moving = group.create_task(device.run())
                    await until(lambda: bool(audience.kinds("rep")))
                finally:
                    first.kill()
                    await first.wait()
                killed.set()
                moving.cancel()  # the lifter waits
                number = await connection("offline", number)
                second = await start()
                try:
                    number = await connection("online", number + 1)
                    moving = group.create_task(device.run())
                    await until(lambda: bool(audience.kinds("set_end")))
                    second.send_signal(signal.SIGTERM)
                    assert await second.wait() == 0
                finally:
                    if second.returncode is None:
                        second.kill()
                        await second.wait()
                await connection("offline", number)
                with Store(tmp_path / "state" / "e2e" / "events.db", read_only=True) as store:
                    kept = store.after(0, 10_000)
                    await until(lambda: len(audience.records) >= len(kept))
                moving.cancel()
                listening.cancel()
        assert [record.seq for record in audience.records] == [event.seq for event in kept]
        assert len({event.session for event in kept}) == 2

    with mosquitto(tmp_path) as broker:
        address = Address(host="127.0.0.1", port=broker.port)
        asyncio.run(asyncio.wait_for(story(a_profile(tmp_path, broker.port), address), WITHIN_S))
