"""Reads the rows below a table's header as numbers.

There are two ways to the same numbers. The fast one reads plain numbers, as programs write them. If it finds anything
else, the careful one reads the file cell by cell: it reads every dialect, or names the mistake.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from monitor.record.table.clock import over_days, seconds
from monitor.record.table.errors import TableError, printable, shown
from monitor.record.table.layout import Layout, is_row
from monitor.record.table.numerals import Mistake, Numerals
from monitor.record.table.reading import units_option
from monitor.record.table.units import SI, unit_named

DECIMAL_COMMA = re.compile(rb"(?:[;\t|\n]|\A)[+-]?0,|,\d{1,2}(?!\d)|,\d{4}|\d{4},")  # separates no thousands
EMPTY_CELL = re.compile(rb",(?=[,\n]|\Z)")
_BEGINS = re.compile(r"\s*[+\-\u2212.,]?\d")
LONGEST_LINE = 1 << 16  # characters
BLOCK = 20_000  # rows in memory as text
NO_ROW_WORDS = "has no number, so it is no row of samples: put # in front of it"
TIME_WORDS = ", which is no time: write seconds or hh:mm:ss, or put # in front of a line without samples"
CUT_WORDS = "is the last one and ends in its middle, as if the tool had been stopped: delete this line"


class TableRows:
    """The rows of one table. The columns of the matrix are in the order of `keys`."""

    def __init__(self, path: Path, text: bytes, layout: Layout) -> None:
        self.path = path
        self.layout = layout
        self.keys = tuple(layout.at)
        self._body = text[layout.body :]

    def numbers(self) -> NDArray[np.float64]:
        """Shape (rows, keys), NaN for an empty cell. Raises TableError at the first cell that is not a number."""
        rows = self._fast()
        return self._careful() if rows is None else rows

    def mistake(self, row: int, key: str | None, words: str) -> TableError:
        """An error in a row (from 0), or in one of its cells, with its line in the file."""
        number, line = self._line(row)
        if key is None:
            return TableError(f"{self.path}, line {number} {words}")
        name = self.layout.names[self.layout.at[key]]
        cells = next(csv.reader([line], delimiter=self.layout.separator, skipinitialspace=True), [])
        cell = cells[self.layout.at[key]].strip()
        return TableError(f"{self.path}, line {number}: {printable(name)} is {shown(cell)}{words}")

    def line(self, row: int) -> int:
        """The number of a row's line in the file."""
        return self._line(row)[0]

    def _fast(self) -> NDArray[np.float64] | None:
        """All rows at once; None if there is anything besides plain numbers."""
        body, separator, width = self._body.rstrip(b"\n"), self.layout.separator.encode(), self.layout.width
        if body.count(separator) != (body.count(b"\n") + 1) * (width - 1) or b"\n" not in body[:LONGEST_LINE]:
            return None
        if separator != b",":
            if b"," in body:
                if b"." in body or not DECIMAL_COMMA.search(body):
                    return None
                body = body.replace(b",", b".")
            body = body.replace(separator, b",")
        rows, empty_cells = _loaded(body), 0
        if rows is None:
            body, empty_cells = EMPTY_CELL.subn(b",nan", body)
            rows = _loaded(body) if empty_cells else None
        if rows is None or rows.shape[1] != width or np.isnan(rows).sum() != empty_cells or np.isinf(rows).any():
            return None
        columns = list(self.layout.at.values())
        return rows if columns == list(range(width)) else rows[:, columns]

    def _careful(self) -> NDArray[np.float64]:
        numerals = Numerals()
        blocks = [np.empty((0, len(self.keys)))]
        rows = self._cells()
        done, of_day = 0, False
        while block := list(islice(rows, BLOCK)):
            times_s = self._clock(block)
            cells = [cell for row in block for cell in row]
            try:
                values = numerals.floats(cells)
            except Mistake as mistake:
                row, column = divmod(mistake.at, len(self.keys))
                units, key = self._unit_words(block[row]), self.keys[column]
                if units is None and not _has_digits(block[row]):
                    raise self.mistake(done + row, None, NO_ROW_WORDS) from None
                words = TIME_WORDS if key == "t" else str(mistake)
                raise self.mistake(done + row, key, units or words) from None
            blocks.append(values.reshape(-1, len(self.keys)))
            if times_s is not None:
                blocks[-1][:, self.keys.index("t")] = times_s
                of_day = True
            done += len(block)
        if numerals.doubtful:
            raise TableError(
                f"{self.path}: its commas may be decimal marks or separate thousands, because three digits follow each"
                ": write points as decimal marks, and thousands without separators"
            )
        numbers = np.concatenate(blocks)
        if of_day:
            at = self.keys.index("t")
            numbers[:, at] = over_days(numbers[:, at])
        return numbers

    def _clock(self, block: list[list[str]]) -> NDArray[np.float64] | None:
        """Takes times of day out of the cells; None if there are none."""
        if "t" not in self.keys or ":" not in block[0][at := self.keys.index("t")]:
            return None
        found = [seconds(row[at]) for row in block]
        for row, time_s in zip(block, found, strict=True):
            if time_s is not None:
                row[at] = ""
        return np.array(found, np.float64)

    def _cells(self) -> Iterator[list[str]]:
        """The cells of each row in the order of `keys`, as text."""
        layout, columns = self.layout, list(self.layout.at.values())
        reader = csv.reader(self._short_lines(), delimiter=layout.separator, skipinitialspace=True, strict=True)
        count = 0
        try:
            for row in reader:
                if reader.line_num != count + 1:
                    raise csv.Error
                if len(row) <= max(columns) or any(cell.strip() for cell in row[layout.width :]):
                    cut = not self._body.endswith(b"\n") and next(reader, None) is None
                    raise self.mistake(count, None, CUT_WORDS if cut else self._width_words(row))
                yield [row[column] for column in columns]
                count += 1
        except csv.Error:
            raise self.mistake(
                count, None, 'has an opening quote (") without a closing one: remove it, or close it'
            ) from None

    def _unit_words(self, cells: list[str]) -> str | None:
        """The end of the message for a row with units instead of numbers."""
        units = {q: unit_named(cell.strip(" []()")) for q, cell in zip(self.keys, cells, strict=True) if q in SI}
        known = {unit.quantity: unit for q, unit in units.items() if unit is not None and unit.quantity == q}
        if len(known) < len(units):
            return None
        return f", which is a unit: put # in front of this line and add {units_option(known)}"

    def _width_words(self, cells: Sequence[str]) -> str:
        if not _has_digits(cells):
            return NO_ROW_WORDS
        if len(cells) < self.layout.width:
            return f"has {len(cells)} cells and needs {self.layout.width}: an empty cell where nothing was measured"
        words = f"has {len(cells)} cells and needs {self.layout.width}: give every column a header"
        if self.layout.separator == ",":
            words += "; where commas are decimal marks, separate the cells by semicolons"
        return words

    def _short_lines(self) -> Iterator[str]:
        for number, line in self._lines():
            if len(line) > LONGEST_LINE:
                raise TableError(f"{self.path}, line {number} is longer than any row: end each row with a line end")
            yield line

    def _lines(self) -> Iterator[tuple[int, str]]:
        """The lines with a row, with their numbers in the file."""
        lines = io.TextIOWrapper(io.BytesIO(self._body), "utf-8", errors="replace", newline="\n")
        return ((n, line) for n, line in enumerate(lines, self.layout.line + 1) if is_row(line))

    def _line(self, row: int) -> tuple[int, str]:
        """The number and text of a row's line. It is slow, and used only for errors."""
        return next(islice(self._lines(), row, None))


def _has_digits(cells: Sequence[str]) -> bool:
    """True if one of the cells may be a number."""
    return any(_BEGINS.match(cell) for cell in cells)


def _loaded(body: bytes) -> NDArray[np.float64] | None:
    """Numbers separated by commas; None if one cell is not a number."""
    try:
        return np.loadtxt(io.TextIOWrapper(io.BytesIO(body), "latin1"), delimiter=",", comments=None, ndmin=2)
    except ValueError:
        return None
