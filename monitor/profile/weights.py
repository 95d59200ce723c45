"""Weights for people, in kg or in lb. Everything that a program reads stays in newtons.

with shown_in("lb"):
    weight(98.0665)           22.0 lb
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2

Unit = Literal["kg", "lb"]
KG_PER_LB = 0.45359237
_unit: ContextVar[Unit] = ContextVar("unit of weights", default="kg")


@contextmanager
def shown_in(unit: Unit) -> Iterator[None]:
    """Chooses the unit of everything that is made for people in this block, also by tasks that begin in it."""
    before = _unit.set(unit)
    try:
        yield
    finally:
        _unit.reset(before)


def unit_name() -> Unit:
    return _unit.get()


def newtons_per_unit() -> float:
    """The force that the weight of one unit has."""
    return STANDARD_GRAVITY_M_S2 * (KG_PER_LB if _unit.get() == "lb" else 1.0)


def weight_number(force_n: float, decimals: int = 1) -> str:
    """The weight without its unit.

    >>> weight_number(98.0665), weight_number(98.0665, 0)
    ('10.0', '10')
    """
    return f"{force_n / newtons_per_unit():.{decimals}f}"


def weight(force_n: float, decimals: int = 1) -> str:
    """The weight with its unit.

    >>> with shown_in("lb"):
    ...     weight(98.0665)
    '22.0 lb'
    """
    return f"{weight_number(force_n, decimals)} {_unit.get()}"


def newtons(force_n: float) -> str:
    """A force in newtons, and as the weight that a person knows.

    >>> newtons(98.0665)
    '98 N (10.0 kg)'
    """
    return f"{force_n:.0f} N ({weight(force_n)})"


def mass(mass_kg: float) -> str:
    """A mass that a person gave, without needless zeros.

    >>> with shown_in("lb"):
    ...     mass(20.4117)
    '45 lb'
    """
    return f"{mass_kg / (KG_PER_LB if _unit.get() == 'lb' else 1.0):.4g} {_unit.get()}"
