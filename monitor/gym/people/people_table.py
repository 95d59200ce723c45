"""Reads a table of people (CSV) into rows of text, whatever program wrote it; the error names the line and the remedy.

    client_id,name,consent_on,...          the names of COLUMNS, in any order; what is left out stays as it is

Cells are separated by commas, semicolons or tabs. A cell that a spreadsheet would take for a formula has an apostrophe
before it, which is removed here.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from monitor.gym.people.errors import PeopleTableError
from monitor.gym.people.people_cells import COLUMNS, Cells
from monitor.record.table.errors import TableError, shown
from monitor.record.table.layout import SEPARATORS, split
from monitor.record.table.text import as_text

MOST_BYTES = 4 * 2**20
MOST_ROWS = 20_000
FORMULA = re.compile(r"'*[=+\-@\t\r]")
_DECLARED = re.compile(r'"?sep=([,;\t])"?[,;\s]*', re.IGNORECASE)


class PeopleRow(NamedTuple):
    """The cells by column, as a person typed them."""

    line: int  # where it begins, from 1
    cells: Cells


def people_text(data: bytes) -> str:
    """The text of a file in UTF-8 or UTF-16. Raises PeopleTableError."""
    if len(data) > MOST_BYTES:
        raise PeopleTableError([f"the table is larger than {MOST_BYTES >> 20} MiB: split it"])
    try:
        text = as_text(data, "the table")
    except TableError as error:
        raise PeopleTableError([str(error)]) from error
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise PeopleTableError([f'line {line} is not UTF-8: save the table as "CSV UTF-8"']) from error


def guarded(text: str) -> str:
    """A cell that no spreadsheet takes for a formula.

    >>> guarded("=1+1"), guarded("'=1+1"), guarded("a=1"), unguarded("'=1+1")
    ("'=1+1", "''=1+1", 'a=1', '=1+1')
    """
    return f"'{text}" if FORMULA.match(text) else text


def unguarded(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell


def people_rows(text: str) -> list[PeopleRow]:
    """All rows below the header. Raises PeopleTableError."""
    if len(text) > MOST_BYTES:
        raise PeopleTableError([f"the table is larger than {MOST_BYTES >> 20} MiB: split it"])
    text = text.removeprefix("\ufeff")
    first, _, rest = text.partition("\n")
    declared = _DECLARED.fullmatch(first.strip())
    if declared:
        text = f"\n{rest}"
    records = _records(text, _separator(text, declared[1] if declared else SEPARATORS[0]))
    header = next(records, None)
    if header is None:
        raise PeopleTableError([f"the table is empty: its first line must be {','.join(COLUMNS)}"])
    names = _names(*header)
    rows, mistakes = [], []
    for line, cells in islice(records, MOST_ROWS + 1):
        if len(cells) < len(names) or any(cell.strip() for cell in cells[len(names) :]):
            mistakes.append(f"line {line} has {len(cells)} cells and needs {len(names)}: one for each column")
        rows.append(PeopleRow(line, {name: unguarded(cell).strip() for name, cell in zip(names, cells, strict=False)}))
    if len(rows) > MOST_ROWS:
        mistakes = [f"the table has more than {MOST_ROWS} rows: split it"]
    if mistakes:
        raise PeopleTableError(mistakes)
    return rows


def _separator(text: str, declared: str) -> str:
    """The one that finds most columns in the first line with content."""
    header = next((line for line in text.split("\n", 2) if line.strip()), "")

    def columns(separator: str) -> int:
        return len({*map(str.casefold, split(header, separator))} & {*COLUMNS})

    separators: list[str] = [declared, *SEPARATORS]
    return max(separators, key=columns)


def _records(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """The rows with content, with the line where each begins."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True, strict=True)
    line = 0
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield line + 1, cells
            line = reader.line_num
    except csv.Error as error:
        if "field limit" in str(error):
            words = f"line {line + 1} has a cell of more than {csv.field_size_limit()} characters: shorten it"
            raise PeopleTableError([words]) from error
        words = f'line {line + 1} has an opening quote (") without a closing one: remove it, or close it'
        raise PeopleTableError([words]) from error


def _names(line: int, cells: Sequence[str]) -> list[str]:
    """The columns in the order of the header, without empty ones at its end."""
    names = [cell.strip().casefold() for cell in cells]
    while not names[-1]:
        names.pop()
    if not {"client_id", "name"} & {*names}:
        raise PeopleTableError([f"line {line} has no column client_id or name: it must be {','.join(COLUMNS)}"])
    known = f"the columns are {', '.join(COLUMNS)}"
    mistakes = [f"line {line}: {shown(name)} is no column; {known}" for name in names if name not in COLUMNS]
    mistakes += [f"line {line}: the column {name} is there twice" for name in COLUMNS if names.count(name) > 1]
    if mistakes:
        raise PeopleTableError(mistakes)
    return names
