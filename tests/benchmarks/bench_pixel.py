"""Measures the latency of the page: byte at the port -> daemon -> embedded broker -> WebSocket -> pixel.

.venv/bin/python -m tests.benchmarks.bench_pixel [SECONDS]

A feedback is visible at the beginning of the frame after the one that drew it. The latency starts at the last byte that
the feedback needs. Device, daemon and browser share this computer.
"""

import asyncio
import contextlib
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec

from firmware_bridge.serial_port import read_chunks
from monitor.display.server import PageServer
from monitor.mqtt.broker.embedded_broker import EmbeddedBroker
from monitor.profile.reading import profile_from_builtins
from monitor.store.store import Store
from tests.benchmarks.bench_daemon import TABLES, beside, device, latencies_ms, percentile, ready_ns
from tests.browser import Browser
from tests.daemon.stage import publishing
from tests.mqtt.brokers import free_port
from tests.mqtt.stage import until

SECONDS = 20.0
WARM_UP_S = 5.0
RATE_HZ = 500
FOLLOW = """globalThis.seen = [];
Object.defineProperty(repMonitor.stats, "shown", {
  set: ({ t_s }) => requestAnimationFrame(() => seen.push([t_s, performance.timeOrigin + performance.now()])),
})"""


def watch(home: Path, url: str, seconds: float) -> list[tuple[float, int]]:
    """Waits. Returns the feedback that a tablet showed, and the times, ns on the monotonic clock."""
    with Browser(home, (810, 1080)) as browser:
        page = browser.open(url, width=810, height=1080, worker=True)
        page.wait("document.body.dataset.state === 'set'")
        page.call("Network.disable")  # otherwise the browser reports each message to us, too
        time.sleep(WARM_UP_S)
        page.evaluate(FOLLOW)
        time.sleep(seconds)
        seen: list[tuple[float, float]] = page.evaluate("seen")
    ahead_ns = time.time_ns() - time.monotonic_ns()
    return [(t_s, round(unix_ms * 1e6) - ahead_ns) for t_s, unix_ms in seen]


async def bench(seconds: float, folder: Path) -> None:
    profile = profile_from_builtins(TABLES | {"serial": {"rate_hz": RATE_HZ}}, "bench")
    shown = msgspec.structs.replace(profile, display=msgspec.structs.replace(profile.display, port=free_port()))
    async with contextlib.AsyncExitStack() as stack:
        broker = await stack.enter_async_context(EmbeddedBroker())
        server = await stack.enter_async_context(PageServer(shown, broker))
        store = stack.enter_context(Store(folder / "events.db"))
        board = stack.enter_context(beside(device, profile))
        port: Any = await asyncio.to_thread(board.recv)
        daemon = await stack.enter_async_context(publishing(profile, folder, store, broker))
        source = read_chunks(port, profile.serial.baud, rate_hz=RATE_HZ, on_state=daemon.on_link, needed=daemon.needed)
        running = asyncio.create_task(daemon.run(source))
        await until(lambda: daemon.session is not None)
        assert daemon.session is not None
        assert daemon.session.recorder is not None
        recording = Path(daemon.session.recorder.status.path)
        seen = await asyncio.to_thread(watch, folder, server.url, seconds)
        board.send("enough")
        written = await asyncio.to_thread(board.recv)
        daemon.stop()
        await running
    late_ms = latencies_ms(seen, ready_ns(recording, written))
    print(
        f"{RATE_HZ} Hz, {len(late_ms) / seconds:.1f} frames/s: byte at the port -> pixel"
        f" p50 {percentile(late_ms, 50):.0f} p95 {percentile(late_ms, 95):.0f} p99 {percentile(late_ms, 99):.0f} ms,"
        f" load of this computer {os.getloadavg()[0]:.1f}"
    )


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(bench(seconds, Path(folder)))


if __name__ == "__main__":
    main()
