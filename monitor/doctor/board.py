"""The board: its firmware, what it sends a second, and what is lost on the way and why."""

from collections.abc import Mapping

from monitor.doctor.finding import Finding, bad, note, ok

WRONG_LOST = 0.001  # share of the frames
POSITION_TOLERANCE = 0.02
FORCE_TOLERANCE = 0.2
PROTOCOL = 1


def firmware(version: str | None, protocol: int | None, trouble: str | None) -> Finding:
    should = f"firmware that speaks protocol {PROTOCOL}"
    if version is not None and protocol == PROTOCOL:
        return ok("firmware", f"{version}, protocol {protocol}", should)
    if version is not None:
        return bad("firmware", f"{version} speaks protocol {protocol}", should, "flash what came with this program")
    sentence = trouble or "nothing answered"
    what, _, remedy = sentence.rpartition(": ")
    return bad(
        "firmware",
        what or sentence,
        should,
        (remedy if what else "") or "power the board, look at the port and at [serial] baud",
    )


def rates(
    position_hz: float | None,
    force_hz: float | None,
    asked_hz: float | None,
    promised_hz: float | None,
    slack: float = 0.0,
) -> Finding:
    """Measured against agreed on; `slack` widens the tolerances where the measuring is coarse."""
    should = " and ".join(
        part
        for part in (
            f"{asked_hz:g} positions" if asked_hz else "",
            f"{promised_hz:g} forces a second" if promised_hz else "forces, 50 a second or more",
        )
        if part
    )
    found = f"{position_hz or 0:.0f} positions, {force_hz or 0:.1f} forces a second"
    if asked_hz and abs((position_hz or 0) / asked_hz - 1) > POSITION_TOLERANCE + slack:
        return bad("rates", found, should, "correct [serial] rate_hz, or find out why the board is late")
    if not force_hz:
        return bad("rates", found, should, "look at the converter of the load cell and its wires")
    if promised_hz and abs(force_hz / promised_hz - 1) > FORCE_TOLERANCE + slack:
        return bad("rates", found, should, "set the converter's RATE pin or jumper (an HX711 at 10 instead of 80)")
    if force_hz < 50:
        return note("rates", found, should, "a converter of 80 a second or more sees brief slack, too")
    return ok("rates", found, should)


def lost_frames(counts: Mapping[str, int], device: Mapping[str, int]) -> Finding:
    """`counts` are ours, `device` the board's own, both over the same while."""
    should = "no frame lost"
    lost = counts.get("lost_frames", 0)
    damaged = counts.get("bad_crc", 0) + counts.get("bad_shape", 0)
    sent = lost + counts.get("frames", 0)
    share = lost / max(sent, 1)
    found = f"{lost} of {sent} frames ({share:.2%}), {damaged} damaged"
    if not lost and not damaged:
        return ok("lost_frames", found, should)
    cause, remedy = "the computer did not fetch them in time", "use no hub, stop what loads this computer"
    if device.get("tx_dropped"):
        cause = f"the board had no room to send {device['tx_dropped']}"
        remedy = "a higher [serial] baud, a lower rate_hz, a larger block"
    elif device.get("samp_overrun"):
        cause, remedy = f"the board missed {device['samp_overrun']} samples", "ask for a lower [serial] rate_hz"
    elif damaged:
        cause, remedy = "noise on the cable", "a shorter, shielded USB cable, away from motors"
    if share < WRONG_LOST and damaged <= WRONG_LOST * sent:
        return note("lost_frames", f"{found}: {cause}", should, remedy)
    return bad("lost_frames", f"{found}: {cause}", should, remedy)
