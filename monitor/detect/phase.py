"""Finds the phase of a repetition at a moment."""

from monitor.detect.moment import Moment
from monitor.events import Phase
from monitor.profile.limits import Limits
from monitor.signals.conditions import Bit

OF_PHASE = Bit.CONTACT | Bit.UP | Bit.DOWN | Bit.MID  # the bits that decide it


def phase_of(moment: Moment) -> Phase:
    """From contact, holds and slow velocity; a standstill is a stall of the positive, or a turn, by its height."""
    return moving_phase(moment) or turn_at(moment.limits, moment.x_m)


def moving_phase(moment: Moment) -> Phase | None:
    """The phase, whatever the height; None: a turn."""
    if moment.on(Bit.CONTACT):
        return "rest"
    if moment.held:
        return "held"
    if moment.on(Bit.UP):
        return "positive"
    if moment.on(Bit.DOWN):
        return "negative"
    if not moment.in_set:
        return "rest" if moment.limits.kind != "stack" else "lower_turn"
    if moment.on(Bit.MID) and moment.stalling.open:
        return "positive"
    return "hold" if moment.limits.kind == "static" else None


def turn_at(limits: Limits, x_m: float) -> Phase:
    """The turn that a standstill at this height is."""
    return "upper_turn" if x_m > limits.bottom_m + 0.5 * limits.span_m else "lower_turn"
