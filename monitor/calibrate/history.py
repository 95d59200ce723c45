"""The calibrations of a machine, in its state folder.

calibrations.jsonl          all finished calibrations, one line each, oldest first
calibration.partial.json    an unfinished calibration
"""

import os
from pathlib import Path

import msgspec

from monitor.calibrate.changes import Changes
from monitor.calibrate.step_results import Progress
from monitor.events import UNREADABLE
from monitor.state.whole_file import PRIVATE_FILE, owned_as_its_folder, write_whole


class StoredCalibration(msgspec.Struct, frozen=True, kw_only=True):
    """A finished calibration: its results, and the values of the profile after and before it."""

    v: int = 1
    finished_utc: str
    version: str  # of this program
    state: Progress
    after: Changes
    before: dict[str, dict[str, float | int | None]]
    written: bool  # True if the profile was changed


def add(directory: Path, kept: StoredCalibration) -> Path:
    """Appends a calibration; it is on disk when this returns. Raises OSError."""
    path = directory / "calibrations.jsonl"
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, PRIVATE_FILE)
    with os.fdopen(fd, "ab") as file:
        file.write(msgspec.json.encode(kept) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    owned_as_its_folder(path)
    return path


def read_all(directory: Path) -> tuple[list[StoredCalibration], int]:
    """All readable calibrations, oldest first, and the number of unreadable lines."""
    try:
        lines = (directory / "calibrations.jsonl").read_bytes().splitlines()
    except FileNotFoundError:
        return [], 0
    found, damaged = [], 0
    for line in lines:
        try:
            found.append(msgspec.json.decode(line, type=StoredCalibration))
        except UNREADABLE:
            damaged += 1
    return found, damaged


def newest(directory: Path) -> StoredCalibration | None:
    """The calibration that last changed the profile."""
    return next((kept for kept in reversed(read_all(directory)[0]) if kept.written), None)


def save_progress(directory: Path, state: Progress) -> None:
    write_whole(_progress_path(directory), msgspec.json.encode(state))


def load_progress(directory: Path) -> Progress | None:
    """The unfinished calibration, None if there is none. A damaged file is renamed."""
    try:
        return msgspec.json.decode(_progress_path(directory).read_bytes(), type=Progress)
    except FileNotFoundError:
        return None
    except UNREADABLE:
        _progress_path(directory).rename(_progress_path(directory).with_suffix(".damaged"))
        return None


def delete_progress(directory: Path) -> None:
    _progress_path(directory).unlink(missing_ok=True)


def _progress_path(directory: Path) -> Path:
    return directory / "calibration.partial.json"
