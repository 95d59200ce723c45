"""A cluster of NATS servers, which speak MQTT 3.1.1: one address a node, and nodes that can be killed."""

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

from monitor.mqtt.client.address import Address
from monitor.mqtt.client.channel import BrokerError
from monitor.mqtt.client.connection import connect
from monitor.mqtt.contract.payload import Packet
from tests import needs
from tests.mqtt.brokers import free_port

CONFIGURATION = """\
server_name: n{number}
listen: 127.0.0.1:{client}
jetstream {{ store_dir: "{folder}/{number}" }}
cluster {{ name: gym, listen: 127.0.0.1:{own}, routes: [{routes}] }}
mqtt {{ listen: 127.0.0.1:{mqtt} }}
"""


class NatsCluster:
    def __init__(self, folder: Path, nodes: int = 3) -> None:
        ports = [(free_port(), free_port(), free_port()) for _ in range(nodes)]
        routes = ", ".join(f'"nats://127.0.0.1:{own}"' for _, own, _ in ports)
        self.addresses = [Address(host="127.0.0.1", port=mqtt) for _, _, mqtt in ports]
        self._folder = folder
        self._nodes: dict[int, subprocess.Popen[bytes]] = {}
        for number, (client, own, mqtt) in enumerate(ports):
            text = CONFIGURATION.format(number=number, client=client, own=own, mqtt=mqtt, routes=routes, folder=folder)
            (folder / f"{number}.conf").write_text(text)

    def start(self, number: int) -> None:
        with (self._folder / f"{number}.log").open("ab") as log:
            command = [needs.path("nats-server"), "-c", str(self._folder / f"{number}.conf")]
            self._nodes[number] = subprocess.Popen(command, stdout=log, stderr=log)

    def kill(self, number: int) -> None:
        node = self._nodes.pop(number)
        node.kill()
        node.wait()

    async def ready(self) -> None:
        """Returns once each node admits a client and stores a retained message. The caller bounds the time."""
        for number, address in enumerate(self.addresses):
            while True:
                with contextlib.suppress(BrokerError):
                    async with connect(address, f"ready-{number}") as connection:
                        await connection.publish(Packet(f"ready/{number}", b"", 1, True))
                        break
                await asyncio.sleep(0.2)


@contextlib.asynccontextmanager
async def nats_cluster(folder: Path, nodes: int = 3) -> AsyncIterator[NatsCluster]:
    cluster = NatsCluster(folder, nodes)
    try:
        for number in range(nodes):
            cluster.start(number)
        await cluster.ready()
        yield cluster
    finally:
        for number in list(cluster._nodes):
            cluster.kill(number)
