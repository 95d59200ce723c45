"""Guesses which headers of a foreign table are time, position and force, to suggest options for them."""

import re
from collections.abc import Sequence

from monitor.record.table.reading import HEADERS, WHAT, columns_option, units_option
from monitor.record.table.units import EXAMPLES, QUANTITIES, SI, Quantity, unit_in

_LIKELY: dict[Quantity, re.Pattern[str]] = {  # the first word of a header, in English and German
    "t": re.compile(
        r"(t|time|timestamp|elapsed|zeit|uhrzeit|sekunden|seconds|secs|sec|ms|millis|us|micros)(?![a-z])", re.I
    ),
    "x": re.compile(
        r"(x|y|z|pos|position|disp|displacement|height|distance|distanz|dist|travel|weg|hub|h.he|stack)(?![a-z])", re.I
    ),
    "f": re.compile(r"(f|fz|force|load|kraft|zugkraft|last|tension|weight|gewicht|cable|cell|loadcell)(?![a-z])", re.I),
}


def likely(names: Sequence[str]) -> int:
    """How many of time, position and force these headers seem to have."""
    return sum(_guess(names, quantity) is not None for quantity in QUANTITIES)


def suggestion(names: Sequence[str]) -> str:
    """A sentence with the options for these headers; dots mark those that could not be guessed."""
    guessed = {quantity: _guess(names, quantity) for quantity in QUANTITIES}
    named = {quantity: unit_in(name, quantity) if name else None for quantity, name in guessed.items()}
    units = {quantity: unit for quantity, unit in named.items() if unit is not None and unit != SI[quantity]}
    options = columns_option({quantity: name or "..." for quantity, name in guessed.items()})
    if units:
        options += " " + units_option(units)
    unknown = [WHAT[quantity] for quantity, name in guessed.items() if name is None]
    dots = f" (the header of {' and '.join(unknown)} for the dots)" if unknown else ""
    if guessed["t"] is None and unknown == [WHAT["t"]]:
        apart = f"without a time, nothing, and how far apart the rows are, as in --units {EXAMPLES['t']}"
        dots = f" (the header of time for the dots; {apart})"
    return f"say which is which, {options}{dots}, or rename them to {','.join(HEADERS.values())}"


def _guess(names: Sequence[str], quantity: Quantity) -> str | None:
    found = [name for name in names if name == HEADERS[quantity]]
    found += [name for name in names if _LIKELY[quantity].match(name)]
    return next((name for name in found if name.isprintable()), None)
