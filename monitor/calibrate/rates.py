"""What the board really sends: rates by its own stamps, and frames that were lost, against what was agreed on."""

import numpy as np

from firmware_bridge.formats.link_counts import LinkCounts
from monitor.calibrate.findings import Rates
from monitor.calibrate.refused import Refused
from monitor.calibrate.tape import Signal, Window

MEASURED_S = 4.0
POSITION_TOLERANCE = 0.02  # the board's timer makes it
FORCE_TOLERANCE = 0.2  # a converter's own clock makes it: 92 for 80 a second is within what is sold
LEAST_FORCE_HZ = 20.0
SLOW_FORCE_HZ = 50.0
MOST_LOST = 0.02


def rate_hz(signal: Signal) -> float | None:
    """Of the readings, whatever was lost between them."""
    steps_s = np.diff(signal.t_s)
    steps_s = steps_s[steps_s > 0]
    return None if len(steps_s) < 2 else float(1 / np.mean(steps_s[steps_s < 1.5 * np.median(steps_s)]))


def lost_share(before: LinkCounts, now: LinkCounts) -> float:
    """Of the frames between two moments: what never came, and what came damaged."""
    lost = now.lost_frames - before.lost_frames
    came = now.frames - before.frames
    return lost / max(lost + came, 1)


def measured_rates(
    window: Window, lost: float, *, position_hz: float | None, force_hz: float | None
) -> tuple[Rates, list[str]]:
    """What is sent, with what there is to remark; `*_hz` are the rates agreed on, None where nobody said."""
    position = rate_hz(window.position) if position_hz is not None or len(window.position) else None
    force = rate_hz(window.force)
    if force is None:
        raise Refused("the load cell sends nothing", "connect its converter, and look at the board's firmware")
    if position_hz is not None and (position is None or abs(position / position_hz - 1) > POSITION_TOLERANCE):
        came = "none" if position is None else f"{position:.0f}"
        raise Refused(
            f"{came} positions a second come where [serial] rate_hz = {position_hz:g}",
            "correct rate_hz, or the rate that the board's program sends at",
        )
    if force_hz and abs(force / force_hz - 1) > FORCE_TOLERANCE:
        raise Refused(
            f"the load cell sends {force:.1f} readings a second, but its firmware counts on {force_hz:g}",
            "set the converter's RATE pin or jumper (an HX711 at 10 instead of 80), or flash the matching firmware",
        )
    if force < LEAST_FORCE_HZ:
        raise Refused(
            f"the load cell sends {force:.1f} readings a second",
            f"nothing below {LEAST_FORCE_HZ:g} can show how tension leaks: set its converter to 80 or more",
        )
    if lost > MOST_LOST:
        raise Refused(
            f"{lost:.1%} of the frames are lost on the way",
            "use a shorter USB cable, no hub, a lower [serial] baud or rate_hz",
        )
    remarks = []
    if force < SLOW_FORCE_HZ:
        remarks.append(f"the cell sends {force:.0f} readings a second; from {SLOW_FORCE_HZ:g} on it sees brief slack")
    return Rates(position_hz=position, force_hz=force, lost_share=lost), remarks
