"""The way in: chunks of bytes to samples on the session clock, in whichever format the device speaks.

The session clock counts the device's seconds from the first sample that came over the wire (rows stamped earlier, the
head of a block that began before the session, are dropped and counted as late). It never wraps; after a restart of
the device arrival times carry it on, and the first row of each kind then has Flag.RESTART. The rows depend on the bytes
and on when they arrived, never on how they were split or grouped.
"""

from firmware_bridge.chunk import Chunk
from firmware_bridge.formats import Format
from firmware_bridge.formats.calibration import Calibration
from firmware_bridge.formats.link_counts import LinkCounts
from firmware_bridge.formats.messages import Hello, Message
from firmware_bridge.formats.registry import FORMATS
from firmware_bridge.samples import Samples


class Decoder:
    """Feed it chunks, one or many at a time, get samples."""

    def __init__(self, calibration: Calibration, format: Format = "frames", boot: Hello | None = None) -> None:
        """`boot` is the HELLO that came before the first chunk, where one is known."""
        self._reader = FORMATS[format].reader(calibration, boot)

    @property
    def counts(self) -> LinkCounts:
        """What came, what was refused, what is missing, up to now."""
        return self._reader.counts

    def feed(self, *chunks: Chunk) -> Samples:
        """The samples that these chunks complete. Raises ProtocolVersionError at a HELLO of another protocol."""
        return self._reader.feed(*chunks)

    def take_control(self) -> list[Message]:
        """HELLO, STATUS, PONG, ACK and EVENT since the last call, in order."""
        return self._reader.take_control()


def from_end_mark(chunks: list[Chunk], format: Format) -> list[Chunk]:
    """These chunks without what stands before their first end mark, where a link has split them within a block.

    Whoever begins there, with or without what the link has found, finds the same.
    """
    if not chunks or chunks[0].split is None or chunks[0].split.fresh:
        return chunks
    splitter = FORMATS[format].splitter()
    for k, chunk in enumerate(chunks):
        if (at := chunk.data.find(splitter.END)) >= 0:
            data = chunk.data[at:]
            return [Chunk(chunk.received_ns, data, splitter.split(data)), *chunks[k + 1 :]]
    return []
