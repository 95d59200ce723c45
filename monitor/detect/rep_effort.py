"""Decides whose effort moved the stack in a repetition: the lifter's, somebody else's, or nobody's."""

import numpy as np

from monitor.detect.moment import Moment, steps


def pulled(moment: Moment, start: int, end: int) -> bool:
    """Whether a lifter did the movement: a motor positions itself, and hands can lift and drop a stack."""
    limits, signals = moment.limits, moment.signals
    tension_n = signals.part(signals.fast_tension, start, end)
    if limits.driven:
        return bool((tension_n >= limits.lift_off_n).any())
    if limits.kind != "stack":
        return True
    known = int(np.count_nonzero(tension_n == tension_n))
    x_m = signals.part(signals.x, start, end)
    up = x_m > np.fmin.reduce(x_m) + limits.detect.set.off_rest_m  # who pulls at the rest lifts nothing
    loaded = int(np.count_nonzero((tension_n >= limits.half_load_n) & up))
    return 2 * known < len(tension_n) or loaded >= steps(limits.detect.set.start_hold_s)


def lifted(moment: Moment, up: tuple[int, int], down: tuple[int, int]) -> bool:
    """Whether somebody else did the positive: the cable carried almost nothing through most of it.

    While the load is unknown, the lowered tension stands for it: without help, nobody pulls less on the way up.
    """
    limits, signals = moment.limits, moment.signals
    if limits.kind != "stack":
        return False
    raised_n, lowered_n = (signals.part(signals.tension, *way) for way in (up, down))
    if limits.selected_n is not None:
        load_n = limits.selected_n
    else:
        load_n = float(np.nan_to_num(np.nanmean(lowered_n))) if not np.isnan(lowered_n).all() else 0.0
    return bool(np.mean(raised_n < limits.detect.assist.lifted * load_n) > 0.5)
