"""Finds the phase of a repetition at a moment."""

from monitor.detect.moment import Moment
from monitor.events import Phase
from monitor.signals.conditions import Bit

OF_PHASE = Bit.CONTACT | Bit.UP | Bit.DOWN | Bit.MID  # the bits that decide it


def phase_of(moment: Moment, x_m: float | None = None) -> Phase:
    """From contact, holds and slow velocity; a standstill is a stall of the positive, or a turn, by its height.

    `x_m`: of a later moment that differs in this alone.
    """
    if moment.on(Bit.CONTACT):
        return "rest"
    if moment.held:
        return "held"
    if moment.on(Bit.UP):
        return "positive"
    if moment.on(Bit.DOWN):
        return "negative"
    limits = moment.limits
    if not moment.in_set:
        return "rest" if limits.kind != "stack" else "lower_turn"
    if moment.on(Bit.MID) and moment.stalling.open:
        return "positive"
    if limits.kind == "static":
        return "hold"
    x_m = moment.x_m if x_m is None else x_m
    return "upper_turn" if x_m > limits.bottom_m + 0.5 * limits.span_m else "lower_turn"
