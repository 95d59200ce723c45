"""How the stack rings on its cable after a knock: the time from turn to turn, which friction does not change."""

import numpy as np

from monitor.calibrate.findings import Rest, Ring
from monitor.calibrate.sensors import refuse_what_is_broken
from monitor.calibrate.tape import Signal, Tape

LOOKED_S = 2.5
QUIET_S = 0.4
RING_S = 0.5
KNOCK_M = 0.001  # within KNOCK_WITHIN_S
KNOCK_WITHIN_S = 0.03
LIFTED_M = 0.02
SMOOTH_S = 0.012
SWINGS = 0.25  # of the first: a smaller one is no ring any more
BAND_HZ = (3.0, 16.0)


def knocked(tape: Tape, rest: Rest, metres_per_count: float) -> Ring | str:
    """The ring after a knock on a stack that is held; a hint before it."""
    if tape.seconds < LOOKED_S:
        return "looking"
    window = tape.last(LOOKED_S)
    refuse_what_is_broken(window, has_position=True)
    x = Signal(window.position.t_s, (window.position.counts - rest.position_counts) * metres_per_count)
    knock_s = knock_at(x, 2 * abs(metres_per_count))
    if knock_s is None:
        return "waiting for the stack to be held and knocked" if x.counts[-1] < LIFTED_M else "now knock on it once"
    after = x.since(knock_s)
    if float(after.t_s[-1]) < knock_s + RING_S:
        return "heard"
    hz = ring_hz(Signal(after.t_s[after.t_s < knock_s + RING_S], after.counts[after.t_s < knock_s + RING_S]))
    if hz is None:
        return "that was no clear ring: once more, a short knock on top of the stack"
    return Ring(resonance_hz=round(hz, 1))


def knock_at(x: Signal, least_m: float) -> float | None:
    """When a held stack was knocked: a sudden way after quiet."""
    step = max(1, round(KNOCK_WITHIN_S * len(x) / LOOKED_S))
    way = np.abs(x.counts[step:] - x.counts[:-step])
    for at in np.flatnonzero((way > max(KNOCK_M, least_m)) & (x.counts[:-step] > LIFTED_M)).tolist():
        before = x.counts[(x.t_s >= x.t_s[at] - QUIET_S) & (x.t_s < x.t_s[at])]
        if x.t_s[at] - x.t_s[0] >= QUIET_S and np.ptp(before) < max(KNOCK_M, least_m):
            return float(x.t_s[at])
    return None


def ring_hz(x: Signal) -> float | None:
    """From the first turn after the knock to the second; None where it does not ring."""
    n = max(3, round(SMOOTH_S * len(x) / float(x.t_s[-1] - x.t_s[0])) | 1)
    smooth = np.convolve(x.counts, np.ones(n) / n, "valid")
    t_s = x.t_s[n // 2 : len(x.t_s) - n // 2]
    way = np.diff(smooth)
    moving = np.flatnonzero(way)  # a coarse encoder stands still for a moment where it turns
    turns: list[tuple[float, float]] = []  # when, and where
    for last, following in zip(moving[:-1].tolist(), moving[1:].tolist(), strict=True):
        place_m = float(smooth[last + 1])
        begin_m = turns[-1][1] if turns else float(smooth[0])
        if way[last] * way[following] < 0 and abs(place_m - begin_m) > KNOCK_M / 2:
            turns.append((float(t_s[last + 1] + t_s[following]) / 2, place_m))
    if len(turns) < 2 or abs(turns[1][1] - turns[0][1]) < SWINGS * abs(turns[0][1] - smooth[0]):
        return None
    hz = 1 / (2 * (turns[1][0] - turns[0][0]))
    return hz if BAND_HZ[0] <= hz <= BAND_HZ[1] else None
