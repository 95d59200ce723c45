"""Keeps the knowledge about a machine between sessions: friction and curve on disk, the zero while the daemon runs.

    learned.json    {"friction": 0.061, "zero_n": 0.0, "v": 1}    in the machine's state folder

The zero drifts with the temperature, so a restart begins with the zero of the calibration.
"""

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec

from monitor.learning.machine import LearnedMachine
from monitor.state.whole_file import write_whole
from monitor.store.database import StoreError

NAME = "learned.json"
LARGEST_BYTES = 4096
_log = logging.getLogger(__name__)


class MachineMemory:
    """`newest` is given to each new session. A file that cannot be read is reported and ignored."""

    def __init__(self, directory: Path, do: Callable[[Callable[[], object]], None]) -> None:
        """`do` runs work that waits for the disk, and tries it again after a StoreError."""
        self._path = directory / NAME
        self._do = do
        self.newest = _read(self._path)

    def learn(self, machine: LearnedMachine) -> None:
        """Take what a session taught; it replaces earlier knowledge."""
        before, self.newest = self.newest, machine
        if machine.friction is None:
            known = before or LearnedMachine()
            self.newest = msgspec.structs.replace(machine, friction=known.friction, resistance=known.resistance)
        elif before is None or (machine.friction, machine.resistance) != (before.friction, before.resistance):
            self._do(partial(self._write, msgspec.structs.replace(machine, zero_n=0.0)))

    def follow_zero(self, zero_n: float) -> None:
        """Take the zero that the idle machine showed before a session."""
        self.newest = msgspec.structs.replace(self.newest or LearnedMachine(), zero_n=zero_n)

    def forget_zero(self) -> None:
        """Forget the zero: another calibration has another one."""
        if self.newest is not None:
            self.follow_zero(0.0)

    def _write(self, machine: LearnedMachine) -> None:
        try:
            write_whole(self._path, msgspec.json.encode(machine))
        except OSError as error:
            raise StoreError(f"{self._path} cannot be written: {error.strerror}") from error


def _read(path: Path) -> LearnedMachine | None:
    try:
        with path.open("rb") as file:
            return msgspec.json.decode(file.read(LARGEST_BYTES), type=LearnedMachine)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        _log.warning("%s is ignored, friction will be learned again: %s", path, error)
        return None
