"""Measures the board's sample rates and lost frames, and compares the rates with those that were requested."""

import numpy as np

from firmware_bridge.formats.link_counts import LinkCounts
from monitor.calibrate.readings import Signal, Window
from monitor.calibrate.refused import Refused
from monitor.calibrate.step_results import RatesResult

MEASURED_S = 4.0  # a rate is then exact to a few per mille
POSITION_TOLERANCE = 0.02  # the board's timer sets this rate
FORCE_TOLERANCE = 0.2  # the converter's own clock sets this rate: converters for 80 Hz were seen to run at 92
LEAST_FORCE_HZ = 20.0  # a board with fewer readings is refused
SLOW_FORCE_HZ = 50.0  # with fewer readings brief slack is missed
MOST_LOST = 0.02  # of the frames: more shows a bad cable or a busy computer


def rate_hz(signal: Signal) -> float | None:
    """The rate of the readings; lost readings do not change it. None with fewer than three readings."""
    steps_s = np.diff(signal.t_s)
    steps_s = steps_s[steps_s > 0]
    return None if len(steps_s) < 2 else float(1 / np.mean(steps_s[steps_s < 1.5 * np.median(steps_s)]))


def lost_share(before: LinkCounts, now: LinkCounts) -> float:
    """The share of frames between two moments that never came or came damaged."""
    lost = now.lost_frames - before.lost_frames
    received = now.frames - before.frames
    return lost / max(lost + received, 1)


def measured_rates(
    window: Window, lost: float, *, position_hz: float | None, force_hz: float | None
) -> tuple[RatesResult, list[str]]:
    """The measured rates, and remarks. `position_hz` and `force_hz` are expected rates, None if unknown.

    Raises Refused.
    """
    position = rate_hz(window.position) if position_hz is not None or len(window.position) else None
    force = rate_hz(window.force)
    if force is None:
        raise Refused("the load cell sends nothing", "connect its converter, and check the board's firmware")
    if position_hz is not None and (position is None or abs(position / position_hz - 1) > POSITION_TOLERANCE):
        received = "no" if position is None else f"{position:.0f}"
        raise Refused(
            f"the board sends {received} positions a second instead of [serial] rate_hz = {position_hz:g}",
            "correct rate_hz, or the rate in the board's program",
        )
    if force_hz and abs(force / force_hz - 1) > FORCE_TOLERANCE:
        raise Refused(
            f"the load cell sends {force:.1f} readings a second, but its firmware expects {force_hz:g}",
            "set the converter's RATE pin or jumper (an HX711 at 10 Hz instead of 80), or flash the matching firmware",
        )
    if force < LEAST_FORCE_HZ:
        raise Refused(
            f"the load cell sends {force:.1f} readings a second",
            f"leaks of tension need {LEAST_FORCE_HZ:g} or more: set its converter to 80 Hz or more",
        )
    if lost > MOST_LOST:
        raise Refused(
            f"{lost:.1%} of the frames are lost",
            "use a shorter USB cable, no hub, a lower [serial] baud or rate_hz",
        )
    remarks = []
    if force < SLOW_FORCE_HZ:
        remarks.append(f"the load cell sends {force:.0f} readings a second; brief slack needs {SLOW_FORCE_HZ:g}")
    return RatesResult(position_hz=position, force_hz=force, lost_share=lost), remarks
