"""A daemon with an embedded broker, and a machine that moves when a test moves it."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import pytest

import firmware_bridge.simulator as simulator
from firmware_bridge.chunk import Chunk
from monitor.daemon.daemon import Daemon
from monitor.daemon.mqtt_sink import MqttSink
from monitor.demo.simulated import kit_of, machine_of
from monitor.mqtt.broker.embedded_broker import EmbeddedBroker
from monitor.mqtt.client.address import Address
from monitor.mqtt.client.bookmark import Bookmark
from monitor.mqtt.client.channel import Broker
from monitor.mqtt.client.publisher import Publisher
from monitor.mqtt.contract.commands import Command
from monitor.profile.profile import Profile
from monitor.profile.reading import profile_from_builtins
from monitor.store.store import Store
from tests.mqtt.stage import play

TABLES: dict[str, Any] = {
    "machine": {
        "id": "leg-press", "kind": "stack", "rest_m": 0.0, "bottom_m": 0.03, "top_m": 0.43,
        "working_load_n": 784.5, "friction": 0.08,
    },
    "protocol": {"name": "2/4"},
    "calibration": {"metres_per_count": 0.0001, "newtons_per_count": 0.05},
}  # fmt: skip


PROFILE = profile_from_builtins(TABLES, "a test")


READ_S = 0.4  # these tests do not depend on it, and long reads cost less; half a second without one is a pause


@cache
def a_set(reps: int = 2) -> tuple[Chunk, ...]:
    trace = simulator.simulate(machine_of(PROFILE), simulator.clean_set(2, 4, reps=reps), seed=3)
    return tuple(simulator.board_chunks(trace, kit_of(PROFILE), seed=3, read_s=READ_S))


class Machine:
    """A source of the chunks that a test gives it; then it waits."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Chunk] = asyncio.Queue()

    def move(self, chunks: Sequence[Chunk]) -> None:
        for chunk in chunks:
            self._queue.put_nowait(chunk)

    async def source(self) -> AsyncGenerator[Chunk, None]:
        for number in count():
            if number % 5 == 0:
                await asyncio.sleep(0)
            yield await self._queue.get()

    @property
    def is_done(self) -> bool:
        return self._queue.empty()


Story = Callable[[Daemon, Machine, Address], Awaitable[None]]


@contextlib.asynccontextmanager
async def publishing(profile: Profile, folder: Path, store: Store, broker: Broker) -> AsyncIterator[Daemon]:
    """A daemon, not yet running, with its MQTT sink, which publishes during the block."""
    daemon = Daemon(profile, folder, store)
    bookmark = Bookmark(folder / "bookmark.json")
    sink = MqttSink(Publisher(profile.topic_tree, broker, store, daemon.command, bookmark))
    daemon.sinks.append(sink)
    async with sink.running():
        yield daemon


def publisher_of(daemon: Daemon) -> Publisher:
    (sink,) = (sink for sink in daemon.sinks if isinstance(sink, MqttSink))
    return sink.publisher


def with_daemon(folder: Path, story: Story, profile: Profile = PROFILE) -> None:
    async def whole() -> None:
        with Store(folder / "events.db") as store:
            async with EmbeddedBroker(passwords={"daemon": "pw"}) as broker:
                address = Address(host=broker.host, port=broker.port, username="daemon", password="pw")
                machine = Machine()
                async with publishing(profile, folder, store, broker) as daemon:
                    await act(daemon, machine, address)

    async def act(daemon: Daemon, machine: Machine, address: Address) -> None:
        running = asyncio.create_task(daemon.run(machine.source()))
        try:
            await story(daemon, machine, address)
        finally:
            daemon.stop()
            await running

    with pytest.MonkeyPatch.context() as patient:
        patient.setattr("monitor.custody.forgetting.ANSWERED_WITHIN_S", 120.0)  # on a busy disk
        play(whole())


def ask(kind: Any, **fields: Any) -> Command:
    command = kind(id=f"c-{next(_numbers)}", stamp_s=0.0, **fields)
    assert isinstance(command, Command)
    return command


_numbers = count()
