"""Writes sets as a spreadsheet (XLSX) with real dates and numbers; one row is in memory at a time."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.exceptions import FileCreateError

from monitor.gym.export.columns import columns
from monitor.gym.export.selection import ExportedSet, ExportRefused

MOST_ROWS = 1_048_575  # of a sheet, below its heading


def write_xlsx(path: Path, sets: Iterable[ExportedSet]) -> int:
    """Returns the number of rows. Raises OSError, ExportRefused."""
    with TemporaryDirectory(dir=path.parent, prefix=f".{path.name}-") as folder:  # for the rows until they are packed
        try:
            with Workbook(str(path), {"constant_memory": True, "tmpdir": folder}) as book:
                return _fill(book, sets)
        except FileCreateError as error:
            raise error.args[0] from error


def _fill(book: Any, sets: Iterable[ExportedSet]) -> int:
    count = 0
    table = columns()
    heading, moment = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    sheet = book.add_worksheet("Sets")
    sheet.freeze_panes(1, 0)
    for at, column in enumerate(table):
        sheet.set_column(at, at, column.width)
        sheet.write_string(0, at, column.name, heading)
    for count, one in enumerate(sets, 1):
        if count > MOST_ROWS:
            raise ExportRefused(f"a spreadsheet has at most {MOST_ROWS:,} rows: choose a shorter period, or csv")
        for at, column in enumerate(table):
            match column.value(one):
                case None:
                    pass
                case datetime() as value:  # a spreadsheet knows no zones; the heading says which it is
                    sheet.write_datetime(count, at, value.replace(tzinfo=None, microsecond=0), moment)
                case str() as value:  # also what looks like a formula
                    sheet.write_string(count, at, value)
                case bool() as value:
                    sheet.write_boolean(count, at, value)
                case value:
                    sheet.write_number(count, at, value)
    sheet.autofilter(0, 0, count, len(table) - 1)
    return count
