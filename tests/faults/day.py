"""A day at the machine, as fast as it goes: the whole daemon on a source without a wire, a line for each hour.

    python -m tests.faults.day FOLDER HOURS         prints a line: see `tell`

Twenty minutes of sets, then eleven of nobody, so that sessions begin and end; each time the device has been reset.
What has been recorded is removed, as a housekeeper would.
"""

import asyncio
import ctypes
import gc
import os
import sys
import threading
from collections.abc import AsyncGenerator
from itertools import count
from pathlib import Path

import numpy as np

import firmware_bridge.simulator as simulator
from firmware_bridge.chunk import Chunk
from monitor.daemon import Daemon
from monitor.feedback.connection import Address
from monitor.feedback.embedded_broker import EmbeddedBroker
from monitor.simulation.simulated import kit_of, machine_of
from monitor.store.store import Store
from tests.test_daemon import PROFILE

SETS = 8
TAIL_S = 90.0  # a rest between two sets
NOBODY_S = 660.0
READ_S = 0.25
HOUR_NS = 3_600_000_000_000
WAITING = 200  # events, and 4000 records: then the source waits for the disk


def chunks_of(seed: int) -> tuple[list[Chunk], int]:
    """A visit from its power-on, its arrival times from 0; and how long it is."""
    machine = machine_of(PROFILE)
    dice = np.random.default_rng(seed)
    sets = [
        simulator.simulate(machine, simulator.faulty_set(dice, machine, 2.0, 4.0, 6, tail_s=TAIL_S), seed=seed + k)
        for k in range(2)
    ]
    kit = simulator.Kit(wiring=kit_of(PROFILE).wiring, clock_start_us=1_000_000)
    chunks: list[Chunk] = []
    at_ns = 0
    for trace in sets * (SETS // 2):
        seed += 1
        part = simulator.board_chunks(trace, kit, seed=seed, read_s=READ_S)
        start_ns = part[0].received_ns
        chunks += [Chunk(at_ns + chunk.received_ns - start_ns, chunk.data) for chunk in part]
        at_ns += part[-1].received_ns - start_ns + 250_000_000
    return chunks, at_ns


async def day(folder: Path, hours: float) -> None:
    visits = [chunks_of(seed) for seed in (100, 200)]
    with Store(folder / "events.db") as store:
        async with EmbeddedBroker() as broker:
            daemon = Daemon(PROFILE, folder, store, Address(host=broker.host, port=broker.port))

            async def source() -> AsyncGenerator[Chunk, None]:
                at_ns, hour, fed = 10_000_000_000, 0, 0
                for visit in count():
                    chunks, length_ns = visits[visit % 2]
                    for chunk in chunks:
                        if at_ns + chunk.received_ns >= hour * HOUR_NS:
                            tell(hour, daemon, store)
                            hour += 1
                            if hour > hours:
                                return
                        yield Chunk(at_ns + chunk.received_ns, chunk.data)
                        fed += 1
                        if fed % 4 == 0:
                            await asyncio.sleep(0)
                        await the_disk(daemon)
                    at_ns += length_ns
                    if visit % 3 == 2:
                        at_ns += round(NOBODY_S * 1e9)
                        daemon._end_session()  # as the ticker does on the host's clock, which here stands still
                    remove_recordings(folder, daemon)

            await daemon.run(source())


async def the_disk(daemon: Daemon) -> None:
    """Not faster than it."""
    recorder = daemon.session.recorder if daemon.session else None
    while daemon._keeper.waiting > WAITING or (recorder is not None and len(recorder._queue) > 20 * WAITING):
        if recorder is not None:
            recorder.sync()
        await asyncio.sleep(0.002)


def remove_recordings(folder: Path, daemon: Daemon) -> None:
    recorder = daemon.session.recorder if daemon.session else None
    open_path = None if recorder is None else recorder.status.path
    for path in folder.rglob("*.mcap"):
        if str(path) != open_path:
            path.unlink()


def held() -> int:
    """Bytes of everything that is still of use to somebody; the system's view adds what the allocator has."""
    seen: set[int] = set()
    total_bytes = 0
    for thing in gc.get_objects():
        total_bytes += sys.getsizeof(thing, 0)
        for part in gc.get_referents(thing):
            if not gc.is_tracked(part) and id(part) not in seen:
                seen.add(id(part))
                total_bytes += sys.getsizeof(part, 0)
    return total_bytes


def tell(hour: int, daemon: Daemon, store: Store) -> None:
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # what the allocator holds back for reuse is not kept by anybody
    rss_bytes = int(Path("/proc/self/statm").read_text().split()[1]) * 4096
    held_bytes = held()
    descriptors = len(os.listdir("/proc/self/fd"))
    tasks = len(asyncio.all_tasks())
    sessions = len(store.sessions())
    print(
        hour, held_bytes, rss_bytes, descriptors, tasks, threading.active_count(), sessions, store.last_seq, flush=True
    )


if __name__ == "__main__":
    asyncio.run(day(Path(sys.argv[1]), float(sys.argv[2])))
