"""Cuts a byte stream at its end marks into blocks: what frames and lines have in common.

    stream    ... block | end | block | end | block ...
    chunks    ..  |         |          |            | .       cut anywhere: what is found depends on the bytes alone

A block that is longer than any good one is dropped as it comes, so memory stays bounded under endless noise.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from firmware_bridge.chunk import Chunk, Split

Item = TypeVar("Item")


@dataclass(slots=True)
class SplitCounts:
    """What became of the blocks between two end marks."""

    good: int = 0
    bad_crc: int = 0
    bad_shape: int = 0  # too short, too long, or not COBS; in the line formats: not the fields of a line
    garbage_bytes: int = 0  # in the bad ones


class Splitter(ABC, Generic[Item]):
    """Give it bytes (`feed`) or chunks (`take`); it returns the content of the blocks that are now complete."""

    END: ClassVar[bytes]  # one byte
    LONGEST_BYTES: ClassVar[int]  # of a block
    START: ClassVar[bytes | None]  # the first value of `held`: None if a stream may begin inside a block

    def __init__(self) -> None:
        self.counts = SplitCounts()
        self.held = self.START  # the beginning of an unfinished block; None inside a block that is dropped

    @abstractmethod
    def _read(self, block: bytes) -> Item | None:
        """The content of the block; None if it has none. A bad block is counted."""

    def feed(self, data: bytes) -> list[Item]:
        """The content of the blocks that these bytes complete."""
        items = [item for block in self._blocks(data) if (item := self._read(block)) is not None]
        self.counts.good += len(items)
        return items

    def _blocks(self, data: bytes) -> list[bytes]:
        """The blocks that these bytes complete, without one that is dropped."""
        return self._complete(data).split(self.END)[:-1]

    def _complete(self, data: bytes) -> bytes:
        """The same blocks, each with its end mark; the rest is held."""
        begun = self.held or b""
        last = data.rfind(self.END) + 1
        if not last:
            self._hold(begun + data)
            return b""
        first = 0
        if self.held is None:
            first = data.find(self.END) + 1
            self.counts.garbage_bytes += first - 1
        self.held = b""
        self._hold(data[last:])
        return begun + data[first:last]

    def split(self, data: bytes) -> Split:
        """The same, with what these bytes add to the counts."""
        counts, fresh = self.counts, self.held == self.START
        bad_crc, bad_shape, garbage_bytes = counts.bad_crc, counts.bad_shape, counts.garbage_bytes
        found = self.feed(data)
        return Split(
            found, counts.bad_crc - bad_crc, counts.bad_shape - bad_shape, counts.garbage_bytes - garbage_bytes, fresh
        )

    def take(self, chunk: Chunk) -> list[Item]:
        """The same for a chunk: what its link has found in it already, or else what its bytes complete."""
        split = chunk.split
        if split is None:
            return self.feed(chunk.data)
        counts = self.counts
        counts.good += len(split.found)
        counts.bad_crc += split.bad_crc
        counts.bad_shape += split.bad_shape
        counts.garbage_bytes += split.garbage_bytes
        return split.found

    def _refuse(self, block: bytes, *, crc: bool = False) -> None:
        self.counts.bad_crc += crc
        self.counts.bad_shape += not crc
        self.counts.garbage_bytes += len(block)

    def _hold(self, tail: bytes) -> None:
        """Keep an unfinished block for the next bytes, unless it is too long to be a good one."""
        if self.held is not None and len(tail) > self.LONGEST_BYTES:
            self.counts.bad_shape += 1
            self.held = None
        if self.held is None:
            self.counts.garbage_bytes += len(tail)
        else:
            self.held = tail
