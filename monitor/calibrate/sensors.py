"""Refuses readings of faulty sensors; every step makes this check first."""

from firmware_bridge.samples import Flag
from monitor.calibrate.readings import Window
from monitor.calibrate.refused import Refused

LEAST_READINGS = 5  # with fewer readings the sensor counts as silent
MOST_SATURATED = 0.02  # shares of the conversions
MOST_LOST = 0.2  # of the conversions
MOST_SUSPECT = 0.05  # of the conversions


def refuse_faulty_sensors(window: Window, *, has_position: bool) -> None:
    """Raises Refused if the board has restarted, the encoder slips, or the load cell gives no usable readings."""
    if window.any(Flag.RESTART):
        raise Refused(
            "the board has restarted",
            "its supply is too weak or a plug is loose; repair that, then repeat this step",
            restarted=True,
        )
    if has_position and window.any(Flag.SLIPPED):
        raise Refused(
            "the encoder slips: the board has counted illegal transitions",
            "shorten and shield its cable, fasten its wheel, or move more slowly",
        )
    if has_position and len(window.position) < LEAST_READINGS:
        raise Refused("the board sends no positions", "connect the encoder, and flash firmware that reads one")
    if window.share(Flag.SATURATED) > MOST_SATURATED:
        raise Refused(
            "the load cell is saturated: it is at the end of its scale",
            "check for a broken or swapped wire; if it happens only under load, use a smaller gain or a bigger cell",
        )
    if window.share(Flag.TIMEOUT | Flag.DESYNC) > MOST_LOST or len(window.force) < LEAST_READINGS:
        raise Refused(
            "the converter of the load cell does not answer",
            "check its supply and the wires between it and the board",
        )
    if window.share(Flag.SUSPECT) > MOST_SUSPECT:
        raise Refused(
            "readings of the load cell are shifted by single bits",
            "shorten the wires between converter and board, and keep them away from motors",
        )
