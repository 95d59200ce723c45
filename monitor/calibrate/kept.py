"""What of calibrations stays on disk, in the machine's state folder.

calibrations.jsonl          every one that was finished, one line each, oldest first
calibration.partial.json    one that was left, until it is finished
"""

import os
from pathlib import Path

import msgspec

from monitor.calibrate.findings import State
from monitor.calibrate.result import Changes
from monitor.events import UNREADABLE
from monitor.state.whole_file import PRIVATE_FILE, owned_as_its_folder, write_whole


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A finished calibration: what it found, what it wrote, what stood there before."""

    v: int = 1
    finished_utc: str
    version: str  # of this program
    state: State
    after: Changes
    before: dict[str, dict[str, float | int | None]]
    written: bool  # into the profile


def add(directory: Path, kept: Kept) -> Path:
    """On disk when it returns."""
    path = directory / "calibrations.jsonl"
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, PRIVATE_FILE)
    with os.fdopen(fd, "ab") as file:
        file.write(msgspec.json.encode(kept) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    owned_as_its_folder(path)
    return path


def all_kept(directory: Path) -> tuple[list[Kept], int]:
    """Those that can be read, oldest first, and how many lines cannot."""
    try:
        lines = (directory / "calibrations.jsonl").read_bytes().splitlines()
    except FileNotFoundError:
        return [], 0
    found, damaged = [], 0
    for line in lines:
        try:
            found.append(msgspec.json.decode(line, type=Kept))
        except UNREADABLE:
            damaged += 1
    return found, damaged


def newest(directory: Path) -> Kept | None:
    """The one that a profile was last written from."""
    return next((kept for kept in reversed(all_kept(directory)[0]) if kept.written), None)


def save_partial(directory: Path, state: State) -> None:
    write_whole(_partial(directory), msgspec.json.encode(state))


def load_partial(directory: Path) -> State | None:
    """One that was left; a damaged one is none."""
    try:
        return msgspec.json.decode(_partial(directory).read_bytes(), type=State)
    except FileNotFoundError:
        return None
    except UNREADABLE:
        _partial(directory).rename(_partial(directory).with_suffix(".damaged"))
        return None


def forget_partial(directory: Path) -> None:
    _partial(directory).unlink(missing_ok=True)


def _partial(directory: Path) -> Path:
    return directory / "calibration.partial.json"
