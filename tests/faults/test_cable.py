"""Cables and boards on a real pty: unplugged, stopped, clumped. Nothing leaks, and all samples are counted."""

import asyncio
import os
import threading
import time
from pathlib import Path

import msgspec
import numpy as np
import pytest

from firmware_bridge.chunk import Chunk
from firmware_bridge.formats.decoder import Decoder
from monitor.events import AnyEvent, encode
from monitor.playback.playback import analysis_of, open_playback
from monitor.record.session_reader import read_session
from tests.daemon.whole import a_profile
from tests.fake_device import FakeDevice
from tests.faults.stage import a_daemon, on_disk, until
from tests.firmware_bridge.reader import Reader, cpu_share
from tests.firmware_bridge.wire import RAW
from tests.mqtt.brokers import free_port
from tests.soak import SOAKING, Figure, long, soak

pytestmark = soak
UNPLUGS = long(200, 6)
STOPPED_S = long(15.0, 2.0)
LINE_HOLDS_S = 8.0  # a pty has room for 20 kB, and 500 Hz take less than 4 kB a second
BYTES_A_SECOND = 4000
ABSENT_S = long(20.0, 2.0)
RECORDINGS = [
    path
    for path in sorted((Path(__file__).parents[1] / "recordings").glob("*.mcap"))
    if SOAKING or path.stem in ("clean", "unplugged")
]


def test_pulled_and_plugged_in_again_and_again(tmp_path: Path, figure: Figure) -> None:
    noticed_s: list[float] = []
    back_s: list[float] = []
    held: list[tuple[int, int]] = []

    async def run(device: FakeDevice) -> None:
        async with Reader(device.link) as reader:
            await reader.until_state("streaming")
            for _ in range(UNPLUGS):
                reader.chunks.clear()
                await reader.until(lambda: reader.chunks)
                await asyncio.to_thread(device.unplug)
                gone_s = time.monotonic()
                await reader.until_state("absent")
                noticed_s.append(time.monotonic() - gone_s)
                held.append((len(os.listdir("/proc/self/fd")), len(own_threads())))
                device.plug()
                there_s = time.monotonic()
                await reader.until_state("streaming")
                back_s.append(time.monotonic() - there_s)
            assert reader.state.reconnects == UNPLUGS

    with FakeDevice(tmp_path / "tty") as device:
        asyncio.run(run(device))
    settled = held[3:]
    figure(
        f"{UNPLUGS} unplugs and re-plugs",
        f"noticed in {np.median(noticed_s) * 1e3:.0f} ms (at most {max(noticed_s) * 1e3:.0f}), back in "
        f"{np.median(back_s) * 1e3:.0f} ms (at most {max(back_s) * 1e3:.0f}); descriptors and threads "
        f"{settled[0]} -> {settled[-1]}",
    )
    assert max(fds for fds, _ in settled) - min(fds for fds, _ in settled) <= 1  # reading /proc uses one itself
    assert max(threads for _, threads in settled) <= settled[0][1]
    if SOAKING:
        assert np.quantile(noticed_s, 0.95) <= 0.1
        assert np.quantile(back_s, 0.95) <= 1.0


def own_threads() -> list[threading.Thread]:
    """Without those of asyncio's pool, which may begin another one while one is about to be free."""
    return [thread for thread in threading.enumerate() if not thread.name.startswith("asyncio_")]


def test_an_absent_device_costs_little(tmp_path: Path, figure: Figure) -> None:
    async def run() -> float:
        async with Reader(tmp_path / "nothing") as reader:
            await reader.until(lambda: reader.states and reader.state.attempts > 1)
            return await cpu_share(ABSENT_S)

    share = asyncio.run(run())
    figure("device absent", f"{share:.2%} of a core")
    assert share <= (0.02 if SOAKING else 0.1)


