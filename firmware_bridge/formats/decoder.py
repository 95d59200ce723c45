"""Turns chunks of bytes into samples on the session clock, in the format that the device sends.

The session clock counts the device's seconds from the first sample on the wire. (Rows with an earlier stamp, from a
block that began before the session, are dropped and counted as late.) It never wraps. After a restart of the device it
goes on by arrival times, and the first row of each kind has Flag.RESTART. The rows depend on the bytes and their
arrival times, never on how the bytes were split or grouped.

>>> decoder = Decoder(Calibration(metres_per_count=0.5, newtons_per_count=1), "lines-millis")
>>> samples = decoder.feed(Chunk(0, b"\\n1000,25,30\\n1010,"), Chunk(10_000_000, b"26,31\\n"))
>>> samples.t_s.tolist(), samples.position_m.tolist(), samples.force_n.tolist()
([0.0, 0.01], [12.5, 13.0], [30.0, 31.0])
"""

from firmware_bridge.chunk import Chunk, ChunkRun
from firmware_bridge.formats import Format
from firmware_bridge.formats.calibration import Calibration
from firmware_bridge.formats.link_counts import LinkCounts
from firmware_bridge.formats.messages import Hello, Message
from firmware_bridge.formats.registry import FORMATS
from firmware_bridge.samples import Samples


class Decoder:
    """Give it chunks, one or many at a time; it returns samples."""

    def __init__(self, calibration: Calibration, format: Format = "frames", boot: Hello | None = None) -> None:
        """`boot` is the HELLO that came before the first chunk, if it is known."""
        self._reader = FORMATS[format].reader(calibration, boot)

    @property
    def counts(self) -> LinkCounts:
        """What has come, what was refused, and what is missing, up to now."""
        return self._reader.counts

    def feed(self, *chunks: Chunk) -> Samples:
        """The samples that these chunks complete. Raises ProtocolVersionError at a HELLO of another protocol."""
        return self._reader.feed(*chunks)

    def feed_run(self, run: ChunkRun) -> Samples:
        """The same for many chunks of a recording."""
        return self._reader.feed_run(run)

    def take_control(self) -> list[Message]:
        """HELLO, STATUS, PONG, ACK and EVENT since the last call, in order."""
        return self._reader.take_control()


def from_end_mark(chunks: list[Chunk], format: Format) -> list[Chunk]:
    """The chunks from their first end mark on, if a link has split them and the first one begins inside a block.

    A decoder that begins there finds the same, with or without what the link has found.
    """
    if not chunks or chunks[0].split is None or chunks[0].split.fresh:
        return chunks
    splitter = FORMATS[format].splitter()
    for k, chunk in enumerate(chunks):
        if (at := chunk.data.find(splitter.END)) >= 0:
            data = chunk.data[at:]
            return [Chunk(chunk.received_ns, data, splitter.split(data)), *chunks[k + 1 :]]
    return []
