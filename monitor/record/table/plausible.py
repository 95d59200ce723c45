"""Recognises a table in other units by impossible numbers, such as a row every two seconds or a lift of 400 m."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from monitor.record.table.errors import TableError, printable
from monitor.record.table.layout import Layout
from monitor.record.table.reading import Reading, units_option
from monitor.record.table.stamps import period_s
from monitor.record.table.units import EXAMPLES, UNITS, Quantity, Unit

Column = NDArray[np.float64]
LEAST_ROWS = 20  # fewer are not enough to judge
FASTEST_S, SLOWEST_S = 2.2e-4, 0.2  # between rows; 80 rows a second, in minutes, are 2.1e-4 apart
BLIND_S = 1.0  # rows further apart show no movement, whatever their unit
USUAL_S = (FASTEST_S, 0.1)
LONGEST_M = 4.0  # of travel
USUAL_M = (0.04, 2.5)
STRONGEST_N = 2e4
USUAL_N = (20.0, 5e3)
RAW = "raw counts of a sensor: add what one of them is, as in --units "
NEARLY_ALL = 0.998  # of the values: a few may be wrong
ENOUGH = 20_000  # values that are looked at
EXTREME = 1e12  # larger values are wrong in any unit


class Doubt(NamedTuple):
    """A value that is impossible in SI units."""

    words: str
    size: float
    usual: tuple[float, float]  # in SI
    else_: str  # the likely cause if no unit explains it


def check_units(path: Path, layout: Layout, reading: Reading, si: Mapping[Quantity, Column]) -> None:
    """Raises TableError if a quantity without a given unit cannot be in SI. `si`: the columns, read as SI."""
    for quantity, look in _LOOKS.items():
        doubt = look(si[quantity]) if quantity in si else None
        if doubt is None:
            continue
        name = printable(layout.names[layout.at[quantity]]) if quantity in layout.at else "the time"
        if quantity in reading.units:
            if quantity == "t" and doubt.size > BLIND_S:
                raise TableError(f"{path}: {name} {doubt.words} (s): {doubt.else_}")
            continue
        raise TableError(f"{path}: {name} {doubt.words}, {_remedy(doubt, quantity, reading)}")


def _remedy(doubt: Doubt, quantity: Quantity, reading: Reading) -> str:
    ours = reading.unit(quantity)
    as_it_is = f"if it is in {ours.words}, add {units_option({**reading.units, quantity: ours})}"
    units = [unit for unit in UNITS if unit.quantity == quantity and _usual(unit, doubt)]
    if not units:
        return f"which looks like {doubt.else_}; {as_it_is}"
    words = " or ".join(unit.words for unit in units)
    options = " or ".join(units_option({**reading.units, quantity: unit}) for unit in units)
    if quantity == "t" and doubt.size == 1.0:
        words += " or numbers of rows"
        options += f", or the time of a row, as in --units {EXAMPLES[quantity]}"
    elif quantity == "f":  # counts of a cell have the size of grams
        words += " or raw counts of a sensor"
        options += f", or what one count is, as in --units {EXAMPLES[quantity]}"
    return f"which looks like {words}: add {options}; {as_it_is}"


def _times(t_s: Column) -> Doubt | None:
    if len(t_s) < LEAST_ROWS:
        return None
    step_s = float(np.median(np.diff(t_s)))
    if step_s <= FASTEST_S:
        step_s = period_s(t_s)  # the rows may come in bursts
    if FASTEST_S < step_s <= SLOWEST_S or step_s == 0:
        return None
    else_ = "too few rows: 20 a second are needed" if step_s > SLOWEST_S else "a wrong column of time"
    return Doubt(f"grows by {step_s:.4g} from row to row", step_s, USUAL_S, else_)


def _positions(x_m: Column) -> Doubt | None:
    low, high = _nearly_all(x_m)
    if high - low <= LONGEST_M:
        return None
    return Doubt(f"goes from {low:.4g} to {high:.4g}", high - low, USUAL_M, RAW + EXAMPLES["x"])


def _forces(force_n: Column) -> Doubt | None:
    low, high = _nearly_all(force_n)
    most = max(-low, high)
    if most <= STRONGEST_N:
        return None
    return Doubt(f"reaches {most:.4g}", most, USUAL_N, RAW + EXAMPLES["f"])


_LOOKS: dict[Quantity, Callable[[Column], Doubt | None]] = {"t": _times, "x": _positions, "f": _forces}


def _nearly_all(values: Column) -> tuple[float, float]:
    """The range of the values, except for a few."""
    known = values[~np.isnan(values)]
    some = known[:: 1 + len(known) // ENOUGH]
    if len(some) < LEAST_ROWS:
        return 0.0, 0.0
    low, high = np.quantile(np.clip(some, -EXTREME, EXTREME), (0.5 - NEARLY_ALL / 2, 0.5 + NEARLY_ALL / 2))
    return float(low), float(high)


def _usual(unit: Unit, doubt: Doubt) -> bool:
    least, most = doubt.usual
    return least <= doubt.size * unit.times / unit.over <= most
