"""Measures a known weight that is held still on the cable, and checks that the cell returns to zero afterwards."""

import numpy as np

from monitor.calibrate.height import refuse_slip
from monitor.calibrate.readings import Readings, Window
from monitor.calibrate.refused import Refused
from monitor.calibrate.sensors import refuse_faulty_sensors
from monitor.calibrate.step_results import HoldResult, RestResult
from monitor.profile.weights import mass

HELD_S = 2.5  # of stillness, before the weight counts
PIECE_S = 0.5  # the means of these pieces are compared
LIFTED_M = 0.02  # the stack counts as lifted above this
STILL_M = 0.0002  # between the means of the pieces: a slowly moving stack adds its friction to the reading
STILL_SHARE = 0.01  # of the weight, the same of force
FELT_NOISES = 20.0  # times the cell's noise: a smaller force is not a weight
DOWN_S = 1.5  # of rest, before the return to zero counts
DOWN_M = 0.015  # the stack counts as down within this
BACK_SHARE = 0.01  # of the weight: the cell has to return to zero within this
BACK_NOISES = 3.0  # times the cell's noise: the cell may miss its zero by this
LET_GO_S = 5.0  # of patience for a hand that has not let go


class HoldStep:
    """`metres_per_count` is None if there is no encoder: then the force alone shows that the weight hangs.

    `rested`: the stack is on its rest when the step begins. If False, it may still stand on the block.
    """

    def __init__(self, weight_kg: float, rest: RestResult, metres_per_count: float | None, *, rested: bool) -> None:
        self._weight_kg, self._rest, self._scale = weight_kg, rest, metres_per_count
        self._held: float | None = None
        self._held_s = 0.0
        self._down_s = np.inf  # when the stack was down while the cell had not returned to zero
        self._rested = rested or metres_per_count is None

    def look(self, readings: Readings) -> HoldResult | str:
        """The result, once the weight has been held still and set down; until then a hint. Raises Refused."""
        if readings.seconds < HELD_S:
            return "measuring"
        window = readings.last(HELD_S)
        refuse_faulty_sensors(window, has_position=self._scale is not None)
        return self._wait_for_hold(readings, window) if self._held is None else self._wait_for_rest(readings)

    def _wait_for_hold(self, readings: Readings, window: Window) -> str:
        pieces = window.force.means(PIECE_S) - self._rest.force_counts
        felt = abs(float(np.mean(pieces)))
        few = FELT_NOISES * self._rest.noise_counts
        if self._scale is not None and (hint := self._position_hint(window, felt > few)):
            return hint
        if felt < few:
            if self._scale is None:
                return f"waiting for {mass(self._weight_kg)} on the cell"
            raise Refused(
                f"{mass(self._weight_kg)} are lifted, but the load cell sees no load",
                "check that the cable runs through the cell, and that no stop carries the load",
            )
        if np.ptp(pieces) > max(STILL_SHARE * felt, 2 * self._rest.noise_counts):
            return "hold it still: the force is not steady yet"
        self._held = float(np.mean(pieces)) + self._rest.force_counts
        self._held_s = readings.newest_s
        return "measured; now set it down gently and let the cable go slack"

    def _position_hint(self, window: Window, felt: bool) -> str | None:
        """What the encoder shows to be missing for a hold; None if nothing."""
        assert self._scale is not None
        x_m = (window.position.means(PIECE_S) - self._rest.position_counts) * self._scale
        if not self._rested:
            if np.ptp(x_m[-2:]) > 3 * abs(self._scale) or abs(x_m[-1]) > DOWN_M or felt:
                return "remove the block and set the stack down on its rest"
            refuse_slip(float(x_m[-1]) / self._scale, self._scale)
            self._rested = True
        if np.mean(x_m) < -LIFTED_M:
            raise Refused(
                f"the stack went {abs(float(np.mean(x_m))) * 1000:.0f} mm down instead of up",
                "the block was not under the stack during the travel step: begin again and repeat that step",
            )
        if np.mean(x_m) < LIFTED_M:
            return "under load, but the stack is still on its rest" if felt else f"waiting for {mass(self._weight_kg)}"
        if np.ptp(x_m) > max(STILL_M, 1.5 * abs(self._scale)):
            return f"hold it still: it is moving by {np.ptp(x_m) * 1000:.1f} mm"
        return None

    def _wait_for_rest(self, readings: Readings) -> HoldResult | str:
        assert self._held is not None
        window = readings.last(DOWN_S)
        felt = abs(self._held - self._rest.force_counts)
        pieces = window.force.means(PIECE_S)
        zero = float(np.mean(pieces))
        off = abs(zero - self._rest.force_counts)
        down = readings.newest_s - self._held_s > DOWN_S and off < 0.2 * felt
        hint = "measured; now set it down gently and let the cable go slack"
        if self._scale is not None:
            x_counts = window.position.counts - self._rest.position_counts
            back = float(np.median(x_counts))
            if not down or np.ptp(x_counts) > 3 or abs(back * self._scale) > DOWN_M:
                return hint
            refuse_slip(back, self._scale)
        if not down or np.ptp(pieces) > max(0.1 * BACK_SHARE * felt, self._rest.noise_counts):
            return hint
        if off > max(BACK_SHARE * felt, BACK_NOISES * self._rest.noise_counts):
            self._down_s = min(self._down_s, readings.newest_s)
            if readings.newest_s - self._down_s < LET_GO_S:
                return "now let the cable go slack and touch nothing"
            raise Refused(
                f"the load cell does not return to zero: it stays off by {off / felt:.1%} of the weight",
                "check that the cable is slack and the cell moves freely; replace a cell that creeps",
            )
        return HoldResult(
            weight_kg=self._weight_kg, force_counts=self._held, zero_counts=(zero + self._rest.force_counts) / 2
        )
