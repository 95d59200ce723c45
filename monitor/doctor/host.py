"""Findings on the computer: a synchronised clock, disk space, safe mount options, and whether a daemon can store."""

from monitor.doctor.finding import Finding, bad, note, ok, unknown

GB = 1e9
LEAST_FREE_BYTES = 0.2 * GB  # below this, recording stops
GOOD_FREE_BYTES = 2.0 * GB  # forty hours of use


def clock(synchronized: bool | None, year: int) -> Finding:
    should = "set over the network (NTP)"
    remedy = "sudo timedatectl set-ntp true (only the dates of sessions depend on it)"
    if year < 2024:
        return bad("clock", f"the clock says that it is the year {year}", should, remedy)
    if synchronized is None:
        return unknown("clock", "this system does not report it", should)
    return ok("clock", "set by NTP", should) if synchronized else note("clock", "not synchronised", should, remedy)


def disk_space(directory: str, free_bytes: int) -> Finding:
    should = f"{GOOD_FREE_BYTES / GB:g} GB free or more"
    found = f"{free_bytes / GB:.1f} GB free under {directory}"
    remedy = "delete files, or set [record] keep_days or keep_gb"
    if free_bytes < LEAST_FREE_BYTES:
        return bad("disk_space", found, should, remedy)
    return (
        ok("disk_space", found, should) if free_bytes >= GOOD_FREE_BYTES else note("disk_space", found, should, remedy)
    )


def disk_mount(warning: str | None) -> Finding:
    should = "mounted without options that risk data"
    if warning is None:
        return ok("disk_mount", "no risky option", should)
    what, _, remedy = warning.partition("; ")
    return bad("disk_mount", what, should, remedy)


def storage(informed: bool, trouble: str | None) -> Finding:
    should = "every event and recording is written"
    if not informed:
        return unknown("storage", "no daemon that can be asked is running", should)
    if trouble is None:
        return ok("storage", "the daemon can write", should)
    return bad("storage", trouble, should, "correct that; the daemon tries again by itself")
