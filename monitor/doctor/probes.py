"""Facts about this computer: ports, processes, clock, disk, and a running daemon."""

import ctypes
import grp
import os
import pwd
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from firmware_bridge.ports import list_ports, port_info
from monitor.calibrate.history import StoredCalibration
from monitor.profile.profile import Profile

CLOCK_UNSYNCHRONIZED = 5  # what ntp_adjtime returns: TIME_ERROR
_TIMEX_BYTES = 512  # more than any kernel's struct timex


def other_ports(port: str) -> list[str]:
    return [info.by_id or info.device for info in list_ports() if info.device != port]


def by_id(port: str) -> str | None:
    return port_info(port).by_id


def may_open(port: str) -> tuple[bool, str, str]:
    """True if this user may open the port; the group that may; the user's name."""
    status = os.stat(port)
    try:
        group = grp.getgrgid(status.st_gid).gr_name
    except KeyError:
        group = str(status.st_gid)
    try:
        user = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        user = str(os.geteuid())
    return os.access(port, os.R_OK | os.W_OK), group, user


def process_runs(name: str, proc: Path = Path("/proc")) -> bool:
    for process in proc.iterdir():
        if process.name.isdigit():
            try:
                if (process / "comm").read_text().strip() == name:
                    return True
            except OSError:  # the process has just ended
                continue
    return False


def modem_manager_ignores(port: str) -> bool | None:
    """True if udev has marked the port for ModemManager to ignore; None if udev does not know the port."""
    if shutil.which("udevadm") is None:
        return None
    command = ["udevadm", "info", "--query=property", f"--name={os.path.realpath(port)}"]
    asked = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
    if asked.returncode:
        return None
    lines = asked.stdout.splitlines()
    return any(line in ("ID_MM_DEVICE_IGNORE=1", "ID_MM_PORT_IGNORE=1") for line in lines)


def clock_synchronized() -> bool | None:
    """The kernel's answer; None if it gives none."""
    library: Any = ctypes.CDLL(None, use_errno=True)
    if not hasattr(library, "ntp_adjtime"):
        return None
    state = library.ntp_adjtime(ctypes.create_string_buffer(_TIMEX_BYTES))  # modes = 0: read only
    return None if state < 0 else state != CLOCK_UNSYNCHRONIZED


def free_bytes(directory: Path) -> int:
    there = next(path for path in (directory, *directory.parents) if path.exists())
    return shutil.disk_usage(there).free


def age_days(kept: StoredCalibration) -> float:
    then = datetime.fromisoformat(kept.finished_utc)
    return (datetime.now(UTC) - then).total_seconds() / 86_400


def changed_since(kept: StoredCalibration, profile: Profile) -> list[str]:
    """Keys of the profile whose values differ from those that the calibration wrote."""
    tables: dict[str, dict[str, Any]] = msgspec.to_builtins(profile)
    return [
        f"[{table}] {key}"
        for table, values in kept.after.items()
        for key, value in values.items()
        if (tables.get(table) or {}).get(key) != value
    ]


def year() -> int:
    return datetime.now(UTC).year
