"""Reads and checks a table of samples, which enters the analysis after the decoder."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.samples import Samples
from monitor.record.table.errors import TableError, printable, shown
from monitor.record.table.layout import Layout, layout_of
from monitor.record.table.plausible import check_units
from monitor.record.table.reading import FLAGS, Reading, units_option
from monitor.record.table.rows import TableRows
from monitor.record.table.sensors import encoder_step_m, readings
from monitor.record.table.stamps import Stamped, stamped
from monitor.record.table.text import read_text
from monitor.record.table.units import EXAMPLES, QUANTITIES, Quantity, other_unit_in, unit_in

MOST_GAP_S = 366 * 86400.0
AGAIN_SHARE = 0.1  # of the time so far: back before that, the time begins again
COARSE_SHARE = 0.2  # of the rows have the time of the row before: it was rounded when it was written
LIMITS: dict[Quantity, tuple[float, str]] = {
    "t": (1e11, "not a possible time: write seconds from any beginning"),
    "x": (1e3, "not a possible position: leave the cell empty if nothing was measured"),
    "f": (1e5, "not a possible force: leave the cell empty if nothing was measured"),
}


class Table(NamedTuple):
    """All rows of a table, and what they show about its sensors."""

    samples: Samples  # with the times of the table
    encoder_step_m: float | None  # None if the positions show no step
    reading: Reading
    remarks: Sequence[str] = ()  # for a person, each with its remedy


def read_table(path: Path, reading: Reading | None = None) -> Table:
    """Reads a table; `reading` describes a foreign one. Raises TableError if anything is wrong."""
    reading = reading or Reading()
    text = read_text(path)
    layout = layout_of(path, text, reading)
    _agree_on_units(path, layout, reading)
    body = TableRows(path, text, layout)
    rows = body.numbers()
    if not len(rows):
        raise TableError(f"{path} has a header and no rows: record something first")
    columns = {key: rows[:, i].copy() for i, key in enumerate(body.keys)}
    columns.setdefault("t", np.arange(len(rows), dtype=np.float64))
    _check_times(body, columns["t"])
    si = {q: reading.unit(q).si(columns[q]) for q in QUANTITIES if q in columns}
    check_units(path, layout, reading, si)
    _check_limits(body, si)
    nothing = np.full(len(rows), np.nan)
    t_s, position_m, force_n = si["t"], si.get("x", nothing), si.get("f", nothing)
    own = FLAGS in columns  # our own export has the times of the device, and rows that repeat nothing
    host = None if own else stamped(t_s, position_m)
    if host is not None and host.even_s is not None:
        t_s = host.even_s
    else:
        _check_growth(body, columns["t"], rows)
    flags = _flags(body, columns[FLAGS]) if own else np.zeros(len(rows), np.uint8)
    samples = Samples(t_s, position_m, force_n if own else readings(t_s, force_n), flags)
    remarks = [] if host is None else [_remark(body, host)]
    return Table(samples, encoder_step_m(position_m), reading, remarks)


def _agree_on_units(path: Path, layout: Layout, reading: Reading) -> None:
    """Raises TableError if a header names a unit that is not SI and no option gives the unit."""
    for quantity in QUANTITIES:
        if quantity not in layout.at or quantity in reading.units:
            continue
        name = layout.names[layout.at[quantity]]
        unit = unit_in(name, quantity)
        if unit is None and (other := other_unit_in(name)):
            what = f"is in {shown(other)}: add what one of them is, as in --units {EXAMPLES[quantity]}"
            raise TableError(f"{path}, line {layout.line}: {printable(name)} {what}")
        if unit is not None and unit != reading.unit(quantity):
            remedy = units_option({**reading.units, quantity: unit})
            raise TableError(f"{path}, line {layout.line}: {printable(name)} is in {unit.words}: add {remedy}")


def _check_times(body: TableRows, t: NDArray[np.float64]) -> None:
    """Raises TableError unless every row has a time, and times never go back; in the table's own unit."""
    missing = np.isnan(t)
    if missing.any():
        raise body.mistake(int(missing.argmax()), "t", ", not a number: every row needs its time")
    back = np.diff(t) < 0
    if back.any():
        row = int(back.argmax()) + 1
        again = t[row - 1] > t[0] and t[row] <= t[0] + AGAIN_SHARE * (t[row - 1] - t[0])
        remedy = "split the table here" if again else "put the rows in order, each time once"
        words = f", but time goes backwards ({t[row]:g} after {t[row - 1]:g}): {remedy}"
        raise body.mistake(row, "t", words)


def _check_growth(body: TableRows, t: NDArray[np.float64], rows: NDArray[np.float64]) -> None:
    """Raises TableError if times that never go back stand still."""
    still = np.diff(t) == 0
    if still.any():
        row = int(still.argmax()) + 1
        same = (rows[1:] == rows[:-1]) | (np.isnan(rows[1:]) & np.isnan(rows[:-1]))
        remedy = "write it with more digits" if still.mean() > COARSE_SHARE else "put the rows in order, each time once"
        remedy = "remove the rows that are there twice" if same[still].all() else remedy
        raise body.mistake(row, "t", f", but time stands still ({t[row]:g} after {t[row - 1]:g}): {remedy}")


def _remark(body: TableRows, host: Stamped) -> str:
    """What was done about stamps that are not the times of measurement."""
    name = printable(body.layout.names[body.layout.at["t"]])
    jitter = f"{name} jitters by {host.jitter_s * 1e3:.1f} ms, and the positions do not"
    found = f"{jitter}: the rows were stamped on arrival, or rounded"
    if host.even_s is not None:
        return (
            f"{found}. They count as measured every {host.step_s * 1e3:.4g} ms; to be exact, record the device's time"
        )
    where = f"rows are missing, most near line {body.line(host.worst)}"
    return f"{found}, and {where}. This can look like jerks and drops: record the device's time"


def _check_limits(body: TableRows, si: dict[Quantity, NDArray[np.float64]]) -> None:
    """Raises TableError for values that no clock, encoder or cell gives, even if it fails."""
    for quantity, values in si.items():
        most, words = LIMITS[quantity]
        beyond = np.abs(values) > most
        if beyond.any():
            raise body.mistake(int(beyond.argmax()), quantity, f": {words}")
    gaps = np.diff(si["t"]) > MOST_GAP_S
    if gaps.any():
        row = int(gaps.argmax()) + 1
        raise body.mistake(row, "t", ", more than a year after the row before: split the table, or correct the time")


def _flags(body: TableRows, flags: NDArray[np.float64]) -> NDArray[np.uint8]:
    wrong = ~np.isin(flags, np.arange(256))
    if wrong.any():
        raise body.mistake(int(wrong.argmax()), FLAGS, ": whole numbers from 0 to 255")
    return flags.astype(np.uint8)
