"""Measures latency and cost of the daemon in real time: pty -> daemon -> broker -> subscriber.

.venv/bin/python -m tests.benchmarks.bench_daemon [SECONDS]

It measures the daemon in a set, and beside a machine at rest.

There are three processes. The simulated device logs the time of each byte; this process is the daemon, with the
embedded broker or with mosquitto; the subscriber logs the arrival of each feedback. The latency of a feedback starts at
the last byte that it needs and ends at the subscriber, so it includes the daemon's own waiting.
"""

import asyncio
import contextlib
import functools
import json
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any
from unittest.mock import patch

import aiomqtt
import msgspec
import paho.mqtt.client

from firmware_bridge.chunk import Chunk
from firmware_bridge.formats.decoder import Decoder
from firmware_bridge.serial_port import COALESCE_S, read_chunks
from monitor.analysis.gather import TICK_S
from monitor.daemon.mqtt_sink import MqttSink
from monitor.detect.spine import Spine
from monitor.display.server import PageServer
from monitor.mqtt.broker.embedded_broker import EmbeddedBroker
from monitor.mqtt.client.address import Address
from monitor.mqtt.client.channel import Broker
from monitor.mqtt.client.connection import DistantBroker
from monitor.profile.profile import Profile
from monitor.profile.reading import profile_from_builtins
from monitor.record.recorder import Recorder
from monitor.record.replay import decoder_of
from monitor.record.session_reader import read_session
from monitor.signals.grid import STEP_S, cells_before
from monitor.store.store import Store
from tests.daemon.stage import publishing
from tests.mqtt.brokers import free_port, mosquitto

WARM_UP_S = 5.0
SECONDS = 30.0
TABLES: dict[str, Any] = {
    "machine": {
        "id": "bench", "kind": "stack", "rest_m": 0.0, "bottom_m": 0.03, "top_m": 0.53,
        "working_load_n": 784.5, "friction": 0.08,
    },
    "protocol": {"positive_s": 4.0, "negative_s": 4.0},
    "calibration": {"metres_per_count": 0.0001, "newtons_per_count": 0.05},
}  # fmt: skip


def device(pipe: Pipe, profile: Profile, moving: bool) -> None:
    from tests.benchmarks.noting_device import move  # keeps the daemon's process small

    asyncio.run(move(pipe, profile, moving))


def subscriber(pipe: Pipe, address: Address) -> None:
    """Logs session time and arrival of every feedback, until they are requested."""

    async def listen() -> None:
        seen: list[tuple[float, int]] = []

        async def take() -> None:
            async with aiomqtt.Client(address.host, address.port) as client:
                await client.subscribe("rep/bench/live/feedback", 0)
                pipe.send("listening")
                async for message in client.messages:
                    seen.append((json.loads(bytes(message.payload))["t_s"], time.monotonic_ns()))

        taking = asyncio.create_task(take())
        await asyncio.to_thread(pipe.recv)
        taking.cancel()
        pipe.send(seen)

    asyncio.run(listen())


@contextlib.contextmanager
def beside(work: Any, *args: Any) -> Iterator[Pipe]:
    """A separate process, and a pipe to it."""
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=work, args=(theirs, *args))
    process.start()
    try:
        yield ours
    finally:
        process.join(5)
        process.kill()
        process.join()
        ours.close()


class Shares:
    """The CPU time of the loop's thread in each part. Time in which it waits for a core does not count."""

    DOORS: tuple[tuple[str, Any, str], ...] = (
        ("decoding", Decoder, "feed"),
        ("detecting", Spine, "update"),
        ("recording", Recorder, "put"),
        ("publishing", MqttSink, "feedback"),
        ("publishing", paho.mqtt.client.Client, "publish"),
        ("publishing", paho.mqtt.client.Client, "loop_write"),
        ("publishing", paho.mqtt.client.Client, "loop_read"),
    )

    def __init__(self) -> None:
        self.spent_s: dict[str, float] = {}
        self._inner_s = 0.0

    @contextlib.contextmanager
    def counted(self) -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            for part, owner, name in self.DOORS:
                stack.enter_context(patch.object(owner, name, self._timed(part, getattr(owner, name))))
            yield

    def _timed(self, part: str, work: Any) -> Any:
        @functools.wraps(work)
        def timed(*args: Any, **named: Any) -> Any:
            began_s, outer_s, self._inner_s = time.thread_time(), self._inner_s, 0.0
            try:
                return work(*args, **named)
            finally:
                took_s = time.thread_time() - began_s
                self.spent_s[part] = self.spent_s.get(part, 0.0) + took_s - self._inner_s
                self._inner_s = outer_s + took_s

        return timed

    def now(self) -> dict[str, float]:
        """CPU seconds so far of each part, of all other threads, and of the whole process."""
        return self.spent_s | {"loop": time.thread_time(), "process": time.process_time()}

    @staticmethod
    def text(before: dict[str, float], after: dict[str, float], seconds: float) -> str:
        spent = {part: after[part] - before.get(part, 0.0) for part in after}
        whole, loop = spent.pop("process"), spent.pop("loop")
        parts = spent | {"reading and waiting": loop - sum(spent.values()), "threads (disk)": whole - loop}
        return ", ".join(f"{part} {share / seconds:.1%}" for part, share in parts.items())


