"""The machine at rest: both zeros, the cell's noise, and whether it drifts."""

import numpy as np

from monitor.calibrate.findings import Rest
from monitor.calibrate.refused import Refused
from monitor.calibrate.sensors import refuse_what_is_broken
from monitor.calibrate.tape import Signal, Window

LOOKED_S = 8.0
BLOCK_S = 1.0
MOST_MOVED_COUNTS = 5.0  # an encoder on an edge flickers by one, a machine somebody leans on by more
TOUCHED_NOISES = 4.0  # block means differ by less where nobody touches anything
DRIFT_NOISES = 8.0  # over LOOKED_S, along a line
STRAIGHT = 0.85  # share of the variance that is the line's


def at_rest(window: Window, *, has_position: bool) -> Rest | str:
    """What rest looks like; a hint where the machine is not at rest. Raises Refused."""
    refuse_what_is_broken(window, has_position=has_position)
    position = float(np.median(window.position.counts)) if has_position else 0.0
    if has_position and np.ptp(window.position.counts) > MOST_MOVED_COUNTS:
        return "the stack moves: set it down and leave it"
    force = window.force
    means = force.means(BLOCK_S)
    if np.ptp(force.counts) == 0:
        raise Refused(
            "the load cell repeats one and the same reading",
            "its converter hangs or is not connected: switch the board off and on, look at the wires",
        )
    noise, slope = noise_and_slope(force)
    walked = slope * LOOKED_S
    line = np.polyval(np.polyfit(np.arange(len(means)), means, 1), np.arange(len(means)))
    spread = float(np.var(means))
    straight = 1 - float(np.var(means - line)) / spread if spread > 0 else 0.0
    if abs(walked) > DRIFT_NOISES * noise and straight > STRAIGHT:
        raise Refused(
            f"the load cell drifts: {abs(walked):.0f} counts in {LOOKED_S:g} s, where its noise is {noise:.0f}",
            "let it warm up for a quarter of an hour; if it goes on, look for a loose wire or a cell that is clamped",
        )
    if np.ptp(means - line * (straight > STRAIGHT)) > TOUCHED_NOISES * noise:
        return "the force is not steady: let go of the cable, and lean on nothing"
    return Rest(
        position_counts=position, force_counts=float(np.mean(means)), noise_counts=noise,
        drift_counts_per_s=slope,
    )  # fmt: skip


def noise_and_slope(force: Signal) -> tuple[float, float]:
    """Rms of what does not follow a straight line, of a typical second; and the line's slope a second."""
    t_s = force.t_s - force.t_s[0]
    slope, offset = np.polyfit(t_s, force.counts, 1)
    left = force.counts - slope * t_s - offset
    seconds = (t_s // BLOCK_S).astype(np.int64)
    return float(np.median([np.std(left[seconds == second]) for second in np.unique(seconds)])), float(slope)
