"""Fixed pieces of work for comparisons: one process, one piece, done TIMES times.

python -m tests.benchmarks.work PIECE RECORDING TIMES
python -m tests.benchmarks.work PIECE RECORDING forked     once, and once more in a fork

It uses only what every commit has, because `compare` runs this file with the modules of older commits.
"""

import asyncio
import os
import sys
from pathlib import Path

from monitor.analysis.analysis import Analysis
from monitor.playback.playback import analysis_of, open_playback, updates
from monitor.record.replay import hello_of
from monitor.record.session_reader import read_session

READ_NS = 40_000_000  # the daemon reads once a tick of feedback
LIVE_NS = 15_000_000_000  # of the stream


def replay(path: Path, feedback: bool = False) -> None:
    """The way of `rep-monitor replay`: from disk to events."""

    async def run() -> None:
        playback = open_playback(path, None)
        async for _ in updates(playback, analysis_of(playback, feedback=feedback), "max"):
            pass

    asyncio.run(run())


def live(path: Path) -> None:
    """The way of the daemon, without waiting: the first seconds, every read alone, with feedback."""
    from firmware_bridge.chunk import Chunk

    playback = open_playback(path, None)
    file = read_session(path)
    analysis = Analysis(
        playback.profile,
        "live",
        playback.decoder,
        hello=hello_of(file.header) if file.header else None,
        feedback=True,
        gather=True,
    )
    data, due_ns, end_ns = b"", 0, None
    for record in file:
        if record.topic == "/wire":
            data += record.data
            end_ns = end_ns or record.at_ns + LIVE_NS
            if record.at_ns > end_ns:
                break
            if record.at_ns >= due_ns:
                analysis.feed(Chunk(record.at_ns, data))
                data, due_ns = b"", record.at_ns + READ_NS
    analysis.finish()


PIECES = {"replay": replay, "feedback": lambda path: replay(path, feedback=True), "live": live}


def main(piece: str, recording: str, times: str) -> None:
    forked = times == "forked"
    for _ in range(1 if forked else int(times)):
        PIECES[piece](Path(recording))
    if forked:
        if (child := os.fork()) == 0:
            PIECES[piece](Path(recording))
        elif os.waitpid(child, 0)[1] != 0:
            sys.exit("the fork failed")
        os._exit(0)  # both end alike


if __name__ == "__main__":
    main(*sys.argv[1:])
