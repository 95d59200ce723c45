"""Findings on the board: its firmware, its sample rates, and lost frames with their cause."""

from collections.abc import Mapping

from firmware_bridge.formats.messages import PROTOCOL
from monitor.calibrate.rates import SLOW_FORCE_HZ
from monitor.doctor.finding import Finding, bad, note, ok

MOST_LOST = 0.001  # share of the frames
POSITION_TOLERANCE = 0.02  # of the rate: the board makes it from its own clock
FORCE_TOLERANCE = 0.2  # of the rate: converters have an oscillator of their own


def firmware(version: str | None, protocol: int | None, trouble: str | None) -> Finding:
    should = f"firmware that speaks protocol {PROTOCOL}"
    if version is not None and protocol == PROTOCOL:
        return ok("firmware", f"{version}, protocol {protocol}", should)
    if version is not None:
        return bad("firmware", f"{version} speaks protocol {protocol}", should, "flash the firmware of this release")
    sentence = trouble or "nothing answered"
    what, _, remedy = sentence.rpartition(": ")
    return bad(
        "firmware",
        what or sentence,
        should,
        (remedy if what else "") or "power the board, check the port and [serial] baud",
    )


def rates(
    position_hz: float | None,
    force_hz: float | None,
    asked_hz: float | None,
    promised_hz: float | None,
) -> Finding:
    """Compares measured rates with requested and announced ones."""
    should = " and ".join(
        part
        for part in (
            f"{asked_hz:g} positions" if asked_hz else "",
            f"{promised_hz:g} forces a second" if promised_hz else "forces, 50 a second or more",
        )
        if part
    )
    found = f"{position_hz or 0:.0f} positions, {force_hz or 0:.1f} forces a second"
    if asked_hz and abs((position_hz or 0) / asked_hz - 1) > POSITION_TOLERANCE:
        return bad("rates", found, should, "correct [serial] rate_hz, or find out why the board is slow")
    if not force_hz:
        return bad("rates", found, should, "check the converter of the load cell and its wires")
    if promised_hz and abs(force_hz / promised_hz - 1) > FORCE_TOLERANCE:
        return bad("rates", found, should, "set the converter's RATE pin or jumper (an HX711 at 10 Hz instead of 80)")
    if force_hz < SLOW_FORCE_HZ:
        return note("rates", found, should, "use a converter of 80 Hz or more, which also shows brief slack")
    return ok("rates", found, should)


def lost_frames(counts: Mapping[str, int], device: Mapping[str, int]) -> Finding:
    """`counts` are ours, `device` the board's own, both over the same time."""
    should = "no frame lost"
    lost = counts.get("lost_frames", 0)
    damaged = counts.get("bad_crc", 0) + counts.get("bad_shape", 0)
    sent = lost + counts.get("frames", 0)
    share = lost / max(sent, 1)
    found = f"{lost} of {sent} frames ({share:.2%}), {damaged} damaged"
    if not lost and not damaged:
        return ok("lost_frames", found, should)
    cause, remedy = "the computer did not read them in time", "use no hub, stop other programs that load this computer"
    if device.get("tx_dropped"):
        cause = f"the board's send buffer was full for {device['tx_dropped']}"
        remedy = "set a higher [serial] baud, a lower rate_hz or a larger block"
    elif device.get("samp_overrun"):
        cause, remedy = f"the board missed {device['samp_overrun']} samples", "set a lower [serial] rate_hz"
    elif damaged:
        cause, remedy = "noise on the cable", "use a shorter, shielded USB cable, away from motors"
    if share < MOST_LOST and damaged <= MOST_LOST * sent:
        return note("lost_frames", f"{found}: {cause}", should, remedy)
    return bad("lost_frames", f"{found}: {cause}", should, remedy)
