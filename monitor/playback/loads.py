"""Finds loads that cannot be this machine's: no plate fits them, or a table's forces are in another unit."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2 as G
from monitor.events import AnyEvent, SetEnd
from monitor.learning.load import SNAP
from monitor.playback.places import WILD_SHARE
from monitor.playback.playback import Playback, TablePlayback
from monitor.profile.weights import newtons
from monitor.record.table.plausible import USUAL_N
from monitor.record.table.reading import Reading, negated_option, units_option
from monitor.record.table.table import Table
from monitor.record.table.units import SI, UNITS, Unit, negated

SMALL_N = 150.0  # few loads in newtons are smaller, many in kilograms are
_FORCES = [unit for unit in UNITS if unit.quantity == "f" and unit != SI["f"]]


def load_remarks(playback: Playback, records: Iterable[AnyEvent]) -> list[str]:
    """Warnings for a person, each with its remedy."""
    if isinstance(playback, TablePlayback) and (pushes := _pushes(playback.table)):
        return [pushes]
    ends = list({event.id: event for event in records if isinstance(event, SetEnd)}.values())
    machine = playback.profile.machine
    table = playback.table if isinstance(playback, TablePlayback) else None
    unit_guessed = table is not None and "f" not in table.reading.units
    loads_n = [end.working_load_n for end in ends if end.working_load_n]
    if not ends and table is not None and machine.working_load_n is not None:
        loads_n = _carried_n(table.samples.force_n)  # too little to make a set of it
    reading = table.reading if table is not None and unit_guessed else None
    if machine.plates_kg is not None and loads_n:
        known = f"fits none of [machine] plates_kg ({', '.join(f'{kg:g}' for kg in machine.plates_kg)})"
        return _unfit(loads_n, [kg * G for kg in machine.plates_kg], known, reading)
    if machine.working_load_n is not None:
        known = f"is not [machine] working_load_n ({newtons(machine.working_load_n)})"
        return _unfit(loads_n, [machine.working_load_n], known, reading)
    if table is None or reading is None:
        return []
    loads_n = [n for end in ends if (n := end.working_load_n or end.strength_n)]
    forces_n = table.samples.force_n
    most_n = max(loads_n) if loads_n else float(np.abs(forces_n).max(initial=0.0, where=~np.isnan(forces_n)))
    units = _larger_units(most_n)
    if not units:
        return []
    what = "the greatest load is" if loads_n else "the force never exceeds"
    words, options = _alternatives(reading, units)
    ours = _option(reading, SI["f"])
    return [f"{what} {newtons(most_n)}: if these are {words}, add {options}; if they are newtons, add {ours}"]


def _larger_units(most_n: float) -> list[Unit]:
    """The units other than newtons that a small force may be in."""
    least_n, greatest_n = USUAL_N
    units = [unit for unit in _FORCES if unit.times > unit.over and least_n <= most_n * unit.times <= greatest_n]
    return units if most_n < SMALL_N else []


def _option(reading: Reading, unit: Unit) -> str:
    """The option that also keeps the units that were given."""
    return units_option({**reading.units, "f": unit})


def _alternatives(reading: Reading, units: Sequence[Unit]) -> tuple[str, str]:
    """The words and the options of units."""
    return " or ".join(unit.words for unit in units), " or ".join(_option(reading, unit) for unit in units)


def _pushes(table: Table) -> str | None:
    """A warning if the forces are negative, as where a cell is wired the other way."""
    known_n = table.samples.force_n[~np.isnan(table.samples.force_n)]
    least_n, most_n = np.quantile(known_n, (WILD_SHARE, 1 - WILD_SHARE)) if len(known_n) else (0.0, 0.0)
    if not least_n < -USUAL_N[0] or -least_n < 2 * most_n:
        return None
    remedy = f"add {negated_option(table.reading, 'f')} if the cell is negative when the cable pulls"
    units = _larger_units(-least_n) if "f" not in table.reading.units else []
    if units:
        words, options = _alternatives(table.reading, [negated(unit) for unit in units])
        remedy += f", or {options} if these are {words}"
    return f"the forces go from {least_n:.0f} to {most_n:.0f} N, and a cable cannot push: {remedy}"


def _carried_n(force_n: NDArray[np.float64]) -> list[float]:
    """The mean of the force in its upper half; nothing if there is no force."""
    most_n = float(force_n.max(initial=0.0, where=~np.isnan(force_n)))
    return [float(force_n[force_n > most_n / 2].mean())] if most_n > 0 else []


def _unfit(loads_n: Sequence[float], known_n: Sequence[float], known: str, reading: Reading | None) -> list[str]:
    """The loads that are not among the known ones; `reading`: of a table whose force is in no given unit."""
    remarks = []
    for load_n in sorted(set(loads_n)):
        if _fits(load_n, known_n):
            continue
        remedy = "correct the profile, or calibrate again"
        likely = [unit for unit in _FORCES if _fits(load_n * unit.times / unit.over, known_n)]
        if likely and reading is not None:
            words = " or ".join(f"{unit.words} ({_option(reading, unit)})" for unit in likely)
            remedy = f"is the table in {words}? If not, {remedy}"
        remarks.append(f"a load of {newtons(load_n)} was lifted, which {known}: {remedy}")
    return remarks


def _fits(load_n: float, known_n: Sequence[float]) -> bool:
    return min(abs(load_n - n) for n in known_n) <= SNAP * load_n
