"""Measures the oscillation of the stack on its cable after a knock.

The time between two turning points gives the frequency; friction does not change it.
"""

import numpy as np

from monitor.calibrate.readings import Readings, Signal
from monitor.calibrate.sensors import refuse_faulty_sensors
from monitor.calibrate.step_results import RestResult, RingResult

LOOKED_S = 2.5  # the newest readings, in which a knock is looked for
QUIET_S = 0.4  # of stillness before a knock
RING_S = 0.5  # after a knock: an oscillation has several swings in it
KNOCK_M = 0.001  # within KNOCK_WITHIN_S
KNOCK_WITHIN_S = 0.03  # a knock moves the stack faster than a hand does
LIFTED_M = 0.02  # the stack counts as held above this
SMOOTH_S = 0.012  # short against the shortest oscillation
SWINGS = 0.25  # of the first swing: a smaller second swing is not an oscillation
BAND_HZ = (3.0, 16.0)  # an oscillation outside it is not the cable's


def knocked(readings: Readings, rest: RestResult, metres_per_count: float) -> RingResult | str:
    """The result, after a knock on a stack that is held still; until then a hint."""
    if readings.seconds < LOOKED_S:
        return "measuring"
    window = readings.last(LOOKED_S)
    refuse_faulty_sensors(window, has_position=True)
    x = Signal(window.position.t_s, (window.position.counts - rest.position_counts) * metres_per_count)
    knock_s = knock_at(x, 2 * abs(metres_per_count))
    if knock_s is None:
        return "waiting for the stack to be held and knocked" if x.counts[-1] < LIFTED_M else "now knock on it once"
    after = x.since(knock_s)
    if float(after.t_s[-1]) < knock_s + RING_S:
        return "measured"
    hz = ring_hz(Signal(after.t_s[after.t_s < knock_s + RING_S], after.counts[after.t_s < knock_s + RING_S]))
    if hz is None:
        return "no clear oscillation: knock again, briefly, on top of the stack"
    return RingResult(resonance_hz=round(hz, 1))


def knock_at(x: Signal, least_m: float) -> float | None:
    """The time at which a held stack was knocked: a sudden movement after a quiet time. None: no knock."""
    step = max(1, round(KNOCK_WITHIN_S * len(x) / LOOKED_S))
    moved = np.abs(x.counts[step:] - x.counts[:-step])
    for at in np.flatnonzero((moved > max(KNOCK_M, least_m)) & (x.counts[:-step] > LIFTED_M)).tolist():
        before = x.counts[(x.t_s >= x.t_s[at] - QUIET_S) & (x.t_s < x.t_s[at])]
        if x.t_s[at] - x.t_s[0] >= QUIET_S and np.ptp(before) < max(KNOCK_M, least_m):
            return float(x.t_s[at])
    return None


def ring_hz(x: Signal) -> float | None:
    """The frequency from the first turning point after the knock to the second; None without an oscillation."""
    n = max(3, round(SMOOTH_S * len(x) / float(x.t_s[-1] - x.t_s[0])) | 1)
    smooth = np.convolve(x.counts, np.ones(n) / n, "valid")
    t_s = x.t_s[n // 2 : len(x.t_s) - n // 2]
    step = np.diff(smooth)
    moving = np.flatnonzero(step)  # a coarse encoder stands still for a moment at a turning point
    turns: list[tuple[float, float]] = []  # time in seconds, position in metres
    for last, following in zip(moving[:-1].tolist(), moving[1:].tolist(), strict=True):
        position_m = float(smooth[last + 1])
        begin_m = turns[-1][1] if turns else float(smooth[0])
        if step[last] * step[following] < 0 and abs(position_m - begin_m) > KNOCK_M / 2:
            turns.append((float(t_s[last + 1] + t_s[following]) / 2, position_m))
    if len(turns) < 2 or abs(turns[1][1] - turns[0][1]) < SWINGS * abs(turns[0][1] - smooth[0]):
        return None
    hz = 1 / (2 * (turns[1][0] - turns[0][0]))
    return hz if BAND_HZ[0] <= hz <= BAND_HZ[1] else None