def test_a_daemon_that_was_stopped_counts_what_it_missed(tmp_path: Path, figure: Figure) -> None:
    """SIGSTOP: the line buffers some seconds and loses the rest; received plus counted as lost equals sent."""
    profile = a_profile(tmp_path, free_port())
    (recordings := tmp_path / "state" / "e2e" / "recordings").mkdir(parents=True)

    async def run(device: FakeDevice) -> float:
        """The seconds for which the daemon was stopped."""
        daemon = a_daemon(tmp_path, profile, device.link)
        with daemon:
            await until(lambda: device.streaming)
            await until(lambda: [path for path in recordings.rglob("*.mcap") if path.stat().st_size > 8_000])
            (recording,) = recordings.rglob("*.mcap")
            before_bytes, began_s = recording.stat().st_size, time.monotonic()
            daemon.freeze()
            await asyncio.sleep(STOPPED_S)
            daemon.thaw()
            stopped_s = time.monotonic() - began_s
            held_bytes = min(stopped_s, LINE_HOLDS_S) * BYTES_A_SECOND
            await until(lambda: recording.stat().st_size > before_bytes + held_bytes)  # and something new
            assert daemon.stop() == 0
            return stopped_s

    with FakeDevice(tmp_path / "tty") as device:
        stopped_s = asyncio.run(run(device))
        sent = [row for row in device.wire.sent if row.kind == 0x10]
    (recording,) = recordings.rglob("*.mcap")
    decoder = Decoder(RAW)
    samples = decoder.feed(*read_session(recording).chunks())
    counts = decoder.counts
    positions = samples.position_m[~np.isnan(samples.position_m)]
    by_counts = {row.counts: index for index, row in enumerate(sent)}
    first, last = by_counts[int(positions[0])], by_counts[int(positions[-1])]
    figure(
        f"daemon stopped for {stopped_s:.1f} s",
        f"{counts.position_samples} samples received + {counts.lost_position_samples} counted as lost = "
        f"{last - first + 1} sent",
    )
    assert counts.position_samples + counts.lost_position_samples == last - first + 1
    assert counts.resets == 0
    if stopped_s > LINE_HOLDS_S:
        assert counts.lost_position_samples > 0
        stored = on_disk(tmp_path / "state" / "e2e" / "events.db")
        assert [event for event in stored if event.kind == "sensor_fault"]  # it reports that it was blind
    elif stopped_s < LINE_HOLDS_S / 2:
        assert counts.lost_position_samples == 0


def clumped(chunks: list[Chunk], every_s: float) -> list[Chunk]:
    """The same bytes from an adapter that delivers them at intervals."""
    clumps: list[Chunk] = []
    every_ns = round(every_s * 1e9)
    for chunk in chunks:
        due_ns = -(-chunk.received_ns // every_ns) * every_ns
        if clumps and clumps[-1].received_ns == due_ns:
            clumps[-1] = Chunk(due_ns, clumps[-1].data + chunk.data)
        else:
            clumps.append(Chunk(due_ns, chunk.data))
    return clumps


@pytest.mark.parametrize("every_s", long([0.016, 0.1], [0.1]))
@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_an_adapter_that_delivers_in_clumps_changes_no_event(path: Path, every_s: float) -> None:
    """After a restart of the board only arrival times are known: later events may be delayed, but not changed."""
    lines = path.with_suffix(".events.jsonl").read_bytes().splitlines()
    smooth = [msgspec.json.decode(line, type=AnyEvent) for line in lines]  # tests/recordings proves them
    analysis = analysis_of(open_playback(path, None), feedback=False)
    chunks = clumped(list(read_session(path).chunks()), every_s)
    clumpy = [event for chunk in chunks for event in analysis.feed(chunk).events] + analysis.finish().events
    if not analysis.decoder.counts.resets:
        assert [encode(event) for event in clumpy] == lines
        return
    done = [
        [e for e in events if e.kind in ("set_start", "rep", "turnaround", "set_end")] for events in (smooth, clumpy)
    ]
    for a, b in zip(*done, strict=True):
        assert (a.kind, a.rep) == (b.kind, b.rep)
        assert abs(a.t_s - b.t_s) <= every_s
