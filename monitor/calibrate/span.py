"""Fits the load cell's scale to known weights, and refuses weights that contradict each other."""

import numpy as np

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2 as G
from monitor.calibrate.refused import Refused
from monitor.calibrate.step_results import HoldResult, RepetitionsResult, RestResult, SpanResult
from monitor.profile.weights import mass, weight

MOST_RESIDUAL = 0.01  # of each weight
EXTRA_KG = (0.3, 40.0)  # a head plate or a carriage, which the label of a weight may leave out
MOST_NOISE = 0.02  # of the lightest weight, rms
MOST_DRIFT = 0.01  # of the lightest weight, over the whole calibration
CORRECTED_FROM = 0.01  # below this, holds and movement agree


def span_of(holds: list[HoldResult], rest: RestResult) -> SpanResult:
    """Raises Refused if the weights contradict each other, or if the noise is too high for the lightest weight."""
    weight_n = np.array([hold.weight_kg for hold in holds]) * G
    counts = np.array([hold.force_counts - hold.zero_counts for hold in holds])
    if (counts > 0).any() and (counts < 0).any():
        raise Refused(
            "some weights give positive readings, others negative ones",
            "the cell is bent sideways or hangs on two cables: mount it so that it is only pulled along its axis",
        )
    if len(holds) > 1 and (np.diff(np.abs(counts[np.argsort(weight_n)])) <= 0).any():
        raise Refused(
            "a heavier weight reads less than a lighter one", "check the position of the pin and repeat the weights"
        )
    slope, residuals = _fit(weight_n, counts)
    if len(holds) > 1 and np.abs(residuals).max() > MOST_RESIDUAL:
        raise _contradiction(holds, weight_n, counts, residuals)
    scale = 1 / slope
    noise = abs(rest.noise_counts * scale)
    if noise > MOST_NOISE * weight_n.min():
        raise Refused(
            f"the load cell's noise is {noise:.1f} N, too high for {weight(weight_n.min())}",
            "shield its cable, ground the frame, keep motors and chargers away",
        )
    linearity = float(np.abs(residuals * weight_n).max() / weight_n.max())
    return SpanResult(newtons_per_count=scale, residuals=tuple(map(float, residuals)), linearity=linearity)


def settled(span: SpanResult, found: RepetitionsResult, weight_kg: float) -> SpanResult:
    """Corrects the span by the load of slow movement: friction can carry a part of a stack that is held still.

    The mean force of both directions is the load, independent of friction. Raises Refused if friction cannot explain
    the difference.
    """
    if found.load_n is None or found.friction is None:
        return span
    ratio = found.load_n / (weight_kg * G)
    if abs(ratio - 1) <= CORRECTED_FROM:
        return span
    if abs(ratio - 1) > found.friction + CORRECTED_FROM:
        raise Refused(
            f"the slow repetitions gave {weight(found.load_n)}, but the weight was given as {mass(weight_kg)}",
            "check the position of the pin; then begin again",
        )
    return SpanResult(
        newtons_per_count=span.newtons_per_count / ratio,
        residuals=span.residuals,
        linearity=span.linearity,
        corrected=1 / ratio,
    )


def refuse_moved_zero(first: RestResult, last: RestResult, span: SpanResult, lightest_kg: float) -> None:
    """Raises Refused if the zero has drifted during the calibration."""
    moved_n = abs((last.force_counts - first.force_counts) * span.newtons_per_count)
    if moved_n > max(MOST_DRIFT * lightest_kg * G, 3 * abs(first.noise_counts * span.newtons_per_count)):
        raise Refused(
            f"the load cell's zero has drifted by {moved_n:.1f} N since the beginning",
            "let board and cell warm up for 15 minutes, then begin again",
        )


def _fit(weight_n: np.ndarray, counts: np.ndarray) -> tuple[float, np.ndarray]:
    """The slope of the line through zero in counts a newton, and each weight's deviation as a share of the weight."""
    slope = float((counts * weight_n).sum() / (weight_n**2).sum())
    return slope, counts / (slope * weight_n) - 1


def _contradiction(holds: list[HoldResult], weight_n: np.ndarray, counts: np.ndarray, residuals: np.ndarray) -> Refused:
    read = ", ".join(
        f"{mass(hold.weight_kg)} reads {weight(hold.weight_kg * (1 + residual) * G)}"
        for hold, residual in zip(holds, residuals, strict=True)
    )
    slope, offset = np.polyfit(weight_n, counts, 1)
    extra_kg = float(offset / slope / G)
    left = counts / (slope * weight_n + offset) - 1
    if EXTRA_KG[0] <= extra_kg <= EXTRA_KG[1] and np.abs(left).max() < MOST_RESIDUAL:
        return Refused(
            f"the weights contradict each other ({read}), as if each were {weight(extra_kg * G)} heavier",
            "the head plate or a carriage may be missing: add it to the weights and begin again",
        )
    if len(holds) > 2:
        for index, hold in enumerate(holds):
            others = np.arange(len(holds)) != index
            if np.abs(_fit(weight_n[others], counts[others])[1]).max() < MOST_RESIDUAL / 2:
                return Refused(
                    f"{mass(hold.weight_kg)} contradicts the other weights ({read})",
                    "weigh it, and check that the pin was in its hole; then begin again",
                )
    return Refused(
        f"the weights contradict each other ({read})",
        "weigh them, check the position of the pin and that nothing else pulls at the cable; then begin again",
    )
