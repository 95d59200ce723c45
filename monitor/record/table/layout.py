"""Finds the header of a table: its line, the separator of the cells, and the place of each column."""

import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from monitor.record.table.errors import TableError, shown
from monitor.record.table.headers import likely, suggestion
from monitor.record.table.numerals import is_number
from monitor.record.table.reading import COLUMNS, FLAGS, HEADERS, Reading
from monitor.record.table.units import QUANTITIES, Quantity

SEPARATORS = ",;\t|"
OTHER_QUOTES = ("'", "`", "\u2018", "\u201c", "\u201e", "\u00ab", "\u00bb")
WITHIN_LINES = 50  # the header must be in these; a tool may write about itself above it
WITHIN_BYTES = 1 << 16
_DECLARED = re.compile(r'"?sep=(.)"?[,;\s]*', re.IGNORECASE)


class Layout(NamedTuple):
    """The place of the rows and of their columns."""

    line: int  # of the header, from 1
    body: int  # bytes before the first row
    separator: str
    names: tuple[str, ...]
    at: dict[str, int]  # "t", "x", "f", "flags": the column's number, from 0

    @property
    def width(self) -> int:
        return len(self.names)


class TextLine(NamedTuple):
    number: int  # from 1
    end: int  # bytes up to the next line
    text: str


def layout_of(path: Path, text: bytes, reading: Reading) -> Layout:
    """Finds the header. Raises TableError if no line contains the columns."""
    lines = list(_head(text))
    if not lines:
        raise TableError(f"{path} is empty: its first line must be {','.join(COLUMNS)}")
    declared = _DECLARED.fullmatch(lines[0].text) if lines[0].number == 1 else None
    first, *others = (declared[1] if declared else ""), *SEPARATORS
    separators = [*([first] if first in SEPARATORS and first else []), *others]
    lines = lines[1:] if declared else lines
    for line in lines:
        for separator in separators:
            names = split(line.text, separator)
            at = _places(path, line.number, names, reading)
            if at is not None:
                return Layout(line.number, line.end, separator, names, at)
    raise TableError(_no_header(path, lines, reading))


def split(line: str, separator: str) -> tuple[str, ...]:
    """The cells of one line, without empty ones at its end; an empty list if its quotes are wrong."""
    try:
        cells = next(csv.reader([line], delimiter=separator, skipinitialspace=True, strict=True), [])
    except csv.Error:
        return ()
    while cells and not cells[-1].strip():
        cells.pop()
    return tuple(cell.strip() for cell in cells)


def is_row(line: str) -> bool:
    """True if a line has content besides separators, and is not a comment."""
    return bool(line.strip(' \t,;|"\n')) and not line.lstrip(' "').startswith("#")


def _head(text: bytes) -> Iterator[TextLine]:
    """The first lines with content."""
    begin = number = found = 0
    while begin < min(len(text), WITHIN_BYTES) and found < WITHIN_LINES:
        end = text.find(b"\n", begin)
        end = len(text) if end < 0 else end + 1
        number += 1
        line = _decoded(text[begin : min(end, begin + WITHIN_BYTES)]).rstrip("\n")
        if is_row(line):
            yield TextLine(number, end, line)
            found += 1
        begin = end


def _decoded(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace")  # the encoding of old Windows tools


def _places(path: Path, line: int, names: Sequence[str], reading: Reading) -> dict[str, int] | None:
    """The place of each column; None if one is missing."""
    wanted: dict[Quantity, str] = {q: reading.header(q) for q in QUANTITIES if reading.header(q)}
    at: dict[str, int] = {}
    for key, header in [*wanted.items(), (FLAGS, FLAGS)]:
        same = [i for i, name in enumerate(names) if name == header]
        same = same or [i for i, name in enumerate(names) if name.casefold() == header.casefold()]
        if not same and key in QUANTITIES:
            return None
        if len(same) > 1:
            raise TableError(f"{path}, line {line} has {shown(header)} twice: rename one of the columns")
        if same:
            at[key] = same[0]
    return at


def _cut(line: str) -> tuple[str, ...]:
    """Its names. A header may contain a comma, but rarely a tab or a bar."""
    cut = [split(line, separator) for separator in reversed(SEPARATORS)]
    return next((names for names in cut if len(names) > 1), cut[0])


def _no_header(path: Path, lines: Sequence[TextLine], reading: Reading) -> str:
    """The message about missing columns, with the remedy."""
    if not lines:
        return f"{path} is empty: its first line must be {','.join(COLUMNS)}"
    line, names = max(((line, _cut(line.text)) for line in lines), key=lambda found: likely(found[1]))
    wanted = [reading.header(q) for q in QUANTITIES if reading.header(q)]
    where = f"{path}, line {line.number}"
    if names and all(is_number(name) for name in names):
        return f"{where} contains numbers and no headers: put {','.join(COLUMNS)} in front, or the tool's own headers"
    if len(names) < 2:
        return (
            f"{where} is {shown(line.text)}: it must name the columns {','.join(wanted)},"
            " separated by commas, semicolons, tabs or bars (|)"
        )
    if all(name.startswith(OTHER_QUOTES) for name in names):
        quoted = f"{where} has its headers in {names[0][0]} quotes"
        return f'{quoted}: write double quotes ("), or none, in the whole table'
    has = f"{where} has the columns {', '.join(shown(name) for name in names[:12])}"
    missing = [name for name in wanted if name not in names]
    if reading.columns:
        none = ", or t= if there is no time" if HEADERS["t"] in missing else ""
        return f"{has}, but lacks {' and '.join(map(shown, missing))}: give --columns its headers{none}"
    return f"{has}, but lacks {' and '.join(missing)}: {suggestion(names)}"
