"""A recording as a source of chunks, as from a serial port.

The chunks are exactly those that were recorded, with their arrival times. At speed 1 or 10 they also come at these
times. Known gaps come between them, at their place in the stream.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Literal

from firmware_bridge.chunk import Chunk, ChunkRun, joined_runs
from firmware_bridge.formats.calibration import Calibration
from firmware_bridge.formats.decoder import Decoder
from firmware_bridge.formats.messages import Hello, MessageError
from monitor.record.records import Gap, Header
from monitor.record.session_reader import SessionFile, SessionFileError

Speed = Literal[1, 10, "max"]
BATCH_BYTES = 256 << 10
_YIELD_EVERY = 64  # chunks at full speed, after which other tasks may run


async def replay(session: SessionFile, speed: Speed) -> AsyncIterator[Chunk | Gap]:
    """Everything that a replay needs, in stream order, at a multiple of real time or without pauses."""
    loop = asyncio.get_running_loop()
    began_s, first_ns, count = loop.time(), None, 0
    for item in session.replayable():
        if isinstance(item, Chunk):
            count += 1
            first_ns = item.received_ns if first_ns is None else first_ns
            if speed != "max":
                due_s = began_s + (item.received_ns - first_ns) / 1e9 / speed
                if (wait_s := due_s - loop.time()) > 0:
                    await asyncio.sleep(wait_s)
            elif count % _YIELD_EVERY == 0:
                await asyncio.sleep(0)
        yield item


def batches(session: SessionFile, batch_bytes: int = BATCH_BYTES) -> Iterator[ChunkRun | Gap]:
    """The same without pauses, with many chunks at a time for `Decoder.feed_run`."""
    held: list[ChunkRun] = []
    for item in session.replayable_parts():
        if isinstance(item, Gap):
            yield from _pieces(held, batch_bytes)
            yield item
            held = []
            continue
        held.append(item)
        if sum(len(run.data) for run in held) >= batch_bytes:
            *full, rest = _pieces(held, batch_bytes)
            yield from full
            held = [rest]
    yield from _pieces(held, batch_bytes)


def _pieces(runs: list[ChunkRun], batch_bytes: int) -> Iterator[ChunkRun]:
    """These runs as one, cut where it is longer than a batch."""
    run = joined_runs(runs)
    while n := len(run.ends):
        fitting = max(1, int(run.ends.searchsorted(batch_bytes, "right")))
        yield run.part(0, fitting)
        run = run.part(fitting, n)


def hello_of(header: Header) -> Hello | None:
    """The device's HELLO from before the recording. Raises MessageError."""
    return None if header.hello is None else Hello.from_body(header.hello)


def decoder_of(header: Header) -> Decoder:
    """The decoder before the first chunk of a recording. Raises SessionFileError if the header is insufficient."""
    try:
        return Decoder(Calibration(**header.calibration), header.wire_format, hello_of(header))
    except (TypeError, ValueError, MessageError) as error:
        raise SessionFileError(
            f"session {header.session} cannot be decoded: {error}; replay it with --config"
        ) from error
