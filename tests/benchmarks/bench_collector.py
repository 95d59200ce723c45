"""Measures the gym's collector: events a second at most, and its share of a core with 1,000 machines of two sites.

.venv/bin/python -m tests.benchmarks.bench_collector

The machines are simulated over one connection; they answer `resume` and `sets` with nothing more. For the greatest
speed the collector is stopped while the events are published. With PostgreSQL where that is installed.
"""

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from monitor.events import encode
from monitor.gym.collector.collector import Collector
from monitor.gym.database.database import open_database
from monitor.mqtt.client.address import Address
from monitor.mqtt.client.connection import Connection, connect
from monitor.mqtt.contract import payload
from monitor.mqtt.contract.commands import ResumeCommand
from monitor.mqtt.contract.messages import Envelope, ResumeMark
from monitor.mqtt.contract.payload import Packet
from monitor.mqtt.contract.topics import TopicTree, tree_of
from tests import needs
from tests.gym.postgresql import PostgreSQL
from tests.mqtt.brokers import mosquitto
from tests.mqtt.stage import an_event
from tests.record.sessions import feedback

MACHINES = 1_000
EVENTS = 10_000  # published within the keep-alive of the stopped collector
STEADY_HZ = 500.0  # 30 events a minute and machine
STEADY_S = 20.0
SITES = ("berlin/rep", "koeln/rep")
BOTTOMLESS = "max_queued_messages 1000000\n"
TREES = [TopicTree(f"machine-{number}", SITES[number % 2]) for number in range(MACHINES)]
STATES = [payload.state(tree, "s1", feedback(1.0), stale=False) for tree in TREES]


def main() -> None:
    if sys.argv[1:2] == ["collect"]:
        asyncio.run(_collect(int(sys.argv[2]), sys.argv[3], int(sys.argv[4])))
        return
    with tempfile.TemporaryDirectory() as name, mosquitto(Path(name), more=BOTTOMLESS) as broker:
        urls = iter(f"sqlite:///{name}/{number}.db" for number in range(3))
        _measure_all("SQLite", broker.port, [next(urls) for _ in range(3)])
        if needs.absent("postgresql") is None:
            server = PostgreSQL()
            try:
                server.start()
                _measure_all("PostgreSQL", broker.port, [server.new_database() for _ in range(3)])
            finally:
                server.remove()


def _measure_all(kind: str, port: int, urls: Sequence[str]) -> None:
    steady = round(STEADY_HZ * STEADY_S)
    for what, url, count, rate_hz, states in [
        ("as fast as it can", urls[0], EVENTS, None, False),
        ("1,000 machines", urls[1], steady, STEADY_HZ, False),
        ("1,000 machines with their states", urls[2], steady, STEADY_HZ, True),
    ]:
        print(f"{kind}, {what}: {asyncio.run(_measure(port, url, count, rate_hz, states=states))}", flush=True)


async def _measure(port: int, url: str, count: int, rate_hz: float | None, *, states: bool) -> str:
    words = ["collect", str(port), url, str(count)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.benchmarks.bench_collector", *words, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"listening\n"
    async with connect(Address(host="127.0.0.1", port=port), "machines") as connection:
        answering = asyncio.create_task(_answer(connection))
        await _publish(connection, 0, MACHINES, None)
        assert await process.stdout.readline() == b"ready\n"
        background = asyncio.create_task(_send_states(connection) if states else asyncio.sleep(0))
        if rate_hz is None:
            process.send_signal(signal.SIGSTOP)
        else:
            began_s = time.perf_counter()
        await _publish(connection, MACHINES, count, rate_hz)
        if rate_hz is None:
            os.kill(process.pid, signal.SIGCONT)
            began_s = time.perf_counter()
        busy_s = float(await process.stdout.readline())
        took_s = time.perf_counter() - began_s
        for task in (answering, background):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
    await process.wait()
    return f"{count / took_s:.0f} events a second, {busy_s / took_s:.1%} of a core"


async def _answer(connection: Connection) -> None:
    await connection.subscribe([TopicTree("+", site).topic("cmd", "+") for site in SITES])
    async for message in connection.messages():
        tree = tree_of(message.topic, message.topic.rsplit("/", 3)[0])
        assert tree is not None
        command = msgspec.json.decode(message.payload, type=ResumeCommand)
        for which in ("begin", "end"):
            mark = ResumeMark(
                mark="begin" if which == "begin" else "end",
                id=command.id,
                store_id="s",
                after=command.after,
                first_seq=1,
                last_seq=command.after,
            )
            answer: payload.Answer = "sets" if message.topic.endswith("sets") else "resume"
            await connection.publish(payload.answer_mark(tree, answer, command.client, mark))


async def _send_states(connection: Connection) -> None:
    """Each machine's once a second."""
    while True:
        for first in range(0, MACHINES, 50):
            for packet in STATES[first : first + 50]:
                connection.send(packet)
            await asyncio.sleep(0.05)


async def _publish(connection: Connection, begin: int, count: int, rate_hz: float | None) -> None:
    loop = asyncio.get_running_loop()
    began_s, lanes = loop.time(), 12

    async def lane(first: int) -> None:
        for number in range(first, count, lanes):
            if rate_hz is not None:
                await asyncio.sleep(max(began_s + number / rate_hz - loop.time(), 0.0))
            await connection.publish(_event(begin + number))

    async with asyncio.TaskGroup() as group:
        for first in range(lanes):
            group.create_task(lane(first))


def _event(number: int) -> Packet:
    seq = number // MACHINES + 1
    envelope = Envelope(seq=seq, store_id="s", historical=False)
    return payload.event(TREES[number % MACHINES], "set_start", encode(an_event(seq)), envelope)


async def _collect(port: int, url: str, count: int) -> None:
    """Prints the time of a core that it took, from the connection on."""
    database = open_database(url)
    collector = Collector(Address(host="127.0.0.1", port=port), SITES, database)
    running = asyncio.create_task(collector.run())
    while collector.trouble:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    print("listening", flush=True)
    while len(collector.floor) < MACHINES or not collector.idle:  # noqa: ASYNC110
        await asyncio.sleep(0.1)
    print("ready", flush=True)
    busy_s, before = time.process_time(), collector.stored
    while collector.stored < before + count:  # noqa: ASYNC110
        await asyncio.sleep(0.1)
    print(time.process_time() - busy_s, flush=True)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    database.close()


if __name__ == "__main__":
    main()
