"""The computer: a clock that somebody sets, a disk with room that keeps what it says it keeps."""

from monitor.doctor.finding import Finding, bad, note, ok, unknown

GB = 1e9
LEAST_FREE_BYTES = 0.2 * GB  # below that recording stops
GOOD_FREE_BYTES = 2.0 * GB  # forty hours of use


def clock(synchronized: bool | None, year: int) -> Finding:
    should = "set over the network (NTP)"
    remedy = "sudo timedatectl set-ntp true; sessions are dated by it, nothing else"
    if year < 2024:
        return bad("clock", f"it is the year {year} here", should, remedy)
    if synchronized is None:
        return unknown("clock", "this system does not say", should)
    return ok("clock", "set by NTP", should) if synchronized else note("clock", "nobody sets it", should, remedy)


def disk_space(directory: str, free_bytes: int) -> Finding:
    should = f"{GOOD_FREE_BYTES / GB:g} GB free or more"
    found = f"{free_bytes / GB:.1f} GB free under {directory}"
    remedy = "remove what is not needed, or set [record] keep_days or keep_gb"
    if free_bytes < LEAST_FREE_BYTES:
        return bad("disk_space", found, should, remedy)
    return (
        ok("disk_space", found, should) if free_bytes >= GOOD_FREE_BYTES else note("disk_space", found, should, remedy)
    )


def disk_mount(warning: str | None) -> Finding:
    should = "mounted so that what was synced stays"
    if warning is None:
        return ok("disk_mount", "nothing speaks against it", should)
    what, _, remedy = warning.partition("; ")
    return bad("disk_mount", what, should, remedy)
