"""A table of samples (CSV) becomes samples: the second way in, one hop after the wire.

    t_s,displacement_m,force_n          seconds that only grow; metres, up positive; newtons, pull positive
    0.000,0.31050,163.1
    0.016,0.31052,                      an empty cell: not measured in this row

A fourth column `flags` (bits of `Flag`) may follow, as `export` writes it. A table is taken whole or not at all: the
first mistake is told with its line, and no row is used, for half a set would only look like a set.
"""

import io
import math
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.samples import Samples

COLUMNS = ("t_s", "displacement_m", "force_n")
WITH_FLAGS = (*COLUMNS, "flags")
_EMPTY_CELL = re.compile(rb",(?=[,\r\n]|\Z)")


class TableError(Exception):
    """The table cannot be used; the sentence names the line and the remedy."""


def read_table(path: Path) -> Samples:
    try:
        data = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    except OSError as error:
        raise TableError(f"{path} cannot be read: {error.strerror}") from error
    head, _, body = data.partition(b"\n")
    columns = _columns(path, head)
    if not body.strip():
        raise TableError(f"{path} has a header and no rows: record something first")
    rows, empty_cells = _parse(body)
    if rows is None or rows.shape[1] != len(columns) or not _is_sound(rows, empty_cells):
        raise TableError(f"{path}, {_first_mistake(body, len(columns))}")
    flags = rows[:, 3].astype(np.uint8) if columns == WITH_FLAGS else np.zeros(len(rows), np.uint8)
    return Samples(rows[:, 0].copy(), rows[:, 1].copy(), rows[:, 2].copy(), flags)


def _columns(path: Path, head: bytes) -> tuple[str, ...]:
    if not head.strip():
        raise TableError(f"{path} is empty: its first line must be {','.join(COLUMNS)}")
    names = tuple(name.strip() for name in head.decode(errors="replace").split(","))
    if names in (COLUMNS, WITH_FLAGS):
        return names
    missing = [name for name in COLUMNS if name not in names]
    what = f"lacks {' and '.join(missing)}" if missing else "has other columns or another order"
    raise TableError(f"{path}, line 1 {what}: it must be {','.join(COLUMNS)}")


def _parse(body: bytes) -> tuple[NDArray[np.float64] | None, int]:
    """All rows at once, or None where one of them is odd; and how many cells are empty."""
    filled, empty_cells = _EMPTY_CELL.subn(b",nan", body)
    try:
        return np.loadtxt(
            io.TextIOWrapper(io.BytesIO(filled), "latin1"), delimiter=",", comments=None, ndmin=2
        ), empty_cells
    except ValueError:
        return None, empty_cells


def _is_sound(rows: NDArray[np.float64], empty_cells: int) -> bool:
    """Time grows, flags are flags, and nothing is infinite or missing but the empty cells."""
    t_s, measured, flags = rows[:, 0], rows[:, 1:3], rows[:, 3:]
    return bool(
        np.isfinite(t_s).all()
        and (np.diff(t_s) > 0).all()
        and np.isnan(measured).sum() == empty_cells
        and not np.isinf(measured).any()
        and np.isin(flags, np.arange(256)).all()
    )


def _first_mistake(body: bytes, columns: int) -> str:
    """The first mistake, looked for line by line: slow, and only where there is one."""
    before_s = -math.inf
    for number, line in enumerate(body.splitlines(), start=2):
        if not line:
            continue
        cells = line.decode(errors="replace").split(",")
        if len(cells) != columns:
            return f"line {number} has {len(cells)} cells and needs {columns}: commas between, points as decimal marks"
        for name, cell in zip(WITH_FLAGS, cells, strict=False):
            if mistake := _cell_mistake(name, cell):
                return f"line {number}: {mistake}"
        t_s = float(cells[0])
        if t_s <= before_s:
            way = "stands still" if t_s == before_s else "goes backwards"
            return (
                f"line {number}: time {way} ({t_s:g} s after {before_s:g} s): put the rows in order, each instant once"
            )
        before_s = t_s
    return "some line cannot be read: write plain decimal numbers"


def _number(cell: str) -> float | None:
    """As numpy reads it: 1_000 and digits of other scripts are numbers to Python alone."""
    try:
        return float(cell) if cell.isascii() and "_" not in cell else None
    except ValueError:
        return None


def _cell_mistake(name: str, cell: str) -> str | None:
    if not cell and name in COLUMNS[1:]:
        return None
    value = _number(cell)
    if value is None:
        return f"{name} is {cell.strip()!r}, not a number: write a decimal number" + (
            ", or nothing where it was not measured" if name in COLUMNS[1:] else ""
        )
    if not math.isfinite(value):
        return f"{name} is {cell.strip()}: leave the cell empty where nothing was measured"
    if name == "flags" and value not in range(256):
        return f"flags is {cell.strip()}: whole numbers from 0 to 255"
    return None
