"""The same publisher and consumer at a cluster of three NATS servers, each at a node of its own."""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path

from monitor.mqtt.client.channel import BrokerError
from monitor.mqtt.client.connection import Connection, connect
from monitor.mqtt.client.consumer import Consumer
from monitor.mqtt.client.ledger import ReceivedRecord
from monitor.mqtt.contract import payload
from monitor.mqtt.contract.messages import StatusMessage
from monitor.mqtt.contract.topics import TopicTree
from tests import needs
from tests.mqtt.nats_cluster import NatsCluster, nats_cluster
from tests.mqtt.stage import TREE, Stage, play, seqs, until
from tests.soak import Figure, soak, soak_only

pytestmark = [soak, soak_only, needs.nats]  # it waits for elections most of its 20 s


def test_a_cluster_keeps_order_and_wills_through_the_end_of_a_node(figure: Figure, tmp_path: Path) -> None:
    received: list[ReceivedRecord] = []

    async def deliver(record: ReceivedRecord) -> None:
        received.append(record)

    async def story() -> None:
        async with nats_cluster(tmp_path) as cluster, Stage(cluster.addresses[0], tmp_path) as stage:
            await until(lambda: stage.publisher.connected)
            async with connect(cluster.addresses[1], "watching") as watching:
                await watching.subscribe([TopicTree("+").topic("status")])
                await _comes(watching, TREE, "online", retained=True)
                consumer = Consumer(cluster.addresses[1], TREE, "collector", deliver)
                running = asyncio.create_task(consumer.run())
                await stage.happen(300)
                await until(lambda: len(received) >= 300)
                async with _daemon(cluster, TopicTree("all-run")) as daemon:
                    late_s = await _will_comes(daemon, watching, TopicTree("all-run"))
                    figure("a last will at a cluster of three", f"{late_s * 1000:.0f} ms after the connection broke")
                async with _daemon(cluster, TopicTree("one-is-away")) as daemon:
                    cluster.kill(2)
                    await stage.happen(50)
                    await until(lambda: len(received) >= 350)
                    late_s = await _will_comes(daemon, watching, TopicTree("one-is-away"))
                    figure("the same just after another node ended", f"{late_s * 1000:.0f} ms")
                assert seqs(received) == list(range(1, 351))
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)

    play(story(), 120.0)


@contextlib.asynccontextmanager
async def _daemon(cluster: NatsCluster, tree: TopicTree) -> AsyncIterator[Connection]:
    """A daemon's connection, which the test breaks."""
    will = payload.status(tree, StatusMessage(state="offline", conn=1))
    with contextlib.suppress(BrokerError):
        async with connect(cluster.addresses[0], tree.name, will) as connection:
            await connection.publish(payload.status(tree, StatusMessage(state="online", conn=1)))
            yield connection


async def _will_comes(daemon: Connection, watching: Connection, tree: TopicTree) -> float:
    """Breaks the daemon's connection. Returns the time until its will has come, in seconds."""
    peer = daemon._paho.socket()
    assert isinstance(peer, socket.socket)
    began_s = time.monotonic()
    peer.shutdown(socket.SHUT_RDWR)
    await _comes(watching, tree, "offline")
    return time.monotonic() - began_s


async def _comes(watching: Connection, tree: TopicTree, state: str, *, retained: bool = False) -> None:
    """Returns when the watcher, at another node, gets this status."""
    async for message in watching.messages():
        found = f'"state":"{state}"'.encode() in message.payload
        if found and (message.topic, message.retained) == (tree.topic("status"), retained):
            return
