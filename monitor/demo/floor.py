"""The floor of the simulated gym: four machines, their daemons, and the clients who walk from one to the next.

async with floor(addresses, trainer, folder, client_ids) as shown:
    ...                             `shown.lifting` says who lifts where now
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from pathlib import Path

import numpy as np

from firmware_bridge.serial_port import read_chunks
from monitor.daemon.daemon import Daemon
from monitor.daemon.mqtt_sink import MqttSink
from monitor.daemon.sink import Sink
from monitor.demo.station import Station
from monitor.demo.trainer import Through, Trainer
from monitor.demo.walk import CLIENTS, MACHINES, PLATE_KG, FloorMachine, SimulatedClient, visit
from monitor.mqtt.client.address import Address
from monitor.mqtt.client.bookmark import Bookmark
from monitor.mqtt.client.connection import DistantBroker, connect
from monitor.mqtt.client.publisher import Publisher
from monitor.profile.profile import Profile
from monitor.profile.reading import profile_from_builtins
from monitor.state.folders import store_path
from monitor.store.store import Store

PAUSE_S = (4.0, 12.0)  # from one machine to the next
BETWEEN_VISITS_S = 20.0


class GymFloor:
    """Use it with `floor`."""

    def __init__(
        self,
        trainer: Trainer,
        stations: Mapping[str, Station],
        machines: Sequence[FloorMachine],
        seed: int,
        speed: float,
    ) -> None:
        self.lifting: dict[str, str] = {}  # the client's name, by machine
        self.sets = 0  # that have ended
        self._trainer = trainer
        self._stations = stations
        self._machines = machines
        self._occupied = {machine: asyncio.Lock() for machine in stations}
        self._seed = seed
        self._speed = speed

    async def walk(self, client: SimulatedClient, client_id: str) -> None:
        """The client comes again and again. Runs until it is cancelled."""
        dice = np.random.default_rng([self._seed, *client.name.encode()])
        for number in count():
            for effort in visit(client, number, self._seed, self._machines):
                async with self._occupied[effort.machine]:
                    await self._trainer.prepare(effort, client_id)
                    self.lifting[effort.machine] = client.name
                    await self._stations[effort.machine].perform(effort)
                    del self.lifting[effort.machine]
                    self.sets += 1
                await asyncio.sleep(float(dice.uniform(*PAUSE_S)) / self._speed)
            await asyncio.sleep(BETWEEN_VISITS_S / self._speed)


@asynccontextmanager
async def floor(
    addresses: Mapping[str, Address],
    trainer: Address,
    folder: Path,
    client_ids: Mapping[str, str],
    seed: int = 1,
    speed: float = 1.0,
    machines: Sequence[FloorMachine] = MACHINES,
    clients: Sequence[SimulatedClient] = CLIENTS,
    sinks_of: Callable[[Daemon, Store], Sequence[Sink]] = lambda daemon, store: (),
    through: Through | None = None,
) -> AsyncIterator[GymFloor]:
    """Runs machines and clients during the block. `addresses`: the broker with each machine's account.

    `client_ids`: by name. `sinks_of` is asked once for each machine. `through` sends the trainer's commands. Raises
    BrokerError if the trainer's connection ends, StoreError, in an ExceptionGroup.
    """
    async with AsyncExitStack() as stack:
        connection = await stack.enter_async_context(connect(trainer, "demo-trainer"))
        stations: dict[str, Station] = {}
        daemons = []
        for number, machine in enumerate(machines):
            profile, directory = profile_of(machine), folder / machine.id
            directory.mkdir()
            stations[machine.id] = stack.enter_context(Station(profile, seed + number, speed=speed))
            store = stack.enter_context(await asyncio.to_thread(Store, store_path(directory)))
            daemon = Daemon(profile, directory, store)
            daemon.sinks += sinks_of(daemon, store)
            daemons.append((daemon, store, directory))
        calling = Trainer(connection, through)
        shown = GymFloor(calling, stations, machines, seed, speed)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(calling.run(), name="trainer")]
            tasks += [group.create_task(station.run(), name=f"station {id}") for id, station in stations.items()]
            tasks += [group.create_task(shown.walk(one, client_ids[one.name]), name=one.name) for one in clients]
            for daemon, store, directory in daemons:
                publisher = _publisher(daemon, store, directory, addresses[daemon.machine])
                group.create_task(_run(daemon, publisher, stations[daemon.machine]), name=f"daemon {daemon.machine}")
            try:
                yield shown
            finally:
                for daemon, _, _ in daemons:
                    daemon.stop()
                for task in tasks:
                    task.cancel()


def profile_of(machine: FloorMachine) -> Profile:
    """A calibrated machine with a stack of plates, at 2/4."""
    return profile_from_builtins(
        {
            "machine": {
                "id": machine.id,
                "kind": "stack",
                "rest_m": 0.0,
                "bottom_m": 0.03,
                "top_m": 0.03 + machine.range_m,
                "friction": 0.08,
                "plates_kg": [PLATE_KG * plates for plates in range(1, 41)],
            },
            "protocol": {"name": "2/4"},
            "calibration": {"metres_per_count": 0.0001, "newtons_per_count": 0.05},
        },
        "the demo",
    )


def _publisher(daemon: Daemon, store: Store, directory: Path, address: Address) -> Publisher:
    bookmark = Bookmark(directory / "bookmark.json")
    return Publisher(daemon.profile.topic_tree, DistantBroker(address), store, daemon.command, bookmark)


async def _run(daemon: Daemon, publisher: Publisher, station: Station) -> None:
    """One machine's daemon with its MQTT, until it is stopped."""
    sink = MqttSink(publisher)
    daemon.sinks.append(sink)
    source = read_chunks(
        station.port,
        daemon.profile.serial.baud,
        on_state=daemon.on_link,
        on_turn=daemon.on_turn,
        needed=daemon.needed,
    )
    async with sink.running():
        await daemon.run(source)