async def bench(kind: str, rate_hz: int, moving: bool, seconds: float, folder: Path) -> None:
    profile = profile_from_builtins(TABLES | {"serial": {"rate_hz": rate_hz}}, "bench")
    shares = Shares()
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(shares.counted())
        broker: Broker
        if kind == "embedded":
            broker = embedded = await stack.enter_async_context(EmbeddedBroker())
            address = Address(host=embedded.host, port=embedded.port)
            shown = msgspec.structs.replace(profile, display=msgspec.structs.replace(profile.display, port=free_port()))
            await stack.enter_async_context(PageServer(shown, embedded))
        else:
            address = Address(host="127.0.0.1", port=stack.enter_context(mosquitto(folder)).port)
            broker = DistantBroker(address)
        store = stack.enter_context(Store(folder / "events.db"))
        board = stack.enter_context(beside(device, profile, moving))
        port = await asyncio.to_thread(board.recv)
        daemon = await stack.enter_async_context(publishing(profile, folder, store, broker))
        source = read_chunks(port, profile.serial.baud, rate_hz=rate_hz, on_state=daemon.on_link, needed=daemon.needed)
        running = asyncio.create_task(daemon.run(source))
        while daemon.session is None and moving:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        recorder = daemon.session.recorder if daemon.session else None
        ear = stack.enter_context(beside(subscriber, address))
        await asyncio.to_thread(ear.recv)
        await asyncio.sleep(WARM_UP_S)
        began_s, before = time.perf_counter(), shares.now()
        await asyncio.sleep(seconds)
        after, took_s = shares.now(), time.perf_counter() - began_s
        rss_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        busy = (after["process"] - before["process"]) / took_s
        ear.send("enough")
        seen = await asyncio.to_thread(ear.recv)
        board.send("enough")
        written = await asyncio.to_thread(board.recv)
        daemon.stop()
        await running
    late_ms = latencies_ms(seen, ready_ns(Path(recorder.status.path), written)) if recorder else []
    what = "in a set" if moving else "at rest"
    print(
        f"{kind:<10}{rate_hz:5d} Hz  {what:<8} {len(seen):5d} feedbacks  p50 {percentile(late_ms, 50):5.1f} ms"
        f"  p99 {percentile(late_ms, 99):5.1f} ms  |  {busy:6.1%} of a core  largest {rss_mb:4.0f} MB"
    )
    print(f"          {shares.text(before, after, took_s)}")


def ready_ns(recording: Path, written: list[Chunk]) -> Iterator[tuple[float, int]]:
    """Session times, and the times at which the device had written enough for the feedback of that time."""
    session = read_session(recording)
    assert session.header is not None
    first = next(record.data for record in session if record.topic == "/wire")
    sent = b"".join(chunk.data for chunk in written)
    skipped, decoder = sent.index(first), decoder_of(session.header)  # bytes from before the session
    newest_s = [0.0, 0.0]
    for chunk in written:
        fresh = chunk.data[min(skipped, len(chunk.data)) :]
        skipped -= len(chunk.data) - len(fresh)
        samples = decoder.feed(Chunk(chunk.received_ns, fresh))
        for kind, values in enumerate((samples.position_m, samples.force_n)):
            newest_s[kind] = float(samples.t_s[values == values].max(initial=newest_s[kind]))
        yield (cells_before(min(newest_s)) - 0.5) * STEP_S, chunk.received_ns  # half a step after the newest


def latencies_ms(seen: list[tuple[float, int]], ready: Iterator[tuple[float, int]]) -> list[float]:
    """From the last byte that a feedback needs, at the port, to the feedback's arrival."""
    found, ready_s, at_ns = [], 0.0, 0
    for t_s, arrived_ns in seen:
        while ready_s < t_s:
            ready_s, at_ns = next(ready)
        found.append((arrived_ns - at_ns) / 1e6)
    return sorted(found)


def percentile(values: list[float], share: int) -> float:
    return values[min(len(values) - 1, len(values) * share // 100)] if values else float("nan")


def run(kind: str, rate_hz: int, moving: bool, seconds: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(bench(kind, rate_hz, moving, seconds, Path(folder)))


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    print(f"the spine is called every {TICK_S * 1e3:g} ms, a torn frame is waited for {COALESCE_S * 1e3:g} ms")
    print("a core's share; where the broker is embedded, it counts as reading and waiting")
    for kind in ("mosquitto", "embedded"):
        for rate_hz, moving in ((500, False), (500, True), (1000, True)):
            alone = multiprocessing.get_context("spawn").Process(target=run, args=(kind, rate_hz, moving, seconds))
            alone.start()
            alone.join()
            if alone.exitcode:
                raise SystemExit(alone.exitcode)


if __name__ == "__main__":
    main()
