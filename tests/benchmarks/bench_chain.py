"""Measures what one collector takes from a thousand machines of two sites over one connection, into SQLite.

.venv/bin/python -m tests.benchmarks.bench_chain

It is stopped while the events are published, so that only its own speed is measured; then events come at a steady rate.
"""

import asyncio
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from monitor.events import encode
from monitor.gym.collector.collector import Collector
from monitor.gym.database.database import open_database
from monitor.mqtt.client.connection import Address, connect
from monitor.mqtt.contract import payload
from monitor.mqtt.contract.messages import Envelope
from monitor.mqtt.contract.payload import Packet
from monitor.mqtt.contract.topics import TopicTree
from tests.mqtt.brokers import mosquitto
from tests.mqtt.stage import an_event

EVENTS = 10_000
MACHINES = 1_000
STEADY_HZ = 500.0  # 1,000 machines with 30 events a minute
STEADY_S = 15.0
SITES = ("berlin/rep", "koeln/rep")
BOTTOMLESS = "max_queued_messages 1000000\n"


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
    began_s = time.perf_counter()
    if rate_hz is None:
        process.send_signal(signal.SIGSTOP)
    await _publish(address, [_event(number) for number in range(count)], rate_hz)
    began_s = time.perf_counter() if rate_hz is None else began_s
    process.send_signal(signal.SIGCONT)
    busy_s = float(await process.stdout.readline())
    took_s = time.perf_counter() - began_s
    how = "as fast as it can" if rate_hz is None else f"at {rate_hz:g} a second"
    print(
        f"{MACHINES} machines, MQTT {'5' if version == 5 else '3.1.1'}, {how}: {count / took_s:.0f} events a second,"
        f" {busy_s / took_s:.1%} of a core, {busy_s / count * 1e3:.3f} ms of a core each"
    )
    await process.wait()


def _event(number: int) -> Packet:
    """Machine after machine, in two sites, each with its own numbers."""
    machine, seq = number % MACHINES, number // MACHINES + 1
    tree = TopicTree(f"machine-{machine}", SITES[machine % 2])
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
    """Prints the time of a core that it took, once all events are stored."""
    with closing(open_database(f"sqlite:///{path}")) as database:
        collector = Collector(address, SITES, database)
        running = asyncio.create_task(collector.run())
        while collector.trouble:  # noqa: ASYNC110 - it sends no notification
            await asyncio.sleep(0.01)
        await asyncio.sleep(1.0)
        busy_s = time.process_time()
        print("ready", flush=True)
        while collector.stored < count:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        print(time.process_time() - busy_s, flush=True)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


if __name__ == "__main__":
    main()
