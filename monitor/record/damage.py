"""Counts the records that are missing in a recording.

Every record has a number, so the number after a hole shows how many records were in it. After the last hole the total
count shows that, which a closed file contains.
"""

from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from monitor.record.records import PROFILE
from monitor.record.scan import DATA_END, HOLE, METADATA, Piece, metadata

Plain = tuple[str, int, bytes]  # the fields of a Record


class Damage(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a recording that could not be read."""

    offset_bytes: int
    length_bytes: int
    lost_records: int | None  # null: not known, because no record follows
    sentence: str

    @property
    def lossy(self) -> bool:
        return self.lost_records != 0


class LossCounter:
    """Takes every piece and every record of a file in order; `damage` lists the losses found so far."""

    def __init__(self, path: Path) -> None:
        self.damage: list[Damage] = []
        self._path = path
        self._next_number = 0
        self._holes: list[Piece] = []  # since the last record
        self._count: int | None = None  # of all records, if the file contains it
        self._ended = False  # after the data no record can be lost
        self._first_ns: int | None = None
        self._last_ns = 0

    def take_all(self, numbers: NDArray[np.int64], at_ns: NDArray[np.int64]) -> bool:
        """Takes a chunk that follows the one before, as nearly all do. Otherwise returns False: then use `take`."""
        following = self._next_number + len(numbers)
        if self._holes or self._first_ns is None or (numbers != np.arange(self._next_number, following)).any():
            return False
        if len(numbers):
            self._next_number, self._last_ns = following, int(at_ns[-1])
        return True

    def take(self, number: int, record: Plain, piece: Piece) -> bool:
        """Takes a record. Returns False for a duplicate, because a part of the file may be there twice."""
        topic, at_ns, _ = record
        if number < self._next_number:
            return False
        if self._holes or number > self._next_number:
            self._holes = self._holes or [Piece(piece.offset_bytes, 0, HOLE, why="records are missing")]
            self._settle(number - self._next_number, until_ns=at_ns)
        if self._first_ns is None and topic == "/wire":
            self._first_ns = at_ns
        self._next_number, self._last_ns = number + 1, at_ns
        return True

    def take_piece(self, piece: Piece) -> None:
        """Takes a piece without records."""
        if piece.opcode == HOLE:
            self._holes.append(piece)
            if self._ended:
                self._settle(0)
        elif piece.opcode == METADATA:
            count = metadata(piece.body, f"{PROFILE}-end").get("records", "")
            self._count = int(count) if count.isdecimal() else self._count
        elif piece.opcode == DATA_END:
            self._ended = True
            lost = None if self._count is None else max(0, self._count - self._next_number)
            if lost and not self._holes:
                self._holes = [Piece(piece.offset_bytes, 0, HOLE, why="records are missing")]
            if self._holes:
                self._settle(lost)

    def close(self) -> None:
        if self._holes:
            self._settle(None)

    def _settle(self, lost: int | None, until_ns: int | None = None) -> None:
        """Turns the open holes into one damage, whose number of lost records is now known."""
        first = self._holes[0]
        length_bytes = sum(hole.length_bytes for hole in self._holes)
        self._holes = []
        place = f"byte {first.offset_bytes}" + (f" to {first.offset_bytes + length_bytes}" if length_bytes else "")
        if lost == 0:
            loss = "no record is lost"
        elif lost is not None:
            loss = f"{lost} record{' is' if lost == 1 else 's are'} lost"
        else:
            loss = "its records are lost" if length_bytes else "its last second may be missing"
        if lost != 0 and self._first_ns is not None:
            loss += f", from {(self._last_ns - self._first_ns) / 1e9:.1f} s"
            loss += " on" if until_ns is None else f" to {(until_ns - self._first_ns) / 1e9:.1f} s"
        self.damage.append(
            Damage(
                offset_bytes=first.offset_bytes,
                length_bytes=length_bytes,
                lost_records=lost,
                sentence=f"{self._path}, {place}: {first.why}; {loss}",
            )
        )
