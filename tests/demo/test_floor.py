"""Simulated machines and clients at a broker: each set is stored with its client, its load and its ending."""

import asyncio
import contextlib
from pathlib import Path

import msgspec
import pytest

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2
from monitor.demo.floor import floor
from monitor.demo.walk import CLIENTS, MACHINES, visit
from monitor.events import SetEnd, decode
from monitor.gym.collector.collector import Collector
from monitor.gym.database.database import open_database
from monitor.gym.demo_clients import enter_clients, sets_by_name
from monitor.mqtt.broker.embedded_broker import EmbeddedBroker
from monitor.mqtt.client.address import Address
from monitor.state.folders import store_path
from monitor.store.store import Store
from tests.mqtt.stage import play, until
from tests.soak import long, soak

pytestmark = soak
FAST = 8.0
ROWS = 100  # milliseconds that are simulated together: nobody watches
WALKING = long(CLIENTS, CLIENTS[1:2])
ROW = long(MACHINES, MACHINES[3:])
IDS = {client.name: f"c-{client.name.lower()}" for client in CLIENTS}


def test_each_client_s_sets_are_stored_as_they_were_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.demo.station.ROWS", ROWS)

    async def story() -> None:
        async with EmbeddedBroker(passwords={"gym": "pw"}) as broker:
            address = Address(host=broker.host, port=broker.port, username="gym", password="pw")
            everywhere = {machine.id: address for machine in ROW}
            with contextlib.closing(open_database(f"sqlite:///{tmp_path / 'gym.db'}")) as database:
                enter_clients(database, IDS)
                collecting = asyncio.create_task(Collector(address, ["rep"], database).run())
                async with floor(everywhere, address, tmp_path, IDS, 1, FAST, ROW, WALKING) as now:
                    await until(lambda: now.sets >= len(WALKING))
                    await until(lambda: all(sets_by_name(database)[client.name] for client in WALKING))
                collecting.cancel()
                await asyncio.gather(collecting, return_exceptions=True)

    play(story(), 600.0)
    for client in WALKING:
        meant = visit(client, 0, 1, ROW)[0]
        with Store(store_path(tmp_path / meant.machine)) as store:
            first = store.sets_after(0, 10)[0]
        ended = decode(first.record)
        assert isinstance(ended, SetEnd)
        assert first.lifter == IDS[client.name]
        assert ended.working_load_n == pytest.approx(meant.load_kg * STANDARD_GRAVITY_M_S2, rel=1e-3)
        assert ended.outcome == ("failure" if meant.fails else "ended")
        assert msgspec.json.decode(first.record)["reps"] >= meant.reps - 1
