"""Reads the options that describe a foreign table: its columns and units.

    --columns t=Time,x=Pos,f=Load --units ms,mm,kg
    --columns t=,x=Counts,f=Volts --units 10ms,0.1mm,-50N       a row every 10 ms; one count is 0.1 mm, one volt -50 N

A column without an option has our own header; a unit without an option is SI. An empty name means: not
measured (x=), or rows at even times (t=).
"""

import re
import shlex
from collections.abc import Mapping
from typing import NamedTuple

from monitor.record.table.errors import TableError, shown
from monitor.record.table.units import QUANTITIES, SI, Quantity, Unit, multiple_named, negated, of_quantity

HEADERS: dict[Quantity, str] = {"t": "t_s", "x": "displacement_m", "f": "force_n"}
WHAT: dict[Quantity, str] = {"t": "time", "x": "position", "f": "force"}
COLUMNS = tuple(HEADERS.values())
FLAGS = "flags"
WITH_FLAGS = (*COLUMNS, FLAGS)
_NEXT_KEY = re.compile(r",\s*(?=[a-z]\s*=)", re.IGNORECASE)  # a header may contain a comma


class Reading(NamedTuple):
    """How to read a table, as far as options describe it."""

    columns: Mapping[Quantity, str] = {}
    units: Mapping[Quantity, Unit] = {}

    def header(self, quantity: Quantity) -> str:
        """The header of the column; empty if there is no such column."""
        return self.columns.get(quantity, HEADERS[quantity])

    def unit(self, quantity: Quantity) -> Unit:
        return self.units.get(quantity, SI[quantity])


def reading_of(columns: str | None, units: str | None) -> Reading | None:
    """Reads the options of a command line; None if there are none. Raises TableError if one is wrong."""
    if columns is None and units is None:
        return None
    reading = Reading({} if columns is None else _columns(columns), {} if units is None else _units(units))
    if not reading.header("t") and "t" not in reading.units:
        raise TableError("--columns has no name after t=: say how far apart the rows are, as in --units 10ms")
    return reading


def _columns(text: str) -> dict[Quantity, str]:
    named: dict[Quantity, str] = {}
    for part in _NEXT_KEY.split(text):
        key, equals, name = part.partition("=")
        quantity = next((q for q in QUANTITIES if q == key.strip().casefold()), None)
        if not equals or quantity is None:
            raise TableError(f"--columns has {shown(part)}: write t=..., x=... and f=... with the table's own headers")
        if quantity in named:
            raise TableError(f"--columns has {quantity}= twice")
        named[quantity] = name.strip()
    if not any(named.get(quantity, quantity) for quantity in ("x", "f")):
        raise TableError("--columns has neither position nor force: name one of them")
    return named


def _units(text: str) -> dict[Quantity, Unit]:
    found: dict[Quantity, Unit] = {}
    for word in text.split(","):
        unit = multiple_named(word.strip())
        if unit is None:
            known = "; ".join(f"{WHAT[quantity]} in {of_quantity(quantity)}" for quantity in QUANTITIES)
            raise TableError(f"--units has {shown(word.strip())}, which is not a unit of a table: {known}")
        if unit.quantity in found:
            both = f"{found[unit.quantity].name} and {unit.name}"
            raise TableError(f"--units has two units of {WHAT[unit.quantity]}, {both}: name one")
        found[unit.quantity] = unit
    return found


def columns_option(columns: Mapping[Quantity, str]) -> str:
    """The option for these columns, quoted for a shell."""
    return "--columns " + shlex.quote(",".join(f"{quantity}={name}" for quantity, name in columns.items()))


def negated_option(reading: Reading, quantity: Quantity) -> str:
    """The option that reads this quantity with the other sign."""
    return units_option({**reading.units, quantity: negated(reading.unit(quantity))})


def units_option(units: Mapping[Quantity, Unit]) -> str:
    """The option for these units."""
    names = ",".join(units[quantity].name for quantity in QUANTITIES if quantity in units)
    return f"--units={names}" if names.startswith("-") else f"--units {names}"
