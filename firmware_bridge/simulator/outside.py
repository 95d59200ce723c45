"""What acts on a stack besides the lifter's cable: other hands, a hook, a motor."""

from typing import NamedTuple


class Outside(NamedTuple):
    """During one leg; each pair goes straight from the first to the second."""

    hands: tuple[float, float] = (0.0, 0.0)  # share of the load that somebody carries, or presses down below 0
    motor: tuple[float, float] = (1.0, 1.0)  # times the load
    stop_m: float | None = None  # a hook, a pin or a block: nothing sinks below it
    grip: tuple[float, float] = (0.0, 0.0)  # share of the pull that goes through hands at the stack, past the cell


NOTHING = Outside()
