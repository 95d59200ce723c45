"""Simulates a day of the whole service, on a clock that skips waiting: broker, page and daemon.

    python -m tests.faults.day FOLDER [HOURS]         prints a line for each hour: see `Figures`

Every second is simulated: reads arrive, feedback is published; documents, heartbeats and the hourly tidying are due
on the simulated clock. Only the reads are larger than those of a port. The day begins at 14:00. Until 22:00,
four people train in each two hours; each session ends after ten idle minutes. Then the machine streams unused for
four hours, is switched off for four, and is used again from 06:00. A display listens all day, a collector follows the
events, and every ten minutes a tablet connects, looks, and names the lifter.
"""

import asyncio
import gc
import os
import subprocess
import sys
import threading
import time
from collections.abc import AsyncGenerator
from functools import partial
from itertools import count
from pathlib import Path
from typing import NamedTuple
from urllib.request import urlopen

import msgspec

from firmware_bridge.chunk import Chunk
from firmware_bridge.link_state import LinkState
from monitor.allocator import keep_compact
from monitor.daemon.daemon import Daemon
from monitor.daemon.serve import Up, serve
from monitor.mqtt.client.connection import connect
from monitor.mqtt.client.consumer import Consumer
from monitor.mqtt.client.ledger import ReceivedRecord
from monitor.mqtt.contract import payload
from monitor.mqtt.contract.commands import LifterCommand
from monitor.record.recorder import PERIOD_S
from tests.daemon.stage import PROFILE
from tests.faults.an_hour import HOUR_S, read_hour
from tests.faults.leap import leap

MACHINE, TREE = PROFILE.machine.id, PROFILE.topic_tree
OPEN = ("open-1", "open-2")
DAY = (*OPEN * 4, *["closed"] * 4, *["off"] * 4, *OPEN * 4)
READ_S = 0.45  # after half a second without one the stream counts as paused
TABLET_S = 600.0
LIFTERS = 7


class Figures(NamedTuple):
    """The figures after a number of hours."""

    hour: int
    held_bytes: int
    rss_bytes: int
    peak_bytes: int  # the peak of resident memory
    descriptors: int
    tasks: int
    threads: int
    sessions: int
    events: int
    heard: int  # live messages, by the display


async def day(folder: Path, hours: int) -> None:
    people = People()
    around: list[asyncio.Task[None]] = []

    def on_up(up: Up) -> None:
        around.extend(asyncio.create_task(work) for work in (people.collect(up), people.watch(up), people.look_in(up)))

    async def source(daemon: Daemon) -> AsyncGenerator[Chunk, None]:
        loop = asyncio.get_running_loop()
        for hour, kind in enumerate(DAY[:hours]):
            began_s = loop.time()
            daemon.on_link(LinkState(state="absent" if kind == "off" else "streaming", detail=kind, since_ns=0))
            for chunk in () if kind == "off" else read_hour(folder / kind, READ_S):
                await asyncio.sleep(began_s + chunk.received_ns / 1e9 - loop.time())
                yield Chunk(round(loop.time() * 1e9), chunk.data)
                await the_disk(daemon)
            await asyncio.sleep(began_s + HOUR_S - loop.time())
            for task in around:
                assert not task.done(), task  # a task that ends early has failed
            print(*figures(hour + 1, daemon, people), flush=True)

    display = msgspec.structs.replace(PROFILE.display, port=0)
    await serve(msgspec.structs.replace(PROFILE, display=display), source, on_up=on_up)
    for task in around:
        task.cancel()
    await asyncio.gather(*around, return_exceptions=True)  # the broker ends before them


class People:
    """The clients of the machine; they keep no data."""

    def __init__(self) -> None:
        self.seq = 0
        self.heard = 0

    async def collect(self, up: Up) -> None:
        """Receives every event, once and in order."""
        await Consumer(up.broker, TREE, "collector", self._deliver).run()

    async def _deliver(self, record: ReceivedRecord) -> None:
        assert record.seq == self.seq + 1
        self.seq = record.seq

    async def watch(self, up: Up) -> None:
        async with connect(up.broker, "display") as connection:
            await connection.subscribe([TREE.topic("live/feedback"), TREE.topic("state")], 0)
            async for _ in connection.messages():
                self.heard += 1

    async def look_in(self, up: Up) -> None:
        """The next visitor: a new connection, the page with its history, a command."""
        await asyncio.sleep(TABLET_S / 2)  # not at the time of the figures
        for visit in count():
            await asyncio.sleep(TABLET_S)
            async with connect(up.broker, f"tablet-{visit}") as connection:
                await connection.subscribe([TREE.topic("#")])
                command = LifterCommand(id=f"tablet-{visit}", stamp_s=time.time(), lifter=f"lifter-{visit % LIFTERS}")
                await connection.publish(payload.command(TREE, command))
                await asyncio.sleep(5.0)
            for path in ("", "history.json"):
                await asyncio.to_thread(partial(fetch, f"{up.page_url}{path}"))


def fetch(url: str) -> None:
    with urlopen(url) as answer:
        assert answer.read()


async def the_disk(daemon: Daemon) -> None:
    """The recorder's thread uses the host's clock: the loop wakes it after each period, and waits for it."""
    recorder = daemon.session.recorder if daemon.session else None
    if recorder is not None and len(recorder._queue) > 2 * PERIOD_S / READ_S:
        recorder.sync()
        await asyncio.to_thread(partial(until_empty, recorder._queue))


def until_empty(queue: object) -> None:
    while queue:
        time.sleep(0.0005)


def held() -> int:
    """The bytes of all live objects, counted in a child process, because counting itself uses memory."""
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        os.write(writer, str(counted()).encode())
        os._exit(0)
    os.waitpid(child, 0)
    with open(reader, "rb") as result, open(writer, "wb"):
        return int(os.read(result.fileno(), 100))


def counted() -> int:
    seen: set[int] = set()
    total_bytes = 0
    for thing in gc.get_objects():
        total_bytes += sys.getsizeof(thing, 0)
        for part in gc.get_referents(thing):
            if not gc.is_tracked(part) and id(part) not in seen:
                seen.add(id(part))
                total_bytes += sys.getsizeof(part, 0)
    return total_bytes


def peak_bytes() -> int:
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def figures(hour: int, daemon: Daemon, people: People) -> Figures:
    gc.collect()
    rss_bytes = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return Figures(
        hour=hour,
        held_bytes=held(),
        rss_bytes=rss_bytes,
        peak_bytes=peak_bytes(),
        descriptors=len(os.listdir("/proc/self/fd")),
        tasks=len(asyncio.all_tasks()),
        threads=threading.active_count(),
        sessions=len(daemon._store.sessions()),
        events=people.seq,
        heard=people.heard,
    )


def main(folder: Path, hours: int) -> None:
    """Makes the input in separate processes, because an allocator keeps memory of a simulation."""
    for k, kind in enumerate((*OPEN, "closed")):
        if not (folder / kind).exists():
            subprocess.run([sys.executable, "-m", "tests.faults.an_hour", folder / kind, str(k)], check=True)
    keep_compact()  # as `rep-monitor run` does
    os.environ["STATE_DIRECTORY"] = str(folder / "state")
    leap(day(folder, hours))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else len(DAY))
