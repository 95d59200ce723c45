"""The forces on a stack besides the lifter's cable: other hands, a hook, a motor."""

from typing import NamedTuple


class Outside(NamedTuple):
    """During one leg; each pair is a value at its beginning and its end, linear between them."""

    hands: tuple[float, float] = (0.0, 0.0)  # share of the load that somebody carries; below 0: presses down
    motor: tuple[float, float] = (1.0, 1.0)  # times the load
    stop_m: float | None = None  # a hook, a pin or a block: nothing sinks below it
    grip: tuple[float, float] = (0.0, 0.0)  # share of the pull that hands at the stack give, not through the cell


NOTHING = Outside()
