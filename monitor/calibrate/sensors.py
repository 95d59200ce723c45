"""Whether the sensors can be believed at all over a stretch of time; what every step looks at first."""

from firmware_bridge.samples import Flag
from monitor.calibrate.refused import Refused
from monitor.calibrate.tape import Window

LEAST_READINGS = 5
MOST_SATURATED = 0.02  # shares of the conversions
MOST_LOST = 0.2
MOST_SUSPECT = 0.05


def refuse_what_is_broken(window: Window, *, has_position: bool) -> None:
    """Raises Refused for a board that restarted, an encoder that slips, a cell that says nothing of use."""
    if window.any(Flag.RESTART):
        raise Refused(
            "the board has restarted",
            "its supply is too weak or a plug is loose; mend that, then do this step again",
            restarted=True,
        )
    if has_position and window.any(Flag.SLIPPED):
        raise Refused(
            "the encoder slips: the board has counted transitions that cannot be",
            "shorten and shield its cable, fasten its wheel, or turn it slower",
        )
    if has_position and len(window.position) < LEAST_READINGS:
        raise Refused("the board sends no positions", "connect the encoder, and flash firmware that reads one")
    if window.share(Flag.SATURATED) > MOST_SATURATED:
        raise Refused(
            "the load cell is saturated: it reads the end of its scale",
            "look for a broken or a swapped wire of the cell; under a weight, use a smaller gain or a bigger cell",
        )
    if window.share(Flag.TIMEOUT | Flag.DESYNC) > MOST_LOST or len(window.force) < LEAST_READINGS:
        raise Refused(
            "the converter of the load cell does not answer",
            "look at its supply and at the wires between it and the board",
        )
    if window.share(Flag.SUSPECT) > MOST_SUSPECT:
        raise Refused(
            "readings of the load cell slip bits",
            "shorten the wires between converter and board, and keep them away from motors",
        )
