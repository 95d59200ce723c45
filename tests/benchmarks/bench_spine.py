"""Measures the spine: in bulk, live, and in a replay from disk, compared with plain Python.

.venv/bin/python -m tests.benchmarks.bench_spine

The figures are CPU time of one core, the best of three. A sample is one position or one force. The session has ten sets
at 2/4; every second set has faults.
"""

import asyncio
import math
import tempfile
import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from firmware_bridge.samples import Samples
from firmware_bridge.simulator import (
    Job,
    Kit,
    Machine,
    Trace,
    board_chunks,
    clean_set,
    faulty_set,
    measure,
    simulate_many,
)
from firmware_bridge.simulator.wire import START_NS
from monitor.allocator import keep_freed
from monitor.detect.spine import Spine
from monitor.playback.playback import analysis_of, open_playback, updates
from monitor.profile.profile import Profile
from monitor.profile.reading import profile_from_builtins
from monitor.record.records import Header, wire_record
from monitor.record.session_file import SessionWriter

MACHINE = Machine(mass_kg=80, friction=0.08)
SETS = 10
READ_S = 0.01  # the data of one read of the port
PLAIN_SAMPLES = 50_000


def main() -> None:
    keep_freed()  # as every replay does
    trace = session()
    length_s = len(trace) / 1000
    print(f"{SETS} sets, {length_s / 60:.1f} minutes\n")
    for rate_hz, force_hz in ((1000, 1000.0), (500, 80.0)):
        kit = Kit(position_rate_hz=rate_hz, force_rate_hz=force_hz)
        samples, profile = measure(trace, kit, 1), profile_of(kit)
        print(f"position {rate_hz} Hz, force {force_hz:g} Hz: {len(samples) / 1e6:.2f} million samples")
        for name, feedback in (("events only, at once", False), ("events and feedback, at once", True)):
            print_rate(name, len(samples), best_s(partial(at_once, profile, samples, feedback)))
        live_s = best_s(partial(live, profile, samples))
        read_us = live_s / (length_s / READ_S) * 1e6
        print(f"  live, {READ_S * 1000:g} ms a read: {live_s / length_s:.2%} of a core, {read_us:.0f} us a read")
        with tempfile.TemporaryDirectory() as folder:
            path = record(Path(folder) / "bench.mcap", trace, kit)
            print_rate("replay from disk", len(samples), best_s(partial(replay, path)))
        print_rate("a toy in plain Python", PLAIN_SAMPLES, best_s(partial(plain, samples)))
        print()


def session() -> Trace:
    """All sets on one machine, one after the other."""
    rng = np.random.default_rng(1)
    scripts = [faulty_set(rng, MACHINE, 2, 4, 8) if k % 2 else clean_set(2, 4, 8) for k in range(SETS)]
    sets = simulate_many([Job(MACHINE, script, seed) for seed, script in enumerate(scripts)])
    return Trace(
        MACHINE,
        np.concatenate([one.position_m for one in sets]),
        np.concatenate([one.velocity_m_s for one in sets]),
        np.concatenate([one.acceleration_m_s2 for one in sets]),
        np.concatenate([one.tension_n for one in sets]),
        np.concatenate([one.contact_n for one in sets]),
    )


def profile_of(kit: Kit) -> Profile:
    return profile_from_builtins(tables_of(kit))


def tables_of(kit: Kit) -> dict[str, Any]:
    """A profile that commits since 85c23bb understand."""
    wiring = kit.calibration(MACHINE)
    return {
        "machine": {
            "id": "bench", "kind": "stack", "rest_m": MACHINE.rest_m, "bottom_m": MACHINE.bottom_m,
            "top_m": MACHINE.top_m,
        },
        "protocol": {"name": "2/4"},
        "calibration": {
            "metres_per_count": wiring.metres_per_count,
            "position_zero_counts": round(wiring.position_zero_counts),
            "newtons_per_count": wiring.newtons_per_count,
            "force_zero_counts": round(wiring.force_zero_counts),
        },
    }  # fmt: skip


def at_once(profile: Profile, samples: Samples, feedback: bool) -> None:
    Spine(profile, "b", feedback=feedback).update(samples)


def live(profile: Profile, samples: Samples) -> None:
    """Feeds the spine like the daemon."""
    spine = Spine(profile, "b")
    edges = np.searchsorted(samples.t_s, np.arange(READ_S, float(samples.t_s.max()), READ_S)).tolist()
    for start, end in pairwise([0, *edges, len(samples)]):
        spine.update(samples.rows(slice(start, end)))


def record(path: Path, trace: Trace, kit: Kit) -> Path:
    tables = tables_of(kit)
    header = Header(
        session="bench",
        machine="bench",
        created_utc="2026-01-01T00:00:00Z",
        created_ns=START_NS,
        daemon_version="0",
        profile=tables,
        calibration=tables["calibration"],
    )
    with SessionWriter(path, header) as writer:
        for chunk in board_chunks(trace, kit, 1, READ_S):
            writer.add(wire_record(chunk))
    return path


def replay(path: Path) -> int:
    """The path of `rep-monitor replay`: MCAP, framing, decoding, detection."""

    async def run() -> int:
        playback = open_playback(path, None)
        analysis = analysis_of(playback, feedback=False)
        return sum([len(update.events) async for update in updates(playback, analysis, "max")])

    return asyncio.run(run())


def plain(samples: Samples) -> float:
    """The cost of plain Python that looks at every sample: 15 taps, a filter, ten comparisons."""
    window, kernel = [0.0] * 15, [0.001 * k for k in range(15)]
    smooth = held = 0.0
    for x, force in zip(*(column[:PLAIN_SAMPLES].tolist() for column in samples[1:3]), strict=True):
        window = [*window[1:], x]
        a = 0.0
        for weight, value in zip(kernel, window, strict=True):
            a += weight * value
        smooth += 0.1 * (force - smooth)
        w = smooth / 784.5 - 0.08 * math.tanh(a / 0.004)
        for limit in (0.05, 0.1, 0.5, 0.8, 0.85, 0.9, 1.1, 1.15, 1.3, 1.5):
            if w > limit:
                held += 1.0
    return held


def best_s(work: Callable[[], object]) -> float:
    times = []
    for _ in range(3):
        began_s = time.process_time()
        work()
        times.append(time.process_time() - began_s)
    return min(times)


def print_rate(name: str, n: int, took_s: float) -> None:
    print(f"  {name}: {n / took_s / 1e6:.2f} million samples/s")


if __name__ == "__main__":
    main()
