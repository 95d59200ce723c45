"""Two gyms and a centre on real mosquittos, joined by the bridges of configs/deploy/chain."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import NamedTuple

import aiomqtt
import pytest

from monitor.access.access_list import _hashed
from monitor.access.authority import make_authority, make_certificate
from monitor.mqtt.client.address import Address
from monitor.mqtt.client.consumer import Consumer
from monitor.mqtt.client.ledger import ReceivedRecord
from monitor.mqtt.contract import payload
from monitor.mqtt.contract.commands import SetsCommand, StopCommand
from monitor.mqtt.contract.payload import Packet
from monitor.mqtt.contract.topics import TopicTree
from tests import needs
from tests.mqtt.brokers import Mosquitto, free_port, replaced
from tests.mqtt.stage import MACHINE, TREE, Stage, command, play, seqs, until

pytestmark = [needs.mosquitto, needs.openssl]

CHAIN = Path(__file__).parents[2] / "configs" / "deploy" / "chain"
SITES = ("berlin", "koeln")
WITNESS = "\nuser witness\ntopic readwrite #\n"
AWAY = 200  # events while the centre is away


class Chain(NamedTuple):
    centre: Mosquitto
    gyms: dict[str, Address]

    def client(self, account: str) -> aiomqtt.Client:
        return aiomqtt.Client("127.0.0.1", self.centre.port, username=account, password=account)

    @property
    def address(self) -> Address:
        return Address(host="127.0.0.1", port=self.centre.port, username="collector", password="collector")


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[Chain]:
    tls_port = free_port()
    centre = _centre(tmp_path / "centre", tls_port)
    with contextlib.ExitStack() as stack:
        gyms = {}
        for site in SITES:
            folder = tmp_path / site
            folder.mkdir()
            bridge = (CHAIN / "gym-bridge.conf").read_text().replace("berlin", site)
            here = {
                "centre.example:8883": f"localhost:{tls_port}",
                "bridge_capath /etc/ssl/certs": f"bridge_cafile {tmp_path / 'centre' / 'ca.pem'}",
                "CHANGE-ME": f"bridge-{site}",
                "restart_timeout 2 30": "restart_timeout 1 2",
            }
            gym = Mosquitto(folder, more="max_queued_messages 10000\n" + replaced(bridge, here))
            gym.start()
            stack.callback(gym.kill)
            gyms[site] = Address(host="127.0.0.1", port=gym.port)
        centre.start()
        stack.callback(centre.kill)
        yield Chain(centre, gyms)


def _centre(folder: Path, tls_port: int) -> Mosquitto:
    folder.mkdir()
    make_authority(folder)
    make_certificate(folder / "server.pem", folder, ["localhost"])
    accounts = ["collector", "witness", *(f"bridge-{site}" for site in SITES)]
    (folder / "passwords").write_text("".join(f"{name}:{_hashed(name)}\n" for name in accounts))
    (folder / "acl").write_text((CHAIN / "centre.acl").read_text() + WITNESS)
    centre = Mosquitto(folder)
    user = f"user {os.environ.get('USER', 'root')}\n" if os.geteuid() == 0 else ""
    here = {"/etc/rep-monitor/centre": str(folder), "1883": str(centre.port), "8883": str(tls_port)}
    (folder / "mosquitto.conf").write_text(user + replaced((CHAIN / "centre.conf").read_text(), here))
    return centre


@contextlib.asynccontextmanager
async def collecting(chain: Chain, site: str) -> AsyncIterator[list[ReceivedRecord]]:
    received: list[ReceivedRecord] = []

    async def deliver(record: ReceivedRecord) -> None:
        received.append(record)

    tree = TopicTree(MACHINE, f"{site}/rep")
    running = asyncio.create_task(Consumer(chain.address, tree, f"centre-{site}", deliver).run())
    try:
        yield received
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def test_the_centre_gets_every_event_and_can_only_ask(chain: Chain, tmp_path: Path) -> None:
    async def story() -> None:
        async with (
            Stage(chain.gyms["berlin"], tmp_path / "berlin") as berlin,
            Stage(chain.gyms["koeln"], tmp_path / "koeln") as koeln,
            collecting(chain, "berlin") as from_berlin,
            collecting(chain, "koeln") as from_koeln,
        ):
            await berlin.happen(20)
            await koeln.happen(7)
            await until(lambda: len(from_berlin) == 20 and len(from_koeln) == 7)

            chain.centre.kill()
            await berlin.happen(AWAY)
            await until(lambda: berlin.publisher.delivery.events_acknowledged >= 20 + AWAY)
            chain.centre.start()
            await until(lambda: len(from_berlin) >= 20 + AWAY)
            await koeln.happen(1)
            await until(lambda: len(from_koeln) >= 8)
            assert seqs(from_berlin) == list(range(1, 20 + AWAY + 1))
            assert seqs(from_koeln) == list(range(1, 9))
            assert {record.store_id for record in from_koeln} == {koeln.store.store_id}

            topics = await _ask(chain, berlin)
            assert {topic.split("/")[3] for topic in topics if topic.startswith("berlin/rep/")} >= {
                "sets",
                "ack",
                "event",
            }
            assert not [topic for topic in topics if "/live/" in topic or topic.endswith("/state")]
            assert berlin.commands == koeln.commands == []

    play(story())


async def _ask(chain: Chain, berlin: Stage) -> set[str]:
    """Tries what must not pass, then asks for sets. Returns the topics that reached the centre up to the answer."""
    tree = TopicTree(MACHINE, "berlin/rep")
    topics: set[str] = set()
    async with chain.client("witness") as witness:
        await witness.subscribe("berlin/#", 1)
        stop = payload.command(tree, command(StopCommand, id="from-the-centre"))
        await witness.publish(stop.topic, stop.payload, 1)
        for levels in (("live", "feedback"), ("state",)):
            berlin.publisher.offer(Packet(TREE.topic(*levels), b"{}", 1, False))
        await until(berlin.publisher._documents_published.is_set)
        await berlin.happen(1)
        sets = payload.command(tree, command(SetsCommand, client="centre", after=0))
        async with chain.client("collector") as collector:
            await collector.publish(sets.topic, sets.payload, 1)
        async for message in witness.messages:
            topics.add(str(message.topic))
            if str(message.topic) == tree.topic("sets", "centre") and b'"end"' in bytes(message.payload):
                return topics
    raise AssertionError("the connection ended")
