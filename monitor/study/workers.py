"""Distributes batches of recordings over processes of this computer, or over the workers of a Dask scheduler.

A worker that ends (killed, out of memory) costs nothing: its batch is replayed again, then recording by recording. Only
a recording that ends its worker once more is reported as such.
"""

import multiprocessing
import signal
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, NamedTuple

from monitor.study.errors import StudyError
from monitor.study.fingerprint import fingerprint
from monitor.study.replaying import Tables, failed_batch, replay_batch

BATCH = 20  # recordings: fewer cost more in passing them on than they gain
AHEAD = 2  # batches for each worker, so that none waits
ATTEMPTS = 2  # of a batch, and then of each of its recordings
REACHED_WITHIN_S = 5.0  # a scheduler
ENDED = "the process that replayed it ended (killed, or out of memory)"
IGNORED = (signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends this process, which ends the workers
Batch = tuple[tuple[str, str], ...]  # digest and path


class _Work(NamedTuple):
    batch: Batch
    attempts: int = 0


def batches(recordings: Sequence[tuple[str, str]], workers: int) -> list[Batch]:
    """Batches of at most BATCH recordings, smaller where some worker would have none."""
    size = max(1, min(BATCH, -(-len(recordings) // max(1, workers))))
    return [tuple(recordings[at : at + size]) for at in range(0, len(recordings), size)]


def in_processes(work: Sequence[Batch], workers: int) -> Iterator[tuple[Batch, Tables]]:
    """Each batch with its tables, in the order in which they are finished."""
    waiting = deque(_Work(batch) for batch in work)
    while waiting:
        running: dict[Future[Tables], _Work] = {}
        spawn = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(workers, mp_context=spawn, initializer=signal.signal, initargs=IGNORED)
        with _ending(pool):
            try:
                while waiting or running:
                    while waiting and len(running) < AHEAD * workers:
                        one = waiting.popleft()
                        running[pool.submit(replay_batch, one.batch)] = one
                    finished, _ = wait(running, return_when=FIRST_COMPLETED)
                    for future in finished:
                        tables = future.result()
                        yield running.pop(future).batch, tables
            except BrokenProcessPool:
                for one in running.values():
                    if (again := _again(one)) is None:
                        yield one.batch, failed_batch(one.batch, ENDED)
                    else:
                        waiting.extend(again)


@contextmanager
def _ending(pool: ProcessPoolExecutor) -> Iterator[None]:
    """At an exception the batches that have not begun are given up."""
    try:
        yield
    finally:
        pool.shutdown(cancel_futures=True)


def _again(work: _Work) -> list[_Work] | None:
    """What to try after a worker has ended; None if the recording has had all its attempts."""
    if work.attempts + 1 < ATTEMPTS:
        return [work._replace(attempts=work.attempts + 1)]
    return [_Work((one,)) for one in work.batch] if len(work.batch) > 1 else None


def on_scheduler(work: Sequence[Batch], address: str) -> Iterator[tuple[Batch, Tables]]:
    """The same on a Dask scheduler, whose workers see the recordings at the same paths. Raises StudyError."""
    try:
        import distributed
    except ImportError as error:
        raise StudyError("--scheduler needs Dask: pip install 'rep-monitor[cluster]'") from error
    try:
        library: Any = distributed  # its functions have no types
        client = library.Client(address, timeout=REACHED_WITHIN_S)
    except (OSError, ValueError) as error:
        raise StudyError(f"no Dask scheduler answers at {address} ({error}): start one, or omit it") from error
    with client:
        _check_workers(client, address)
        running = {client.submit(replay_batch, batch, pure=False): batch for batch in work}
        pending = library.as_completed(running)
        for future in pending:
            batch = running.pop(future)
            try:
                yield batch, future.result()
            except distributed.KilledWorker:
                if len(batch) == 1:
                    yield batch, failed_batch(batch, ENDED)
                    continue
                for one in batch:
                    future = client.submit(replay_batch, (one,), pure=False)
                    running[future] = (one,)
                    pending.add(future)


def _check_workers(client: Any, address: str) -> None:
    """All workers must have the same detector as this process."""
    found = client.run(fingerprint)
    if not found:
        raise StudyError(f"the scheduler at {address} has no worker: start one with `dask worker {address}`")
    if others := sorted(worker for worker, theirs in found.items() if theirs != fingerprint()):
        raise StudyError(f"{', '.join(others)}: another version of rep-monitor; install {fingerprint()} there")
