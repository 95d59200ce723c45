"""Measures the machine at rest: both zeros, and the noise and drift of the load cell."""

import numpy as np

from monitor.calibrate.readings import Signal, Window
from monitor.calibrate.refused import Refused
from monitor.calibrate.sensors import refuse_faulty_sensors
from monitor.calibrate.step_results import RestResult

LOOKED_S = 8.0  # over which noise and drift are measured
BLOCK_S = 1.0  # the means of these blocks are compared
MOST_MOVED_COUNTS = 5.0  # an encoder at an edge flickers by one; a machine that somebody leans on moves further
TOUCHED_NOISES = 4.0  # the means of blocks differ by less if nobody touches the machine
DRIFT_NOISES = 8.0  # over LOOKED_S, along a line
STRAIGHT = 0.85  # share of the variance that a line explains


def at_rest(window: Window, *, has_position: bool) -> RestResult | str:
    """The result, or a hint if the machine is not at rest. Raises Refused."""
    refuse_faulty_sensors(window, has_position=has_position)
    position = float(np.median(window.position.counts)) if has_position else 0.0
    if has_position and np.ptp(window.position.counts) > MOST_MOVED_COUNTS:
        return "the stack is moving: set it down and leave it"
    force = window.force
    means = force.means(BLOCK_S)
    if np.ptp(force.counts) == 0:
        raise Refused(
            "the load cell repeats the same reading",
            "its converter hangs or is not connected: switch the board off and on, check the wires",
        )
    noise, slope = noise_and_slope(force)
    drift = slope * LOOKED_S
    line = np.polyval(np.polyfit(np.arange(len(means)), means, 1), np.arange(len(means)))
    spread = float(np.var(means))
    straight = 1 - float(np.var(means - line)) / spread if spread > 0 else 0.0
    if abs(drift) > DRIFT_NOISES * noise and straight > STRAIGHT:
        raise Refused(
            f"the load cell drifts by {abs(drift):.0f} counts in {LOOKED_S:g} s, with a noise of {noise:.0f}",
            "let it warm up for 15 minutes; if the drift stays, check for a loose wire or a clamped cell",
        )
    if np.ptp(means - line * (straight > STRAIGHT)) > TOUCHED_NOISES * noise:
        return "the force is not steady: let go of the cable and do not lean on the machine"
    return RestResult(
        position_counts=position, force_counts=float(np.mean(means)), noise_counts=noise,
        drift_counts_per_s=slope,
    )  # fmt: skip


def noise_and_slope(force: Signal) -> tuple[float, float]:
    """The rms deviation from a straight line in a typical second, and the slope of the line in counts a second."""
    t_s = force.t_s - force.t_s[0]
    slope, offset = np.polyfit(t_s, force.counts, 1)
    left = force.counts - slope * t_s - offset
    seconds = (t_s // BLOCK_S).astype(np.int64)
    return float(np.median([np.std(left[seconds == second]) for second in np.unique(seconds)])), float(slope)
