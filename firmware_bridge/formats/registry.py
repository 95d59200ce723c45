"""The wire formats by name. To add one: write its file, add its name to `Format`, and add a row here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from firmware_bridge.chunk import Chunk, ChunkRun
from firmware_bridge.formats import Format
from firmware_bridge.formats.calibration import Calibration
from firmware_bridge.formats.frames import FrameReader, position_stamps
from firmware_bridge.formats.framing import Deframer
from firmware_bridge.formats.lines import MICROS, MILLIS, LineReader, LineSplitter, Shape, line_stamps
from firmware_bridge.formats.link_counts import LinkCounts
from firmware_bridge.formats.messages import Hello, Message
from firmware_bridge.formats.splitting import Splitter
from firmware_bridge.samples import Samples


class Reader(Protocol):
    """Turns chunks into samples on the session clock. `decoder` says what the methods do."""

    @property
    def counts(self) -> LinkCounts: ...

    def feed(self, *chunks: Chunk) -> Samples: ...

    def feed_run(self, run: ChunkRun) -> Samples: ...

    def take_control(self) -> list[Message]: ...


@dataclass(frozen=True, slots=True)
class WireFormat:
    """What the link and the decoder need to know of a format."""

    splitter: Callable[[], Splitter[Any]]
    reader: Callable[[Calibration, Hello | None], Reader]  # with the HELLO that came before the first chunk, if any
    answers: bool  # whether the device speaks protocol 1: HELLO and START are sent to it
    stamps: Callable[[list[Any]], list[int]]  # in what a splitter has found; their steps show the device's clock
    tick_us: int  # of these stamps


def _lines(shape: Shape) -> WireFormat:
    return WireFormat(
        lambda: LineSplitter(shape),
        lambda calibration, _: LineReader(calibration, shape),
        answers=False,
        stamps=line_stamps,
        tick_us=shape.tick_us,
    )


FORMATS: dict[Format, WireFormat] = {
    "frames": WireFormat(Deframer, FrameReader, answers=True, stamps=position_stamps, tick_us=1),
    "lines-millis": _lines(MILLIS),
    "lines-micros": _lines(MICROS),
}
