"""Collects samples into blocks for frames; a block ends when it is full, or before a sample with other flags."""

from dataclasses import dataclass

from firmware_bridge.simulator.meter import Stream


@dataclass(slots=True)
class BlockSamples:
    """The samples of one frame."""

    stamps_us: list[int]
    counts: list[int]
    flags: int = 0
    idx: int = 0  # running number of its first sample


class Blocks:
    """The blocks of one stream; running numbers go on from block to block."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._open = BlockSamples([], [])

    def begin_anew(self) -> None:
        """Drop the unfinished block: the next samples are on another grid."""
        self._open = BlockSamples([], [], idx=self._open.idx)

    def add(self, stream: Stream) -> list[BlockSamples]:
        """The blocks that these samples complete."""
        full = []
        rows = zip(stream.stamp_us.tolist(), stream.counts.tolist(), stream.flags.tolist(), strict=True)
        for stamp_us, counts, flags in rows:
            if self._open.counts and flags != self._open.flags:
                full.append(self._close())
            self._open.flags = flags
            self._open.stamps_us.append(stamp_us)
            self._open.counts.append(counts)
            if len(self._open.counts) == self.size:
                full.append(self._close())
        return full

    def _close(self) -> BlockSamples:
        block = self._open
        self._open = BlockSamples([], [], idx=block.idx + len(block.counts))
        return block
