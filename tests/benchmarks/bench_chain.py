"""Measures what one collecting process takes from a thousand machines of two sites over one connection.

.venv/bin/python -m tests.benchmarks.bench_chain

The collecting process is MQTT client, a Ledger a machine, and the gym's SQLite with one transaction for all that
came within 0.1 s. It is stopped while the events are published, so that only its own speed is measured.
"""

import asyncio
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
from sqlalchemy import insert

from monitor.events import encode
from monitor.gym.database.database import Database, open_database
from monitor.gym.database.tables import events
from monitor.mqtt.client.connection import Address, connect
from monitor.mqtt.client.ledger import Ledger, ReceivedRecord
from monitor.mqtt.contract import payload
from monitor.mqtt.contract.messages import Envelope
from monitor.mqtt.contract.payload import Packet
from monitor.mqtt.contract.topics import TopicTree, tree_of
from tests.mqtt.brokers import mosquitto
from tests.mqtt.stage import an_event

EVENTS = 20_000
MACHINES = 1_000
STEADY_HZ = 500.0  # 1,000 machines with 30 events a minute
STEADY_S = 20.0
GATHERED_S = 0.1  # events of this time share a transaction
BOTTOMLESS = "max_queued_messages 1000000\n"
EVERY = [TopicTree("+", f"{site}/rep").topic("event", "+") for site in ("berlin", "koeln")]


def main() -> None:
    if sys.argv[1:2] == ["collect"]:
        address = Address(host="127.0.0.1", port=int(sys.argv[2]), version=int(sys.argv[3]))
        asyncio.run(_collect(address, int(sys.argv[4]), Path(sys.argv[5])))
        return
    with tempfile.TemporaryDirectory() as folder, mosquitto(Path(folder), more=BOTTOMLESS) as broker:
        address = Address(host="127.0.0.1", port=broker.port)
        for version in (5, 4):
            own = Path(folder) / str(version)
            asyncio.run(_measure(address, version, EVENTS, None, own / "all-at-once.db"))
            asyncio.run(_measure(address, version, round(STEADY_HZ * STEADY_S), STEADY_HZ, own / "steady.db"))


async def _measure(address: Address, version: int, count: int, rate_hz: float | None, database: Path) -> None:
    """All events at once, or at this rate."""
    words = ["collect", str(address.port), str(version), str(count), str(database)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.benchmarks.bench_chain", *words, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"
    if rate_hz is None:
        process.send_signal(signal.SIGSTOP)
    await _publish(address, [_event(number) for number in range(count)], rate_hz)
    os.kill(process.pid, signal.SIGCONT)
    took_s, busy_s = map(float, (await process.stdout.readline()).split())
    how = "as fast as it can" if rate_hz is None else f"at {rate_hz:g} a second"
    print(
        f"{MACHINES} machines, MQTT {'5' if version == 5 else '3.1.1'}, {how}: {count / took_s:.0f} events a second,"
        f" {busy_s / took_s:.1%} of a core, {busy_s / count * 1e3:.3f} ms of a core each"
    )
    await process.wait()


def _event(number: int) -> Packet:
    """Machine after machine, in two sites, each with its own numbers."""
    machine, seq = number % MACHINES, number // MACHINES + 1
    tree = TopicTree(f"machine-{machine}", ("berlin/rep", "koeln/rep")[machine % 2])
    return payload.event(tree, "set_start", encode(an_event(seq)), Envelope(seq=seq, store_id="s", historical=False))


async def _publish(address: Address, packets: Sequence[Packet], rate_hz: float | None) -> None:
    loop = asyncio.get_running_loop()
    async with connect(address, "machines") as connection, asyncio.TaskGroup() as group:
        began_s, lanes = loop.time(), 16

        async def lane(first: int) -> None:
            for number in range(first, len(packets), lanes):
                if rate_hz is not None:
                    await asyncio.sleep(max(began_s + number / rate_hz - loop.time(), 0.0))
                await connection.publish(packets[number])

        for first in range(lanes):
            group.create_task(lane(first))


async def _collect(address: Address, count: int, path: Path) -> None:
    """Prints how long it took from the first event to the last transaction, and the time of a core."""
    database = open_database(f"sqlite:///{path}")
    ledgers: dict[TopicTree, Ledger] = {}
    due: list[tuple[TopicTree, ReceivedRecord]] = []
    began_s = busy_s = 0.0
    arrived = asyncio.Event()
    async with connect(address, "collecting") as connection:
        await connection.subscribe(EVERY)
        print("ready", flush=True)

        async def store() -> None:
            stored = 0
            while stored < count:
                await arrived.wait()
                await asyncio.sleep(GATHERED_S)
                arrived.clear()
                batch = due[:]
                due.clear()
                await asyncio.to_thread(_store, database, batch)
                stored += len(batch)

        storing = asyncio.create_task(store())
        received = 0
        async for message in connection.messages():
            if not received:
                began_s, busy_s = time.perf_counter(), time.process_time()
            tree = tree_of(message.topic, message.topic.rsplit("/", 3)[0])
            assert tree is not None
            records = ledgers.setdefault(tree, Ledger()).take(message.payload)
            due.extend((tree, record) for record in records)
            arrived.set()
            received += len(records)
            if received == count:
                break
        await storing
    print(time.perf_counter() - began_s, time.process_time() - busy_s, flush=True)


def _store(database: Database, batch: Sequence[tuple[TopicTree, ReceivedRecord]]) -> None:
    rows = []
    for tree, record in batch:
        event = record.event
        rows.append(
            {
                "site": tree.root,
                "machine": tree.machine,
                "store_id": record.store_id,
                "seq": record.seq,
                "kind": event.kind,
                "session": event.session,
                "t_s": event.t_s,
                "found_s": event.found_s,
                "record": msgspec.json.decode(record.data),
                "collected_unix_s": time.time(),
            }
        )
    with database.writing() as connection:
        connection.execute(insert(events), rows)


if __name__ == "__main__":
    main()
