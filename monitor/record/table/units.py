"""The units that a table may have, by the names that tools use."""

import re
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2

Quantity = Literal["t", "x", "f"]
QUANTITIES: tuple[Quantity, ...] = ("t", "x", "f")


EXAMPLES: dict[Quantity, str] = {"t": "10ms", "x": "0.1mm", "f": "0.01N"}  # what one count measures


class Unit(NamedTuple):
    """A unit: value * `times` / `over` is in SI. With two numbers, 2 ms is exactly 0.002 s."""

    name: str
    words: str  # for a person, plural
    quantity: Quantity
    times: float
    over: float = 1.0

    def si(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The value in s, m or N."""
        if (self.times, self.over) == (1.0, 1.0):
            return values
        scaled: NDArray[np.float64] = values * self.times / self.over
        return scaled


S, M, N = Unit("s", "seconds", "t", 1.0), Unit("m", "metres", "x", 1.0), Unit("N", "newtons", "f", 1.0)
SI: dict[Quantity, Unit] = {"t": S, "x": M, "f": N}
UNITS = (
    S,
    Unit("ms", "milliseconds", "t", 1.0, 1e3),
    Unit("us", "microseconds", "t", 1.0, 1e6),
    Unit("ns", "nanoseconds", "t", 1.0, 1e9),
    Unit("min", "minutes", "t", 60.0),
    Unit("h", "hours", "t", 3600.0),
    Unit("d", "days", "t", 86400.0),
    M,
    Unit("mm", "millimetres", "x", 1.0, 1e3),
    Unit("cm", "centimetres", "x", 1.0, 1e2),
    Unit("in", "inches", "x", 254.0, 1e4),
    N,
    Unit("kg", "kilograms", "f", STANDARD_GRAVITY_M_S2),
    Unit("lb", "pounds", "f", 4.4482216152605),
    Unit("kN", "kilonewtons", "f", 1e3),
    Unit("g", "grams", "f", STANDARD_GRAVITY_M_S2, 1e3),
)
_OTHER_NAMES = {
    "s": "sec secs second seconds sek sekunden",
    "ms": "msec msecs millis millisecond milliseconds millisekunden",
    "us": "\u00b5s \u03bcs usec micros microsecond microseconds",
    "ns": "nsec nanos nanosecond nanoseconds",
    "min": "mins minute minutes",
    "h": "hr hrs hour hours",
    "d": "day days",
    "m": "metre metres meter meters",
    "mm": "millimetre millimetres millimeter millimeters",
    "cm": "centimetre centimetres centimeter centimeters",
    "in": "inch inches",
    "N": "newton newtons",
    "kg": "kgf kgs kilogram kilograms",
    "lb": "lbs lbf pound pounds",
    "kN": "kilonewton kilonewtons",
    "g": "gram grams gf",
}
_BY_NAME: dict[str, Unit] = {
    name.casefold(): unit for unit in UNITS for name in (unit.name, *_OTHER_NAMES[unit.name].split())
}
_OTHER_AT_END = re.compile(
    r"[\[(]\s*(°|deg|degrees?|rad|rev|turns?|counts?|ticks|pulses|lsb|m?v|mv/v|%|bar)\s*[\])]\s*$", re.I
)
_MULTIPLE = re.compile(r"(-?)(\d+(?:\.\d+)?|)\s*([^\W\d_]+)")
_UNIT_AT_END = re.compile(r"[\s\[({/_,;:-]\s*([^\W\d_]+)\s*[\])}]?\s*$")


def of_quantity(quantity: Quantity) -> str:
    """The names of units, for a sentence."""
    return ", ".join(unit.name for unit in UNITS if unit.quantity == quantity)


def unit_named(name: str) -> Unit | None:
    """The unit with this name, in small or capital letters."""
    return _BY_NAME.get(name.casefold())


def multiple_named(text: str) -> Unit | None:
    """A unit, or a multiple of one, which a number of the table counts: 0.1mm, 10ms, -N."""
    found = _MULTIPLE.fullmatch(text)
    unit = unit_named(found[3]) if found else None
    if not found or unit is None:
        return None
    unit = unit._replace(name=found[2] + unit.name, times=unit.times * float(found[2] or 1))
    return (negated(unit) if found[1] else unit) if unit.times else None


def negated(unit: Unit) -> Unit:
    name = unit.name.removeprefix("-") if unit.times < 0 else f"-{unit.name}"
    return unit._replace(name=name, times=-unit.times)


def unit_in(header: str, quantity: Quantity) -> Unit | None:
    """The unit in a column's header: Time (s), Position [mm], load_kg, millis."""
    found = _UNIT_AT_END.search(header)
    unit = unit_named(found[1] if found else header)
    return unit if unit is not None and unit.quantity == quantity else None


def other_unit_in(header: str) -> str | None:
    """A unit of another quantity, as sensors have: Angle [°], Force (mV)."""
    found = _OTHER_AT_END.search(header)
    return found[1] if found else None
