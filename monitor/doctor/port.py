"""The serial port: there, named so that it stays, ours to open, held by nobody else, left alone by ModemManager."""

from pathlib import PurePath

from firmware_bridge.holders import Holder
from monitor.doctor.finding import Finding, bad, note, ok, unknown

LASTING = ("/dev/serial/by-id/", "/dev/serial/by-path/", "/dev/rep-monitor")


def there(port: str, exists: bool, others: list[str]) -> Finding:
    should = "the port of the profile is there"
    if exists:
        return ok("port", f"{port} is there", should)
    seen = f"plugged in are {', '.join(others)}" if others else "nothing is plugged in"
    return bad("port", f"{port} is not there; {seen}", should, "plug the board in, or correct [serial] port")


def lasting_name(port: str, by_id: str | None) -> Finding:
    should = "a name that stays, whatever is plugged in first"
    if port.startswith(LASTING):
        return ok("by_id", f"{PurePath(port).name} stays", should)
    if by_id is None:
        remedy = "give a board with a serial number, or a udev rule (configs/deploy/60-rep-monitor.rules)"
        return note("by_id", f"{port} has no name under /dev/serial/by-id", should, remedy)
    return note("by_id", f"{port} may be another board after a restart", should, f'write port = "{by_id}"')


def permission(port: str, may: bool, group: str, user: str) -> Finding:
    should = "this user may read and write it"
    if may:
        return ok("permission", f"{user} may open {port}", should)
    remedy = f"sudo usermod -aG {group} {user}, then log in anew"
    return bad("permission", f"{user} may not open {port}, which belongs to the group {group}", should, remedy)


def holder(port: str, holders: list[Holder], daemon_pid: int | None) -> Finding:
    should = "nobody but rep-monitor has it open"
    others = [holder for holder in holders if holder.pid != daemon_pid]
    if others:
        who = ", ".join(map(str, others))
        return bad("holder", f"{port} is held by {who}", should, f"stop it: kill {others[0].pid}")
    if daemon_pid is not None:
        said = f"the daemon (pid {daemon_pid}) has it; it is asked, and not disturbed"
        return ok("holder", said, should)
    return ok("holder", "nobody has it open", should)


def stays(drops: int, unstable: bool) -> Finding:
    """`drops`: within the last minute, or since we listen."""
    should = "a port that stays"
    found = f"gone {drops} times within a minute" if drops else "it stays"
    if unstable:
        remedy = "change its cable, use a powered hub, give the computer a stronger supply; dmesg says why"
        return bad("cable", f"{found}, again and again", should, remedy)
    if drops:
        return note("cable", found, should, "look whether somebody pulls at the cable")
    return ok("cable", found, should)


def modem_manager(running: bool, ignored: bool | None) -> Finding:
    should = "ModemManager leaves the port alone"
    if not running:
        return ok("modem_manager", "does not run", should)
    if ignored:
        return ok("modem_manager", "runs, but is told to ignore the port", should)
    remedy = "sudo systemctl disable --now ModemManager, or the udev rules of `sudo make install`"
    if ignored is None:
        return unknown("modem_manager", "runs, and udev does not say whether it minds the port", should, remedy)
    return bad("modem_manager", "runs, and will write to the board when it is plugged in", should, remedy)
