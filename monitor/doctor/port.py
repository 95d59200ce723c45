"""Findings on the serial port: presence, name, permission, other users of it, cable, ModemManager."""

from pathlib import PurePath

from firmware_bridge.holders import Holder
from monitor.doctor.finding import Finding, bad, note, ok, unknown

PERSISTENT = ("/dev/serial/by-id/", "/dev/serial/by-path/", "/dev/rep-monitor")


def present(port: str, exists: bool, others: list[str]) -> Finding:
    should = "the port of the profile exists"
    if exists:
        return ok("port", f"{port} exists", should)
    seen = f"other ports: {', '.join(others)}" if others else "no other port is plugged in"
    return bad("port", f"{port} does not exist; {seen}", should, "plug the board in, or correct [serial] port")


def persistent_name(port: str, by_id: str | None) -> Finding:
    should = "a name that does not depend on the order in which boards are plugged in"
    if port.startswith(PERSISTENT):
        return ok("by_id", f"{PurePath(port).name} is persistent", should)
    if by_id is None:
        remedy = "use a board with a serial number, or a udev rule (configs/deploy/60-rep-monitor.rules)"
        return note("by_id", f"{port} has no name under /dev/serial/by-id", should, remedy)
    return note("by_id", f"{port} can be another board after a restart", should, f'set port = "{by_id}"')


def permission(port: str, may: bool, group: str, user: str) -> Finding:
    should = "this user may read and write the port"
    if may:
        return ok("permission", f"{user} may open {port}", should)
    remedy = f"sudo usermod -aG {group} {user}, then log in again"
    return bad("permission", f"{user} may not open {port}, which belongs to the group {group}", should, remedy)


def holder(port: str, holders: list[Holder], daemon_pid: int | None) -> Finding:
    should = "no program but rep-monitor has it open"
    others = [holder for holder in holders if holder.pid != daemon_pid]
    if others:
        who = ", ".join(map(str, others))
        return bad("holder", f"{port} is open in {who}", should, f"stop it: kill {others[0].pid}")
    if daemon_pid is not None:
        return ok("holder", f"the daemon (pid {daemon_pid}) has it open", should)
    return ok("holder", "no program has it open", should)


def cable(drops: int, unstable: bool) -> Finding:
    """`drops`: disconnections within the last minute, or since the port was opened here."""
    should = "a port that stays connected"
    found = f"disconnected {drops} time{'s' * (drops != 1)} within a minute" if drops else "connected all the time"
    if unstable:
        remedy = "change the cable, use a powered hub or a stronger power supply; dmesg shows the reason"
        return bad("cable", found, should, remedy)
    if drops:
        return note("cable", found, should, "check the cable and its plugs")
    return ok("cable", found, should)


def modem_manager(running: bool, ignored: bool | None) -> Finding:
    should = "ModemManager leaves the port alone"
    if not running:
        return ok("modem_manager", "is not running", should)
    if ignored:
        return ok("modem_manager", "is running and ignores the port", should)
    remedy = "sudo systemctl disable --now ModemManager, or the udev rules of `sudo make install`"
    if ignored is None:
        return unknown("modem_manager", "is running; udev does not say if it ignores the port", should, remedy)
    return bad("modem_manager", "is running and will write to the board when it is plugged in", should, remedy)
