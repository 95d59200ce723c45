"""Findings on the profile and on the age of its calibration."""

from monitor.calibrate.history import StoredCalibration
from monitor.doctor.finding import Finding, bad, note, ok
from monitor.profile.profile import Profile

OLD_DAYS = 365.0


def profile(path: str, read: Profile | None, trouble: str | None) -> Finding:
    should = "a profile without errors"
    if read is None:
        return bad("profile", trouble or "cannot be read", should, "correct that line; `rep-monitor config check`")
    if read.calibration is None:
        return bad("profile", f"{path} has no [calibration]", should, f"rep-monitor calibrate {path}")
    return ok("profile", f"{path}: {read.machine.id}, {read.machine.kind}", should)


def calibration(kept: StoredCalibration | None, damaged: int, age_days: float | None, changed: list[str]) -> Finding:
    """`changed`: keys of the profile whose values differ from the calibration."""
    should = f"younger than {OLD_DAYS:g} days, and equal to the profile"
    again = "rep-monitor calibrate PROFILE"
    if kept is None or age_days is None:
        lost = f" ({damaged} lines of calibrations.jsonl cannot be read)" if damaged else ""
        return note("calibration", f"no calibration is stored: the numbers were written by hand{lost}", should, again)
    found = f"{age_days:.0f} days old"
    if kept.state.span is not None:
        found += f", weights within {max(map(abs, kept.state.span.residuals)):.2%}"
    if changed:
        return note("calibration", f"{found}; changed by hand since: {', '.join(changed)}", should, again)
    if age_days > OLD_DAYS:
        return note("calibration", found, should, again)
    return ok("calibration", found, should)
