"""Measures the encoder's scale with a block of known height under the stack, or from the circumference of its drum."""

import numpy as np

from monitor.calibrate.readings import Readings, Window
from monitor.calibrate.refused import Refused
from monitor.calibrate.sensors import refuse_faulty_sensors
from monitor.calibrate.step_results import HeightResult, RestResult

STOOD_S = 2.0  # of standstill, before the height counts
STILL_COUNTS = 3.0  # an encoder at an edge flickers by less
STILL_SHARE = 0.002  # of the distance
LEAST_COUNTS = 100.0  # half a count at either end is then 0.5 %
PULLED_NOISES = 30.0  # times the cell's noise: somebody lifts
SLACK_SHARE = 0.05  # of the pull: below it the cable is slack
PULLED_LONG_S = 4.0  # of pulling without a movement: then a remark helps
SLIPPED_COUNTS = 2.5  # the stack returns to its height within this


def on_block(readings: Readings, rest: RestResult, block_m: float, *, has_stack: bool) -> HeightResult | str:
    """The scale, once the stack stands on the block with a slack cable; until then a hint. Raises Refused."""
    if readings.seconds < STOOD_S:
        return "measuring"
    window = readings.last(STOOD_S)
    refuse_faulty_sensors(window, has_position=True)
    moved = float(np.median(window.position.counts)) - rest.position_counts
    pull, pull_now = _pull(readings, rest), float(abs(np.mean(window.force.counts) - rest.force_counts))
    pulled = pull > PULLED_NOISES * rest.noise_counts
    if np.ptp(window.position.counts) > max(STILL_COUNTS, STILL_SHARE * abs(moved)):
        return "the stack is moving"
    if abs(moved) <= STILL_COUNTS:
        if pulled and pull_now > PULLED_NOISES * rest.noise_counts and _pulled_long(readings, rest):
            raise Refused(
                "the cable is under load, but the encoder does not move",
                "check that the stack has left its rest; if it has, the encoder's wheel slips or its cord is off",
            )
        return "waiting for the stack to be lifted onto the block"
    if has_stack and not pulled:
        return f"the encoder has moved by {abs(moved):.0f} counts, but the load cell has seen no load yet"
    if has_stack and pull_now > SLACK_SHARE * pull:
        return "the cable still carries the stack: set it down on the block"
    return height_of(moved, block_m)


def height_of(counts: float, height_m: float) -> HeightResult:
    """Raises Refused if the encoder is too coarse for this height."""
    if abs(counts) < LEAST_COUNTS:
        raise Refused(
            f"{height_m * 1000:.0f} mm are only {abs(counts):.0f} counts of the encoder",
            "use a higher block, or a finer encoder if no higher block fits",
        )
    return HeightResult(metres_per_count=height_m / counts, uncertainty=1 / abs(counts))


def by_drum(readings: Readings, rest: RestResult, metres_per_count: float) -> HeightResult | str:
    """Takes the scale from the drum and its sign from a short lift, after which the encoder must return to zero."""
    if readings.seconds < STOOD_S:
        return "measuring"
    window = readings.last(STOOD_S)
    refuse_faulty_sensors(window, has_position=True)
    away = readings.last(np.inf).position.counts - rest.position_counts
    furthest = float(away[np.argmax(np.abs(away))])
    if abs(furthest) < LEAST_COUNTS:
        return "waiting for the stack to be lifted by 10 cm"
    back = float(np.median(window.position.counts)) - rest.position_counts
    if np.ptp(window.position.counts) > STILL_COUNTS or abs(back) > 0.3 * abs(furthest):
        return "measured; set the stack down on its rest again"
    refuse_slip(back, metres_per_count)
    return HeightResult(metres_per_count=float(np.copysign(metres_per_count, furthest)), uncertainty=1e-4)


def refuse_slip(back_counts: float, metres_per_count: float) -> None:
    """Raises Refused if the encoder has not returned to zero with the stack back on its rest."""
    if abs(back_counts) > max(SLIPPED_COUNTS, 0.001 / abs(metres_per_count)):
        raise Refused(
            f"the encoder slips: with the stack back on its rest it is off by {abs(back_counts):.0f} counts"
            f" ({abs(back_counts * metres_per_count) * 1000:.1f} mm)",
            "tighten its wheel or cord and check that nothing rubs, then begin again",
        )


def _pull(readings: Readings, rest: RestResult) -> float:
    """The strongest pull so far, in counts without sign."""
    means = readings.last(np.inf).force.means(0.2)
    return float(np.max(np.abs(means - rest.force_counts))) if len(means) else 0.0


def _pulled_long(readings: Readings, rest: RestResult) -> bool:
    window: Window = readings.last(PULLED_LONG_S)
    means = np.abs(window.force.means(0.5) - rest.force_counts)
    return readings.seconds > PULLED_LONG_S and bool((means > PULLED_NOISES * rest.noise_counts).all())
