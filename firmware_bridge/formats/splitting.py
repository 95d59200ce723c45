"""Bytes cut at end marks into blocks, however they were split on the way: what frames and lines have in common.

    stream    ... block | end | block | end | block ...
    chunks    .. |      .  |       .     |   .  | ..            any cuts; what is found depends on the bytes alone

A block longer than any good one is dropped as it comes, so memory stays bounded under endless noise.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from firmware_bridge.chunk import Chunk, Split

Item = TypeVar("Item")


@dataclass(slots=True)
class SplitCounts:
    """What became of everything between two end marks."""

    good: int = 0
    bad_crc: int = 0
    bad_shape: int = 0  # too short, too long, no COBS; in the line formats: not the fields that a line has
    garbage_bytes: int = 0  # in the bad ones


class Splitter(ABC, Generic[Item]):
    """`feed` it bytes, or let it `take` chunks; get what the blocks hold that are now complete."""

    END: ClassVar[bytes]
    LONGEST_BYTES: ClassVar[int]  # of a block
    START: ClassVar[bytes | None]  # of `held`: None where a stream may begin inside a block

    def __init__(self) -> None:
        self.counts = SplitCounts()
        self.held = self.START  # the beginning of an unfinished block; None inside one that is dropped

    @abstractmethod
    def _read(self, block: bytes) -> Item | None:
        """What the block holds; None where nothing, which is counted where it is a fault."""

    def feed(self, data: bytes) -> list[Item]:
        """Take the next bytes, return what they complete."""
        blocks = (self.held + data if self.held else data).split(self.END)
        tail = blocks.pop()
        if self.held is None and blocks:
            self.counts.garbage_bytes += len(blocks.pop(0))
            self.held = b""
        items = []
        for block in blocks:
            if (item := self._read(block)) is not None:
                items.append(item)
        self.counts.good += len(items)
        if tail or self.held is None:
            self._hold(tail)
        else:
            self.held = b""
        return items

    def split(self, data: bytes) -> Split:
        """The same, with what it adds to the counts."""
        counts, fresh = self.counts, self.held == self.START
        bad_crc, bad_shape, garbage_bytes = counts.bad_crc, counts.bad_shape, counts.garbage_bytes
        found = self.feed(data)
        return Split(
            found, counts.bad_crc - bad_crc, counts.bad_shape - bad_shape, counts.garbage_bytes - garbage_bytes, fresh
        )

    def take(self, chunk: Chunk) -> list[Item]:
        """What the chunk completes: as its link has found it already, or else by its bytes."""
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
        """Keep an unfinished block for the next bytes, unless it is too long to become a good one."""
        if self.held is not None and len(tail) > self.LONGEST_BYTES:
            self.counts.bad_shape += 1
            self.held = None
        if self.held is None:
            self.counts.garbage_bytes += len(tail)
        else:
            self.held = tail
