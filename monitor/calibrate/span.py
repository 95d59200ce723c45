"""The cell's scale from known weights: a line through its zero, and what the weights say of one another."""

import numpy as np

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2 as G
from monitor.calibrate.findings import Hold, Repetitions, Rest, Span
from monitor.calibrate.refused import Refused

MOST_RESIDUAL = 0.01  # of each weight
EXTRA_KG = (0.3, 40.0)  # a head plate, a carriage: what a label may leave out
MOST_NOISE = 0.02  # of the lightest weight, rms
MOST_DRIFT = 0.01  # of the lightest weight, over the whole calibration
CORRECTED_FROM = 0.01  # nearer, holds and movement agree


def span_of(holds: list[Hold], rest: Rest) -> Span:
    """Raises Refused where the weights contradict each other, or the cell's noise is too much for the lightest."""
    weight_n = np.array([hold.weight_kg for hold in holds]) * G
    counts = np.array([hold.force_counts - hold.zero_counts for hold in holds])
    if (counts > 0).any() and (counts < 0).any():
        raise Refused(
            "some weights pull the load cell up, others down",
            "it is bent from the side or hangs on two cables: it has to be pulled along its axis alone",
        )
    if len(holds) > 1 and (np.diff(np.abs(counts[np.argsort(weight_n)])) <= 0).any():
        raise Refused(
            "a heavier weight reads less than a lighter one", "see that the pin was where you said, and again"
        )
    slope, residuals = _fit(weight_n, counts)
    if len(holds) > 1 and np.abs(residuals).max() > MOST_RESIDUAL:
        raise _contradiction(holds, weight_n, counts, residuals)
    scale = 1 / slope
    noise = abs(rest.noise_counts * scale)
    if noise > MOST_NOISE * weight_n.min():
        raise Refused(
            f"the load cell's noise is {noise:.1f} N, too much for {weight_n.min() / G:g} kg",
            "shield its cable, ground the frame, keep motors and chargers away",
        )
    linearity = float(np.abs(residuals * weight_n).max() / weight_n.max())
    return Span(newtons_per_count=scale, residuals=tuple(map(float, residuals)), linearity=linearity)


def settled(span: Span, found: Repetitions, weight_kg: float) -> Span:
    """The span after movement: friction may hold a part of a stack that stands still, but not of one that moves.

    The mean of up and down is the load whatever friction does. Raises Refused where friction cannot be the reason.
    """
    if found.load_n is None or found.friction is None:
        return span
    ratio = found.load_n / (weight_kg * G)
    if abs(ratio - 1) <= CORRECTED_FROM:
        return span
    if abs(ratio - 1) > found.friction + CORRECTED_FROM:
        raise Refused(
            f"moved slowly the weight pulls {found.load_n / G:.1f} kg, held still it was taken for {weight_kg:g} kg",
            "see that the pin is where you said; then begin again",
        )
    return Span(
        newtons_per_count=span.newtons_per_count / ratio,
        residuals=span.residuals,
        linearity=span.linearity,
        corrected=1 / ratio,
    )


def refuse_moved_zero(first: Rest, last: Rest, span: Span, lightest_kg: float) -> None:
    """The zeros at the beginning and at the end of a calibration."""
    moved_n = abs((last.force_counts - first.force_counts) * span.newtons_per_count)
    if moved_n > max(MOST_DRIFT * lightest_kg * G, 3 * abs(first.noise_counts * span.newtons_per_count)):
        raise Refused(
            f"the load cell's zero has walked by {moved_n:.1f} N since the beginning",
            "let board and cell warm up for a quarter of an hour, then begin again",
        )


def _fit(weight_n: np.ndarray, counts: np.ndarray) -> tuple[float, np.ndarray]:
    """Counts a newton of the line through zero, and what each weight is off it, as a share of it."""
    slope = float((counts * weight_n).sum() / (weight_n**2).sum())
    return slope, counts / (slope * weight_n) - 1


def _contradiction(holds: list[Hold], weight_n: np.ndarray, counts: np.ndarray, residuals: np.ndarray) -> Refused:
    told = ", ".join(
        f"{hold.weight_kg:g} kg reads {hold.weight_kg * (1 + residual):.1f}"
        for hold, residual in zip(holds, residuals, strict=True)
    )
    slope, offset = np.polyfit(weight_n, counts, 1)
    extra_kg = float(offset / slope / G)
    left = counts / (slope * weight_n + offset) - 1
    if EXTRA_KG[0] <= extra_kg <= EXTRA_KG[1] and np.abs(left).max() < MOST_RESIDUAL:
        return Refused(
            f"the weights contradict each other ({told}), as if each were {extra_kg:.1f} kg more than you said",
            "the head plate or a carriage may not be counted: add it to the weights and begin again",
        )
    if len(holds) > 2:
        for index, hold in enumerate(holds):
            others = np.arange(len(holds)) != index
            if np.abs(_fit(weight_n[others], counts[others])[1]).max() < MOST_RESIDUAL / 2:
                return Refused(
                    f"{hold.weight_kg:g} kg contradict the other weights ({told})",
                    "weigh it, and see that the pin was in its hole; then begin again",
                )
    return Refused(
        f"the weights contradict each other ({told})",
        "weigh them, see that the pin was where you said and that nothing else bears on the cable; then begin again",
    )
