"""Fixed pieces of work for comparisons: one process, one piece, done TIMES times.

python -m tests.benchmarks.work PIECE RECORDING TIMES
python -m tests.benchmarks.work PIECE RECORDING forked     once, and once more in a fork

`compare` runs this file with the modules of older commits, whose names and calls differ: they are looked up here.
"""

import asyncio
import os
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

LIVE_NS = 15_000_000_000  # of the stream


def replay(path: Path, feedback: bool = False) -> None:
    """The way of `rep-monitor replay`: from disk to events."""

    async def run() -> None:
        async for _ in _updates(path, feedback):
            pass

    asyncio.run(run())


def live(path: Path) -> None:
    """The way of the daemon, without waiting: the first seconds, a read when something may be due, with feedback."""
    from firmware_bridge.chunk import Chunk

    session, waiting, end_ns = None, b"", 0
    for record in _read(path):
        if record.topic != "/wire":
            continue
        session, end_ns = session or _session(path, record.at_ns), end_ns or record.at_ns + LIVE_NS
        waiting += record.data
        if record.at_ns > end_ns:
            break
        if record.at_ns >= (session.needed.at_ns if hasattr(session, "needed") else session.needed_ns):
            update = session.feed(Chunk(record.at_ns, waiting))
            waiting = b""
            if update.feedback and hasattr(session, "due_hz"):  # 85c23bb publishes everything
                session.due_hz(update.feedback[-1])


PIECES: dict[str, tuple[Callable[[Path], None], str]] = {
    "bulk": (replay, "fast"),
    "replay": (replay, "training"),
    "feedback": (lambda path: replay(path, feedback=True), "training"),
    "live": (live, "training"),
    "rest": (live, "rest"),
}  # what is done, and with which of the recordings that `compare` makes


def _updates(path: Path, feedback: bool) -> Any:
    playing = import_module("monitor.playback.playback")
    playback = playing.open_playback(path, None)
    if hasattr(playing, "analysis_of"):
        return playing.updates(playback, playing.analysis_of(playback, feedback=feedback), "max")
    return playing.updates(playback, "max", feedback=feedback)


def _read(path: Path) -> Any:
    return import_module("monitor.record.session_reader").read_session(path)


def _session(path: Path, now_ns: int) -> Any:
    """A session of the daemon that records nothing."""
    profile = import_module("monitor.playback.playback").open_playback(path, None).profile
    header = _read(path).header
    hello = import_module("monitor.record.replay").hello_of(header)
    if find_spec("monitor.live"):
        kind = import_module("monitor.live.session").Session
    else:
        kind = import_module("monitor.daemon.session").LiveSession
    return kind(profile, hello, "bench", header.created_utc, None, now_ns)


def main(piece: str, recording: str, times: str) -> None:
    work, forked = PIECES[piece][0], times == "forked"
    for _ in range(1 if forked else int(times)):
        work(Path(recording))
    if forked:
        if (child := os.fork()) == 0:
            work(Path(recording))
        elif os.waitpid(child, 0)[1] != 0:
            sys.exit("the fork failed")
        os._exit(0)  # both end alike


if __name__ == "__main__":
    main(*sys.argv[1:])
