"""Measures how fast events are published and resumed, on both brokers.

.venv/bin/python -m tests.benchmarks.bench_mqtt
"""

import asyncio
import tempfile
import time
from pathlib import Path

from monitor.mqtt.client.bookmark import Bookmark
from monitor.mqtt.client.connection import DistantBroker
from monitor.mqtt.client.consumer import Consumer
from monitor.mqtt.client.ledger import ReceivedRecord
from monitor.mqtt.client.publisher import Publisher
from monitor.mqtt.contract.commands import Command
from monitor.mqtt.contract.topics import TopicTree
from monitor.store.store import Store
from tests.mqtt.stage import MACHINE, a_broker, an_event, until

EVENTS = 5000


async def bench(kind: str, folder: Path) -> None:
    received: list[ReceivedRecord] = []

    async def deliver(record: ReceivedRecord) -> None:
        received.append(record)

    async def nothing(command: Command) -> None:
        raise AssertionError(command)

    with Store(folder / "events.db") as store:
        async with a_broker(kind, folder) as address:
            queued = store.append([an_event(number + 1) for number in range(EVENTS)])
            publisher = Publisher(
                TopicTree(MACHINE), DistantBroker(address), store, nothing, _nothing_published(folder, store)
            )
            publisher.events(queued)
            began_s, busy_s = time.perf_counter(), time.process_time()
            publishing = asyncio.create_task(publisher.run())
            await until(lambda: publisher.delivery.events_acknowledged == EVENTS)
            _print(f"{kind}: events queued while the broker was away, published", began_s, busy_s)
            began_s, busy_s = time.perf_counter(), time.process_time()
            following = asyncio.create_task(Consumer(address, TopicTree(MACHINE), "collector", deliver).run())
            await until(lambda: len(received) == EVENTS)
            _print(f"{kind}: events asked for by `resume`, received", began_s, busy_s)
            following.cancel()
            publisher.stop()
            await publishing


def _nothing_published(folder: Path, store: Store) -> Bookmark:
    bookmark = Bookmark(folder / "bookmark.json")
    assert store.store_id is not None
    bookmark.start(store.store_id, 0)
    return bookmark


def _print(what: str, began_s: float, busy_s: float) -> None:
    took_s, busy_s = time.perf_counter() - began_s, time.process_time() - busy_s
    print(f"{what:<66}{EVENTS / took_s:7.0f} a second, {busy_s / EVENTS * 1e3:5.2f} ms of a core each (both ends)")


def main() -> None:
    for kind in ("mosquitto", "embedded"):
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(bench(kind, Path(folder)))


if __name__ == "__main__":
    main()
