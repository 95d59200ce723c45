"""Measures a study of many recordings: one after the other, in two processes, and on two workers of Dask.

.venv/bin/python -m tests.benchmarks.bench_study [RECORDINGS]

Each recording is a set of eight repetitions with faults, at 500 Hz. The times are of the clock, and contain the start
of the processes.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from firmware_bridge.simulator import Job, Kit, faulty_set, simulate_many
from monitor.study.replaying import digest_of, replay_batch
from monitor.study.workers import batches, in_processes, on_scheduler
from tests.benchmarks.bench_spine import MACHINE, record

RECORDINGS = 60
WORKERS = 2


def main() -> None:
    import distributed

    number = int(sys.argv[1]) if len(sys.argv) > 1 else RECORDINGS
    with tempfile.TemporaryDirectory() as folder:
        items = [(digest_of(path), str(path)) for path in recorded(Path(folder), number)]
        work = batches(items, WORKERS)
        print(f"{number} recordings, {len(work)} batches")
        alone_s = timed("one after the other", number, lambda: [replay_batch(batch) for batch in work])
        timed(f"{WORKERS} processes", number, lambda: in_processes(work, WORKERS), alone_s)
        library: Any = distributed
        with library.LocalCluster(
            n_workers=WORKERS, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0"
        ) as cluster:
            address = cluster.scheduler_address
            timed(f"Dask, {WORKERS} workers", number, lambda: on_scheduler(work, address), alone_s)


def recorded(folder: Path, number: int) -> list[Path]:
    rng = np.random.default_rng(1)
    traces = simulate_many([Job(MACHINE, faulty_set(rng, MACHINE, 2, 4, 8), seed) for seed in range(number)])
    kit = Kit(position_rate_hz=500, force_rate_hz=80.0)
    return [record(folder / f"{seed}.mcap", trace, kit) for seed, trace in enumerate(traces)]


def timed(name: str, number: int, work: Callable[[], Iterable[Any]], alone_s: float | None = None) -> float:
    began_s = time.perf_counter()
    for _ in work():
        pass
    took_s = time.perf_counter() - began_s
    ratio = "" if alone_s is None else f", {alone_s / took_s:.2f} times as fast"
    print(f"  {name:20} {took_s:6.1f} s, {number / took_s:5.1f} recordings a second{ratio}")
    return took_s


if __name__ == "__main__":
    main()
