"""The encoder's scale: from a block of known height under the stack, or from the drum that it turns on."""

import numpy as np

from monitor.calibrate.findings import Height, Rest
from monitor.calibrate.refused import Refused
from monitor.calibrate.sensors import refuse_what_is_broken
from monitor.calibrate.tape import Tape, Window

STOOD_S = 2.0
STILL_COUNTS = 3.0
STILL_SHARE = 0.002  # of the way
LEAST_COUNTS = 100.0  # half a count at either end is half a percent then
PULLED_NOISES = 30.0  # of the cell: somebody lifts
SLACK_SHARE = 0.05  # of the pull: the cable carries nothing
PULLED_LONG_S = 4.0
SLIPPED_COUNTS = 2.5


def on_block(tape: Tape, rest: Rest, block_m: float, *, has_stack: bool) -> Height | str:
    """The scale once the stack stands on the block, its cable slack; a hint before. Raises Refused."""
    if tape.seconds < STOOD_S:
        return "looking"
    window = tape.last(STOOD_S)
    refuse_what_is_broken(window, has_position=True)
    way = float(np.median(window.position.counts)) - rest.position_counts
    pull, pull_now = _pull(tape, rest), float(abs(np.mean(window.force.counts) - rest.force_counts))
    pulled = pull > PULLED_NOISES * rest.noise_counts
    if np.ptp(window.position.counts) > max(STILL_COUNTS, STILL_SHARE * abs(way)):
        return "it moves"
    if abs(way) <= STILL_COUNTS:
        if pulled and pull_now > PULLED_NOISES * rest.noise_counts and _pulled_long(tape, rest):
            raise Refused(
                "the cable pulls, but the encoder does not move",
                "see that the stack left its rest; if it did, the encoder's wheel slips or its cord is off",
            )
        return "waiting for the stack to be lifted onto the block"
    if has_stack and not pulled:
        return f"the encoder moved by {abs(way):.0f} counts, but the cell has felt no lift yet"
    if has_stack and pull_now > SLACK_SHARE * pull:
        return "the cable still carries the stack: set it down on the block"
    return height_of(way, block_m)


def height_of(counts: float, way_m: float) -> Height:
    """Raises Refused where the encoder is too coarse for the way."""
    if abs(counts) < LEAST_COUNTS:
        raise Refused(
            f"{way_m * 1000:.0f} mm are {abs(counts):.0f} counts of the encoder",
            "take a higher block; a finer encoder if this is the highest that fits",
        )
    return Height(metres_per_count=way_m / counts, uncertainty=1 / abs(counts))


def by_drum(tape: Tape, rest: Rest, metres_per_count: float) -> Height | str:
    """The drum gives the scale, a short lift its sign; the encoder has to come back to where it began."""
    if tape.seconds < STOOD_S:
        return "looking"
    window = tape.last(STOOD_S)
    refuse_what_is_broken(window, has_position=True)
    away = tape.last(np.inf).position.counts - rest.position_counts
    furthest = float(away[np.argmax(np.abs(away))])
    if abs(furthest) < LEAST_COUNTS:
        return "waiting for the stack to be lifted by a hand's breadth"
    back = float(np.median(window.position.counts)) - rest.position_counts
    if np.ptp(window.position.counts) > STILL_COUNTS or abs(back) > 0.3 * abs(furthest):
        return "seen; set the stack down on its rest again"
    refuse_slip(back, metres_per_count)
    return Height(metres_per_count=float(np.copysign(metres_per_count, furthest)), uncertainty=1e-4)


def refuse_slip(back_counts: float, metres_per_count: float) -> None:
    """The stack stands on its rest again: the encoder should say so."""
    if abs(back_counts) > max(SLIPPED_COUNTS, 0.001 / abs(metres_per_count)):
        raise Refused(
            f"the encoder slips: with the stack back on its rest it is off by {abs(back_counts):.0f} counts"
            f" ({abs(back_counts * metres_per_count) * 1000:.1f} mm)",
            "tighten its wheel or cord and see that nothing rubs, then begin again",
        )


def _pull(tape: Tape, rest: Rest) -> float:
    """The strongest so far, in counts either way."""
    means = tape.last(np.inf).force.means(0.2)
    return float(np.max(np.abs(means - rest.force_counts))) if len(means) else 0.0


def _pulled_long(tape: Tape, rest: Rest) -> bool:
    window: Window = tape.last(PULLED_LONG_S)
    means = np.abs(window.force.means(0.5) - rest.force_counts)
    return tape.seconds > PULLED_LONG_S and bool((means > PULLED_NOISES * rest.noise_counts).all())
