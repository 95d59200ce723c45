"""A known weight held still on the cable: what the cell reads, and that it comes back to zero afterwards."""

import numpy as np

from monitor.calibrate.findings import Hold, Rest
from monitor.calibrate.height import refuse_slip
from monitor.calibrate.refused import Refused
from monitor.calibrate.sensors import refuse_what_is_broken
from monitor.calibrate.tape import Tape, Window

HELD_S = 2.5
PIECE_S = 0.5
LIFTED_M = 0.02
STILL_M = 0.0002  # between the pieces' means: friction goes with the speed, a creeping stack reads wrong
STILL_SHARE = 0.01  # of the weight, the same of force
FELT_NOISES = 20.0
DOWN_S = 1.5
DOWN_M = 0.015  # so near to the rest it is meant to be the rest
BACK_SHARE = 0.01  # of the weight: the zero has to come back so well
BACK_NOISES = 3.0
LET_GO_S = 5.0


class HoldStep:
    """`metres_per_count` None: nothing moves here, force alone tells when the weight hangs.

    `rested`: the stack is known to be on its rest as the step begins, and not on a block still.
    """

    def __init__(self, weight_kg: float, rest: Rest, metres_per_count: float | None, *, rested: bool) -> None:
        self._weight_kg, self._rest, self._scale = weight_kg, rest, metres_per_count
        self._held: float | None = None
        self._held_s = 0.0
        self._down_s = np.inf  # since it is down, but the cell not back at zero
        self._rested = rested or metres_per_count is None

    def look(self, tape: Tape) -> Hold | str:
        """The hold once the weight has been held still and set down; a hint before. Raises Refused."""
        if tape.seconds < HELD_S:
            return "looking"
        window = tape.last(HELD_S)
        refuse_what_is_broken(window, has_position=self._scale is not None)
        return self._wait_for_hold(tape, window) if self._held is None else self._wait_for_rest(tape)

    def _wait_for_hold(self, tape: Tape, window: Window) -> str:
        pieces = window.force.means(PIECE_S) - self._rest.force_counts
        felt = abs(float(np.mean(pieces)))
        few = FELT_NOISES * self._rest.noise_counts
        if self._scale is not None and (hint := self._position_hint(window, felt > few)):
            return hint
        if felt < few:
            if self._scale is None:
                return f"waiting for {self._weight_kg:g} kg on the cell"
            raise Refused(
                f"{self._weight_kg:g} kg are off the rest, but the load cell feels nothing",
                "see that the cable runs through the cell, and that no stop takes the load off it",
            )
        if np.ptp(pieces) > max(STILL_SHARE * felt, 2 * self._rest.noise_counts):
            return "hold it still: the force is not steady yet"
        self._held = float(np.mean(pieces)) + self._rest.force_counts
        self._held_s = tape.newest_s
        return "held; now set it down gently and let the cable go slack"

    def _position_hint(self, window: Window, felt: bool) -> str | None:
        """What is missing for a hold, as far as the encoder can say."""
        assert self._scale is not None
        x_m = (window.position.means(PIECE_S) - self._rest.position_counts) * self._scale
        if not self._rested:
            if np.ptp(x_m[-2:]) > 3 * abs(self._scale) or abs(x_m[-1]) > DOWN_M or felt:
                return "take away what is under the stack and set it down on its rest"
            refuse_slip(float(x_m[-1]) / self._scale, self._scale)
            self._rested = True
        if np.mean(x_m) < -LIFTED_M:
            raise Refused(
                f"the stack goes {abs(float(np.mean(x_m))) * 1000:.0f} mm down where it should go up",
                "the block was not under the stack when its height was measured: begin again and repeat that step",
            )
        if np.mean(x_m) < LIFTED_M:
            return "it pulls, but the stack is not off its rest" if felt else f"waiting for {self._weight_kg:g} kg"
        if np.ptp(x_m) > max(STILL_M, 1.5 * abs(self._scale)):
            return f"hold it still: it moves by {np.ptp(x_m) * 1000:.1f} mm"
        return None

    def _wait_for_rest(self, tape: Tape) -> Hold | str:
        assert self._held is not None
        window = tape.last(DOWN_S)
        felt = abs(self._held - self._rest.force_counts)
        pieces = window.force.means(PIECE_S)
        zero = float(np.mean(pieces))
        off = abs(zero - self._rest.force_counts)
        down = tape.newest_s - self._held_s > DOWN_S and off < 0.2 * felt
        hint = "held; now set it down gently and let the cable go slack"
        if self._scale is not None:
            x_counts = window.position.counts - self._rest.position_counts
            back = float(np.median(x_counts))
            if not down or np.ptp(x_counts) > 3 or abs(back * self._scale) > DOWN_M:
                return hint
            refuse_slip(back, self._scale)
        if not down or np.ptp(pieces) > max(0.1 * BACK_SHARE * felt, self._rest.noise_counts):
            return hint
        if off > max(BACK_SHARE * felt, BACK_NOISES * self._rest.noise_counts):
            self._down_s = min(self._down_s, tape.newest_s)
            if tape.newest_s - self._down_s < LET_GO_S:
                return "now let the cable go slack, and touch nothing"
            raise Refused(
                f"the load cell does not come back to zero: it stays off by {off / felt:.1%} of the weight",
                "see that the cable is slack and the cell free to move; a cell that creeps or is clamped has to go",
            )
        return Hold(
            weight_kg=self._weight_kg, force_counts=self._held, zero_counts=(zero + self._rest.force_counts) / 2
        )
